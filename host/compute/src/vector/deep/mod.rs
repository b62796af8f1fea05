//! The landscape of a network with several hidden layers.
//!
//! As in the landscape of one hidden layer the first layer's pre-activations lie neuron by neuron, so that the boundary samples of a
//! neuron come from one run over contiguous numbers. What the layers above remember lies sample by sample: a flip in a lower
//! layer touches many of their neurons on few samples. See [`propagate`] for how a flip finds its way to the loss.

mod commit;
mod flips;
mod hidden;
mod links;
mod output;
mod propagate;
mod state;

use evobit::evolve::landscape::{
    IMPOSSIBLE, Landscape, LandscapeError, Samples, check_spectra, check_start, mask_impossible,
};
use evobit::genome::{GenomeMut, Mutation};
use evobit::loss::LossTable;
use evobit::network::{Network, best_class};
use evobit::topology::Topology;

use super::is_narrow;
use super::kernels::{Cell, Chunk, Kernels};
use super::start::columns;
use super::terms::Terms;
use super::trial;
use super::windows::Strips;
use state::{Given, LayerState};

/// A pending trial.
enum PendingTrial<C> {
    None,
    /// One hidden neuron has new pre-activations and other signs on some samples: both are in the working buffers.
    Hidden {
        mutations: Vec<Mutation>,
        change: i64,
    },
    /// The scores of one class move.
    Class {
        mutations: Vec<Mutation>,
        change: i64,
        steps: Vec<Chunk<i16>>,
    },
    /// Anything else: all is made anew.
    Whole {
        mutations: Vec<Mutation>,
        state: Box<LayerState<C>>,
    },
}

/// See the module. `C` holds the pre-activations of the first layer.
pub struct DeepLandscape<'a, K, C> {
    given: Given<'a, K>,
    genome: Vec<u32>,
    state: LayerState<C>,
    block: hidden::Block,
    pending: PendingTrial<C>,
    work: hidden::Work<C>,
}

/// True where a [`DeepLandscape`] can be made: two or more hidden layers whose windows do not slide, and scores and losses that fit
/// their numbers.
#[must_use]
pub fn supports_deep(topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
    let slides = topology.layers().iter().any(|plan| plan.slide() > 0);
    topology.depth() > 2 && !slides && Terms::new(topology, loss).is_some()
}

impl<'a, K: Kernels, C: Cell> DeepLandscape<'a, K, C> {
    /// Runs the network of `genome` on all samples.
    ///
    /// # Errors
    /// A genome that is not one of `topology` or samples that do not fit it; [`LandscapeError::Buffers`] where
    /// [`supports_deep`] says no, or `C` is too small for the topology, see [`is_narrow`].
    pub fn new(
        kernels: K,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'a>,
        loss: &LossTable<&[u32]>,
    ) -> Result<Self, LandscapeError> {
        check_start(topology, genome, samples)?;
        let network = Network::new(topology, genome).map_err(LandscapeError::Genome)?;
        let fits = supports_deep(topology, loss) && (size_of::<C>() > 1 || is_narrow(topology));
        let terms = Terms::new(topology, loss).filter(|_| fits).ok_or(LandscapeError::Buffers)?;
        let (columns, strips) = (columns(topology, samples), Strips::new(topology.layer(0), samples));
        let given = Given { kernels, topology, samples, terms, columns, strips };
        let state = LayerState::new(&given, &network);
        Ok(Self {
            given,
            genome: genome.to_vec(),
            state,
            block: hidden::Block::default(),
            pending: PendingTrial::None,
            work: hidden::Work::default(),
        })
    }

    /// Tries mutations of several neurons.
    fn try_whole(&mut self, mutations: &[Mutation]) -> PendingTrial<C> {
        let mut genome = self.genome.clone();
        let applied = GenomeMut::new(self.given.topology, &mut genome);
        let applied = applied.is_ok_and(|mut genome| genome.apply_all(mutations));
        match Network::new(self.given.topology, &genome[..]) {
            Ok(network) if applied => {
                let state = Box::new(LayerState::new(&self.given, &network));
                PendingTrial::Whole { mutations: mutations.to_vec(), state }
            }
            _ => PendingTrial::None,
        }
    }
}

impl<K, C> DeepLandscape<'_, K, C> {
    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        let genome = GenomeMut::new(self.given.topology, &mut self.genome);
        genome.is_ok_and(|mut genome| genome.apply_all(mutations))
    }
}

impl<K: Kernels, C: Cell> Landscape for DeepLandscape<'_, K, C> {
    fn topology(&self) -> &Topology {
        self.given.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.given.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.state.total
    }

    fn correct(&self) -> u32 {
        let right = |&sample: &usize| {
            best_class(self.given.ahead_of(&self.state.ahead, sample)) == self.given.label(sample)
        };
        (0..self.given.samples.len()).filter(right).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        check_spectra(self.given.topology, layer, neurons, deltas);
        let mutants = self.given.topology.layer(layer).mutants();
        let is_last = layer + 1 == self.given.topology.depth();
        if !is_last {
            self.hidden_spectra(layer, neurons, deltas);
        }
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            if is_last {
                self.output_spectrum(neuron.into(), deltas);
            }
            if let Ok(network) = Network::new(self.given.topology, &self.genome[..]) {
                mask_impossible(&network, layer, neuron.into(), deltas);
            }
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.rollback();
        let Some(mutations) = trial::effective(self.given.topology, &mut self.genome, mutations) else {
            return IMPOSSIBLE;
        };
        let mutations = &mutations[..];
        let Some(first) = mutations.first() else { return 0 };
        let (layer, neuron) = (usize::from(first.layer), u32::from(first.neuron));
        let one_neuron = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
        self.pending = if !one_neuron {
            self.try_whole(mutations)
        } else if layer + 1 == self.given.topology.depth() {
            self.try_class(neuron, mutations)
        } else {
            self.try_hidden(layer, neuron, mutations)
        };
        match &self.pending {
            PendingTrial::None => 0,
            PendingTrial::Hidden { change, .. } | PendingTrial::Class { change, .. } => *change,
            PendingTrial::Whole { state, .. } => state.total - self.state.total,
        }
    }

    fn commit(&mut self) {
        match std::mem::replace(&mut self.pending, PendingTrial::None) {
            PendingTrial::None => {}
            PendingTrial::Hidden { mutations, change } => self.commit_hidden(&mutations, change),
            PendingTrial::Class { mutations, change, steps } => self.commit_class(&mutations, change, &steps),
            PendingTrial::Whole { mutations, state } => {
                self.apply_all(&mutations);
                self.state = *state;
                self.block = hidden::Block::default();
            }
        }
    }

    fn rollback(&mut self) {
        self.pending = PendingTrial::None;
    }
}
