//! The classical genetic algorithm (Holland, *Adaptation in Natural and Artificial Systems*, 1975)
//! over bit-packed genomes.
//!
//! A generation is scored, ranked and bred from: elites move on as they are, every other place goes
//! to a child of selected parents, mated and mutated. Mating and the exclusive or of a mutation work
//! on words of 32 bits at a time.
//!
//! Nothing is allocated. A [`Population`] stands in buffers that the caller lends: static arrays on a
//! board, a `Vec` on a host. It takes two rows of words an individual and one more, so that children
//! are written beside their parents. A child needs no further row: it *begins as its mutation*, a row
//! of zeros with the bits to flip set, and mating exclusive-ors the offspring of its parents in.
//!
//! Selection, mating and mutation are *operators*: types with the traits [`Select`], [`Mate`] and [`Mutate`]. A new one is a file with
//! such a type; the ones that are here are in [`select`](Select), [`mate`] and [`mutate`].
//!
//! Integers decide everything and every draw comes from the caller's generator, so a seed gives the
//! same genomes on every machine. For each child the draws are, in this order: its parents, its
//! mutation, its mating. Equal fitness ranks by index, the lowest first.
//!
//! ```
//! use evobit::evolve::genetic::*;
//! use evobit::rng::{Purpose, Stream};
//!
//! const CAPACITY: usize = 20;
//! let genes = PlainBits(64);
//! let mut genomes = [0; Population::genome_words(CAPACITY, 2)];
//! let mut fitness = [0; 2 * CAPACITY];
//! let mut order = [0; CAPACITY];
//! let population = Population::new(2, &mut genomes, &mut fitness, &mut order)?;
//!
//! let configuration = Configuration {
//!     population: 20,
//!     elites: 1,
//!     rate_generations: 0,
//!     selection: &Tournament(3),
//!     mating: &Uniform,
//!     mutation: &Flips(1),
//! };
//! let mut ones = OneByOne(|genome: &[u32]| genome.iter().map(|word| i64::from(word.count_ones())).sum());
//! let mut rng = Stream::new(1, Purpose::Search, 0);
//! let mut search =
//!     GeneticAlgorithm::start(configuration, genes, population, Origin::Random, &mut ones, &mut rng)?;
//! while search.generation().best < 64 {
//!     search.step(&mut ones, &mut rng);
//! }
//! assert_eq!(search.best(), [u32::MAX; 2]);
//! # Ok::<(), Error>(())
//! ```

mod error;
mod fitness;
mod generation;
mod genes;
pub mod mate;
pub mod mutate;
mod population;
mod select;

pub use error::Error;
pub use fitness::{Batch, Fitness, OneByOne};
pub use generation::{Configuration, Generation, GeneticAlgorithm, Origin, Snapshot};
pub use genes::{Genes, PlainBits, mark, randomize};
pub use mate::{
    Kin, MajorityOfFive, MajorityOfThree, Mate, OneParent, Uniform, Union, WeightedVote, WholeUnits,
    WithinUnits,
};
pub use mutate::{Flips, Mutate, PowerLaw, Rate, SelfAdaptive};
pub use population::{Population, Suspended};
pub use select::{Ranked, Select, Tournament, Truncation};
