//! The forward pass of a binarized network.
//!
//! A neuron's *pre-activation* is `threshold - mismatches`: how many more inputs may differ from its
//! weights before it turns off. It is +1 where that is not negative. In the usual form, with the sum
//! `x . w` of n products and the odd (or even) threshold t = n - 1 - 2 * threshold, this is
//! `sign(x . w - t)`, and `x . w - t = 2 * preactivation + 1` is never 0. Flipping one weight or one
//! input moves a pre-activation by exactly 1, or, where a window slides and the position with the fewest mismatches decides, by at most 1. The last layer's pre-activations are the class scores;
//! the largest wins, the lowest class index among equals.
//!
//! Cost: one exclusive or and one population count per word of weights, plus the gathering of a window.

mod layer;
mod square;
mod writer;

pub use writer::Writer;

use crate::bits::{self, Words};
use crate::topology::{Topology, WINDOW_WORDS};
pub(crate) use layer::{decide, fewest_mismatches, row_start, set_field};
use layer::{field, write_scores, write_signs};

/// A genome seen as a network: a topology and the words it describes.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a, W> {
    topology: &'a Topology,
    words: W,
}

/// Why words are not a genome of a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GenomeError {
    /// The number of words differs from [`Topology::genome_words`].
    Length,
    /// A window lies outside of its input.
    Place {
        /// Layer, counted from 0.
        layer: usize,
        /// Neuron of that layer.
        neuron: u32,
    },
    /// A threshold is not in `0..inputs`.
    Threshold {
        /// Layer, counted from 0.
        layer: usize,
        /// Neuron of that layer.
        neuron: u32,
    },
    /// Bits behind the last weight of a row, the last place or the last threshold are not 0.
    Padding {
        /// Layer, counted from 0.
        layer: usize,
    },
}

impl core::fmt::Display for GenomeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => write!(f, "the genome's length does not fit the topology"),
            Self::Place { layer, neuron } => {
                write!(f, "layer {layer}, neuron {neuron}: the window lies outside of the input")
            }
            Self::Threshold { layer, neuron } => {
                write!(f, "layer {layer}, neuron {neuron}: the threshold is out of range")
            }
            Self::Padding { layer } => write!(f, "layer {layer}: padding bits are not zero"),
        }
    }
}

impl core::error::Error for GenomeError {}

/// Room for the gathered bits of one window.
pub type Window = [u32; WINDOW_WORDS];

impl<'a, W: Words> Network<'a, W> {
    /// Views `words` as a network, without looking at their values; see [`Network::check`].
    ///
    /// # Errors
    /// [`GenomeError::Length`].
    pub fn new(topology: &'a Topology, words: W) -> Result<Self, GenomeError> {
        if words.len() == topology.genome_words() {
            Ok(Self { topology, words })
        } else {
            Err(GenomeError::Length)
        }
    }

    /// Views words whose length is known to be right.
    pub(crate) const fn view(topology: &'a Topology, words: W) -> Self {
        Self { topology, words }
    }

