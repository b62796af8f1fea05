//! The landscape as boards run it, and the oracle for every faster one.
//!
//! It keeps, for every sample, the packed activations of the hidden layers and the scores. The
//! pre-activations of hidden neurons may be kept as well (two bytes each) or are computed anew for the
//! neuron that is visited, which costs one dot product a sample and no memory. Nothing is allocated: all
//! buffers are the caller's, and [`Needs`] gives their sizes at compile time.
//!
//! Cost of one neuron's spectrum: one look at each sample, and for the boundary samples one change of
//! loss and one pass over the words of the neuron's input. Cost of a trial in one neuron: one dot product
//! a sample, and a change of loss where the output flips.

mod measure;
mod spectrum;

use crate::bits::Words;
use crate::evolve::landscape::{
    Landscape, LandscapeError, Mutable, PendingTrial, Samples, check_spectra, check_start, mask_impossible,
};
use crate::genome::Mutation;
use crate::loss::LossTable;
use crate::network::{Network, best_class};
use crate::topology::{MAX_LAYERS, Topology, WINDOW_WORDS};

/// Sizes of the buffers of a [`ScalarLandscape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Needs {
    /// Words of [`Buffers::hidden`]: `[samples][hidden_words]`.
    pub hidden: usize,
    /// Entries of [`Buffers::scores`]: `[samples][classes]`.
    pub scores: usize,
    /// Entries of [`Buffers::preactivations`], where given: `[hidden neurons][samples]`.
    pub preactivations: usize,
    /// Words of [`Buffers::scratch`].
    pub scratch: usize,
    /// Entries of [`Buffers::scratch_scores`].
    pub scratch_scores: usize,
}

impl Needs {
    /// What a landscape of `samples` samples needs; `usize::MAX` where that is more.
    #[must_use]
    pub const fn new(topology: &Topology, samples: usize) -> Self {
        Self {
            hidden: samples.saturating_mul(topology.hidden_words()),
            scores: samples.saturating_mul(topology.classes()),
            preactivations: samples.saturating_mul(topology.hidden_neurons() as usize),
            scratch: topology.hidden_words(),
            scratch_scores: topology.classes(),
        }
    }
}

/// Memory of a [`ScalarLandscape`]; what it holds before does not matter.
#[derive(Debug)]
pub struct Buffers<'a> {
    /// Activations of the hidden layers.
    pub hidden: &'a mut [u32],
    /// Scores.
    pub scores: &'a mut [i16],
    /// Pre-activations of the hidden neurons; `None` computes them when they are needed.
    pub preactivations: Option<&'a mut [i16]>,
    /// Activations of one sample.
    pub scratch: &'a mut [u32],
    /// Scores of one sample.
    pub scratch_scores: &'a mut [i16],
}

/// What a [`ScalarLandscape`] knows beside its buffers, while nobody borrows them: see [`ScalarLandscape::suspend`].
#[derive(Debug, Default)]
pub struct Suspended {
    total: i64,
    pending: PendingTrial,
}

impl Suspended {
    /// The sum of the losses of all samples.
    #[must_use]
    pub const fn loss(&self) -> i64 {
        self.total
    }
}

/// The scalar [`Landscape`], over borrowed storage.
#[derive(Debug)]
pub struct ScalarLandscape<'a, W> {
    topology: &'a Topology,
    genome: &'a mut [u32],
    samples: Samples<'a>,
    loss: LossTable<W>,
    buffers: Buffers<'a>,
    /// First word of each layer's input among the activations of one sample; unused for layer 0.
    offsets: [usize; MAX_LAYERS],
    total: i64,
    pending: PendingTrial,
}

impl<'a, W: Words> ScalarLandscape<'a, W> {
    /// Runs the network of `genome` on all samples and remembers what [`Buffers`] have room for.
    ///
    /// # Errors
    /// A genome that is not one of `topology`, samples that do not fit it, buffers that are too short.
    pub fn new(
        topology: &'a Topology,
        genome: &'a mut [u32],
        samples: Samples<'a>,
        loss: LossTable<W>,
        buffers: Buffers<'a>,
    ) -> Result<Self, LandscapeError> {
        let mut landscape = Self::resume(topology, genome, samples, loss, buffers, Suspended::default())?;
        for sample in 0..samples.len() {
            landscape.run_above(0, sample);
            landscape.store(0, sample);
        }
        landscape.total = (0..samples.len()).map(|sample| i64::from(landscape.sample_loss(sample))).sum();
        Ok(landscape)
    }

    /// Goes on where another landscape was suspended: over its genome, its samples and its buffers, as it left them.
    /// Nothing is computed anew. Buffers of another landscape make wrong numbers, never a panic.
    ///
    /// Costs a look at each label and at the genome.
    ///
    /// # Errors
    /// A genome or samples that are not of `topology`, buffers that are too short.
    pub fn resume(
        topology: &'a Topology,
        genome: &'a mut [u32],
        samples: Samples<'a>,
        loss: LossTable<W>,
        buffers: Buffers<'a>,
        Suspended { total, pending }: Suspended,
    ) -> Result<Self, LandscapeError> {
        check_start(topology, genome, samples)?;
        let needs = Needs::new(topology, samples.len());
        let enough = buffers.hidden.len() >= needs.hidden
            && buffers.scores.len() >= needs.scores
            && buffers.scratch.len() >= needs.scratch
            && buffers.scratch_scores.len() >= needs.scratch_scores
            && buffers.preactivations.as_ref().is_none_or(|cache| cache.len() >= needs.preactivations);
        if !enough {
            return Err(LandscapeError::Buffers);
        }
        let mut offsets = [0; MAX_LAYERS];
        for layer in 2..topology.depth() {
            offsets[layer] = offsets[layer - 1] + topology.layer(layer - 1).packing.words();
        }
        Ok(Self { topology, genome, samples, loss, buffers, offsets, total, pending })
    }

