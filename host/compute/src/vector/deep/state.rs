//! What is remembered of every sample, and how it is made anew from a genome.

use evobit::bits;
use evobit::evolve::landscape::Samples;
use evobit::network::Network;
use evobit::topology::{Packing, Topology};

use super::super::kernels::{Ahead, CHUNK, Cell, Chunk, Column, Kernels, LANES};
use super::super::terms::Terms;
use super::super::windows::Strips;
use super::links::{Links, votes};

/// A pre-activation far from both sides, of neurons that are not there.
const FAR: i16 = i16::MIN / 2;

/// What does not change while the genome does.
pub(super) struct Given<'a, K> {
    pub(super) kernels: K,
    pub(super) topology: &'a Topology,
    pub(super) samples: Samples<'a>,
    pub(super) terms: Terms,
    /// `[input units][words of samples]`.
    pub(super) columns: Vec<u64>,
    pub(super) strips: Option<Strips>,
}

impl<K> Given<'_, K> {
    /// Words of one bit a sample, and chunks of samples.
    pub(super) fn words(&self) -> usize {
        self.samples.len().div_ceil(CHUNK)
    }

    /// The entries of a neuron in what holds one word or chunk for each of those.
    pub(super) fn row(&self, neuron: u32) -> std::ops::Range<usize> {
        neuron as usize * self.words()..(neuron as usize + 1) * self.words()
    }

    /// The samples of the last chunk.
    pub(super) fn tail(&self) -> u64 {
        u64::MAX >> ((CHUNK - self.samples.len() % CHUNK) % CHUNK)
    }

    /// Blocks of classes.
    pub(super) fn blocks(&self) -> usize {
        self.topology.classes().div_ceil(LANES)
    }

    pub(super) fn label(&self, sample: usize) -> usize {
        self.samples.labels[sample].into()
    }

    /// How far the classes of a sample are ahead of the right one, among those of all samples.
    pub(super) fn ahead_of<'s>(&self, ahead: &'s [Ahead], sample: usize) -> &'s [i16] {
        let blocks = self.blocks();
        let lanes: &[i16] = bytemuck::cast_slice(&ahead[sample * blocks..(sample + 1) * blocks]);
        &lanes[..self.topology.classes()]
    }
}

/// The answers of a hidden layer.
pub(super) struct Answers {
    /// `[neurons][words of samples]`.
    pub(super) columns: Vec<u64>,
    /// `[samples][words]`, packed as the layer above reads them.
    pub(super) rows: Vec<u32>,
    pub(super) row_words: usize,
    /// The bit of each neuron in a row.
    pub(super) positions: Vec<u32>,
}

/// A hidden layer above the first: what it remembers lies sample by sample, as flips come from below.
pub(super) struct Upper {
    pub(super) links: Links,
    /// `[samples][words of links]`.
    pub(super) preactivations: Vec<Chunk<i16>>,
    /// `[samples]`, the neurons that are just on, then those that are just off: `[2][words of links]`.
    pub(super) near: Vec<u64>,
}

/// All that follows from a genome.
pub(super) struct LayerState<C> {
    /// Pre-activations of the first layer: `[neurons][chunks of samples]`.
    pub(super) first: Vec<Chunk<C>>,
    /// Of every hidden layer.
    pub(super) answers: Vec<Answers>,
    /// Of every hidden layer but the first.
    pub(super) upper: Vec<Upper>,
    /// See [`votes`].
    pub(super) votes: Vec<Ahead>,
    /// `[samples][blocks]`: how far classes are ahead of the right one.
    pub(super) ahead: Vec<Ahead>,
    pub(super) losses: Vec<i32>,
    pub(super) total: i64,
}

