//! Local-rule networks: the rule that changes the weights is what evolves, the network learns while it runs.
//!
//! A *plastic network* has layers of small integer weights. Every weight carries hidden states and is changed, sample by
//! sample, by one rule that all weights share and that sees a weight's neighbourhood alone: the weight and its hidden
//! states, the neuron after it and the unit before it, and sums over the weights that share one of the two. There are
//! no gradients and no stored samples: one sample in, one update of all weights, the sample is gone.
//!
//! - [`LocalRule`] is such a rule; [`baseline`] has three from the literature, [`EvolvedRule`] is read from a genome of
//!   bits, so that the [genetic algorithm](crate::evolve::genetic) finds it.
//! - [`PlasticNetwork`] runs and learns. What is summed over a neighbourhood is summed once a neuron, not once a weight,
//!   and only where the rule asks for it.
//! - Everything works on [`Lanes`]: `L` plastic networks of one shape beside each other, one on a board, 16 where a host
//!   tries a rule on many starts at once. A network comes to the same weights in any number of lanes.
//!
//! All state is `i16` and everything a rule sees is -127 to 127. A weight is what the upper byte of its state says, the
//! lower byte is the first hidden state and collects changes too small for the weight; the second and the third hidden
//! state are the upper and the lower byte of another `i16`, which the rule uses as it likes. Sums shift right by about half
//! the logarithm of their length, so that layers of any width see alike values. Weights may be of one bit instead ([`WeightKind::Signs`]): then
//! that other `i16` is a counter, and the weight is its sign.
//!
//! ```
//! use evobit::rule::{baseline::Delta, *};
//!
//! // Two inputs, eight hidden neurons, two classes; exclusive or.
//! let shape = PlasticShape::new(&[2, 8, 2])?;
//! let (mut weights, mut units) = ([Weight::<1>::ABSENT; 42], [Unit::<1>::ZERO; 12]);
//! let (mut sources, mut scores) = ([Lanes([0]); 9], [[0; 1]; 2]);
//! let buffers = PlasticBuffers { weights: &mut weights, units: &mut units, scores: &mut scores };
//! let mut network = PlasticNetwork::new(shape, Plasticity::default(), buffers)?;
//! network.start(48, [&mut evobit::rng::Stream::new(1, evobit::rng::Purpose::Start, 0)]);
//! let samples = [([-100, -100], 0), ([-100, 100], 1), ([100, -100], 1), ([100, 100], 0)];
//! for (input, class) in samples.into_iter().cycle().take(200) {
//!     network.input(0, &input);
//!     network.learn(&Delta { rate: 2 }, [class], &mut sources);
//! }
//! for (input, class) in samples {
//!     network.input(0, &input);
//!     network.run();
//!     assert_eq!(network.class(0), class);
//! }
//! # Ok::<(), ShapeError>(())
//! ```

pub mod baseline;
mod evolved;
mod genes;
pub mod image;
mod lanes;
mod network;
mod perception;
mod shape;
mod weight;

#[cfg(all(test, feature = "full"))]
mod tests;

pub use evolved::{EvolvedRule, NeuronSums, SourceSums, UNITS, UnitCoefficients};
pub use genes::{GENOME_WORDS, RuleError, RuleGenes};
pub use lanes::Lanes;
pub use network::{PlasticBuffers, PlasticNetwork, Plasticity, Unit};
pub use perception::{LocalRule, NeuronView, RuleNeeds, SourceView};
pub use shape::{MAX_LAYERS, PlasticShape, ShapeError};
pub use weight::{Weight, WeightKind};
