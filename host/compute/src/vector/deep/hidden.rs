//! Hidden neurons: spectra, and trials that change one of them.

use evobit::bits;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;
use evobit::topology::{Field, WINDOW_WORDS};

use super::super::hidden::TILE;
use super::super::kernels::{CHUNK, Cell, Chunk, Column, Kernels, Rows};
use super::super::loops::{GATHERED, IN_ORDER};
use super::flips::Scratch;
use super::links::unit_of;
use super::propagate::{Amounts, Changes};
use super::state::LayerState;
use super::{DeepLandscape, PendingTrial};

/// Pre-activations of a few neurons above the first layer, sample after sample as the first layer's lie.
#[derive(Default)]
pub(super) struct Block {
    layer: usize,
    neurons: Vec<u16>,
    /// `[neurons][chunks of samples]`.
    values: Vec<Chunk<i16>>,
}

impl Block {
    /// Forgets what a change of a neuron of `layer` made wrong.
    fn outdated_by(&mut self, layer: usize) {
        if layer < self.layer {
            self.neurons.clear();
        }
    }

    /// Takes them from what lies sample by sample.
    fn fill<C>(&mut self, state: &LayerState<C>, layer: usize, neurons: &[u16], chunks: usize) {
        let upper = &state.upper[layer - 1];
        (self.layer, self.neurons) = (layer, neurons.to_vec());
        self.values.clear();
        self.values.resize(neurons.len() * chunks, Chunk::default());
        let words = upper.links.words;
        for (chunk, rows) in upper.preactivations.chunks(CHUNK * words).enumerate() {
            for (&neuron, values) in neurons.iter().zip(self.values.iter_mut().skip(chunk).step_by(chunks)) {
                let (word, lane) = (usize::from(neuron) / CHUNK, usize::from(neuron) % CHUNK);
                for (value, row) in values.0.iter_mut().zip(rows.chunks_exact(words)) {
                    *value = row[word].0[lane];
                }
            }
        }
    }

    /// Those of a neuron.
    fn row(&self, layer: usize, neuron: u32, chunks: usize) -> Option<&[Chunk<i16>]> {
        let index = self.neurons.iter().position(|&other| u32::from(other) == neuron)?;
        (self.layer == layer).then(|| &self.values[index * chunks..(index + 1) * chunks])
    }
}

/// Buffers that are used again and again.
#[derive(Default)]
pub(super) struct Work<C> {
    /// Samples on the boundary of a neuron in a tile.
    boundary: Vec<u64>,
    /// The same, or those that a trial changes, as the kernels give them.
    found: Vec<u32>,
    amounts: Amounts,
    scratch: Scratch,
    /// What the neuron sees of some samples.
    rows: Vec<u32>,
    sums: Vec<i32>,
    /// The pre-activations of a trial, in the first layer and above it.
    tried: Vec<Chunk<C>>,
    tried_above: Vec<Chunk<i16>>,
    /// The samples whose sign it changes.
    changed: Vec<u64>,
}