    /// Gives genome and buffers back. What is left goes on with [`resume`](Self::resume).
    #[must_use]
    pub fn suspend(self) -> Suspended {
        Suspended { total: self.total, pending: self.pending }
    }

    /// The scores of a sample.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn scores(&self, sample: usize) -> &[i16] {
        let classes = self.topology.classes();
        &self.buffers.scores[sample * classes..(sample + 1) * classes]
    }

    /// The packed activations of all hidden layers on a sample.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn hidden(&self, sample: usize) -> &[u32] {
        let words = self.topology.hidden_words();
        &self.buffers.hidden[sample * words..(sample + 1) * words]
    }

    fn network(&self) -> Network<'_, &[u32]> {
        Network::view(self.topology, &*self.genome)
    }

    fn label(&self, sample: usize) -> usize {
        usize::from(self.samples.labels[sample])
    }

    fn sample_loss(&self, sample: usize) -> i32 {
        self.loss.sample(self.scores(sample), self.label(sample))
    }

    fn input(&self, layer: usize, sample: usize) -> &[u32] {
        if layer == 0 {
            self.samples.input(sample, self.topology.input_words())
        } else {
            let start = self.offsets[layer];
            &self.hidden(sample)[start..start + self.topology.layer(layer).packing.words()]
        }
    }

    /// Where the kept pre-activations of a neuron of `layer` lie: one per sample from here on.
    fn cache_start(&self, layer: usize, neuron: u32) -> usize {
        let before: u32 = self.topology.layers()[..layer].iter().map(|plan| plan.neurons).sum();
        (before + neuron) as usize * self.samples.len()
    }

    fn preactivation(&self, layer: usize, neuron: u32, sample: usize) -> i32 {
        match &self.buffers.preactivations {
            Some(cache) => i32::from(cache[self.cache_start(layer, neuron) + sample]),
            None => {
                self.network().preactivation(layer, neuron, self.input(layer, sample), &mut [0; WINDOW_WORDS])
            }
        }
    }

    /// Runs the layers from `from` on for one sample into the scratch; the input of `from`, where it is not the sample
    /// itself, must lie there.
    fn run_above(&mut self, from: usize, sample: usize) {
        let last = self.topology.depth() - 1;
        let network = Network::view(self.topology, &*self.genome);
        let sample_input = self.samples.input(sample, self.topology.input_words());
        for layer in from..last {
            let (below, above) = self.buffers.scratch.split_at_mut(self.offsets[layer + 1]);
            let input = if layer == 0 { sample_input } else { &below[self.offsets[layer]..] };
            network.run_layer(layer, input, above);
        }
        let input = if last == 0 {
            sample_input
        } else {
            let start = self.offsets[last];
            &self.buffers.scratch[start..start + self.topology.layer(last).packing.words()]
        };
        let mut window = [0; WINDOW_WORDS];
        for class in 0..self.topology.classes() {
            self.buffers.scratch_scores[class] =
                network.preactivation(last, class as u32, input, &mut window) as i16;
        }
    }

    /// Puts what is remembered of a sample into the scratch.
    fn load(&mut self, sample: usize) {
        let words = self.topology.hidden_words();
        let kept = &self.buffers.hidden[sample * words..(sample + 1) * words];
        self.buffers.scratch[..words].copy_from_slice(kept);
    }

    /// Remembers the scratch as the state of a sample, and the pre-activations from layer `from` on.
    fn store(&mut self, from: usize, sample: usize) {
        let (words, classes) = (self.topology.hidden_words(), self.topology.classes());
        self.buffers.hidden[sample * words..(sample + 1) * words]
            .copy_from_slice(&self.buffers.scratch[..words]);
        self.buffers.scores[sample * classes..(sample + 1) * classes]
            .copy_from_slice(&self.buffers.scratch_scores[..classes]);
        for layer in from..self.topology.depth() - 1 {
            for neuron in 0..self.topology.layer(layer).neurons {
                self.store_preactivation(layer, neuron, sample);
            }
        }
    }

    fn store_preactivation(&mut self, layer: usize, neuron: u32, sample: usize) {
        if self.buffers.preactivations.is_none() {
            return;
        }
        let mut window = [0; WINDOW_WORDS];
        let value = self.network().preactivation(layer, neuron, self.input(layer, sample), &mut window);
        let start = self.cache_start(layer, neuron);
        if let Some(cache) = &mut self.buffers.preactivations {
            cache[start + sample] = value as i16;
        }
    }
}

impl<W: Words> Landscape for ScalarLandscape<'_, W> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        self.genome
    }

    fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.total
    }

    fn correct(&self) -> u32 {
        let right = |sample: &usize| best_class(self.scores(*sample)) == self.label(*sample);
        (0..self.samples.len()).filter(right).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        check_spectra(self.topology, layer, neurons, deltas);
        let plan = *self.topology.layer(layer);
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(plan.mutants())) {
            let neuron = u32::from(neuron);
            deltas.fill(0);
            if layer + 1 == self.topology.depth() {
                self.output_spectrum(neuron, deltas);
            } else {
                self.hidden_spectrum(layer, neuron, deltas);
            }
            mask_impossible(&self.network(), layer, neuron, deltas);
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.try_mutations(mutations)
    }

    fn commit(&mut self) {
        self.commit_pending();
    }

    fn rollback(&mut self) {
        self.pending.clear();
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
