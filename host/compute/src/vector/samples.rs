//! The samples of a landscape, those of a class together.

use evobit::evolve::landscape::Samples;

/// Samples in the order of their classes. A sum over samples is the same in any order, and neighbours of one class
/// move alike when a neuron flips.
pub(super) struct Sorted {
    inputs: Vec<u32>,
    pub(super) labels: Vec<u8>,
}

impl Sorted {
    pub(super) fn new(samples: Samples<'_>, input_words: usize) -> Self {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|&sample| samples.labels[sample]);
        let mut inputs = Vec::with_capacity(samples.inputs.len());
        order.iter().for_each(|&sample| inputs.extend_from_slice(samples.input(sample, input_words)));
        Self { inputs, labels: order.iter().map(|&sample| samples.labels[sample]).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn as_samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }
}
