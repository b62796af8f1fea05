//! The landscape of a network with one hidden layer, laid out for vector instructions.
//!
//! It remembers more than core's scalar landscape, each in the order in which it is read:
//!
//! ```text
//! columns         [input units][samples]   bits: what a weight flip adds to every pre-activation
//! preactivations  [hidden neurons][samples]
//! scores          [samples][classes]
//! terms           [samples][classes]       change of each wrong class's loss if it moved by 2 against the right one, up and down
//! ```
//!
//! So the boundary samples of a neuron come from one run over contiguous numbers, the change of loss of a
//! flipped output is a masked sum of `terms` without a look-up, and a trial of a few flips adds a few columns and
//! looks only at the samples whose sign changed. Memory: about two bytes for each hidden neuron and sample.

mod hidden;
mod kernels;
mod tables;
mod whole;

#[cfg(target_arch = "x86_64")]
mod avx512;

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::loss::LossTable;
use evobit::network::{Network, best_class};
use evobit::topology::{Plan, Topology, WINDOW_WORDS};

pub use kernels::{Kernels, Portable};
use kernels::{LANES, Terms};
use tables::Tables;

#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;

/// A pending trial.
enum Pending {
    None,
    /// One hidden neuron has new pre-activations; the samples where its sign changed, as `sign_changes` gives them.
    Hidden {
        mutations: Vec<Mutation>,
        change: i64,
    },
    /// Anything else: new pre-activations of some hidden neurons, and new scores.
    Whole {
        mutations: Vec<Mutation>,
        change: i64,
        moved: Vec<(usize, Vec<i16>)>,
        scores: Vec<i16>,
    },
}

/// See the module.
pub struct VectorLandscape<'a, K> {
    kernels: K,
    topology: &'a Topology,
    genome: Vec<u32>,
    samples: Samples<'a>,
    tables: Tables,
    columns: Vec<u64>,
    preactivations: Vec<i16>,
    scores: Vec<i16>,
    terms: Vec<Terms>,
    total: i64,
    pending: Pending,
    work: hidden::Work,
}

/// True where a [`VectorLandscape`] can be made: one hidden layer, and a loss without jumps.
#[must_use]
pub fn supports(topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
    topology.depth() == 2 && Tables::new(topology, loss).is_some()
}

impl<'a, K: Kernels> VectorLandscape<'a, K> {
    /// Runs the network of `genome` on all samples.
    ///
    /// # Errors
    /// A genome that is not one of `topology` or samples that do not fit it; [`LandscapeError::Buffers`] where
    /// [`supports`] says no.
    pub fn new(
        kernels: K,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'a>,
        loss: &LossTable<&[u32]>,
    ) -> Result<Self, LandscapeError> {
        let network = Network::new(topology, genome).map_err(LandscapeError::Genome)?;
        network.check().map_err(LandscapeError::Genome)?;
        if samples.inputs.len() != samples.len() * topology.input_words() {
            return Err(LandscapeError::Samples);
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label);
        }
        let tables = Tables::new(topology, loss).filter(|_| topology.depth() == 2);
        let mut landscape = Self {
            kernels,
            topology,
            genome: genome.to_vec(),
            samples,
            tables: tables.ok_or(LandscapeError::Buffers)?,
            columns: columns(topology, samples),
            preactivations: vec![],
            scores: vec![],
            terms: vec![],
            total: 0,
            pending: Pending::None,
            work: hidden::Work::default(),
        };
        landscape.run();
        Ok(landscape)
    }

    /// Fills everything that is remembered by running the network.
    fn run(&mut self) {
        let (count, classes) = (self.samples.len(), self.topology.classes());
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let (neurons, inputs) = (self.hidden().neurons, self.hidden().inputs);
        let mut preactivations = vec![0; neurons as usize * count];
        for (neuron, row) in (0u32..).zip(preactivations.chunks_mut(count.max(1))) {
            let weights = network.weights(0, neuron);
            for input in 0..inputs {
                let step = if evobit::bits::get(weights, input) { 1 } else { -1 };
                self.kernels.add_column(row, self.column(neuron, input), step);
            }
            // The sum is inputs less twice the mismatches.
            let threshold = network.threshold(0, neuron) as i16;
            row.iter_mut().for_each(|value| *value = threshold - (inputs as i16 - *value) / 2);
        }
        let packing = self.topology.layer(1).packing;
        let mut hidden = vec![0; packing.words()];
        let mut scores = vec![0; count * classes];
        for (sample, row) in scores.chunks_mut(classes).enumerate() {
            hidden.fill(0);
            for neuron in 0..neurons {
                let on = preactivations[neuron as usize * count + sample] >= 0;
                hidden[neuron as usize / 32] |= u32::from(on) << (neuron % 32);
            }
            for (class, score) in (0u32..).zip(row) {
                *score = network.preactivation(1, class, &hidden, &mut [0; WINDOW_WORDS]) as i16;
            }
        }
        (self.preactivations, self.scores) = (preactivations, scores);
        self.terms = vec![[[0; LANES]; 2]; count * self.blocks()];
        (0..count).for_each(|sample| self.refresh_terms(sample));
        self.total = (0..count).map(|sample| self.sample_loss(&self.scores, sample)).sum();
    }

    fn hidden(&self) -> &'a Plan {
        self.topology.layer(0)
    }

    fn blocks(&self) -> usize {
        self.topology.classes().div_ceil(LANES)
    }

    fn sample_loss(&self, scores: &[i16], sample: usize) -> i64 {
        let classes = self.topology.classes();
        let label = usize::from(self.samples.labels[sample]);
        self.tables.sample_loss(&scores[sample * classes..(sample + 1) * classes], label)
    }

    /// Computes the terms of a sample from its scores.
    fn refresh_terms(&mut self, sample: usize) {
        let (classes, blocks) = (self.topology.classes(), self.blocks());
        let scores = &self.scores[sample * classes..(sample + 1) * classes];
        let label = usize::from(self.samples.labels[sample]);
        let terms = &mut self.terms[sample * blocks..(sample + 1) * blocks];
        self.tables.write_terms(scores, label, terms);
    }

    /// The column of an input of a hidden neuron.
    fn column(&self, neuron: u32, input: u32) -> &[u64] {
        let words = self.samples.len().div_ceil(64);
        let unit = input_unit(self.topology, &self.genome, neuron, input) as usize;
        &self.columns[unit * words..(unit + 1) * words]
    }

    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        let Ok(mut genome) = GenomeMut::new(self.topology, &mut self.genome) else { return false };
        for (applied, &mutation) in mutations.iter().enumerate() {
            if !genome.apply(mutation) {
                for undone in mutations[..applied].iter().rev() {
                    genome.apply(undone.inverse());
                }
                return false;
            }
        }
        true
    }

    /// Adds to the pre-activations of a hidden neuron what a mutation of the present genome does.
    fn add_mutation(&self, neuron: u32, gene: Gene, preactivations: &mut [i16]) {
        match gene {
            Gene::Weight(input) => {
                let weight = Network::new(self.topology, &self.genome[..])
                    .is_ok_and(|network| evobit::bits::get(network.weights(0, neuron), input.into()));
                // Where input and weight agree the flip makes a mismatch.
                let step = if weight { -1 } else { 1 };
                self.kernels.add_column(preactivations, self.column(neuron, input.into()), step);
            }
            Gene::Raise => preactivations.iter_mut().for_each(|value| *value += 1),
            Gene::Lower => preactivations.iter_mut().for_each(|value| *value -= 1),
        }
    }
}

