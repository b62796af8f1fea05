//! A network and a memory that learn from the same labelled samples.
//!
//! The memory answers from the stored samples at once; the network is evolved on them in idle time, step by step, with the landscape and the
//! search that a host uses. The genome that answers is another than the one that evolves: the latter takes over at the end of a sweep where it has
//! more held-back samples right, or as many at a lower loss.
//!
//! *Who answers.* The network of the base image and the memory answer together: where the memory votes for a class, it is followed if on
//! the stored samples (each left out in turn) its votes for that class were right more often than that network was (as often is enough where it was right a quarter more often over
//! all); else the network is. So after
//! drift the memory answers, and where a new class is taught it answers for that class alone. The evolved network answers by
//! itself where it has a [sixth](LEAD) more of the held-back samples right than these two: it was chosen by them, which flatters it.
//!
//! An *episode* of evolution begins with the best, on the held-back samples and then by loss, of the genome that answers, that of the base image, and the former with its
//! first layer turned, mirrored or inverted. When a sweep finds nothing it ends. It waits while no mutants are owed, and goes on with samples
//! that came on the way.

use evobit::bits::LittleEndian;
use evobit::bits::{self, Words};
use evobit::encode::Encoder;
use evobit::evolve::compact::{CompactBuffers, CompactLandscape, Score};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::genome::GenomeMut;
use evobit::image::{Content, ImageError, genome_checksum};
use evobit::link::{LinkError, Statistics, check_genome};
use evobit::loss::LossTable;
use evobit::memory::{Memory, MemoryMut, MemorySearch};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{MAX_CLASSES, Topology};

use crate::arena::{Layout, Sizes, take};
use crate::log;
use crate::monitor::Monitor;
use crate::store::Store;
use crate::turn::{TURNS, turn};

/// The evolved network must have this share more of the held-back samples right to answer by itself: one in so many.
pub const LEAD: u16 = 6;

/// How a board learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
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

impl Default for Config {
    fn default() -> Self {
        Self {
            proposals: 16,
            heat: 0,
            cooling: 0,
            sweeps: 40,
            neighbours: 1,
            margin: 24,
            sample_mutants: 2_000,
        }
    }
}

/// What evolves at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Idle,
    Network { total: i64, position: usize, sweep: u16, committed: u32, samples: usize },
    Memory { total: i64 },
}

/// What learning a sample did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// True where the sample took the place of another.
    pub replaced: bool,
    /// True where the answer was right before.
    pub right: bool,
    /// True where the drift monitor fired.
    pub drifted: bool,
}

/// The answers to a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The board's.
    pub answer: u8,
    /// The network's.
    pub network: u8,
    /// The stored samples', where there are any.
    pub samples: Option<u8>,
    /// The prototypes', where there are any.
    pub prototypes: Option<u8>,
}

/// Why a model cannot be used on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// It needs more words than the arena has: needed, there.
    Arena(usize, usize),
    /// It has not exactly one hidden layer, or too many inputs of an output neuron.
    Shape(LandscapeError),
}

/// A model where it was flashed, and its topology in memory.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    topology: &'a Topology,
    content: Content<'a>,
}

impl<'a> Model<'a> {
    /// The model of an image in flash; `topology` is where its topology is put.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub fn parse(bytes: &'a [u8], topology: &'a mut Topology) -> Result<Self, ImageError> {
        let content = Content::parse(bytes, topology)?;
        Ok(Self { topology, content })
    }

    /// The network's shape.
    #[must_use]
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// From raw values to bits.
    #[must_use]
    pub const fn encoder(&self) -> &Encoder<LittleEndian<'a>> {
        self.content.encoder()
    }

    /// The loss.
    #[must_use]
    pub const fn loss(&self) -> &LossTable<LittleEndian<'a>> {
        self.content.loss()
    }

    /// The genome that was flashed.
    #[must_use]
    pub const fn genome(&self) -> LittleEndian<'a> {
        self.content.genome()
    }

    /// The image's checksum.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.content.checksum()
    }
}

