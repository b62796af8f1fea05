//! The landscape of a board: one hidden layer, nothing kept that can be computed anew.
//!
//! It remembers, for every sample, one bit for each hidden neuron and the scores, and computes the pre-activations of a neuron when
//! that neuron is visited: a dot product a sample. It gives the same integers as [`scalar`](super::scalar), with inner loops for
//! processors that count neither bits nor zeros, and 32-bit sums.
//!
//! It can be laid down and taken up again: [`CompactLandscape::resume`] goes on with buffers that an earlier one left, so that a board
//! can make one step of a search, answer a question and go on. A sample can be exchanged on the way at the cost of
//! one forward pass: [`forget`](CompactLandscape::forget) it, overwrite it, [`learn`](CompactLandscape::learn) it.

use heapless::Vec;

use crate::bits::{self, Words};
use crate::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use crate::evolve::scalar::mask_impossible;
use crate::genome::{GenomeMut, Mutation};
use crate::loss::LossTable;
use crate::network::{Network, Window, see};
use crate::topology::{MAX_CLASSES, Plan, Topology, WINDOW_WORDS};

/// A number that keeps a score.
pub trait Score: Copy + Default + Into<i32> + bytemuck::Pod + core::fmt::Debug {
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
    pending: Vec<Mutation, MAX_TRIAL>,
    pending_change: i64,
}

/// The layers of the network.
const HIDDEN: usize = 0;
const OUTPUT: usize = 1;

