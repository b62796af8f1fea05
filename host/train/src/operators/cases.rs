//! Which of some samples each individual of a generation is right on: what lexicase and novelty select by.

use std::cell::RefCell;

use evobit::evolve::genetic::Ranked;
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};

use super::given::Judged;
use evobit_model::evaluate;

/// Samples that a generation is looked at with.
pub(super) const CASES: u32 = u128::BITS;

/// Index of the streams that draw cases, so that they are not those of anything else.
const STREAM: u64 = 0xca5e;

/// The samples of a generation and who is right on which: a bit each.
#[derive(Debug)]
pub(super) struct Cases<'a> {
    judged: Judged<'a>,
    seed: u64,
    right: RefCell<Vec<u128>>,
}

impl<'a> Cases<'a> {
    pub(super) fn new(judged: Judged<'a>, seed: u64) -> Self {
        Self { judged, seed, right: RefCell::default() }
    }

    /// Draws the samples of generation `number` and runs every individual on them.
    pub(super) fn look(&self, generation: Ranked<'_>, number: u32) {
        let mut rng = Stream::new(self.seed ^ STREAM, Purpose::Samples, number);
        let (inputs, labels) = drawn(self.judged, CASES as usize, &mut rng);
        let topology = self.judged.topology;
        let right = |row: &[u32]| {
            let Ok(network) = Network::new(topology, &row[..topology.genome_words()]) else { return 0 };
            let classes = evaluate::predict(&network, &inputs);
            let pairs = classes.iter().zip(&labels).enumerate();
            pairs.filter(|(_, (class, label))| class == label).fold(0, |bits, (case, _)| bits | 1 << case)
        };
        *self.right.borrow_mut() = generation.rows().iter().map(right).collect();
    }

    /// Calls `with` with what [`look`](Self::look) saw, `[individuals]`.
    pub(super) fn with<T>(&self, with: impl FnOnce(&[u128]) -> T) -> T {
        with(&self.right.borrow())
    }
}

/// So many of the samples to learn from, drawn with replacement.
pub(crate) fn drawn(judged: Judged<'_>, count: usize, rng: &mut Stream) -> (Vec<u32>, Vec<u8>) {
    let (samples, words) = (judged.samples, judged.topology.input_words());
    let indices = (0..count).map(|_| rng.below(samples.len() as u32) as usize);
    let (mut inputs, mut labels) = (Vec::with_capacity(count * words), Vec::with_capacity(count));
    for index in indices {
        inputs.extend_from_slice(samples.input(index, words));
        labels.push(samples.labels[index]);
    }
    (inputs, labels)
}
