//! One piece of static memory, cut to what a model needs.
//!
//! A board has an arena of words. How many a model takes with so many samples is [`Layout::words`], a constant where the model's
//! topology is one; the host computes the same before it flashes a model. Nothing else of the learner's size depends on the model.

use evobit::evolve::compact::CompactNeeds;
use evobit::topology::Topology;

/// How much a board stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Labelled samples, a quarter of them held back.
    pub samples: usize,
    /// Prototypes of the memory that stays when samples are forgotten.
    pub prototypes: usize,
}

impl Sizes {
    /// Samples that evolution learns from, at most.
    #[must_use]
    pub const fn training(self) -> usize {
        self.samples - self.samples / 4
    }
}

/// Words of each part of the arena, in order. The first two hold 64-bit numbers, so the arena must be aligned to 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Changes of loss of one neuron's mutants, and room for messages while nothing evolves.
    pub deltas: usize,
    /// Order of visits.
    pub order: usize,
    /// The genome that answers.
    pub live: usize,
    /// The genome that evolves.
    pub candidate: usize,
    /// Packed samples.
    pub samples: usize,
    /// Their labels and ages.
    pub labels: usize,
    /// See above.
    pub ages: usize,
    /// Packed prototypes.
    pub prototypes: usize,
    /// Their labels.
    pub prototype_labels: usize,
    /// What a landscape or a memory search remembers.
    pub scratch: usize,
    /// Of these, words of activations.
    pub scratch_hidden: usize,
    /// One packed sample, one mask.
    pub input: usize,
    /// See above.
    pub mask: usize,
    /// Activations and scores of one sample.
    pub hidden: usize,
    /// See above.
    pub scores: usize,
}

/// The largest sizes, up to `most`, with which a model fits `words` words.
#[must_use]
pub const fn fitting(topology: &Topology, words: usize, most: Sizes, score_bytes: usize) -> Sizes {
    let mut sizes = most;
    while sizes.samples > 4 && Layout::new(topology, sizes, score_bytes).words() > words {
        sizes.samples -= 4;
    }
    sizes
}

/// Bytes for messages, at least.
const MESSAGE_BYTES: usize = 640;

impl Layout {
    /// The layout for a model; `score_bytes` is 1 or 2.
    #[must_use]
    pub const fn new(topology: &Topology, sizes: Sizes, score_bytes: usize) -> Self {
        let needs = CompactNeeds::new(topology, sizes.training());
        let landscape = needs.hidden + (needs.scores * score_bytes).div_ceil(4);
        let deltas = 2 * topology.most_mutants();
        let order = topology.neurons() as usize;
        let (genome, input) = (topology.genome_words(), topology.input_words());
        Self {
            deltas: if deltas * 4 < MESSAGE_BYTES { MESSAGE_BYTES / 4 } else { deltas },
            order: order + order % 2,
            live: genome,
            candidate: genome,
            samples: sizes.samples * input,
            labels: sizes.samples.div_ceil(4),
            ages: sizes.samples.div_ceil(2),
            prototypes: sizes.prototypes * input,
            prototype_labels: sizes.prototypes.div_ceil(4),
            // A memory search remembers two distances of two bytes for each sample.
            scratch: if landscape < sizes.samples { sizes.samples } else { landscape },
            scratch_hidden: needs.hidden,
            input,
            mask: input,
            hidden: topology.hidden_words(),
            scores: topology.classes(),
        }
    }

    /// Words of all parts.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.deltas
            + self.order
            + self.live
            + self.candidate
            + self.samples
            + self.labels
            + self.ages
            + self.prototypes
            + self.prototype_labels
            + self.scratch
            + self.input
            + self.mask
            + self.hidden
            + self.scores
    }
}

/// Static memory for an arena of `WORDS` words.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Arena<const WORDS: usize>(pub [u32; WORDS]);

impl<const WORDS: usize> Arena<WORDS> {
    /// Zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Default for Arena<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the first `words` words of what is left.
#[inline(never)]
pub(crate) fn take<'a>(rest: &mut &'a mut [u32], words: usize) -> &'a mut [u32] {
    let (taken, left) = core::mem::take(rest).split_at_mut(words);
    *rest = left;
    taken
}