/// For one hidden neuron: bit c is its weight in class c.
type Column = [u32; (MAX_CLASSES / 32) as usize];

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
        if samples.len().checked_mul(topology.input_words()) != Some(samples.inputs.len()) {
            return Err(LandscapeError::Samples);
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label);
        }
        let needs = CompactNeeds::new(topology, samples.len());
        let (Some(hidden), Some(scores)) =
            (buffers.hidden.get_mut(..needs.hidden), buffers.scores.get_mut(..needs.scores))
        else {
            return Err(LandscapeError::Buffers);
        };
        // The rows to work with lie in front, so that samples may be appended.
        let (row, hidden) = hidden.split_at_mut(topology.hidden_words());
        let (row_scores, scores) = scores.split_at_mut(topology.classes());
        let (pending, pending_change) = (Vec::new(), 0);
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
            pending,
            pending_change,
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

    /// The weights of a hidden neuron in every class.
    fn column(&self, neuron: u32) -> Column {
        let network = self.network();
        let position = self.topology.layer(OUTPUT).packing.position(neuron);
        let mut column = [0; (MAX_CLASSES / 32) as usize];
        for class in 0..self.topology.classes() as u32 {
            bits::set(&mut column, class, bits::get(network.weights(OUTPUT, class), position));
        }
        column
    }

    /// The change of a sample's loss if a hidden neuron that is `on` there were not, or the reverse. Only classes that move against the
    /// right one change it, all by 2 in the same direction.
    fn flip_change(&self, column: &Column, sample: usize, on: bool) -> i32 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right: i32 = scores[label].into();
        let agrees = bits::get(&column[..], label as u32);
        // Where weight and output agree, the flip takes 1 from the score.
        let step = if agrees == on { 2 } else { -2 };
        let invert = if agrees { u32::MAX } else { 0 };
        let mut change = 0;
        for (chunk, word) in scores.chunks(32).zip(column) {
            let mut against = word ^ invert;
            for &score in chunk {
                if against & 1 != 0 {
                    change += self.loss.change(score.into() - right, step);
                }
                against >>= 1;
            }
        }
        change
    }

    /// The change of a sample's loss if the score of `class` moved by `step`.
    fn score_change(&self, class: usize, sample: usize, step: i32) -> i32 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right: i32 = scores[label].into();
        if class != label {
            return self.loss.change(scores[class].into() - right, step);
        }
        let wrong = scores.iter().enumerate().filter(|&(other, _)| other != label);
        wrong.map(|(_, &score)| self.loss.change(score.into() - right, -step)).sum()
    }

    fn hidden_spectrum(&self, neuron: u32, sums: &mut [i32]) -> [i32; 2] {
        let (plan, network, column) = (self.topology.layer(HIDDEN), self.network(), self.column(neuron));
        let (place, weights) = (network.place(HIDDEN, neuron), network.weights(HIDDEN, neuron));
        let threshold = network.threshold(HIDDEN, neuron);
        let (inputs, words) = (self.samples.inputs, self.topology.input_words());
        let (mut window, mut sides, mut from) = ([0; WINDOW_WORDS], [0; 2], 0);
        // 0 is just on, -1 just off.
        while let Some((sample, mismatches)) =
            next_boundary(plan, place, weights, threshold, &inputs[from * words..], &mut window)
        {
            let sample = from + sample;
            from = sample + 1;
            let on = mismatches == threshold;
            let change = self.flip_change(&column, sample, on);
            if change != 0 {
                let seen = see(plan, place, &inputs[sample * words..], &mut window);
                add_where(seen, weights, if on { u32::MAX } else { 0 }, change, sums);
                sides[usize::from(on)] += change;
            }
        }
        sides
    }

    fn output_spectrum(&self, class: u32, sums: &mut [i32]) -> [i32; 2] {
        let network = self.network();
        let weights = network.weights(OUTPUT, class);
        let (mut raised, mut lowered) = (0, 0);
        for sample in 0..self.samples.len() {
            let up = self.score_change(class as usize, sample, 1);
            let down = self.score_change(class as usize, sample, -1);
            // Every sample counts: `down` where the input agrees with the weight, `up` where not.
            if up != down {
                add_where(self.hidden(sample), weights, 0, up - down, sums);
            }
            raised += up;
            lowered += down;
        }
        sums.iter_mut().for_each(|sum| *sum += lowered);
        [raised, lowered]
    }

    /// Where all mutations change one neuron, that neuron.
    fn only_neuron(mutations: &[Mutation]) -> Option<(usize, u32)> {
        let first = mutations.first()?;
        let same = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
        same.then_some((usize::from(first.layer), u32::from(first.neuron)))
    }

    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        GenomeMut::new(self.topology, self.genome).is_ok_and(|mut genome| genome.apply_all(mutations))
    }

    /// The first sample from `from` on where a hidden neuron is on by the genome as it is now, and was not, or the reverse.
    fn next_changed(&self, neuron: u32, position: u32, from: usize, window: &mut Window) -> Option<usize> {
        let (plan, network) = (self.topology.layer(HIDDEN), self.network());
        let weights = network.weights(HIDDEN, neuron);
        let seen = (plan, network.place(HIDDEN, neuron), weights, network.threshold(HIDDEN, neuron));
        let words = self.topology.hidden_words();
        let inputs = &self.samples.inputs[from * self.topology.input_words()..];
        let kept = (&self.hidden[from * words..], words, position);
        next_changed(seen, inputs, kept, window).map(|sample| from + sample)
    }

    /// The change of loss that the mutated genome makes, against what is remembered of the old one.
    fn measure(&mut self, mutations: &[Mutation]) -> i64 {
        let mut window = [0; WINDOW_WORDS];
        let mut change = 0;
        match Self::only_neuron(mutations) {
            Some((HIDDEN, neuron)) => {
                let column = self.column(neuron);
                let position = self.topology.layer(OUTPUT).packing.position(neuron);
                let mut from = 0;
                while let Some(sample) = self.next_changed(neuron, position, from, &mut window) {
                    let was_on = bits::get(self.hidden(sample), position);
                    change += i64::from(self.flip_change(&column, sample, was_on));
                    from = sample + 1;
                }
            }
            Some((_, class)) => {
                for sample in 0..self.samples.len() {
                    let score = self.network().preactivation(OUTPUT, class, self.hidden(sample), &mut window);
                    let step = score - self.scores(sample)[class as usize].into();
                    if step != 0 {
                        change += i64::from(self.score_change(class as usize, sample, step));
                    }
                }
            }
            None => {
                for sample in 0..self.samples.len() {
                    self.run(sample);
                    let after = self.loss.sample(self.row_scores, self.label(sample));
                    change += i64::from(after) - i64::from(self.sample_loss(sample));
                }
            }
        }
        change
    }

    /// Brings everything remembered up to date with the mutated genome.
    fn refresh(&mut self, mutations: &[Mutation]) {
        let (words, classes) = (self.row.len(), self.row_scores.len());
        let mut window = [0; WINDOW_WORDS];
        match Self::only_neuron(mutations) {
            Some((HIDDEN, neuron)) => {
                let column = self.column(neuron);
                let position = self.topology.layer(OUTPUT).packing.position(neuron);
                let mut from = 0;
                while let Some(sample) = self.next_changed(neuron, position, from, &mut window) {
                    from = sample + 1;
                    let was_on = bits::get(self.hidden(sample), position);
                    bits::flip(&mut self.hidden[sample * words..(sample + 1) * words], position);
                    let scores = &mut self.scores[sample * classes..(sample + 1) * classes];
                    for (score, class) in scores.iter_mut().zip(0..) {
                        let step = if bits::get(&column[..], class) == was_on { -1 } else { 1 };
                        *score = S::of((*score).into() + step);
                    }
                }
            }
            Some((_, class)) => {
                for sample in 0..self.samples.len() {
                    let score = self.network().preactivation(OUTPUT, class, self.hidden(sample), &mut window);
                    self.scores[sample * classes + class as usize] = S::of(score);
                }
            }
            None => {
                for sample in 0..self.samples.len() {
                    self.run(sample);
                    self.keep(sample);
                }
            }
        }
    }
}

