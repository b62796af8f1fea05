//! The landscape around a genome: the exact loss of its neighbours.
//!
//! A classical genetic algorithm runs the whole network on all samples to score one mutant. A
//! landscape remembers what the parent computed and scores all single-bit mutants of a neuron in one
//! pass, exactly: flipping a weight moves the neuron's pre-activation by 1, so its output can only
//! change on *boundary samples*, those with pre-activation 0 or -1. On such a sample the change of loss
//! d does not depend on which weight flipped, and it flips the output where
//!
//! ```text
//! preactivation  0 (just on):   the input agrees with the weight, so the flip makes a mismatch
//! preactivation -1 (just off):  the input differs from the weight, so the flip removes one
//! ```
//!
//! The *spectrum* entry of a weight is the sum of d over the boundary samples that it flips; the
//! entries of the threshold are the sums over each side. In the last layer, whose pre-activations
//! are the scores, every sample takes part, with one change of loss for a step up and one for a step
//! down.
//!
//! This trait is what every backend implements and what every search runs on. A backend may cache what it likes; results are
//! integers and equal on all of them, bit for bit.

mod parts;

use crate::bits;
use crate::genome::Mutation;
use crate::topology::Topology;

pub(super) use parts::{Column, Mutable, PendingTrial, check_samples, column, only_neuron};
pub use parts::{check_spectra, check_start, mask_impossible};

/// The change of loss of a mutant that cannot be, such as a threshold step past its end.
pub const IMPOSSIBLE: i64 = i64::MAX;

/// Most mutations that one trial takes: 64, or 16 without the feature `full`, for boards with small stacks. Results with fewer are the same with both.
pub const MAX_TRIAL: usize = if cfg!(feature = "full") { 64 } else { 16 };

/// The loss of a genome on a set of samples, and of everything one mutation away.
pub trait Landscape {
    /// The topology of the genome.
    fn topology(&self) -> &Topology;

    /// The genome's words, without what a pending trial would change.
    fn genome(&self) -> &[u32];

    /// Number of samples.
    fn samples(&self) -> u32;

    /// The sum of the losses of all samples.
    fn loss(&self) -> i64;

    /// Number of samples that are classified correctly.
    fn correct(&self) -> u32;

    /// The exact change of loss of every mutant of `neurons` of `layer`, all against the present genome.
    ///
    /// `deltas` is `[neurons][inputs + 2]`: a flip of each weight, then the threshold raised, then
    /// lowered; [`IMPOSSIBLE`] where there is no such mutant. A pending trial is rolled back.
    ///
    /// # Panics
    /// When a layer or neuron is out of range or `deltas` is too short.
    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]);

    /// The exact change of loss if all of `mutations` were applied together; it stays pending until
    /// [`commit`](Self::commit) or [`rollback`](Self::rollback). [`IMPOSSIBLE`], and nothing pending, where one of
    /// them cannot be applied or there are more than [`MAX_TRIAL`].
    fn trial(&mut self, mutations: &[Mutation]) -> i64;

    /// Makes the pending trial part of the genome; nothing happens where none is pending.
    fn commit(&mut self);

    /// Forgets the pending trial.
    fn rollback(&mut self);
}

/// Encoded samples with their labels.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Packed inputs, `[samples][input_words]`, see [`crate::topology::Packing`]; padding bits must be 0, as an encoder leaves
    /// them.
    pub inputs: &'a [u32],
    /// The class of each sample.
    pub labels: &'a [u8],
}

impl<'a> Samples<'a> {
    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.labels.len()
    }

    /// True when there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The packed input of a sample.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    #[inline]
    pub fn input(&self, sample: usize, words: usize) -> &'a [u32] {
        &self.inputs[sample * words..(sample + 1) * words]
    }
}

/// Why a landscape cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LandscapeError {
    /// The genome is not one of this topology.
    Genome(crate::network::GenomeError),
    /// Inputs and labels are of different numbers of samples.
    Samples,
    /// A label is not below the number of classes.
    Label,
    /// A buffer is shorter than [`Needs`](super::scalar::Needs) says.
    Buffers,
    /// This landscape is for networks with one hidden layer.
    Depth,
    /// A score does not fit the number that keeps it.
    Scores,
    /// With so many samples and classes and so steep a loss, a sum of 32 bits could overflow.
    Sums,
}

impl core::fmt::Display for LandscapeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Genome(error) => error.fmt(f),
            Self::Samples => f.write_str("inputs and labels are of different numbers of samples"),
            Self::Label => f.write_str("a label is not below the number of classes"),
            Self::Buffers => f.write_str("a buffer is too short for these samples and this topology"),
            Self::Depth => f.write_str("this landscape is for networks with one hidden layer"),
            Self::Scores => f.write_str("a score does not fit the number that is to keep it"),
            Self::Sums => f.write_str("so many samples of so steep a loss could overflow a sum"),
        }
    }
}

impl core::error::Error for LandscapeError {}

/// Adds `amount` to the entries of the bits set in `mask`: the inner loop of a spectrum.
#[inline]
pub(super) fn add_where(mut mask: u32, amount: i64, deltas: &mut [i64]) {
    while mask != 0 {
        deltas[mask.trailing_zeros() as usize] += amount;
        mask &= mask - 1;
    }
}

/// Adds `differ` to the entries of inputs that differ from their weights and `agree` to those that agree.
#[inline]
pub(super) fn add_by_agreement(
    seen: &[u32],
    weights: impl bits::Words,
    (agree, differ): (i64, i64),
    deltas: &mut [i64],
) {
    for (index, (chunk, &inputs)) in deltas.chunks_mut(32).zip(seen).enumerate() {
        let mismatch = inputs ^ weights.word(index);
        let valid = bits::tail_mask(chunk.len() as u32);
        if differ != 0 {
            add_where(mismatch & valid, differ, chunk);
        }
        if agree != 0 {
            add_where(!mismatch & valid, agree, chunk);
        }
    }
}