impl<K: Kernels, C: Cell> DeepLandscape<'_, K, C> {
    /// The spectra of hidden neurons, one tile of the samples after the other.
    pub(super) fn hidden_spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        let (mutants, words) = (self.given.topology.layer(layer).mutants(), self.given.words());
        let mut work = std::mem::take(&mut self.work);
        if layer > 0 {
            self.block.fill(&self.state, layer, neurons, words);
        }
        deltas[..neurons.len() * mutants].fill(0);
        for first in (0..words).step_by(TILE) {
            let (end, tail) = (words.min(first + TILE), self.given.tail());
            let tail = if end == words { tail } else { u64::MAX };
            for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
                let neuron = u32::from(neuron);
                work.found.clear();
                work.boundary.resize(end - first, 0);
                let row = self.given.row(neuron);
                if layer == 0 {
                    let cells = &self.state.first[row.clone()][first..end];
                    self.given.kernels.boundary_bits(cells, &mut work.boundary);
                } else if let Some(cells) = self.block.row(layer, neuron, words) {
                    self.given.kernels.boundary_bits(&cells[first..end], &mut work.boundary);
                }
                work.boundary.last_mut().into_iter().for_each(|last| *last &= tail);
                let on = &self.state.answers[layer].columns[row][first..end];
                self.given.kernels.found(&work.boundary, on, first, &mut work.found);
                self.changes(layer, neuron, &mut work);
                self.add_sums(layer, neuron, &mut work, deltas);
            }
        }
        self.work = work;
        let Ok(network) = Network::new(self.given.topology, &self.genome[..]) else { return };
        let inputs = mutants - 2;
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            let weights = network.weights(layer, neuron.into());
            let [off, on] = [deltas[inputs], deltas[inputs + 1]];
            // On: a flip turns the neuron off where input and weight agree. Off: on where they differ.
            for (input, delta) in (0..).zip(&mut deltas[..inputs]) {
                *delta = if bits::get(weights, input) { off + *delta } else { on - *delta };
            }
        }
    }

    /// Finds the change of loss of each of the found samples if the neuron were flipped.
    fn changes(&self, layer: usize, neuron: u32, work: &mut Work<C>) {
        work.amounts.clear();
        self.given.kernels.vectorize(Changes {
            given: &self.given,
            state: &self.state,
            layer,
            neuron: neuron as usize,
            found: &work.found,
            scratch: &mut work.scratch,
            into: &mut work.amounts,
        });
    }

    /// Adds for each input the sum over the samples on which it is set, with the sign that it has for a set weight; then
    /// that over all on which the neuron is off, and on.
    fn add_sums(&self, layer: usize, neuron: u32, work: &mut Work<C>, deltas: &mut [i64]) {
        let plan = self.given.topology.layer(layer);
        let inputs = plan.inputs as usize;
        let rows = Rows { bits: self.state.rows(&self.given, layer), words: plan.packing.words() };
        let Ok(network) = Network::new(self.given.topology, &self.genome[..]) else { return };
        for &(found, change) in &work.amounts.large {
            let (sample, on) = (found as usize / 2, found & 1 == 1);
            let change = i64::from(change);
            let mut window = [0; WINDOW_WORDS];
            let row = &rows.bits[sample * rows.words..(sample + 1) * rows.words];
            let seen = network.deciding(layer, neuron, row, &mut window);
            for (input, delta) in (0u32..).zip(&mut deltas[..inputs]) {
                if bits::get(seen, input) {
                    *delta += if on { change } else { -change };
                }
            }
            deltas[inputs + usize::from(on)] += change;
        }
        let (found, amounts) = (&work.amounts.found, &mut work.amounts.amounts);
        let sides = self.given.kernels.sides(found, amounts);
        deltas[inputs] += sides.off;
        deltas[inputs + 1] += sides.on;
        work.sums.clear();
        work.sums.resize(inputs.next_multiple_of(64), 0);
        let kernels = self.given.kernels;
        let strips = self.given.strips.as_ref().filter(|_| layer == 0);
        if plan.field == Field::Dense {
            kernels.sum_rows(rows, found, amounts, sides.most, &mut work.sums);
        } else if let Some(window) = strips.and_then(|strips| strips.window(plan, network.place(0, neuron))) {
            kernels.sum_window(&window, found, amounts, sides.most, &mut work.sums);
            window.close_gaps(&mut work.sums);
        } else {
            for (found, amounts) in found.chunks(GATHERED).zip(amounts.chunks(GATHERED)) {
                work.rows.clear();
                let mut window = [0; WINDOW_WORDS];
                for &found in found {
                    let row = &rows.bits[found as usize / 2 * rows.words..][..rows.words];
                    work.rows.extend_from_slice(network.deciding(layer, neuron, row, &mut window));
                }
                let gathered = Rows { bits: &work.rows, words: plan.row_words as usize };
                kernels.sum_rows(gathered, &IN_ORDER[..found.len()], amounts, sides.most, &mut work.sums);
            }
        }
        deltas[..inputs].iter_mut().zip(&work.sums).for_each(|(delta, &sum)| *delta += i64::from(sum));
    }

    /// Tries mutations of one hidden neuron.
    pub(super) fn try_hidden(
        &mut self,
        layer: usize,
        neuron: u32,
        mutations: &[Mutation],
    ) -> PendingTrial<C> {
        let mut work = std::mem::take(&mut self.work);
        let words = self.given.words();
        work.changed.resize(words, 0);
        let on = &self.state.answers[layer].columns[self.given.row(neuron)];
        if layer == 0 {
            let old = &self.state.first[self.given.row(neuron)];
            self.try_row(old, (layer, neuron), mutations, &mut work.tried, &mut work.changed);
        } else {
            if self.block.row(layer, neuron, words).is_none() {
                self.block.fill(&self.state, layer, &[neuron as u16], words);
            }
            let old = self.block.row(layer, neuron, words).unwrap_or_default();
            self.try_row(old, (layer, neuron), mutations, &mut work.tried_above, &mut work.changed);
        }
        work.changed.iter_mut().zip(on).for_each(|(changed, on)| *changed ^= on);
        if let Some(last) = work.changed.last_mut() {
            *last &= self.given.tail();
        }
        work.found.clear();
        self.given.kernels.found(&work.changed, on, 0, &mut work.found);
        self.changes(layer, neuron, &mut work);
        let change = work.amounts.sum();
        self.work = work;
        PendingTrial::Hidden { mutations: mutations.to_vec(), change }
    }

    /// Writes the pre-activations of a mutated neuron, and where they are not negative.
    fn try_row<D: Cell>(
        &self,
        old: &[Chunk<D>],
        (layer, neuron): (usize, u32),
        mutations: &[Mutation],
        tried: &mut Vec<Chunk<D>>,
        on: &mut [u64],
    ) {
        let Ok(network) = Network::new(self.given.topology, &self.genome[..]) else { return };
        let (mut base, mut columns) = (0, Vec::with_capacity(mutations.len()));
        for mutation in mutations {
            match mutation.gene {
                Gene::Weight(input) => {
                    // Where input and weight agree the flip makes a mismatch.
                    let weight = bits::get(network.weights(layer, neuron), input.into());
                    let unit = unit_of(self.given.topology, &self.genome, layer, neuron, input.into());
                    let bits = self.state.column(&self.given, layer, unit);
                    columns.push(Column { bits, step: if weight { -1 } else { 1 } });
                }
                Gene::Raise => base += 1,
                Gene::Lower => base -= 1,
            }
        }
        tried.resize(old.len(), Chunk::default());
        self.given.kernels.add_columns(old, &columns, base, tried);
        self.given.kernels.on_bits(tried, on);
    }

    pub(super) fn commit_hidden(&mut self, mutations: &[Mutation], change: i64) {
        let Some(first) = mutations.first() else { return };
        let (layer, neuron) = (usize::from(first.layer), u32::from(first.neuron));
        let mut work = std::mem::take(&mut self.work);
        if layer == 0 {
            self.state.first[self.given.row(neuron)].copy_from_slice(&work.tried);
        } else {
            self.commit_above(layer, neuron, mutations, &work.tried_above);
        }
        let columns = &mut self.state.answers[layer].columns[self.given.row(neuron)];
        columns.iter_mut().zip(&work.changed).for_each(|(column, &changed)| *column ^= changed);
        for &found in &work.found {
            let (sample, on) = (found as usize / 2, found & 1 == 1);
            self.state.turn_in_row(layer, neuron as usize, sample);
            self.state.flip(&self.given, &mut work.scratch, sample, (layer, neuron as usize), on);
        }
        self.block.outdated_by(layer);
        self.work = work;
        self.apply_all(mutations);
        self.state.total += change;
    }

    /// Brings up to date what a layer above the first remembers of a neuron, but for its answers.
    fn commit_above(&mut self, layer: usize, neuron: u32, mutations: &[Mutation], tried: &[Chunk<i16>]) {
        let upper = &mut self.state.upper[layer - 1];
        let words = upper.links.words;
        let (word, lane) = (neuron as usize / CHUNK, neuron as usize % CHUNK);
        let values = tried.iter().flat_map(|chunk| &chunk.0);
        let samples =
            upper.preactivations.chunks_exact_mut(words).zip(upper.near.chunks_exact_mut(2 * words));
        for ((row, near), &value) in samples.zip(values) {
            let old = &mut row[word].0[lane];
            if *old != value {
                *old = value;
                near[word] = near[word] & !(1 << lane) | u64::from(value == 0) << lane;
                near[words + word] = near[words + word] & !(1 << lane) | u64::from(value == -1) << lane;
            }
        }
        for mutation in mutations {
            if let Gene::Weight(input) = mutation.gene {
                let unit = unit_of(self.given.topology, &self.genome, layer, neuron, input.into());
                upper.links.flip(unit, neuron);
            }
        }
        let chunks = self.given.words();
        let index = self.block.neurons.iter().position(|&other| u32::from(other) == neuron);
        if let (Some(index), true) = (index, self.block.layer == layer) {
            self.block.values[index * chunks..(index + 1) * chunks].copy_from_slice(tried);
        }
    }
}