/// Index of the largest score, the lowest among equals.
fn best_class_of<S: Score>(scores: &[S]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score.into() > scores[best].into() {
            best = class;
        }
    }
    best
}

/// The first sample of `inputs` on which a neuron is at its threshold or one mismatch beyond, and its mismatches. Not generic, so that
/// firmware built for size has this loop built for speed; so are the other inner loops here.
#[inline(never)]
fn next_boundary(
    plan: &Plan,
    place: u16,
    weights: &[u32],
    threshold: u32,
    inputs: &[u32],
    window: &mut Window,
) -> Option<(usize, u32)> {
    for (sample, input) in inputs.chunks_exact(plan.packing.words()).enumerate() {
        let mismatches = bits::mismatches(see(plan, place, input, window), weights);
        if mismatches.wrapping_sub(threshold) <= 1 {
            return Some((sample, mismatches));
        }
    }
    None
}

/// The first sample of `inputs` on which a neuron is on and was not, or the reverse. Whether it was is bit `position` of each row of `hidden`.
#[inline(never)]
fn next_changed(
    (plan, place, weights, threshold): (&Plan, u16, &[u32], u32),
    inputs: &[u32],
    (hidden, hidden_words, position): (&[u32], usize, u32),
    window: &mut Window,
) -> Option<usize> {
    let rows = inputs.chunks_exact(plan.packing.words()).zip(hidden.chunks_exact(hidden_words));
    for (sample, (input, row)) in rows.enumerate() {
        let is_on = bits::mismatches(see(plan, place, input, window), weights) <= threshold;
        if is_on != bits::get(row, position) {
            return Some(sample);
        }
    }
    None
}