impl<C: Cell> LayerState<C> {
    /// Runs the network on all samples.
    pub(super) fn new<K: Kernels>(given: &Given<'_, K>, network: &Network<'_, &[u32]>) -> Self {
        let mut state = Self {
            first: vec![],
            answers: vec![],
            upper: vec![],
            votes: votes(network),
            ahead: vec![],
            losses: vec![],
            total: 0,
        };
        for layer in 0..given.topology.depth() - 1 {
            state.run_layer(given, network, layer);
        }
        state.run_last(given, network);
        let losses =
            (0..given.samples.len()).map(|one| given.terms.sample_loss(given.ahead_of(&state.ahead, one)));
        state.losses = losses.collect();
        state.total = state.losses.iter().map(|&loss| i64::from(loss)).sum();
        state
    }

    /// The bits of a unit below a layer.
    pub(super) fn column<'s, K>(&'s self, given: &'s Given<'_, K>, layer: usize, unit: u32) -> &'s [u64] {
        let columns = if layer == 0 { &given.columns } else { &self.answers[layer - 1].columns };
        &columns[given.row(unit)]
    }

    /// What a layer reads, sample by sample.
    pub(super) fn rows<'s, K>(&'s self, given: &Given<'s, K>, layer: usize) -> &'s [u32] {
        if layer == 0 { given.samples.inputs } else { &self.answers[layer - 1].rows }
    }

    fn run_layer<K: Kernels>(&mut self, given: &Given<'_, K>, network: &Network<'_, &[u32]>, layer: usize) {
        let (plan, words) = (given.topology.layer(layer), given.words());
        let cells = plan.neurons as usize * words;
        let mut columns = vec![0; cells];
        let mut wide = vec![Chunk::<i16>::default(); if layer == 0 { words } else { cells }];
        for neuron in 0..plan.neurons {
            let row = given.row(neuron);
            let into = if layer == 0 { 0..words } else { row.clone() };
            self.run_neuron(given, network, (layer, neuron), &mut wide[into.clone()]);
            given.kernels.on_bits(&wide[into.clone()], &mut columns[row]);
            if layer == 0 {
                let narrow = |chunk: &Chunk<i16>| Chunk(chunk.0.map(C::from_wide));
                self.first.extend(wide[into].iter().map(narrow));
            }
        }
        let packing = given.topology.layer(layer + 1).packing;
        let rows = packed(&columns, packing, given.samples.len());
        let positions = (0..plan.neurons).map(|neuron| packing.position(neuron)).collect();
        self.answers.push(Answers { columns, rows, row_words: packing.words(), positions });
        if layer > 0 {
            let links = Links::new(network, layer);
            let preactivations = by_sample(&wide, links.words, given.samples.len());
            let mut near = vec![0; 2 * preactivations.len()];
            let samples = preactivations.chunks(links.words).zip(near.chunks_mut(2 * links.words));
            for (values, near) in samples {
                for (word, values) in values.iter().enumerate() {
                    [near[word], near[links.words + word]] = near_of(given.kernels, values);
                }
            }
            self.upper.push(Upper { links, preactivations, near });
        }
    }

    /// Writes the pre-activations of a neuron of any layer on all samples.
    fn run_neuron<K: Kernels>(
        &self,
        given: &Given<'_, K>,
        network: &Network<'_, &[u32]>,
        (layer, neuron): (usize, u32),
        values: &mut [Chunk<i16>],
    ) {
        let inputs = given.topology.layer(layer).inputs;
        let (weights, threshold) = (network.weights(layer, neuron), network.threshold(layer, neuron));
        let column = |input| {
            let unit = super::links::unit_of(given.topology, network.words(), layer, neuron, input);
            let step = if bits::get(weights, input) { 1 } else { -1 };
            Column { bits: self.column(given, layer, unit), step }
        };
        let columns: Vec<Column<'_>> = (0..inputs).map(column).collect();
        let zeros = vec![Chunk::default(); values.len()];
        given.kernels.add_columns(&zeros, &columns, 0, values);
        // A sum of steps is inputs less twice the mismatches.
        let of_sum = |sum: &mut i16| *sum = threshold as i16 - (inputs as i16 - *sum) / 2;
        values.iter_mut().flat_map(|chunk| &mut chunk.0).for_each(of_sum);
    }

    fn run_last<K: Kernels>(&mut self, given: &Given<'_, K>, network: &Network<'_, &[u32]>) {
        let (blocks, last) = (given.blocks(), given.topology.depth() - 1);
        let mut ahead = vec![Ahead::default(); given.samples.len() * blocks];
        let mut row = vec![Chunk::default(); given.words()];
        for class in 0..given.topology.classes() {
            self.run_neuron(given, network, (last, class as u32), &mut row);
            let of_class = ahead.iter_mut().skip(class / LANES).step_by(blocks);
            let scores = row.iter().flat_map(|chunk| chunk.0);
            of_class.zip(scores).for_each(|(ahead, score)| ahead.0[class % LANES] = score);
        }
        for (scores, &label) in ahead.chunks_exact_mut(blocks).zip(given.samples.labels) {
            let right = scores[usize::from(label) / LANES].0[usize::from(label) % LANES];
            for class in 0..given.topology.classes() {
                scores[class / LANES].0[class % LANES] -= right;
            }
        }
        self.ahead = ahead;
    }
}