    /// Checks every place, threshold and padding bit, after which no method panics on inputs of the
    /// right length.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<(), GenomeError> {
        for (layer, plan) in self.topology.layers().iter().enumerate() {
            for neuron in 0..plan.neurons {
                if !plan.is_dense() && plan.corner(self.place(layer, neuron)).is_none() {
                    return Err(GenomeError::Place { layer, neuron });
                }
                if self.threshold(layer, neuron) >= plan.inputs {
                    return Err(GenomeError::Threshold { layer, neuron });
                }
                let last = self.words.word(row_start(plan, neuron) + plan.row_words as usize - 1);
                if last & !bits::tail_mask(plan.inputs) != 0 {
                    return Err(GenomeError::Padding { layer });
                }
            }
            let padded = |first: u32, end: u32, used_bits: u32| {
                end > first && self.words.word(end as usize - 1) & !bits::tail_mask(used_bits) != 0
            };
            if padded(plan.places, plan.thresholds, plan.neurons * 16)
                || padded(plan.thresholds, plan.weights, plan.neurons * plan.threshold_bits)
            {
                return Err(GenomeError::Padding { layer });
            }
        }
        Ok(())
    }

    /// The topology.
    #[must_use]
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// The genome's words.
    #[must_use]
    pub const fn words(&self) -> W {
        self.words
    }

    /// The most mismatches with which a neuron is still +1: `0..inputs`.
    #[must_use]
    #[inline]
    pub fn threshold(&self, layer: usize, neuron: u32) -> u32 {
        let plan = self.topology.layer(layer);
        field(self.words, plan.thresholds, plan.threshold_bits, neuron)
    }

    /// The place of a windowed neuron, see [`Plan::corner`](crate::topology::Plan::corner); 0 in a dense layer.
    #[must_use]
    #[inline]
    pub fn place(&self, layer: usize, neuron: u32) -> u16 {
        let plan = self.topology.layer(layer);
        if plan.is_dense() { 0 } else { field(self.words, plan.places, 16, neuron) as u16 }
    }

    /// The packed weights of a neuron.
    #[must_use]
    #[inline]
    pub fn weights(&self, layer: usize, neuron: u32) -> W {
        let plan = self.topology.layer(layer);
        self.words.slice(row_start(plan, neuron), plan.row_words as usize)
    }

    /// The packed bits that decide about single flips of a neuron's weights on a boundary sample, one with pre-activation 0 or -1:
    /// where the neuron is on, a flip turns it off if these bits agree with the weight; where it is off, on if they differ.
    ///
    /// In a dense layer this is `input` itself, in a windowed one what the neuron sees, gathered into `window`. A window that slides
    /// is turned by a flip if none of its positions is on thereafter, or any is: these bits differ from the weights wherever
    /// those of a position do that is on, or one mismatch from it.
    ///
    /// # Panics
    /// When `input` ends before what the neuron sees.
    #[must_use]
    #[inline]
    pub fn deciding<'b>(
        &self,
        layer: usize,
        neuron: u32,
        input: &'b [u32],
        window: &'b mut Window,
    ) -> &'b [u32] {
        let at = (self.place(layer, neuron), self.threshold(layer, neuron));
        decide(self.topology.layer(layer), at, self.weights(layer, neuron), input, window)
    }

    /// `threshold - mismatches` of a neuron; it is +1 where this is at least 0.
    ///
    /// # Panics
    /// When `input` ends before what the neuron sees.
    #[must_use]
    #[inline]
    pub fn preactivation(&self, layer: usize, neuron: u32, input: &[u32], window: &mut Window) -> i32 {
        let (plan, place) = (self.topology.layer(layer), self.place(layer, neuron));
        let mismatches = fewest_mismatches(plan, place, self.weights(layer, neuron), input, window);
        self.threshold(layer, neuron) as i32 - mismatches as i32
    }

    /// Runs one layer that is not the last: writes its neurons' signs, packed for the layer after.
    ///
    /// # Panics
    /// When `layer` is the last, or `input` or `output` are shorter than the packings say.
    pub fn run_layer(&self, layer: usize, input: &[u32], output: &mut [u32]) {
        let plan = self.topology.layer(layer);
        let next = self.topology.layer(layer + 1).packing;
        if let Some(words) = self.words.native() {
            return write_signs(plan, words, input, next.row_bits, output);
        }
        let mut window = [0; WINDOW_WORDS];
        let mut writer = Writer::new(output, next.row_bits);
        for neuron in 0..plan.neurons {
            writer.push(self.preactivation(layer, neuron, input, &mut window) >= 0);
        }
        writer.finish();
    }

    /// Runs the network on one packed sample. `hidden` receives the activations of the hidden layers,
    /// one packing behind the other ([`Topology::hidden_words`] words), `scores` one score per class.
    ///
    /// # Panics
    /// When a buffer is shorter than the topology says.
    pub fn run(&self, input: &[u32], hidden: &mut [u32], scores: &mut [i32]) {
        let last = self.topology.depth() - 1;
        let mut rest = hidden;
        let mut current = input;
        for layer in 0..last {
            let (output, behind) = rest.split_at_mut(self.topology.layer(layer + 1).packing.words());
            self.run_layer(layer, current, output);
            (current, rest) = (output, behind);
        }
        let scores = &mut scores[..self.topology.classes()];
        if let Some(words) = self.words.native() {
            return write_scores(self.topology.layer(last), words, current, scores);
        }
        let mut window = [0; WINDOW_WORDS];
        for (class, score) in scores.iter_mut().enumerate() {
            *score = self.preactivation(last, class as u32, current, &mut window);
        }
    }

    /// The class of one packed sample. `hidden` and `scores` as in [`Network::run`].
    ///
    /// # Panics
    /// When a buffer is shorter than the topology says.
    pub fn classify(&self, input: &[u32], hidden: &mut [u32], scores: &mut [i32]) -> usize {
        self.run(input, hidden, scores);
        best_class(&scores[..self.topology.classes()])
    }
}

/// Index of the largest score, the lowest among equals.
#[must_use]
pub fn best_class<Score: PartialOrd + Copy>(scores: &[Score]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

#[cfg(all(test, feature = "full"))]
mod tests;
