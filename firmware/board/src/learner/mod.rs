//! A network and a memory that learn from the same labelled samples.
//!
//! The memory answers from the stored samples at once; the network is evolved on them in idle time, step by step, with the landscape and the
//! search that a host uses. The genome that answers is another than the one that evolves: the latter takes over at the end of a sweep where it has
//! more held-back samples right, or as many at a lower loss.
//!
//! *Who answers.* The network of the base image and the memory answer together: where the memory votes for a class, it is followed if on
//! the stored samples (each left out in turn) its votes for that class were right at least twice more than that network was. Where it was right more often by an eighth of the stored
//! samples, not counting the class where that is most, which may be a new one, it is enough that it was right as often. Whenever an eighth of the stored samples is new this is judged anew. So after
//! drift the memory answers, and where a new class is taught it answers for that class alone. The evolved network answers by
//! itself where it has a [quarter](LEAD) more of the held-back samples right than these two: it was chosen by them, which flatters it.
//!
//! An *episode* of evolution begins with the best, on the held-back samples and then by loss, of the genome that answers, that of the base image, and the former with its
//! first layer turned, mirrored or inverted. When a sweep finds nothing it ends. It waits while no mutants are owed, and goes on with samples
//! that came on the way.

mod answer;
mod evolve;
mod learn;
mod model;
mod prototypes;
mod restore;
// Functions of the same names for one processor and for several.
#[cfg_attr(feature = "threads", path = "threads.rs")]
#[cfg_attr(not(feature = "threads"), path = "alone.rs")]
mod work;

use core::marker::PhantomData;

use evobit::bits::LittleEndian;
use evobit::evolve::compact::Score;
use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::image::genome_checksum;
use evobit::rng::{Purpose, Stream};
use evobit::topology::{MAX_CLASSES, Topology};
use evobit_link::Statistics;

use crate::arena::{Layout, Sizes, take};
use crate::monitor::Monitor;
use crate::store::Store;

use evolve::Activity;

pub use answer::{Answers, LEAD};
pub use learn::Learned;
pub use model::{Model, ModelError};

/// How a board learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerConfig {
    /// Most mutations that one neuron proposes together.
    pub proposals: u16,
    /// Heat at the beginning of an episode, in 65,536ths of a loss of 1.0 a sample.
    pub heat: u32,
    /// Sweeps until it is cold.
    pub cooling: u16,
    /// Sweeps of an episode at most.
    pub sweeps: u16,
    /// Neighbours that vote in the memory of stored samples.
    pub neighbours: usize,
    /// The margin, in bits, that the evolution of prototypes aims at.
    pub margin: u16,
    /// Mutants that each labelled sample gives to evolution after drift, until answers are as usual again.
    pub sample_mutants: u32,
}

impl Default for LearnerConfig {
    fn default() -> Self {
        Self {
            proposals: 16,
            heat: 0,
            cooling: 0,
            sweeps: 40,
            neighbours: 1,
            margin: 24,
            sample_mutants: 250,
        }
    }
}

/// A stored sample or a prototype.
#[derive(Debug)]
pub struct Entry<'l> {
    /// Its label.
    pub label: u8,
    /// Its words, little-endian.
    pub bits: &'l [u8],
    /// How many there are.
    pub count: usize,
    /// Room for a message.
    pub room: &'l mut [u8],
}

/// A learner in an arena.
#[derive(Debug)]
pub struct Learner<'a, S> {
    image: Model<'a>,
    config: LearnerConfig,
    layout: Layout,
    sizes: Sizes,
    arena_words: usize,
    live: &'a mut [u32],
    candidate: &'a mut [u32],
    store: Store<'a>,
    prototypes: &'a mut [u32],
    prototype_labels: &'a mut [u8],
    prototypes_len: usize,
    scratch: &'a mut [u32],
    deltas: &'a mut [i64],
    order: &'a mut [u32],
    input: &'a mut [u32],
    mask: &'a mut [u32],
    hidden: &'a mut [u32],
    scores: &'a mut [i32],
    rng: Stream,
    monitor: Monitor,
    /// True from drift on until the monitor knows what is usual again.
    adapting: bool,
    activity: Activity,
    /// Right answers on the held-back samples, of the evolved network, and of base network and memory together.
    network_right: u16,
    samples_right: u16,
    /// Samples learned since then.
    unjudged: u16,
    /// Bit c is set where the memory is followed when it votes for class c.
    trusted: [u32; (MAX_CLASSES / 32) as usize],
    network_answers: bool,
    counts: Counts,
    scores_of: PhantomData<S>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    seen: u32,
    drifts: u16,
    owed: u32,
    mutants: u64,
    swaps: u16,
    loss: i64,
}

impl<'a, S: Score> Learner<'a, S> {
    /// The layout that a model needs.
    #[must_use]
    pub const fn layout(topology: &Topology, sizes: Sizes) -> Layout {
        Layout::new(topology, sizes, size_of::<S>())
    }

    /// Whether a model can be learned in an arena of `words` words.
    ///
    /// # Errors
    /// A model that is too large for the arena or is not of the shape that boards learn.
    pub fn check(topology: &Topology, words: usize, sizes: Sizes) -> Result<(), ModelError> {
        if topology.depth() != 2 {
            return Err(ModelError::Shape(LandscapeError::Depth));
        }
        if topology.layer(1).inputs > S::MOST_INPUTS {
            return Err(ModelError::Shape(LandscapeError::Scores));
        }
        let needed = Self::layout(topology, sizes).words();
        if needed <= words { Ok(()) } else { Err(ModelError::Arena(needed, words)) }
    }

