//! What landscapes that hold a genome and samples in memory have in common.

use heapless::Vec;

use super::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use crate::bits::{self, Words};
use crate::genome::{GenomeMut, Mutation};
use crate::network::Network;
use crate::topology::{MAX_CLASSES, Topology};

/// For one hidden neuron: bit c is its weight in class c.
pub(in crate::evolve) type Column = [u32; (MAX_CLASSES / 32) as usize];

/// The weights of a neuron of the last hidden layer in every class.
pub(in crate::evolve) fn column(network: &Network<'_, &[u32]>, neuron: u32) -> Column {
    let topology = network.topology();
    let last = topology.depth() - 1;
    let position = topology.layer(last).packing.position(neuron);
    let mut column = [0; (MAX_CLASSES / 32) as usize];
    for class in 0..topology.classes() as u32 {
        bits::set(&mut column, class, bits::get(network.weights(last, class), position));
    }
    column
}

/// Where all mutations change one neuron, that neuron.
pub(in crate::evolve) fn only_neuron(mutations: &[Mutation]) -> Option<(usize, u32)> {
    let first = mutations.first()?;
    let same = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
    same.then_some((usize::from(first.layer), u32::from(first.neuron)))
}

/// Whether samples are of a topology.
pub(in crate::evolve) fn check_samples(
    topology: &Topology,
    samples: Samples<'_>,
) -> Result<(), LandscapeError> {
    if samples.len().checked_mul(topology.input_words()) != Some(samples.inputs.len()) {
        return Err(LandscapeError::Samples);
    }
    if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
        return Err(LandscapeError::Label);
    }
    Ok(())
}

/// Whether a landscape can start from a genome: it and samples are of a topology.
///
/// # Errors
/// The first thing that is not.
pub fn check_start(topology: &Topology, genome: &[u32], samples: Samples<'_>) -> Result<(), LandscapeError> {
    Network::new(topology, genome).and_then(|network| network.check()).map_err(LandscapeError::Genome)?;
    check_samples(topology, samples)
}

/// Makes sure that spectra can be written.
///
/// # Panics
/// Where they cannot, see [`Landscape::spectra`].
pub fn check_spectra(topology: &Topology, layer: usize, neurons: &[u16], deltas: &[i64]) {
    let plan = topology.layer(layer);
    assert!(deltas.len() / plan.mutants() >= neurons.len(), "deltas are too short");
    assert!(neurons.iter().all(|&neuron| u32::from(neuron) < plan.neurons), "no such neuron");
}

/// Marks the threshold steps that would leave the range.
pub fn mask_impossible<W: Words>(network: &Network<'_, W>, layer: usize, neuron: u32, deltas: &mut [i64]) {
    let inputs = network.topology().layer(layer).inputs;
    let threshold = network.threshold(layer, neuron);
    if threshold + 1 >= inputs {
        deltas[inputs as usize] = IMPOSSIBLE;
    }
    if threshold == 0 {
        deltas[inputs as usize + 1] = IMPOSSIBLE;
    }
}

/// A trial that may be committed.
#[derive(Debug, Default)]
pub(in crate::evolve) struct PendingTrial {
    mutations: Vec<Mutation, MAX_TRIAL>,
    change: i64,
}

/// A landscape that measures a trial by mutating its genome and putting it back.
pub(in crate::evolve) trait Mutable: Landscape {
    /// The genome to mutate; `None` where it is of no network.
    fn genome_mut(&mut self) -> Option<GenomeMut<'_>>;

    /// The trial that may be committed.
    fn pending(&mut self) -> &mut PendingTrial;

    /// The change of loss that the mutated genome makes, against what is remembered of the old one.
    fn measure(&mut self, mutations: &[Mutation]) -> i64;

    /// Brings everything remembered up to date with the mutated genome, whose loss is `change` more.
    fn refresh(&mut self, mutations: &[Mutation], change: i64);

    /// Mutates the genome; false, and nothing changed, where one of the mutations cannot be.
    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        self.genome_mut().is_some_and(|mut genome| genome.apply_all(mutations))
    }

    /// See [`Landscape::trial`].
    fn try_mutations(&mut self, mutations: &[Mutation]) -> i64 {
        self.rollback();
        let Ok(copy) = Vec::from_slice(mutations) else { return IMPOSSIBLE };
        if !self.apply_all(mutations) {
            return IMPOSSIBLE;
        }
        let change = self.measure(mutations);
        for mutation in mutations.iter().rev() {
            self.apply_all(&[mutation.inverse()]);
        }
        *self.pending() = PendingTrial { mutations: copy, change };
        change
    }

    /// See [`Landscape::commit`].
    fn commit_pending(&mut self) {
        let PendingTrial { mutations, change } = core::mem::take(self.pending());
        if !mutations.is_empty() && self.apply_all(&mutations) {
            self.refresh(&mutations, change);
        }
    }
}

impl PendingTrial {
    /// Forgets the trial.
    pub(in crate::evolve) fn clear(&mut self) {
        self.mutations.clear();
    }
}
