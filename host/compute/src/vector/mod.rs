//! The landscape of a network with one hidden layer, laid out for vector instructions; that of several is in `deep`.
//!
//! It remembers more than core's scalar landscape, each in the order in which it is read:
//!
//! ```text
//! columns         [input units][samples]    bits: what a weight flip adds to every pre-activation
//! inputs          [samples][input words]    bits, packed as the network takes them
//! strips          [strips][samples][lines]  of 16 columns: what small windows show
//! preactivations  [hidden neurons][samples] of 8 bits for up to 127 inputs, else of 16
//! on              [hidden neurons][samples] bits: their signs
//! boundary        [hidden neurons][samples] bits: whether one step would change the sign
//! ahead           [samples][classes]        scores less that of the right class
//! rising          [classes][samples]        bits: whether the loss changes where the score of a wrong class does
//! ```
//!
//! Samples of one class lie together. So the boundary samples of a neuron come from one run over contiguous bits, the change of loss of a
//! flipped output is a sum over the classes that move, looked up in registers, and a trial of a few flips adds a few
//! columns and looks only at the samples whose sign changed. Memory: one or two bytes for each hidden neuron and sample.

mod deep;
mod hidden;
mod implement;
mod kernels;
mod loops;
mod samples;
mod sliding;
mod start;
mod tables;
mod terms;
mod trial;
mod vectorize;
mod whole;
mod windows;

#[cfg(target_arch = "x86_64")]
mod arch;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

use evobit::bits;
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, check_spectra, mask_impossible};
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::loss::LossTable;
use evobit::network::{Network, best_class};
use evobit::topology::{Plan, Topology};

pub use deep::{DeepLandscape, supports_deep};
use kernels::{Ahead, CHUNK, Chunk, Column, LANES, Labels};
pub use kernels::{Cell, Kernels, Portable};
use samples::Sorted;
use tables::Tables;
pub use vectorize::{Loop, Vectorize};
use windows::Strips;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;

/// A pending trial.
enum PendingTrial<C> {
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
        moved: Vec<(u32, Vec<Chunk<C>>)>,
        ahead: Vec<Ahead>,
    },
}

/// See the module. `C` holds the pre-activations of the hidden neurons.
pub struct VectorLandscape<'a, K, C> {
    kernels: K,
    topology: &'a Topology,
    genome: Vec<u32>,
    samples: Sorted,
    labels: Labels,
    tables: Tables,
    columns: Vec<u64>,
    strips: Option<Strips>,
    preactivations: Vec<Chunk<C>>,
    on: Vec<u64>,
    boundary: Vec<u64>,
    ahead: Vec<Ahead>,
    /// Which classes would rise: `[classes, in whole blocks][samples]`; empty while not known.
    rising: Vec<u64>,
    total: i64,
    pending: PendingTrial<C>,
    work: hidden::Work<C>,
}

/// True where a [`VectorLandscape`] can be made: one hidden layer, of windows that slide only where they
/// are small and of one plane, and a loss without jumps.
#[must_use]
pub fn supports(topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
    let plan = topology.layer(0);
    let shown = plan.slide() == 0 || windows::count(plan).is_some();
    topology.depth() == 2 && shown && Tables::new(topology, loss).is_some()
}

/// Bytes that a [`VectorLandscape`] takes for each sample, rounded up.
#[must_use]
pub fn bytes_of_sample(topology: &Topology) -> u64 {
    let (plan, classes) = (topology.layer(0), topology.classes());
    let cell = if is_narrow(topology) { 1 } else { 2 };
    // Whether it is on, and on the boundary.
    let bits = 2 * u64::from(plan.neurons) + u64::from(plan.packing.units());
    let strips = 2 * windows::count(plan).unwrap_or(0) * windows::lines(plan);
    let blocks = classes.div_ceil(LANES);
    let ahead = blocks * (size_of::<Ahead>() + LANES / 8);
    let inputs = 4 * topology.input_words();
    cell * u64::from(plan.neurons) + bits.div_ceil(8) + (strips + ahead + inputs) as u64
}

/// True where 8 bits hold the pre-activations of the hidden neurons.
#[must_use]
pub fn is_narrow(topology: &Topology) -> bool {
    topology.layer(0).inputs <= 127
}

