//! The landscape of a board: one hidden layer, nothing kept that can be computed anew.
//!
//! It remembers, for every sample, one bit for each hidden neuron and the scores, and computes the pre-activations of a neuron when
//! that neuron is visited: a dot product a sample. It gives the same integers as [`scalar`](super::scalar), with inner loops for
//! processors that count neither bits nor zeros, and 32-bit sums.
//!
//! It can be laid down and taken up again: [`CompactLandscape::resume`] goes on with buffers that an earlier one left, so that a board
//! can make one step of a search, answer a question and go on. A sample can be exchanged on the way at the cost of
//! one forward pass: [`forget`](CompactLandscape::forget) it, overwrite it, [`learn`](CompactLandscape::learn) it.

mod loops;
mod measure;
mod spectrum;

use crate::bits::Words;
use crate::evolve::landscape::{
    Landscape, LandscapeError, Mutable, PendingTrial, Samples, check_samples, check_spectra, mask_impossible,
};
use crate::genome::Mutation;
use crate::loss::LossTable;
use crate::network::{Network, best_class};
use crate::topology::{Topology, WINDOW_WORDS};

/// A number that keeps a score.
pub trait Score: Copy + Default + PartialOrd + Into<i32> + bytemuck::Pod + core::fmt::Debug {
    /// The most inputs of an output neuron whose pre-activations fit.
    const MOST_INPUTS: u32;

    /// The number for a pre-activation that fits; others are cut.
    fn of(preactivation: i32) -> Self;
}

impl Score for i8 {
    const MOST_INPUTS: u32 = i8::MAX as u32;

    #[inline]
    fn of(preactivation: i32) -> Self {
        preactivation as Self
    }
}

impl Score for i16 {
    const MOST_INPUTS: u32 = i16::MAX as u32;

    #[inline]
    fn of(preactivation: i32) -> Self {
        preactivation as Self
    }
}

/// Sizes of [`CompactBuffers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CompactNeeds {
    /// Words of the activations: `[samples][hidden_words]`, and one row more to work with.
    pub hidden: usize,
    /// Entries of the scores: `[samples][classes]`, and one row more.
    pub scores: usize,
}

impl CompactNeeds {
    /// What a landscape of `samples` samples needs; `usize::MAX` where that is more.
    #[must_use]
    pub const fn new(topology: &Topology, samples: usize) -> Self {
        let rows = samples.saturating_add(1);
        Self {
            hidden: rows.saturating_mul(topology.hidden_words()),
            scores: rows.saturating_mul(topology.classes()),
        }
    }
}

/// Memory of a [`CompactLandscape`]; scores take a byte or two.
#[derive(Debug)]
pub struct CompactBuffers<'a, S = i16> {
    /// Activations of the hidden layer.
    pub hidden: &'a mut [u32],
    /// Scores.
    pub scores: &'a mut [S],
}

/// The landscape of a network with one hidden layer, over borrowed storage.
#[derive(Debug)]
pub struct CompactLandscape<'a, W, S = i16> {
    topology: &'a Topology,
    genome: &'a mut [u32],
    samples: Samples<'a>,
    loss: LossTable<W>,
    hidden: &'a mut [u32],
    scores: &'a mut [S],
    /// One row each, to work with.
    row: &'a mut [u32],
    row_scores: &'a mut [S],
    total: i64,
    pending: PendingTrial,
}

/// The layers of the network.
const HIDDEN: usize = 0;
const OUTPUT: usize = 1;

impl<'a, W: Words, S: Score> CompactLandscape<'a, W, S> {
    /// Runs the network of `genome` on all samples.
    ///
    /// # Errors
    /// A network without or with several hidden layers, a genome that is not one of `topology`, samples that do not fit it or are so many
    /// that a sum could overflow, buffers that are too short.
    pub fn new(
        topology: &'a Topology,
        genome: &'a mut [u32],
        samples: Samples<'a>,
        loss: LossTable<W>,
        buffers: CompactBuffers<'a, S>,
    ) -> Result<Self, LandscapeError> {
        Network::new(topology, &*genome)
            .and_then(|network| network.check())
            .map_err(LandscapeError::Genome)?;
        // Two steps of every wrong class, up and down.
        let most = 4 * i64::from(loss.steepest()) * topology.classes() as i64;
        if most.saturating_mul(samples.len() as i64) > i64::from(i32::MAX) {
            return Err(LandscapeError::Sums);
        }
        let mut landscape = Self::resume(topology, genome, samples, loss, buffers, 0)?;
        (0..samples.len()).for_each(|sample| landscape.learn(sample));
        Ok(landscape)
    }

