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

use heapless::Vec;

use crate::bits::{self, Words};
use crate::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples, add_by_agreement};
use crate::genome::{GenomeMut, Mutation};
use crate::loss::LossTable;
use crate::network::{Network, best_class};
use crate::topology::{MAX_CLASSES, MAX_LAYERS, Topology, WINDOW_WORDS};

/// Sizes of the buffers of a [`ScalarLandscape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pending: Vec<Mutation, MAX_TRIAL>,
    pending_change: i64,
}

/// For one hidden neuron: bit c is its weight in class c.
type Column = [u32; (MAX_CLASSES / 32) as usize];

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
        Network::new(topology, &*genome)
            .and_then(|network| network.check())
            .map_err(LandscapeError::Genome)?;
        if samples.len().checked_mul(topology.input_words()) != Some(samples.inputs.len()) {
            return Err(LandscapeError::Samples);
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label);
        }
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
        let mut landscape = Self {
            topology,
            genome,
            samples,
            loss,
            buffers,
            offsets,
            total: 0,
            pending: Vec::new(),
            pending_change: 0,
        };
        for sample in 0..samples.len() {
            landscape.run_above(0, sample);
            landscape.store(0, sample);
        }
        landscape.total = (0..samples.len()).map(|sample| i64::from(landscape.sample_loss(sample))).sum();
        Ok(landscape)
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

    /// The weights of a neuron of the last hidden layer in every class.
    fn column(&self, neuron: u32) -> Column {
        let last = self.topology.depth() - 1;
        let network = self.network();
        let position = self.topology.layer(last).packing.position(neuron);
        let mut column = [0; (MAX_CLASSES / 32) as usize];
        for class in 0..self.topology.classes() as u32 {
            bits::set(&mut column, class, bits::get(network.weights(last, class), position));
        }
        column
    }

    /// The change of a sample's loss if a hidden neuron that is `on` there were not, or the reverse.
    fn flip_change(&mut self, layer: usize, neuron: u32, column: &Column, sample: usize, on: bool) -> i64 {
        if layer + 2 == self.topology.depth() {
            return i64::from(self.last_flip_change(column, sample, on));
        }
        self.load(sample);
        let position = self.topology.layer(layer + 1).packing.position(neuron);
        bits::flip(&mut self.buffers.scratch[self.offsets[layer + 1]..], position);
        self.run_above(layer + 1, sample);
        self.scratch_change(sample)
    }

    /// The loss of the scratch less that of what is remembered.
    fn scratch_change(&self, sample: usize) -> i64 {
        let classes = self.topology.classes();
        let flipped = self.loss.sample(&self.buffers.scratch_scores[..classes], self.label(sample));
        i64::from(flipped) - i64::from(self.sample_loss(sample))
    }

    /// In the last hidden layer a flip moves every score by 1, so only classes that move against the right one
    /// change the loss, all by 2 in the same direction.
    fn last_flip_change(&self, column: &Column, sample: usize, on: bool) -> i32 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right = i32::from(scores[label]);
        let agrees = bits::get(&column[..], label as u32);
        // Where weight and output agree, the flip takes 1 from the score.
        let step = if agrees == on { 2 } else { -2 };
        let invert = if agrees { u32::MAX } else { 0 };
        let mut change = 0;
        for (chunk, word) in scores.chunks(32).zip(column) {
            let mut against = (word ^ invert) & bits::tail_mask(chunk.len() as u32);
            while against != 0 {
                let difference = i32::from(chunk[against.trailing_zeros() as usize]) - right;
                change += self.loss.term(difference + step) - self.loss.term(difference);
                against &= against - 1;
            }
        }
        change
    }

    /// The change of a sample's loss if the score of `class` moved by `step`.
    fn score_change(&self, class: usize, sample: usize, step: i32) -> i64 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right = i32::from(scores[label]);
        let term_change = |score: i16, step: i32| {
            let difference = i32::from(score) - right;
            i64::from(self.loss.term(difference + step) - self.loss.term(difference))
        };
        if class != label {
            return term_change(scores[class], step);
        }
        let wrong = scores.iter().enumerate().filter(|&(other, _)| other != label);
        wrong.map(|(_, &score)| term_change(score, -step)).sum()
    }

    fn hidden_spectrum(&mut self, layer: usize, neuron: u32, deltas: &mut [i64]) {
        let inputs = self.topology.layer(layer).inputs as usize;
        let column = if layer + 2 == self.topology.depth() { self.column(neuron) } else { Column::default() };
        let mut window = [0; WINDOW_WORDS];
        for sample in 0..self.samples.len() {
            let preactivation = self.preactivation(layer, neuron, sample);
            if preactivation != 0 && preactivation != -1 {
                continue;
            }
            let on = preactivation == 0;
            let change = self.flip_change(layer, neuron, &column, sample, on);
            if change == 0 {
                continue;
            }
            let network = self.network();
            let seen = network.receptive(layer, neuron, self.input(layer, sample), &mut window);
            let amounts = if on { (change, 0) } else { (0, change) };
            add_by_agreement(seen, network.weights(layer, neuron), amounts, &mut deltas[..inputs]);
            deltas[inputs + usize::from(on)] += change;
        }
    }

    fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
        let last = self.topology.depth() - 1;
        let inputs = self.topology.layer(last).inputs as usize;
        let network = self.network();
        let (mut raised, mut lowered) = (0, 0);
        for sample in 0..self.samples.len() {
            let up = self.score_change(class as usize, sample, 1);
            let down = self.score_change(class as usize, sample, -1);
            let seen = self.input(last, sample);
            // Every sample counts: `down` where the input agrees with the weight, `up` where not.
            add_by_agreement(seen, network.weights(last, class), (0, up - down), &mut deltas[..inputs]);
            raised += up;
            lowered += down;
        }
        deltas[..inputs].iter_mut().for_each(|delta| *delta += lowered);
        deltas[inputs] = raised;
        deltas[inputs + 1] = lowered;
    }

    /// Where all mutations change one hidden neuron, that neuron.
    fn only_neuron(&self, mutations: &[Mutation]) -> Option<(usize, u32)> {
        let first = mutations.first()?;
        let same = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
        let hidden = usize::from(first.layer) + 1 < self.topology.depth();
        (same && hidden).then_some((usize::from(first.layer), u32::from(first.neuron)))
    }

    fn lowest_layer(mutations: &[Mutation]) -> usize {
        mutations.iter().map(|mutation| usize::from(mutation.layer)).min().unwrap_or(0)
    }

    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        GenomeMut::new(self.topology, self.genome).is_ok_and(|mut genome| genome.apply_all(mutations))
    }

    /// The change of loss that the mutated genome makes, against what is remembered of the old one.
    fn measure(&mut self, mutations: &[Mutation]) -> i64 {
        let mut window = [0; WINDOW_WORDS];
        let mut change = 0;
        if let Some((layer, neuron)) = self.only_neuron(mutations) {
            let column =
                if layer + 2 == self.topology.depth() { self.column(neuron) } else { Column::default() };
            let position = self.topology.layer(layer + 1).packing.position(neuron);
            for sample in 0..self.samples.len() {
                let was_on = bits::get(&self.hidden(sample)[self.offsets[layer + 1]..], position);
                let input = self.input(layer, sample);
                if (self.network().preactivation(layer, neuron, input, &mut window) >= 0) != was_on {
                    change += self.flip_change(layer, neuron, &column, sample, was_on);
                }
            }
        } else {
            let from = Self::lowest_layer(mutations);
            for sample in 0..self.samples.len() {
                self.load(sample);
                self.run_above(from, sample);
                change += self.scratch_change(sample);
            }
        }
        change
    }

    /// Brings everything remembered up to date with the mutated genome.
    fn refresh(&mut self, mutations: &[Mutation]) {
        let only = self.only_neuron(mutations);
        let from = Self::lowest_layer(mutations);
        for sample in 0..self.samples.len() {
            if let Some((layer, neuron)) = only {
                self.store_preactivation(layer, neuron, sample);
                let position = self.topology.layer(layer + 1).packing.position(neuron);
                let was_on = bits::get(&self.hidden(sample)[self.offsets[layer + 1]..], position);
                if (self.preactivation(layer, neuron, sample) >= 0) == was_on {
                    continue;
                }
                self.load(sample);
                bits::flip(&mut self.buffers.scratch[self.offsets[layer + 1]..], position);
                self.run_above(layer + 1, sample);
                self.store(layer + 1, sample);
            } else {
                self.load(sample);
                self.run_above(from, sample);
                self.store(from, sample);
            }
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
        let plan = *self.topology.layer(layer);
        assert!(deltas.len() / plan.mutants() >= neurons.len(), "deltas are too short");
        assert!(neurons.iter().all(|&neuron| u32::from(neuron) < plan.neurons), "no such neuron");
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
        self.rollback();
        let Ok(pending) = Vec::from_slice(mutations) else { return IMPOSSIBLE };
        if !self.apply_all(mutations) {
            return IMPOSSIBLE;
        }
        let change = self.measure(mutations);
        for mutation in mutations.iter().rev() {
            self.apply_all(&[mutation.inverse()]);
        }
        (self.pending, self.pending_change) = (pending, change);
        change
    }

    fn commit(&mut self) {
        let mutations = core::mem::take(&mut self.pending);
        if !mutations.is_empty() && self.apply_all(&mutations) {
            self.refresh(&mutations);
            self.total += self.pending_change;
        }
    }

    fn rollback(&mut self) {
        self.pending.clear();
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::write_logistic;
    use crate::topology::{Layer, Shape};

    /// A network of 3 inputs, 2 hidden neurons and 2 classes on one sample.
    fn with_landscape(work: impl FnOnce(&mut ScalarLandscape<'_, &[u32]>)) {
        let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
        let mut loss = [0; 4100];
        let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
        let mut genome = std::vec![0; topology.genome_words()];
        let buffers = Buffers {
            hidden: &mut [0],
            scores: &mut [0; 2],
            preactivations: None,
            scratch: &mut [0],
            scratch_scores: &mut [0; 2],
        };
        let samples = Samples { inputs: &[0b101], labels: &[1] };
        let table = LossTable::new(&loss[..len]).unwrap();
        work(&mut ScalarLandscape::new(&topology, &mut genome, samples, table, buffers).unwrap());
    }

    #[test]
    #[should_panic(expected = "deltas are too short")]
    fn short_deltas_do_not_leave_neurons_out() {
        with_landscape(|landscape| landscape.spectra(0, &[0, 1], &mut [0; 9]));
    }

    #[test]
    #[should_panic(expected = "no such neuron")]
    fn a_neuron_that_is_not_there_has_no_spectrum() {
        with_landscape(|landscape| landscape.spectra(0, &[2], &mut [0; 5]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
        let mut loss = [0; 4100];
        let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
        let needs = Needs::new(&topology, 2);
        let all = [needs.hidden, needs.scores, needs.preactivations, needs.scratch, needs.scratch_scores];
        let make = |inputs: &[u32], labels: &[u8], sizes: [usize; 5], threshold: u32| {
            let mut genome = std::vec![0; topology.genome_words()];
            genome[0] = threshold;
            let [hidden, scores, preactivations, scratch, scratch_scores] = sizes;
            let buffers = Buffers {
                hidden: &mut std::vec![0; hidden],
                scores: &mut std::vec![0; scores],
                preactivations: Some(&mut std::vec![0; preactivations]),
                scratch: &mut std::vec![0; scratch],
                scratch_scores: &mut std::vec![0; scratch_scores],
            };
            let table = LossTable::new(&loss[..len]).unwrap();
            ScalarLandscape::new(&topology, &mut genome, Samples { inputs, labels }, table, buffers).err()
        };
        assert_eq!(make(&[0; 2], &[0, 1], all, 0), None);
        assert!(matches!(make(&[0; 2], &[0, 1], all, 3), Some(LandscapeError::Genome(_))));
        assert_eq!(make(&[0; 3], &[0, 1], all, 0), Some(LandscapeError::Samples));
        assert_eq!(make(&[0; 2], &[0, 2], all, 0), Some(LandscapeError::Label));
        for short in 0..5 {
            let mut sizes = all;
            sizes[short] -= 1;
            assert_eq!(make(&[0; 2], &[0, 1], sizes, 0), Some(LandscapeError::Buffers), "{short}");
        }
    }

    #[test]
    fn needs_beyond_memory_are_never_met() {
        let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
        let needs = Needs::new(&topology, usize::MAX / 2 + 1);
        assert_eq!((needs.scores, needs.preactivations), (usize::MAX, usize::MAX));
    }
}