/// The input bits as one row of samples for each unit: `[units][samples / 64]`.
fn columns(topology: &Topology, samples: Samples<'_>) -> Vec<u64> {
    let packing = topology.layer(0).packing;
    let sample_words = samples.len().div_ceil(64);
    let mut columns = vec![0; packing.units() as usize * sample_words];
    for sample in 0..samples.len() {
        for (index, &word) in (0u32..).zip(samples.input(sample, packing.words())) {
            let row = index / packing.row_words;
            let first = row * packing.row_bits + index % packing.row_words * 32;
            let mut bits = word;
            while bits != 0 {
                let unit = (first + bits.trailing_zeros()) as usize;
                columns[unit * sample_words + sample / 64] |= 1 << (sample % 64);
                bits &= bits - 1;
            }
        }
    }
    columns
}

/// The unit of the input that a hidden neuron sees as its `input`.
fn input_unit(topology: &Topology, genome: &[u32], neuron: u32, input: u32) -> u32 {
    let plan = topology.layer(0);
    let evobit::topology::Field::Window { height, width, .. } = plan.field else { return input };
    let place = Network::new(topology, genome).map_or(0, |network| network.place(0, neuron));
    let Some((plane, row, column)) = plan.corner(place) else { return 0 };
    let (height, width) = (u32::from(height), u32::from(width));
    let (line, at) = (input / width, input % width);
    let line = (plane + line / height) * u32::from(plan.input.height) + row + line % height;
    line * u32::from(plan.input.width) + column + at
}

impl<K: Kernels> Landscape for VectorLandscape<'_, K> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.total
    }

    fn correct(&self) -> u32 {
        let rows = self.scores.chunks_exact(self.topology.classes()).zip(self.samples.labels);
        rows.filter(|(scores, label)| best_class(scores) == usize::from(**label)).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        let mutants = self.topology.layer(layer).mutants();
        assert!(deltas.len() >= neurons.len() * mutants, "the buffer is shorter than the spectra");
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            if layer == 0 {
                self.hidden_spectrum(neuron.into(), deltas);
            } else {
                self.output_spectrum(neuron.into(), deltas);
            }
            if let Ok(network) = Network::new(self.topology, &self.genome[..]) {
                evobit::evolve::scalar::mask_impossible(&network, layer, neuron.into(), deltas);
            }
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.rollback();
        if mutations.len() > MAX_TRIAL || !self.apply_all(mutations) {
            return IMPOSSIBLE;
        }
        for mutation in mutations.iter().rev() {
            self.apply_all(&[mutation.inverse()]);
        }
        // Two flips of one weight are none.
        let mut effective: Vec<Mutation> = Vec::with_capacity(mutations.len());
        for &mutation in mutations {
            match effective.iter().position(|&other| other == mutation) {
                Some(twin) if matches!(mutation.gene, Gene::Weight(_)) => _ = effective.remove(twin),
                _ => effective.push(mutation),
            }
        }
        let mutations = &effective[..];
        let Some(first) = mutations.first() else { return 0 };
        let one_neuron = mutations.iter().all(|m| (m.layer, m.neuron) == (0, first.neuron));
        self.pending = if one_neuron {
            self.try_hidden(first.neuron.into(), mutations)
        } else {
            self.try_whole(mutations)
        };
        match &self.pending {
            Pending::None => 0,
            Pending::Hidden { change, .. } | Pending::Whole { change, .. } => *change,
        }
    }

    fn commit(&mut self) {
        match std::mem::replace(&mut self.pending, Pending::None) {
            Pending::None => {}
            Pending::Hidden { mutations, change } => self.commit_hidden(&mutations, change),
            Pending::Whole { mutations, change, moved, scores } => {
                self.commit_whole(&mutations, change, moved, scores);
            }
        }
    }

    fn rollback(&mut self) {
        self.pending = Pending::None;
    }
}