    /// A learner for a model that was [checked](Self::check), to be [reset](Self::reset) first. Inlined: it is large, and made where it
    /// stays.
    ///
    /// # Panics
    /// When the model was not checked with these sizes, or the arena is not aligned to 8 bytes.
    #[inline(always)]
    pub fn new(image: Model<'a>, arena: &'a mut [u32], sizes: Sizes, config: LearnerConfig) -> Self {
        let topology = image.topology();
        let layout = Self::layout(topology, sizes);
        let (arena_words, mut rest) = (arena.len(), arena);
        let words = topology.input_words();
        let rest = &mut rest;
        let deltas = bytemuck::cast_slice_mut(take(rest, layout.deltas));
        let order = take(rest, layout.order);
        let (live, candidate) = (take(rest, layout.live), take(rest, layout.candidate));
        let samples = take(rest, layout.samples);
        let labels = &mut bytemuck::cast_slice_mut(take(rest, layout.labels))[..sizes.samples];
        let ages = &mut bytemuck::cast_slice_mut(take(rest, layout.ages))[..sizes.samples];
        let prototypes = take(rest, layout.prototypes);
        let prototype_labels =
            &mut bytemuck::cast_slice_mut(take(rest, layout.prototype_labels))[..sizes.prototypes];
        Self {
            config,
            layout,
            sizes,
            arena_words,
            live,
            candidate,
            store: Store::new(samples, labels, ages, words, sizes),
            prototypes,
            prototype_labels,
            prototypes_len: 0,
            scratch: take(rest, layout.scratch),
            deltas,
            order,
            input: take(rest, layout.input),
            mask: take(rest, layout.mask),
            hidden: take(rest, layout.hidden),
            scores: bytemuck::cast_slice_mut(take(rest, layout.scores)),
            rng: Stream::new(0, Purpose::Search, 0),
            monitor: Monitor::default(),
            adapting: false,
            activity: Activity::Idle,
            network_right: 0,
            samples_right: 0,
            unjudged: 0,
            trusted: [0; (MAX_CLASSES / 32) as usize],
            network_answers: true,
            counts: Counts::default(),
            scores_of: PhantomData,
            image,
        }
    }

    /// The model that was flashed.
    #[must_use]
    pub const fn model(&self) -> &Model<'a> {
        &self.image
    }

    /// Words of the arena that are used, and that are there.
    #[must_use]
    pub const fn memory(&self) -> (usize, usize) {
        (self.layout.words(), self.arena_words)
    }

    /// How much it stores.
    #[must_use]
    pub const fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The stored samples.
    #[must_use]
    pub const fn store(&self) -> &Store<'a> {
        &self.store
    }

    /// The prototypes.
    #[must_use]
    pub fn prototypes(&self) -> Samples<'_> {
        let len = self.prototypes_len;
        Samples { inputs: &self.prototypes[..len * self.layout.input], labels: &self.prototype_labels[..len] }
    }

    /// The genome that answers.
    #[must_use]
    pub fn genome(&self) -> &[u32] {
        self.live
    }

    /// Room for messages, and the base genome and the one that answers beside it. While it is used nothing evolves.
    pub fn message_room(&mut self) -> (&mut [u8], LittleEndian<'a>, &[u32]) {
        (bytemuck::cast_slice_mut(self.deltas), self.image.genome(), self.live)
    }

    /// A stored sample or a prototype as it goes over the link. While it is used nothing evolves. Where there is none such, only
    /// the room for a message.
    ///
    /// # Errors
    /// Room for a message.
    pub fn entry(&mut self, of_samples: bool, index: usize) -> Result<Entry<'_>, &mut [u8]> {
        let words = self.layout.input;
        let kept = if of_samples {
            self.store.all()
        } else {
            let len = self.prototypes_len;
            Samples { inputs: &self.prototypes[..len * words], labels: &self.prototype_labels[..len] }
        };
        let room = bytemuck::cast_slice_mut::<i64, u8>(self.deltas);
        let Some(&label) = kept.labels.get(index).filter(|_| words * 4 <= room.len()) else {
            return Err(room);
        };
        let (bits, room) = room.split_at_mut(words * 4);
        let row = kept.input(index, words);
        bits.as_chunks_mut().0.iter_mut().zip(row).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
        Ok(Entry { label, bits, count: kept.len(), room })
    }

    /// Back to the base image: nothing learned, nothing stored.
    pub fn reset(&mut self) {
        self.load_base();
        self.live.copy_from_slice(self.candidate);
        self.store.clear();
        self.prototypes_len = 0;
        self.monitor = Monitor::default();
        (self.adapting, self.activity) = (false, Activity::Idle);
        self.counts = Counts::default();
        self.judge();
    }

    /// Begins the random stream anew: the same seed, samples and requests give the same genome.
    pub fn seed(&mut self, seed: u64) {
        self.rng = Stream::new(seed, Purpose::Search, 0);
    }

    /// What was done so far; the caller fills in what only it knows.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (window_right, window) = self.monitor.recent();
        Statistics {
            genome: genome_checksum(self.live),
            candidate: genome_checksum(self.candidate),
            seen: self.counts.seen,
            stored: self.store.len() as u16,
            held_back: self.store.held_back().len() as u16,
            network_right: self.network_right,
            samples_right: self.samples_right,
            prototypes: self.prototypes_len as u16,
            memory_answers: !self.network_answers,
            window_right: window_right as u16,
            window: window as u16,
            drifts: self.counts.drifts,
            owed: self.counts.owed,
            mutants: self.counts.mutants,
            swaps: self.counts.swaps,
            loss: self.counts.loss,
            ..Statistics::default()
        }
    }
}