/// Adds `amount` to the sums of the inputs that differ from their weights; of those that agree where `invert` is all ones.
///
/// Bit by bit with constant places, eight at a time: finding the next set bit costs a processor without an instruction for it more than
/// looking at all of them.
#[inline(never)]
fn add_where(seen: &[u32], weights: &[u32], invert: u32, amount: i32, sums: &mut [i32]) {
    for ((sums, &inputs), &weights) in sums.chunks_mut(32).zip(seen).zip(weights) {
        let mut mask = inputs ^ weights ^ invert;
        let (eights, rest) = sums.as_chunks_mut::<8>();
        for eight in eights {
            for (bit, sum) in eight.iter_mut().enumerate() {
                if mask & 1 << bit != 0 {
                    *sum += amount;
                }
            }
            mask >>= 8;
        }
        for sum in rest {
            if mask & 1 != 0 {
                *sum += amount;
            }
            mask >>= 1;
        }
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
            .filter(|&sample| best_class_of(self.scores(sample)) == self.label(sample))
            .count() as u32
    }

    #[inline(never)]
    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        let plan = *self.topology.layer(layer);
        assert!(deltas.len() / plan.mutants() >= neurons.len(), "deltas are too short");
        assert!(neurons.iter().all(|&neuron| u32::from(neuron) < plan.neurons), "no such neuron");
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
        self.rollback();
        let Ok(pending) = Vec::from_slice(mutations) else { return IMPOSSIBLE };
        if !self.apply_all(mutations) {
            return IMPOSSIBLE;
        }
        self.pending_change = self.measure(mutations);
        for mutation in mutations.iter().rev() {
            self.apply_all(&[mutation.inverse()]);
        }
        self.pending = pending;
        self.pending_change
    }

    #[inline(never)]
    fn commit(&mut self) {
        let pending = core::mem::take(&mut self.pending);
        if !pending.is_empty() && self.apply_all(&pending) {
            self.refresh(&pending);
            self.total += self.pending_change;
        }
    }

    fn rollback(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{MAX_SLOPE, write_logistic};
    use crate::topology::{Layer, Shape};
    use std::vec;

    fn topology(layers: &[Layer]) -> Topology {
        Topology::new(Shape::flat(3), layers).unwrap()
    }

    fn make(topology: &Topology, slope: u32, samples: usize, hidden: usize) -> Result<i64, LandscapeError> {
        let mut loss = [0; 4100];
        let len = write_logistic(1.0, 2.0, slope, &mut loss).unwrap();
        let mut genome = vec![0; topology.genome_words()];
        let (inputs, labels) = (vec![0b101; samples], vec![1; samples]);
        let (mut hidden, mut scores) =
            (vec![0; hidden], vec![0i16; CompactNeeds::new(topology, samples).scores]);
        let samples = Samples { inputs: &inputs, labels: &labels };
        let buffers = CompactBuffers { hidden: &mut hidden, scores: &mut scores };
        let table = LossTable::new(&loss[..len]).unwrap();
        CompactLandscape::new(topology, &mut genome, samples, table, buffers)
            .map(|landscape| landscape.loss())
    }

    #[test]
    fn scores_that_do_not_fit_a_byte_are_refused() {
        let mut loss = [0; 4100];
        let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
        for (neurons, expected) in [(127, Ok(())), (128, Err(LandscapeError::Scores))] {
            let topology = topology(&[Layer::dense(neurons), Layer::dense(2)]);
            let mut genome = vec![0; topology.genome_words()];
            let buffers = CompactBuffers { hidden: &mut [0; 8], scores: &mut [0i8; 4] };
            let samples = Samples { inputs: &[0b101], labels: &[1] };
            let table = LossTable::new(&loss[..len]).unwrap();
            let made = CompactLandscape::new(&topology, &mut genome, samples, table, buffers);
            assert_eq!(made.map(|_| ()), expected);
        }
    }

    #[test]
    fn what_it_is_not_for_is_refused() {
        let good = topology(&[Layer::dense(2), Layer::dense(2)]);
        assert!(make(&good, 64, 5, 6).is_ok());
        assert_eq!(make(&good, 64, 5, 5), Err(LandscapeError::Buffers));
        assert_eq!(make(&topology(&[Layer::dense(2)]), 64, 5, 6), Err(LandscapeError::Depth));
        let deep = topology(&[Layer::dense(2), Layer::dense(2), Layer::dense(2)]);
        assert_eq!(make(&deep, 64, 5, 20), Err(LandscapeError::Depth));
        assert!(make(&good, MAX_SLOPE, 60_000, 60_001).is_ok());
        assert_eq!(make(&good, MAX_SLOPE, 70_000, 70_001), Err(LandscapeError::Sums));
    }
}