/// Which of 64 neurons on one sample are just on, and which just off.
#[inline]
pub(super) fn near_of(kernels: impl Kernels, values: &Chunk<i16>) -> [u64; 2] {
    let (mut near, mut on) = ([0], [0]);
    let values = std::slice::from_ref(values);
    kernels.boundary_bits(values, &mut near);
    kernels.on_bits(values, &mut on);
    [near[0] & on[0], near[0] & !on[0]]
}

/// Numbers `[neurons][chunks of samples]` as `[samples][words]`.
fn by_sample(columns: &[Chunk<i16>], words: usize, samples: usize) -> Vec<Chunk<i16>> {
    let chunks = samples.div_ceil(CHUNK);
    let mut rows = vec![Chunk([FAR; CHUNK]); samples * words];
    for (chunk, rows) in rows.chunks_mut((CHUNK * words).max(1)).enumerate() {
        for (neuron, values) in columns.iter().skip(chunk).step_by(chunks).enumerate() {
            for (row, &value) in rows.chunks_exact_mut(words).zip(&values.0) {
                row[neuron / CHUNK].0[neuron % CHUNK] = value;
            }
        }
    }
    rows
}

/// Bits `[units][words of samples]` as rows of a packing.
fn packed(columns: &[u64], packing: Packing, samples: usize) -> Vec<u32> {
    let (words, row_words) = (samples.div_ceil(CHUNK), packing.words());
    let mut rows = vec![0; samples * row_words];
    for (line, first) in
        (0..packing.rows).flat_map(|line| (0..packing.row_bits).step_by(64).map(move |b| (line, b)))
    {
        let unit = (line * packing.row_bits + first) as usize;
        let count = (packing.row_bits - first).min(64) as usize;
        let to = (line * packing.row_words + first / 32) as usize;
        for (word, rows) in rows.chunks_mut(CHUNK * row_words).enumerate() {
            let mut square = [0; 64];
            let units = columns.iter().skip(unit * words + word).step_by(words);
            square.iter_mut().zip(units).take(count).for_each(|(bits, &column)| *bits = column);
            transpose(&mut square);
            for (row, bits) in rows.chunks_exact_mut(row_words).zip(square) {
                row[to] = bits as u32;
                if count > 32 {
                    row[to + 1] = (bits >> 32) as u32;
                }
            }
        }
    }
    rows
}

/// Turns a square of bits about its diagonal (Warren, *Hacker's Delight*, 2nd edition, 2012, chapter 7).
fn transpose(square: &mut [u64; 64]) {
    let (mut half, mut mask) = (32, u64::from(u32::MAX));
    while half > 0 {
        for low in (0..64).filter(|index| index & half == 0) {
            let swapped = (square[low] >> half ^ square[low + half]) & mask;
            square[low] ^= swapped << half;
            square[low + half] ^= swapped;
        }
        half /= 2;
        mask ^= mask << half;
    }
}