impl<'a, K: Kernels, C: Cell> VectorLandscape<'a, K, C> {
    fn hidden(&self) -> &'a Plan {
        self.topology.layer(0)
    }

    fn blocks(&self) -> usize {
        self.topology.classes().div_ceil(LANES)
    }

    /// Words of one bit a sample, and chunks of samples.
    fn sample_words(&self) -> usize {
        self.samples.len().div_ceil(CHUNK)
    }

    /// The samples of the last chunk.
    fn tail(&self) -> u64 {
        u64::MAX >> ((CHUNK - self.samples.len() % CHUNK) % CHUNK)
    }

    /// The pre-activations of a hidden neuron, and its answers.
    fn row(&self, neuron: u32) -> std::ops::Range<usize> {
        let words = self.sample_words();
        neuron as usize * words..(neuron as usize + 1) * words
    }

    /// How far the classes of a sample are ahead of the right one, among those of all samples.
    fn ahead_of<'s>(&self, ahead: &'s [Ahead], sample: usize) -> &'s [i16] {
        let blocks = self.blocks();
        let lanes: &[i16] = bytemuck::cast_slice(&ahead[sample * blocks..(sample + 1) * blocks]);
        &lanes[..self.topology.classes()]
    }

    fn sample_loss(&self, ahead: &[Ahead], sample: usize) -> i64 {
        self.tables.terms.sample_loss(self.ahead_of(ahead, sample)).into()
    }

    /// The column of an input of a hidden neuron.
    fn column(&self, neuron: u32, input: u32, step: i16) -> Column<'_> {
        let words = self.sample_words();
        let unit = input_unit(self.topology, &self.genome, neuron, input) as usize;
        Column { bits: &self.columns[unit * words..(unit + 1) * words], step }
    }

    /// Finds the boundary samples of a hidden neuron anew, after its pre-activations changed.
    fn find_boundary(&mut self, neuron: u32) {
        let (row, tail) = (self.row(neuron), self.tail());
        let boundary = &mut self.boundary[row.clone()];
        self.kernels.boundary_bits(&self.preactivations[row], boundary);
        if let Some(last) = boundary.last_mut() {
            *last &= tail;
        }
    }

    fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        GenomeMut::new(self.topology, &mut self.genome).is_ok_and(|mut genome| genome.apply_all(mutations))
    }

    /// Writes the pre-activations of a hidden neuron of the present genome with those of `mutations` that change it.
    fn mutated_row(&self, neuron: u32, mutations: &[Mutation], new: &mut [Chunk<C>]) {
        if self.slides() {
            return self.sliding_row(neuron, mutations, new);
        }
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

impl<K: Kernels, C: Cell> Landscape for VectorLandscape<'_, K, C> {
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
            best_class(self.ahead_of(&self.ahead, sample)) == usize::from(self.samples.labels[sample])
        };
        (0..self.samples.len()).filter(right).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        check_spectra(self.topology, layer, neurons, deltas);
        let mutants = self.topology.layer(layer).mutants();
        if layer == 0 {
            self.hidden_spectra(neurons, deltas);
        }
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            if layer > 0 {
                self.output_spectrum(neuron.into(), deltas);
            }
            if let Ok(network) = Network::new(self.topology, &self.genome[..]) {
                mask_impossible(&network, layer, neuron.into(), deltas);
            }
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.rollback();
        let Some(mutations) = trial::effective(self.topology, &mut self.genome, mutations) else {
            return IMPOSSIBLE;
        };
        let mutations = &mutations[..];
        let Some(first) = mutations.first() else { return 0 };
        let one_neuron = mutations.iter().all(|m| (m.layer, m.neuron) == (first.layer, first.neuron));
        self.pending = match (one_neuron, first.layer) {
            (true, 0) => self.try_hidden(first.neuron.into(), mutations),
            (true, _) => self.try_class(first.neuron.into(), mutations),
            (false, _) => self.try_whole(mutations),
        };
        match &self.pending {
            PendingTrial::None => 0,
            PendingTrial::Hidden { change, .. }
            | PendingTrial::Class { change, .. }
            | PendingTrial::Whole { change, .. } => *change,
        }
    }

    fn commit(&mut self) {
        if !matches!(self.pending, PendingTrial::None) {
            self.rising.clear();
        }
        match std::mem::replace(&mut self.pending, PendingTrial::None) {
            PendingTrial::None => {}
            PendingTrial::Hidden { mutations, change } => self.commit_hidden(&mutations, change),
            PendingTrial::Class { mutations, change } => self.commit_class(&mutations, change),
            PendingTrial::Whole { mutations, change, moved, ahead } => {
                self.commit_whole(&mutations, change, moved, ahead);
            }
        }
    }

    fn rollback(&mut self) {
        self.pending = PendingTrial::None;
    }
}
