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
mod loops;
mod tables;
mod whole;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

use evobit::bits;
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::loss::LossTable;
use evobit::network::{Network, best_class};
use evobit::topology::{Plan, Topology};

use kernels::{Column, LANES, Scores, Terms};
pub use kernels::{Kernels, Portable};
use tables::Tables;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;

/// A pending trial.
enum Pending {
    None,
    /// One hidden neuron has new pre-activations and other signs on some samples: both are in the working buffers.
    Hidden {
        mutations: Vec<Mutation>,
        change: i64,
    },
    /// The scores of one class move, by what is in the working buffers.
    Class {
        mutations: Vec<Mutation>,
        change: i64,
    },
    /// Anything else: new pre-activations of some hidden neurons, and new scores.
    Whole {
        mutations: Vec<Mutation>,
        change: i64,
        moved: Vec<(u32, Vec<i16>)>,
        scores: Vec<Scores>,
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
    on: Vec<u64>,
    scores: Vec<Scores>,
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
            on: vec![],
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
        let (count, blocks, words) = (self.samples.len(), self.blocks(), self.sample_words());
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let (neurons, inputs) = (self.hidden().neurons, self.hidden().inputs);
        let step = |weight: bool| if weight { 1 } else { -1 };
        // A sum of steps is inputs less twice the mismatches.
        let finish = |row: &mut [i16], threshold: u32, inputs: u32| {
            row.iter_mut().for_each(|value| *value = threshold as i16 - (inputs as i16 - *value) / 2);
        };
        let zeros = vec![0; count];
        let mut preactivations = vec![0; neurons as usize * count];
        let mut on = vec![0; neurons as usize * words];
        if count > 0 {
            let rows = preactivations.chunks_mut(count).zip(on.chunks_mut(words));
            for (neuron, (row, on)) in (0..neurons).zip(rows) {
                let weights = network.weights(0, neuron);
                let columns: Vec<Column<'_>> =
                    (0..inputs).map(|i| self.column(neuron, i, step(bits::get(weights, i)))).collect();
                self.kernels.add_columns(&zeros, &columns, 0, row);
                finish(row, network.threshold(0, neuron), inputs);
                self.kernels.on_bits(row, on);
            }
        }
        self.scores = vec![Scores::default(); count * blocks];
        let mut row = vec![0; count];
        for class in 0..self.topology.classes() {
            let weights = network.weights(1, class as u32);
            let column = |neuron| {
                let first = neuron as usize * words;
                Column { bits: &on[first..first + words], step: step(bits::get(weights, neuron)) }
            };
            let columns: Vec<Column<'_>> = (0..neurons).map(column).collect();
            self.kernels.add_columns(&zeros, &columns, 0, &mut row);
            finish(&mut row, network.threshold(1, class as u32), neurons);
            let of_class = self.scores.iter_mut().skip(class / LANES).step_by(blocks);
            of_class.zip(&row).for_each(|(scores, &score)| scores.0[class % LANES] = score);
        }
        (self.preactivations, self.on) = (preactivations, on);
        self.terms = vec![Terms::default(); count * blocks];
        (0..count).for_each(|sample| self.refresh_terms(sample));
        self.total = (0..count).map(|sample| self.sample_loss(&self.scores, sample)).sum();
    }

    fn hidden(&self) -> &'a Plan {
        self.topology.layer(0)
    }

    fn blocks(&self) -> usize {
        self.topology.classes().div_ceil(LANES)
    }

    /// Words of one bit a sample.
    fn sample_words(&self) -> usize {
        self.samples.len().div_ceil(64)
    }

    /// The pre-activations of a hidden neuron.
    fn row(&self, neuron: u32) -> std::ops::Range<usize> {
        let count = self.samples.len();
        neuron as usize * count..(neuron as usize + 1) * count
    }

    /// The answers of a hidden neuron.
    fn on_row(&self, neuron: u32) -> std::ops::Range<usize> {
        let words = self.sample_words();
        neuron as usize * words..(neuron as usize + 1) * words
    }

    /// The scores of a sample among those of all.
    fn scores_of<'s>(&self, scores: &'s [Scores], sample: usize) -> &'s [i16] {
        let blocks = self.blocks();
        let scores: &[i16] = bytemuck::cast_slice(&scores[sample * blocks..(sample + 1) * blocks]);
        &scores[..self.topology.classes()]
    }

    fn sample_loss(&self, scores: &[Scores], sample: usize) -> i64 {
        self.tables.sample_loss(self.scores_of(scores, sample), self.samples.labels[sample].into())
    }

    /// Computes the terms of a sample from its scores.
    fn refresh_terms(&mut self, sample: usize) {
        let blocks = self.blocks();
        let row = sample * blocks..(sample + 1) * blocks;
        let label = usize::from(self.samples.labels[sample]);
        self.tables.write_terms(self.kernels, &self.scores[row.clone()], label, &mut self.terms[row]);
    }

    /// The column of an input of a hidden neuron.
    fn column(&self, neuron: u32, input: u32, step: i16) -> Column<'_> {
        let words = self.sample_words();
        let unit = input_unit(self.topology, &self.genome, neuron, input) as usize;
        Column { bits: &self.columns[unit * words..(unit + 1) * words], step }
    }

    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        GenomeMut::new(self.topology, &mut self.genome).is_ok_and(|mut genome| genome.apply_all(mutations))
    }

    /// Writes the pre-activations of a hidden neuron of the present genome with those of `mutations` that change it.
    fn mutated_row(&self, neuron: u32, mutations: &[Mutation], new: &mut [i16]) {
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let (mut base, mut columns) = (0, Vec::with_capacity(mutations.len()));
        for mutation in mutations.iter().filter(|m| (m.layer, u32::from(m.neuron)) == (0, neuron)) {
            match mutation.gene {
                Gene::Weight(input) => {
                    // Where input and weight agree the flip makes a mismatch.
                    let weight = bits::get(network.weights(0, neuron), input.into());
                    columns.push(self.column(neuron, input.into(), if weight { -1 } else { 1 }));
                }
                Gene::Raise => base += 1,
                Gene::Lower => base -= 1,
            }
        }
        self.kernels.add_columns(&self.preactivations[self.row(neuron)], &columns, base, new);
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
        let right = |&sample: &usize| {
            best_class(self.scores_of(&self.scores, sample)) == usize::from(self.samples.labels[sample])
        };
        (0..self.samples.len()).filter(right).count() as u32
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
        let one_neuron = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
        self.pending = match (one_neuron, first.layer) {
            (true, 0) => self.try_hidden(first.neuron.into(), mutations),
            (true, _) => self.try_class(first.neuron.into(), mutations),
            (false, _) => self.try_whole(mutations),
        };
        match &self.pending {
            Pending::None => 0,
            Pending::Hidden { change, .. }
            | Pending::Class { change, .. }
            | Pending::Whole { change, .. } => *change,
        }
    }

    fn commit(&mut self) {
        match std::mem::replace(&mut self.pending, Pending::None) {
            Pending::None => {}
            Pending::Hidden { mutations, change } => self.commit_hidden(&mutations, change),
            Pending::Class { mutations, change } => self.commit_class(&mutations, change),
            Pending::Whole { mutations, change, moved, scores } => {
                self.commit_whole(&mutations, change, moved, scores);
            }
        }
    }

    fn rollback(&mut self) {
        self.pending = Pending::None;
    }
}