    /// Goes on where another landscape of the same genome, samples, loss and buffers was, whose loss was `total`. Where they are not the
    /// same, what it reports is wrong.
    ///
    /// # Errors
    /// As for [`new`](Self::new), but values of the genome and sizes of sums are not looked at again.
    pub fn resume(
        topology: &'a Topology,
        genome: &'a mut [u32],
        samples: Samples<'a>,
        loss: LossTable<W>,
        buffers: CompactBuffers<'a, S>,
        total: i64,
    ) -> Result<Self, LandscapeError> {
        if topology.depth() != 2 {
            return Err(LandscapeError::Depth);
        }
        if topology.layer(OUTPUT).inputs > S::MOST_INPUTS {
            return Err(LandscapeError::Scores);
        }
        Network::new(topology, &*genome).map_err(LandscapeError::Genome)?;
        check_samples(topology, samples)?;
        let needs = CompactNeeds::new(topology, samples.len());
        let (Some(hidden), Some(scores)) =
            (buffers.hidden.get_mut(..needs.hidden), buffers.scores.get_mut(..needs.scores))
        else {
            return Err(LandscapeError::Buffers);
        };
        // The rows to work with lie in front, so that samples may be appended.
        let (row, hidden) = hidden.split_at_mut(topology.hidden_words());
        let (row_scores, scores) = scores.split_at_mut(topology.classes());
        Ok(Self {
            topology,
            genome,
            samples,
            loss,
            hidden,
            scores,
            row,
            row_scores,
            total,
            pending: PendingTrial::default(),
        })
    }

    /// Takes a sample out of the loss, so that it can be overwritten.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn forget(&mut self, sample: usize) {
        self.rollback();
        self.total -= i64::from(self.sample_loss(sample));
    }

    /// Runs the network on a sample that is new or was overwritten, and takes it into the loss.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn learn(&mut self, sample: usize) {
        self.rollback();
        self.run(sample);
        self.keep(sample);
        self.total += i64::from(self.sample_loss(sample));
    }

    fn network(&self) -> Network<'_, &[u32]> {
        Network::view(self.topology, &*self.genome)
    }

    fn label(&self, sample: usize) -> usize {
        usize::from(self.samples.labels[sample])
    }

    fn scores(&self, sample: usize) -> &[S] {
        let classes = self.topology.classes();
        &self.scores[sample * classes..(sample + 1) * classes]
    }

    fn hidden(&self, sample: usize) -> &[u32] {
        let words = self.topology.hidden_words();
        &self.hidden[sample * words..(sample + 1) * words]
    }

    fn sample_loss(&self, sample: usize) -> i32 {
        self.loss.sample(self.scores(sample), self.label(sample))
    }

    /// Runs the network on one sample into the row to work with.
    fn run(&mut self, sample: usize) {
        let network = Network::view(self.topology, &*self.genome);
        let input = self.samples.input(sample, self.topology.input_words());
        network.run_layer(HIDDEN, input, self.row);
        let mut window = [0; WINDOW_WORDS];
        for (score, class) in self.row_scores.iter_mut().zip(0..) {
            *score = S::of(network.preactivation(OUTPUT, class, self.row, &mut window));
        }
    }

    /// Makes the row to work with what is remembered of a sample.
    fn keep(&mut self, sample: usize) {
        let (words, classes) = (self.row.len(), self.row_scores.len());
        self.hidden[sample * words..(sample + 1) * words].copy_from_slice(self.row);
        self.scores[sample * classes..(sample + 1) * classes].copy_from_slice(self.row_scores);
    }
}

impl<W: Words, S: Score> Landscape for CompactLandscape<'_, W, S> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        // A pending trial is not in the genome: it is undone after measuring.
        self.genome
    }

    fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.total
    }

    fn correct(&self) -> u32 {
        (0..self.samples.len())
            .filter(|&sample| best_class(self.scores(sample)) == self.label(sample))
            .count() as u32
    }

    #[inline(never)]
    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        check_spectra(self.topology, layer, neurons, deltas);
        let plan = *self.topology.layer(layer);
        let inputs = plan.inputs as usize;
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(plan.mutants())) {
            let neuron = u32::from(neuron);
            // The sums take the first half of the memory that the changes will fill.
            let sums = &mut bytemuck::cast_slice_mut::<i64, i32>(deltas)[..inputs];
            sums.fill(0);
            let [raise, lower] = if layer == HIDDEN {
                self.hidden_spectrum(neuron, sums)
            } else {
                self.output_spectrum(neuron, sums)
            };
            for index in (0..inputs).rev() {
                deltas[index] = i64::from(bytemuck::cast_slice::<i64, i32>(deltas)[index]);
            }
            (deltas[inputs], deltas[inputs + 1]) = (raise.into(), lower.into());
            mask_impossible(&self.network(), layer, neuron, deltas);
        }
    }

    #[inline(never)]
    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.try_mutations(mutations)
    }

    #[inline(never)]
    fn commit(&mut self) {
        self.commit_pending();
    }

    fn rollback(&mut self) {
        self.pending.clear();
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
