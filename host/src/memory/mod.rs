//! Memory networks at scale: prototypes that evolve bit by bit on all training samples.
//!
//! A memory network answers with the class of the prototype nearest to an input, by Hamming distance (nearest neighbours: Cover and Hart,
//! 1967; prototypes that move by what they win and lose: Kohonen's learning vector quantization, 1986). Its genome is that of a network of two
//! dense layers: the weights of a hidden neuron are a prototype, and the one class whose weight for that neuron is +1 is its label;
//! thresholds are not used. So encoders, searches, checkpoints and model images are those of other networks, and what differs is how scores are made:
//! the score of a class is the distance to its nearest prototype, negated, where a network sums.
//!
//! [`MemoryLandscape`] gives the exact change of loss of every bit of a prototype, as landscapes of networks do.

mod landscape;

use evobit::bits::{self, Words};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;
use rayon::prelude::*;

use crate::evaluate::Classify;
use crate::train::Prepared;

pub use landscape::{MemoryLandscape, bytes_needed};

/// Samples that one task takes.
const CHUNK: usize = 256;

/// The prototypes of a genome.
#[derive(Clone, Debug)]
pub struct Prototypes {
    /// `[prototypes][words]`
    rows: Vec<u32>,
    labels: Vec<u8>,
    words: usize,
    classes: usize,
    /// The distance that stands for a class without prototypes: one more than any.
    far: u16,
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

    /// The prototypes one after the other, `[prototypes][words]`.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Their classes.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
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

/// A genome to start from: prototypes are training samples drawn at random, class after class as many, none twice where there are enough.
pub(crate) fn start(prepared: &Prepared, seed: u64) -> Vec<u32> {
    let topology = &prepared.topology;
    let mut genome = vec![0; topology.genome_words()];
    if !fits(topology) {
        return genome;
    }
    let (samples, words) = (prepared.plain(), topology.input_words());
    let mut rng = Stream::new(seed, Purpose::Start, 0);
    let mut of_class: Vec<Vec<usize>> = vec![vec![]; topology.classes()];
    for (sample, &label) in samples.labels.iter().enumerate() {
        of_class[usize::from(label)].push(sample);
    }
    of_class.iter_mut().for_each(|samples| rng.shuffle(samples));
    let (plan, above) = (topology.layer(0), topology.layer(1));
    let count = plan.neurons as usize;
    for prototype in 0..count {
        let class = prototype * topology.classes() / count;
        let first = (class * count).div_ceil(topology.classes());
        let drawn = &of_class[class];
        // Every class has a sample, or nothing is prepared.
        let sample = drawn[(prototype - first) % drawn.len()];
        let row = plan.weights as usize + prototype * words;
        genome[row..row + words].copy_from_slice(samples.input(sample, words));
        let label = above.weights as usize + class * above.row_words as usize;
        bits::set(&mut genome[label..], prototype as u32, true);
    }
    genome
}

#[cfg(test)]
mod tests;
