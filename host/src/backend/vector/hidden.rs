//! Hidden neurons: spectra, and trials that change one of them.

use evobit::bits::{self, Words};
use evobit::genome::Mutation;
use evobit::network::Network;
use evobit::topology::{Field, Plan, WINDOW_WORDS};

use super::kernels::{Against, Kernels, LANES, Scores, WindowRows};
use super::loops::{prefetch, sample_ahead};
use super::{Pending, VectorLandscape};

/// Buffers that are used again and again.
#[derive(Default)]
pub(super) struct Work {
    /// Samples that matter, as the kernels give them.
    found: Vec<u32>,
    /// The change of loss of each.
    amounts: Vec<i32>,
    /// Which weight flips turn each of them.
    rows: Vec<u64>,
    sums: Vec<i32>,
    /// The pre-activations of a trial, or how far the scores of a class move in it.
    pub(super) tried: Vec<i16>,
}

impl<K: Kernels> VectorLandscape<'_, K> {
    fn against(&self, neuron: u32) -> Against {
        let (classes, blocks) = (self.topology.classes(), self.blocks());
        let mut column = vec![false; classes];
        if let Ok(network) = Network::new(self.topology, &self.genome[..]) {
            let weight = |class: usize| bits::get(network.weights(1, class as u32), neuron);
            column.iter_mut().enumerate().for_each(|(class, bit)| *bit = weight(class));
        }
        let mut masks = vec![0; classes * blocks];
        for label in 0..classes {
            for class in (0..classes).filter(|&class| column[class] != column[label]) {
                masks[label * blocks + class / LANES] |= 1 << (class % LANES);
            }
        }
        Against { masks, agrees: column, blocks }
    }

    pub(super) fn hidden_spectrum(&mut self, neuron: u32, deltas: &mut [i64]) {
        let inputs = self.hidden().inputs as usize;
        deltas.fill(0);
        let mut work = std::mem::take(&mut self.work);
        work.found.clear();
        self.kernels.boundary(&self.preactivations[self.row(neuron)], &mut work.found);
        let against = self.against(neuron);
        work.amounts.clear();
        self.kernels.flip_changes(&work.found, self.samples.labels, &self.terms, &against, &mut work.amounts);
        work.rows.clear();
        let row_words = self.rows(neuron, &work.found, &mut work.rows);
        // So many samples at a time that no sum leaves an i32.
        let chunk = (i64::from(i32::MAX) / self.tables.most.max(1)).max(1) as usize;
        work.sums.resize(inputs, 0);
        let parts = work.amounts.chunks(chunk).zip(work.rows.chunks(chunk.saturating_mul(row_words)));
        for (amounts, rows) in parts {
            self.kernels.sum_where_set(rows, row_words, amounts, &mut work.sums);
            deltas.iter_mut().zip(&work.sums).for_each(|(delta, &sum)| *delta += i64::from(sum));
        }
        for (&found, &amount) in work.found.iter().zip(&work.amounts) {
            deltas[inputs + (found % 2) as usize] += i64::from(amount);
        }
        self.work = work;
    }

    /// Appends one row for each found sample, the inputs whose weight flip turns the neuron there, and returns the words of
    /// a row.
    fn rows(&self, neuron: u32, found: &[u32], rows: &mut Vec<u64>) -> usize {
        let (plan, words) = (self.hidden(), self.topology.input_words());
        let row_words = (plan.inputs as usize).div_ceil(64);
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return row_words };
        let mut weights = vec![0; row_words];
        widen(network.weights(0, neuron), &mut weights);
        let tail = u64::MAX >> ((64 - plan.inputs % 64) % 64);
        if let Some(window) = simple_window(plan, network.place(0, neuron), weights[0], tail) {
            self.kernels.window_rows(found, self.samples.inputs, words, &window, rows);
            return row_words;
        }
        rows.resize(found.len() * row_words, 0);
        let mut window = [0; WINDOW_WORDS];
        for (row, &found) in rows.chunks_exact_mut(row_words).zip(found) {
            let input = self.samples.input(found as usize / 2, words);
            widen(network.receptive(0, neuron, input, &mut window), row);
            // On: a flip turns the neuron off where input and weight agree. Off: where they differ.
            let invert = u64::from(found & 1).wrapping_neg();
            row.iter_mut().zip(&weights).for_each(|(seen, weights)| *seen ^= weights ^ invert);
            row[row_words - 1] &= tail;
        }
        row_words
    }

    /// Tries mutations of one hidden neuron.
    pub(super) fn try_hidden(&mut self, neuron: u32, mutations: &[Mutation]) -> Pending {
        let mut work = std::mem::take(&mut self.work);
        work.tried.resize(self.samples.len(), 0);
        self.mutated_row(neuron, mutations, &mut work.tried);
        work.found.clear();
        self.kernels.sign_changes(&self.preactivations[self.row(neuron)], &work.tried, &mut work.found);
        let against = self.against(neuron);
        work.amounts.clear();
        self.kernels.flip_changes(&work.found, self.samples.labels, &self.terms, &against, &mut work.amounts);
        let change = work.amounts.iter().map(|&amount| i64::from(amount)).sum();
        self.work = work;
        Pending::Hidden { mutations: mutations.to_vec(), change }
    }

    pub(super) fn commit_hidden(&mut self, mutations: &[Mutation], change: i64) {
        let Some(neuron) = mutations.first().map(|mutation| u32::from(mutation.neuron)) else { return };
        let work = std::mem::take(&mut self.work);
        let row = self.row(neuron);
        self.preactivations[row].copy_from_slice(&work.tried);
        self.apply_all(mutations);
        self.total += change;
        let (blocks, first) = (self.blocks(), self.on_row(neuron).start);
        // What turning on adds to the scores.
        let mut rise = vec![Scores::default(); blocks];
        for (class, &weight) in self.against(neuron).agrees.iter().enumerate() {
            rise[class / LANES].0[class % LANES] = if weight { 1 } else { -1 };
        }
        for (index, &found) in work.found.iter().enumerate() {
            let ahead = sample_ahead(&work.found, index);
            prefetch(self.scores.get(ahead * blocks));
            prefetch(self.terms.get(ahead * blocks));
            let (sample, was_on) = (found as usize / 2, found as i16 & 1);
            for (scores, rise) in self.scores[sample * blocks..(sample + 1) * blocks].iter_mut().zip(&rise) {
                let lanes = scores.0.iter_mut().zip(&rise.0);
                lanes.for_each(|(score, &rise)| *score += (rise ^ -was_on) + was_on);
            }
            self.on[first + sample / 64] ^= 1 << (sample % 64);
            self.refresh_terms(sample);
        }
        self.work = work;
    }
}

/// Puts pairs of 32-bit words into 64-bit words.
fn widen(from: impl Words, to: &mut [u64]) {
    for (index, word) in to.iter_mut().enumerate() {
        let high = if 2 * index + 1 < from.len() { from.word(2 * index + 1) } else { 0 };
        *word = u64::from(from.word(2 * index)) | u64::from(high) << 32;
    }
}

/// The window of a neuron where the kernels can gather it themselves.
fn simple_window(plan: &Plan, place: u16, weights: u64, tail: u64) -> Option<WindowRows> {
    let Field::Window { planes: 1, height, width } = plan.field else { return None };
    let (shift, width) = (u32::from(place) % 32, u32::from(width));
    let fits = plan.inputs <= 64 && shift + width <= 32;
    let (first, stride) = (usize::from(place) / 32, plan.packing.row_words as usize);
    fits.then_some(WindowRows { first, stride, shift, lines: height.into(), width, weights, tail })
}