/// A learner in an arena.
#[derive(Debug)]
pub struct Learner<'a, S> {
    image: Model<'a>,
    config: Config,
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
    /// Bit c is set where the memory is followed when it votes for class c.
    trusted: [u32; (MAX_CLASSES / 32) as usize],
    network_answers: bool,
    counts: Counts,
    scores_of: core::marker::PhantomData<S>,
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
    pub fn new(image: Model<'a>, arena: &'a mut [u32], sizes: Sizes, config: Config) -> Self {
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
            trusted: [0; (MAX_CLASSES / 32) as usize],
            network_answers: true,
            counts: Counts::default(),
            scores_of: core::marker::PhantomData,
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

    /// Encodes a raw sample.
    #[inline(never)]
    fn encode(&mut self, raw: &[u8]) -> Result<(), LinkError> {
        let features = self.image.encoder().features() as usize;
        let wide = features.checked_mul(4) == Some(raw.len());
        if raw.len() != features && !wide {
            return Err(LinkError::Width(features as u32));
        }
        let packing = self.image.topology().layer(0).packing;
        let key = |feature: u32| {
            let at = feature as usize;
            if wide {
                raw.as_chunks::<4>().0.get(at).map_or(0, |&key| i32::from_le_bytes(key))
            } else {
                raw.get(at).map_or(0, |&key| key.into())
            }
        };
        // One copy of the encoder is smaller, another for bytes is faster.
        if wide || cfg!(all(feature = "small", not(feature = "images"))) {
            self.image.encoder().encode(key, packing, self.input);
        } else {
            self.image.encoder().encode_bytes(raw, packing, self.input);
        }
        Ok(())
    }

    /// The answers to a raw sample.
    ///
    /// # Errors
    /// [`LinkError::Width`].
    #[inline(never)]
    pub fn classify(&mut self, raw: &[u8]) -> Result<Answers, LinkError> {
        self.encode(raw)?;
        Ok(self.answers())
    }

    fn answers(&mut self) -> Answers {
        let network = self.ask_network(None);
        let vote = |prototypes, neighbours| {
            Memory::new(prototypes, self.layout.input)
                .and_then(|memory| memory.classify(self.input, neighbours))
        };
        let samples = vote(self.store.all(), self.config.neighbours);
        let prototypes = vote(self.prototypes(), 1);
        let answer = match samples.or(prototypes) {
            _ if self.network_answers => network,
            Some(vote) if bits::get(&self.trusted[..], vote.into()) => vote,
            _ => self.ask_base(None),
        };
        Answers { answer, network, samples, prototypes }
    }

    /// The class of the encoded sample, or of a stored one, by the genome that evolution made.
    fn ask_network(&mut self, stored: Option<usize>) -> u8 {
        let network = Network::new(self.image.topology(), &*self.live);
        let input = stored.map_or(&*self.input, |index| self.store.all().input(index, self.layout.input));
        network.map_or(0, |network| network.classify(input, self.hidden, self.scores) as u8)
    }

    /// The same by the base image's genome.
    fn ask_base(&mut self, stored: Option<usize>) -> u8 {
        let network = Network::new(self.image.topology(), self.image.genome());
        let input = stored.map_or(&*self.input, |index| self.store.all().input(index, self.layout.input));
        network.map_or(0, |network| network.classify(input, self.hidden, self.scores) as u8)
    }

    /// Learns from a labelled raw sample: answers it, looks for drift, stores it.
    ///
    /// # Errors
    /// [`LinkError::Width`], [`LinkError::Label`].
    #[inline(never)]
    pub fn learn(&mut self, raw: &[u8], label: u16) -> Result<Learned, LinkError> {
        let classes = self.image.topology().classes();
        if usize::from(label) >= classes {
            return Err(LinkError::Label(classes as u16));
        }
        let label = label as u8;
        self.encode(raw)?;
        let right = self.answers().answer == label;
        let drifted = self.monitor.push(label, right);
        self.counts.seen = self.counts.seen.wrapping_add(1);
        let placed = self.store.place();
        let evolving = matches!(self.activity, Activity::Network { .. }) && !placed.held_back;
        if evolving && placed.replaced {
            self.with_landscape(|landscape| landscape.forget(placed.index));
        }
        self.store.put(placed, self.input, label);
        if evolving {
            self.with_landscape(|landscape| landscape.learn(placed.index));
        }
        if drifted {
            log!("drift: learning begins");
            self.counts.drifts = self.counts.drifts.wrapping_add(1);
            // What the world no longer says is forgotten: the older samples of classes that were answered wrong.
            let monitor = self.monitor;
            self.store.forget_old(monitor.since_change(), |label| monitor.was_wrong(label));
            self.prototypes_len = 0;
            self.stop();
        }
        self.adapting = drifted || (self.adapting && !self.is_usual());
        if self.adapting && !matches!(self.activity, Activity::Memory { .. }) {
            // An episode that began with half as many samples begins anew. Without any there is nothing to evolve on yet.
            let now = self.store.training().len();
            let anew = matches!(self.activity, Activity::Network { samples, .. } if now >= 2 * samples);
            let _ = self.evolve_network(self.config.sample_mutants, anew);
        }
        self.judge();
        Ok(Learned { replaced: placed.replaced, right, drifted })
    }

    /// True where the monitor has seen enough since the last drift, and most of it right.
    fn is_usual(&self) -> bool {
        let (right, number) = self.monitor.recent();
        self.monitor.is_settled() && right * 8 >= number * 7
    }

    /// Forgets the stored samples; network and prototypes stay, and who answers.
    pub fn forget(&mut self) {
        self.stop();
        self.store.clear();
    }

    /// The class that the stored samples give to one of them, left out.
    fn vote_left_out(&self, index: usize) -> Option<u8> {
        let memory = Memory::new(self.store.all(), self.layout.input)?;
        memory.classify_left_out(index, self.config.neighbours)
    }

    /// Finds out who answers best on the stored samples.
    #[inline(never)]
    fn judge(&mut self) {
        // For each class, how much more often the memory was right than the base network where it voted for the class. The room for
        // changes of loss is free between steps.
        bytemuck::cast_slice_mut::<i64, i16>(self.deltas)[..MAX_CLASSES as usize].fill(0);
        let mut lead = 0;
        for index in 0..self.store.len() {
            let label = self.store.all().labels[index];
            if let Some(vote) = self.vote_left_out(index) {
                let gain = i16::from(vote == label) - i16::from(self.ask_base(Some(index)) == label);
                lead += i32::from(gain);
                bytemuck::cast_slice_mut::<i64, i16>(self.deltas)[usize::from(vote)] += gain;
            }
        }
        let leads = lead * 4 > self.store.len() as i32;
        for (&gain, class) in bytemuck::cast_slice::<i64, i16>(self.deltas).iter().zip(0..MAX_CLASSES) {
            bits::set(&mut self.trusted, class, gain > 0 || (gain == 0 && leads));
        }
        (self.network_right, self.samples_right) = (0, 0);
        for index in self.store.held_back() {
            let label = self.store.all().labels[index];
            self.network_right += u16::from(self.ask_network(Some(index)) == label);
            let vote = self.vote_left_out(index).filter(|&vote| bits::get(&self.trusted[..], vote.into()));
            let answer = vote.unwrap_or_else(|| self.ask_base(Some(index)));
            self.samples_right += u16::from(answer == label);
        }
        self.choose_answer();
    }

    fn choose_answer(&mut self) {
        let lead = (self.store.held_back().len() as u16 / LEAD).max(1);
        self.network_answers = self.store.is_empty() || self.network_right >= self.samples_right + lead;
    }

    /// Right answers and loss of a genome on some stored samples.
    #[inline(never)]
    fn score(&mut self, candidate: bool, range: core::ops::Range<usize>) -> (u16, i64) {
        let genome = if candidate { &*self.candidate } else { &*self.live };
        let (mut right, mut loss) = (0, 0);
        let Ok(network) = Network::new(self.image.topology(), genome) else { return (0, i64::MAX) };
        for index in range {
            let label = usize::from(self.store.all().labels[index]);
            let input = self.store.all().input(index, self.layout.input);
            right += u16::from(network.classify(input, self.hidden, self.scores) == label);
            loss += i64::from(self.image.loss().sample(self.scores, label));
        }
        (right, loss)
    }

    /// Gives mutants to the network's evolution and begins an episode where none goes on, or `anew`.
    ///
    /// # Errors
    /// [`LinkError::NoSamples`].
    #[inline(never)]
    pub fn evolve_network(&mut self, mutants: u32, anew: bool) -> Result<(), LinkError> {
        if self.store.training().is_empty() {
            return Err(LinkError::NoSamples);
        }
        self.counts.owed = self.counts.owed.saturating_add(mutants);
        if anew || !matches!(self.activity, Activity::Network { .. }) {
            self.choose_start();
            self.compare();
            let topology = self.image.topology();
            let config = SearchConfig { proposals: self.config.proposals, block: 1 };
            // Writes the first order of visits.
            let _ = SpectrumSearch::new(topology, config, self.rng.clone(), self.order, self.deltas);
            let (hidden, scores) = self.scratch.split_at_mut(self.layout.scratch_hidden);
            let buffers = CompactBuffers::<S> { hidden, scores: bytemuck::cast_slice_mut(scores) };
            let samples = self.store.training();
            let loss = *self.image.loss();
            let landscape = CompactLandscape::new(topology, self.candidate, samples, loss, buffers);
            let total = landscape.map_err(|_| LinkError::NoSamples)?.loss();
            let samples = self.store.training().len();
            self.activity = Activity::Network { total, position: 0, sweep: 0, committed: 0, samples };
            self.counts.loss = total;
        }
        Ok(())
    }

    /// Scores every mutant of a layer's first neurons, in the genome that answers, exactly, on the training samples: how many would lower the loss, leave it,
    /// raise it. What evolves is ended.
    ///
    /// # Errors
    /// [`LinkError::Layer`], [`LinkError::NoSamples`].
    #[inline(never)]
    pub fn spectrum(&mut self, layer: usize, neurons: u32) -> Result<[u32; 3], LinkError> {
        self.stop();
        let topology = self.image.topology();
        let plan = *topology.layers().get(layer).ok_or(LinkError::Layer)?;
        if self.store.training().is_empty() {
            return Err(LinkError::NoSamples);
        }
        self.candidate.copy_from_slice(self.live);
        let (hidden, scores) = self.scratch.split_at_mut(self.layout.scratch_hidden);
        let buffers = CompactBuffers::<S> { hidden, scores: bytemuck::cast_slice_mut(scores) };
        let (samples, loss) = (self.store.training(), *self.image.loss());
        let landscape = CompactLandscape::new(topology, self.candidate, samples, loss, buffers);
        let mut landscape = landscape.map_err(|_| LinkError::NoSamples)?;
        let mut counts = [0; 3];
        for neuron in 0..plan.neurons.min(neurons) {
            let deltas = &mut self.deltas[..plan.mutants()];
            landscape.spectra(layer, &[neuron as u16], deltas);
            for &delta in deltas.iter().filter(|&&delta| delta != IMPOSSIBLE) {
                counts[(delta.signum() + 1) as usize] += 1;
            }
        }
        Ok(counts)
    }

    /// Puts the genome that an episode begins with in place.
    #[inline(never)]
    fn choose_start(&mut self) {
        let training = 0..self.store.training().len();
        let plan = self.image.topology().layer(0);
        let first = plan.weights as usize..plan.end as usize;
        let (mut best, mut best_score) = (0, (0, i64::MIN));
        // The turns of the genome that answers, then those of the base image's.
        for way in 0..2 * TURNS {
            if self.load_start(way, first.clone()) {
                let (right, _) = self.score(true, self.store.held_back());
                let (_, loss) = self.score(true, training.clone());
                if (right, -loss) > best_score {
                    (best, best_score) = (way, (right, -loss));
                }
            }
        }
        self.load_start(best, first);
    }

    fn load_start(&mut self, way: u32, first: core::ops::Range<usize>) -> bool {
        let (plan, base) = (self.image.topology().layer(0), self.image.genome());
        let from_live = way < TURNS;
        if from_live {
            self.candidate.copy_from_slice(self.live);
        } else {
            self.load_base();
        }
        let live = &*self.live;
        let from = |index| if from_live { live[first.start + index] } else { base.word(first.start + index) };
        turn(plan, way % TURNS, &from, &mut self.candidate[first.clone()])
    }

    /// Puts the base image's genome in place of the one that evolves.
    fn load_base(&mut self) {
        let base = self.image.genome();
        self.candidate.iter_mut().enumerate().for_each(|(index, word)| *word = base.word(index));
    }

    /// Begins the evolution of `count` prototypes, drawn from the stored samples, and gives it mutants.
    ///
    /// # Errors
    /// [`LinkError::NoSamples`], [`LinkError::NoPrototypes`].
    #[inline(never)]
    pub fn evolve_memory(&mut self, count: usize, mutants: u32) -> Result<(), LinkError> {
        let (len, words) = (self.store.len(), self.layout.input);
        let count = count.min(self.prototype_labels.len()).min(len);
        if len == 0 {
            return Err(LinkError::NoSamples);
        }
        if count == 0 {
            return Err(LinkError::NoPrototypes);
        }
        self.stop();
        // Drawn without putting back (Floyd): the chosen are marked in the mask's place, the order of visits.
        let marks = &mut *self.scratch;
        marks[..len].fill(0);
        for index in len - count..len {
            let drawn = self.rng.below(index as u32 + 1) as usize;
            let chosen = if marks[drawn] == 0 { drawn } else { index };
            marks[chosen] = 1;
        }
        for (next, index) in (0..len).filter(|&index| marks[index] == 1).enumerate() {
            let all = self.store.all();
            self.prototypes[next * words..(next + 1) * words].copy_from_slice(all.input(index, words));
            self.prototype_labels[next] = all.labels[index];
        }
        self.prototypes_len = count;
        self.counts.owed = mutants;
        let total = self.search_memory(None);
        self.activity = Activity::Memory { total: total.unwrap_or(0) };
        self.counts.loss = total.unwrap_or(0);
        Ok(())
    }

    /// Begins to evolve the prototypes, or goes on by a mutant where the loss was `total`. The loss after it.
    #[inline(never)]
    fn search_memory(&mut self, total: Option<i64>) -> Option<i64> {
        let (words, capacity) = (self.layout.input, self.prototypes_len);
        let memory = MemoryMut::new(
            &mut self.prototypes[..capacity * words],
            &mut self.prototype_labels[..capacity],
            words,
            capacity,
        )?;
        let margins = bytemuck::cast_slice_mut::<u32, [u16; 2]>(self.scratch);
        let (samples, margin) = (self.store.all(), self.config.margin);
        let mut search = match total {
            None => MemorySearch::new(memory, samples, margin, margins, self.mask),
            Some(total) => MemorySearch::resume(memory, samples, margin, margins, self.mask, total),
        }?;
        if total.is_some() {
            search.step(&mut self.rng);
        }
        self.prototypes_len = search.memory().len();
        Some(search.loss())
    }

    /// Works on the landscape of the present episode.
    #[inline(never)]
    fn with_landscape(&mut self, work: impl FnOnce(&mut CompactLandscape<'_, LittleEndian<'_>, S>)) {
        let Activity::Network { total, .. } = &mut self.activity else { return };
        let (hidden, scores) = self.scratch.split_at_mut(self.layout.scratch_hidden);
        let buffers = CompactBuffers { hidden, scores: bytemuck::cast_slice_mut(scores) };
        let (topology, loss) = (self.image.topology(), *self.image.loss());
        let samples = self.store.training();
        let made = CompactLandscape::resume(topology, self.candidate, samples, loss, buffers, *total);
        if let Ok(mut landscape) = made {
            work(&mut landscape);
            *total = landscape.loss();
        }
    }

    /// Ends what evolves; what it found stays.
    pub fn stop(&mut self) {
        self.activity = Activity::Idle;
        self.counts.owed = 0;
    }

    /// True while there is something to evolve and mutants are owed.
    #[must_use]
    pub fn is_evolving(&self) -> bool {
        self.activity != Activity::Idle && self.counts.owed > 0
    }

    /// One step of evolution: a neuron, or one mutant of a memory. False where nothing is owed.
    pub fn step(&mut self) -> bool {
        match self.activity {
            _ if self.counts.owed == 0 => return false,
            Activity::Idle => return false,
            Activity::Network { .. } => self.step_network(),
            Activity::Memory { total } => {
                let total = self.search_memory(Some(total)).unwrap_or(total);
                self.counts.loss = total;
                self.activity = Activity::Memory { total };
                self.spend(1);
            }
        }
        true
    }

    #[inline(never)]
    fn step_network(&mut self) {
        let Activity::Network { total, position, sweep, committed, samples: began } = self.activity else {
            return;
        };
        let heat = self.heat(sweep);
        let (hidden, scores) = self.scratch.split_at_mut(self.layout.scratch_hidden);
        let buffers = CompactBuffers::<S> { hidden, scores: bytemuck::cast_slice_mut(scores) };
        let (topology, loss) = (self.image.topology(), *self.image.loss());
        let samples = self.store.training();
        let config = SearchConfig { proposals: self.config.proposals, block: 1 };
        let order = &mut self.order[..topology.neurons() as usize];
        let search = SpectrumSearch::resume(topology, config, self.rng.clone(), order, self.deltas, position);
        let landscape = CompactLandscape::resume(topology, self.candidate, samples, loss, buffers, total);
        let (Some(mut search), Ok(mut landscape)) = (search, landscape) else {
            self.stop();
            return;
        };
        let step = search.step(&mut landscape, heat);
        self.rng = search.rng().clone();
        let (position, total, committed) = (search.position(), landscape.loss(), committed + step.committed);
        self.counts.loss = total;
        self.activity = Activity::Network { total, position, sweep, committed, samples: began };
        if step.sweep_ended {
            self.compare();
            self.activity =
                Activity::Network { total, position: 0, sweep: sweep + 1, committed: 0, samples: began };
            if (committed == 0 && heat == 0) || sweep + 1 >= self.config.sweeps {
                self.stop();
            }
        }
        self.spend(step.mutants);
    }

    /// The heat of a sweep, in loss units of all training samples.
    fn heat(&self, sweep: u16) -> u32 {
        let left = u32::from(self.config.cooling.saturating_sub(sweep));
        let all = self.store.training().len() as u64 * u64::from(self.image.loss().unit());
        // In 65,536ths: dividing 64-bit numbers would take a kilobyte of code.
        let share = (left << 16) / u32::from(self.config.cooling.max(1));
        let heat = (((all * u64::from(self.config.heat)) >> 16) * u64::from(share)) >> 16;
        u32::try_from(heat).unwrap_or(u32::MAX)
    }

    /// Lets the genome that evolves take over where it does better on the held-back samples.
    #[inline(never)]
    fn compare(&mut self) {
        let held_back = self.store.held_back();
        let (candidate, live) = (self.score(true, held_back.clone()), self.score(false, held_back));
        if (candidate.0, -candidate.1) > (live.0, -live.1) {
            self.live.copy_from_slice(self.candidate);
            self.network_right = candidate.0;
            self.choose_answer();
            self.counts.swaps = self.counts.swaps.wrapping_add(1);
            log!("a better genome takes over: {} held-back samples right", candidate.0);
        }
    }

    fn spend(&mut self, mutants: u64) {
        self.counts.mutants += mutants;
        self.counts.owed = self.counts.owed.saturating_sub(u32::try_from(mutants).unwrap_or(u32::MAX));
    }

    /// Begins an update: the base genome is put where the evolving one was.
    pub fn begin_update(&mut self) {
        self.stop();
        self.load_base();
    }

    /// The genome that an update works on.
    pub fn update(&mut self) -> &mut [u32] {
        self.candidate
    }

    /// Makes the updated genome the one that answers.
    ///
    /// # Errors
    /// [`LinkError::Genome`] where its checksum is another or it is no genome; nothing changes then.
    pub fn end_update(&mut self, expected: u32) -> Result<(), LinkError> {
        let made = genome_checksum(self.candidate);
        if made != expected || check_genome(self.image.topology(), self.candidate).is_err() {
            return Err(LinkError::Genome(made));
        }
        self.live.copy_from_slice(self.candidate);
        self.judge();
        Ok(())
    }

    /// Begins to put back what was saved.
    pub fn begin_restore(&mut self) {
        self.reset();
    }

    /// Where a packed sample is written before it is put back.
    pub fn row(&mut self) -> &mut [u32] {
        self.input
    }

    /// Puts the [`row`](Self::row) back as a stored sample. False where there is no room.
    pub fn restore_sample(&mut self, label: u8, held_back: bool) -> bool {
        usize::from(label) < self.image.topology().classes()
            && self.store.restore(self.input, label, held_back)
    }

    /// Puts the [`row`](Self::row) back as a prototype. False where there is no room.
    pub fn restore_prototype(&mut self, label: u8) -> bool {
        let (words, len) = (self.layout.input, self.prototypes_len);
        let fits = len < self.prototype_labels.len() && usize::from(label) < self.image.topology().classes();
        if fits {
            self.prototypes[len * words..(len + 1) * words].copy_from_slice(self.input);
            self.prototype_labels[len] = label;
            self.prototypes_len += 1;
        }
        fits
    }

    /// Ends a restore: the updated genome answers, and network and memory are judged.
    ///
    /// # Errors
    /// As for [`end_update`](Self::end_update).
    pub fn end_restore(&mut self, expected: u32) -> Result<(), LinkError> {
        self.end_update(expected)
    }

    /// A random genome takes the place of the present one: for comparison with evolution from scratch.
    pub fn randomize(&mut self, seed: u64) {
        self.stop();
        if let Ok(mut genome) = GenomeMut::new(self.image.topology(), self.live) {
            genome.randomize(&mut Stream::new(seed, Purpose::Start, 0));
        }
        self.judge();
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
