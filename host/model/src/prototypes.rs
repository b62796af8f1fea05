//! Memory networks at scale: prototypes that evolve bit by bit on all training samples.
//!
//! A memory network answers with the class of the prototype nearest to an input, by Hamming distance (nearest neighbours: Cover and Hart,
//! 1967; prototypes that move by what they win and lose: Kohonen's learning vector quantization, 1986). Its genome is that of a network of two
//! dense layers: the weights of a hidden neuron are a prototype, and the one class whose weight for that neuron is +1 is its label;
//! thresholds are not used. So encoders, searches, checkpoints and model images are those of other networks, and what differs is how scores are made:
//! the score of a class is the distance to its nearest prototype, negated, where a network sums.
//!
//! `evobit_compute::prototypes` gives the exact change of loss of every bit of a prototype, as landscapes of networks do.

use evobit::bits::{self, Words};
use evobit::network::Network;
use evobit::topology::Topology;
use rayon::prelude::*;

use crate::evaluate::Classify;

/// Samples that one task takes.
const CHUNK: usize = 256;

/// The prototypes of a genome.
#[derive(Clone, Debug)]
pub struct Prototypes {
    /// Their bits, `[prototypes][words]`.
    pub rows: Vec<u32>,
    /// Their classes, `[prototypes]`.
    pub labels: Vec<u8>,
    /// Words of a prototype.
    pub words: usize,
    /// Number of classes.
    pub classes: usize,
    /// The distance that stands for a class without prototypes: one more than any.
    pub far: u16,
}

/// True of networks whose genome can be that of a memory: two dense layers.
#[must_use]
pub fn fits(topology: &Topology) -> bool {
    evobit::image::ModelKind::Memory.fits(topology)
}

/// Bits of all prototypes.
#[must_use]
pub fn evolvable_bits(topology: &Topology) -> u32 {
    let plan = topology.layer(0);
    plan.neurons * plan.inputs
}

impl Prototypes {
    /// The prototypes of a genome.
    ///
    /// # Panics
    /// When the topology does not [fit](fits).
    #[must_use]
    pub fn of(network: &Network<'_, impl Words>) -> Self {
        let topology = network.topology();
        assert!(fits(topology), "a memory has two dense layers");
        let (plan, classes) = (topology.layer(0), topology.classes());
        let rows = (0..plan.neurons).flat_map(|prototype| words_of(network.weights(0, prototype))).collect();
        let label = |prototype: u32| {
            let has = |class: &usize| bits::get(network.weights(1, *class as u32), prototype);
            (0..classes).find(has).unwrap_or(0) as u8
        };
        Self {
            rows,
            labels: (0..plan.neurons).map(label).collect(),
            words: plan.row_words as usize,
            classes,
            far: plan.inputs as u16 + 1,
        }
    }
}

fn words_of(words: impl Words) -> impl Iterator<Item = u32> {
    (0..words.len()).map(move |index| words.word(index))
}

impl Classify for Prototypes {
    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, inputs: &[u32]) -> Vec<i32> {
        let mut scores = vec![0; inputs.len() / self.words * self.classes];
        let chunks = inputs.par_chunks(CHUNK * self.words);
        scores.par_chunks_mut(CHUNK * self.classes).zip(chunks).for_each(|(scores, inputs)| {
            for (scores, input) in scores.chunks_mut(self.classes).zip(inputs.chunks(self.words)) {
                scores.fill(-i32::from(self.far));
                for (row, &label) in self.rows.chunks(self.words).zip(&self.labels) {
                    let score = &mut scores[usize::from(label)];
                    *score = (*score).max(-(bits::mismatches(row, input) as i32));
                }
            }
        });
        scores
    }
}
