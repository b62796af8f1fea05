//! Hidden neurons: spectra, and trials that change one of them.

use std::ops::Range;

use evobit::bits;
use evobit::genome::Mutation;
use evobit::network::Network;
use evobit::topology::{Field, WINDOW_WORDS};

use super::kernels::{AWAY, Against, Ahead, CHUNK, Cell, Chunk, Kernels, LANES, Rows};
use super::loops::{GATHERED, IN_ORDER, prefetch};
use super::{PendingTrial, VectorLandscape};

/// Chunks of a tile: with the strips and scores of MNIST less than a megabyte.
pub(super) const TILE: usize = 64;

/// Found samples whose changes of loss are summed at a time.
const MOST_FOUND: usize = 1 << 15;

/// Neurons of a call from which on it is worth to find out first which samples have a rising class.
const MANY: usize = 8;

/// Buffers that are used again and again.
#[derive(Default)]
pub(super) struct Work<C> {
    /// Bits of the samples that matter.
    mask: Vec<u64>,
    /// Samples that matter, as the kernels give them.
    found: Vec<u32>,
    /// The change of loss of each.
    amounts: Vec<i16>,
    /// What the neuron sees of some of them.
    rows: Vec<u32>,
    sums: Vec<i32>,
    /// The pre-activations of a trial.
    tried: Vec<Chunk<C>>,
    /// The samples whose sign it changes.
    changed: Vec<u64>,
    /// How far the scores of a class move in a trial.
    pub(super) steps: Vec<Chunk<i16>>,
}

impl<K: Kernels, C: Cell> VectorLandscape<'_, K, C> {
    fn against(&self, neuron: u32) -> Against {
        let (classes, blocks) = (self.topology.classes(), self.blocks());
        let mut column = vec![Ahead::default(); blocks];
        if let Ok(network) = Network::new(self.topology, &self.genome[..]) {
            for class in 0..classes {
                let weight = bits::get(network.weights(1, class as u32), neuron);
                column[class / LANES].0[class % LANES] = if weight { 1 } else { -1 };
            }
        }
        let mut against = Against {
            shifts: vec![Ahead::default(); 2 * classes * blocks],
            falls: [0; 16],
            moves: vec![Ahead::default(); 2 * classes * blocks],
            blocks,
            votes: Default::default(),
        };
        for class in 0..classes {
            let vote = column[class / LANES].0[class % LANES] > 0;
            against.votes[usize::from(vote)].push(class as u16);
        }
        for entry in 0..2 * classes {
            let (label, on) = (entry / 2, entry % 2 == 1);
            let right = column[label / LANES].0[label % LANES];
            // Where weight and output agree, the flip takes 1 from the right score, so the others gain 2 on it.
            let falls = (right > 0) != on;
            against.falls[entry / 32] |= u32::from(falls) << (entry % 32);
            // One that falls loses what it would gain from where it ends.
            let (shift, step) = (self.tables.rises.shift(), if falls { -2 } else { 2 });
            let shift = if falls { shift + 2 } else { shift };
            let rows = entry * blocks..(entry + 1) * blocks;
            let rows = against.shifts[rows.clone()].iter_mut().zip(&mut against.moves[rows]);
            for ((shifts, moves), column) in rows.zip(&column) {
                for lane in 0..LANES {
                    // What is 0 is no class.
                    let moved = column.0[lane] == -right;
                    shifts.0[lane] = if moved { shift } else { AWAY };
                    moves.0[lane] = if moved { step } else { 0 };
                }
            }
        }
        against
    }

    /// Writes the change of loss of each of the found samples if the neuron were flipped.
    fn flip_changes(&self, against: &Against, work: &mut Work<C>) {
        let (labels, rises) = (&self.labels, &self.tables.rises);
        work.amounts.clear();
        self.kernels.flip_changes(&work.found, labels, &self.ahead, against, rises, &mut work.amounts);
    }

    /// The spectra of hidden neurons. Of several, one tile of the samples after the other, so that what they share stays in
    /// a near cache.
    pub(super) fn hidden_spectra(&mut self, neurons: &[u16], deltas: &mut [i64]) {
        let mutants = self.hidden().mutants();
        let inputs = self.hidden().inputs as usize;
        let words = self.sample_words();
        let tile = if neurons.len() > 1 { TILE } else { words.max(1) };
        if neurons.len() >= MANY && self.rising.is_empty() {
            self.rising.resize(self.blocks() * LANES * words, 0);
            let least = self.tables.rises.least;
            self.kernels.ahead_bits(&self.ahead, self.blocks(), least, &mut self.rising);
        }
        let mut work = std::mem::take(&mut self.work);
        deltas[..neurons.len() * mutants].fill(0);
        let against: Vec<Against> = neurons.iter().map(|&neuron| self.against(neuron.into())).collect();
        // Those that read the same memory follow each other.
        let mut order: Vec<usize> = (0..neurons.len()).collect();
        if let (Some(strips), Ok(network)) = (&self.strips, Network::new(self.topology, &self.genome[..])) {
            order.sort_by_key(|&index| {
                strips.strip_of(self.hidden(), network.place(0, neurons[index].into()))
            });
        }
        for first in (0..words).step_by(tile) {
            let chunks = first..words.min(first + tile);
            for (at, &index) in order.iter().enumerate() {
                let next = order.get(at + 1).map_or(0, |&next| self.row(neurons[next].into()).start + first);
                let deltas = &mut deltas[index * mutants..(index + 1) * mutants];
                self.add_tile(
                    neurons[index].into(),
                    &against[index],
                    chunks.clone(),
                    next,
                    deltas,
                    &mut work,
                );
            }
        }
        self.work = work;
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            let weights = network.weights(0, neuron.into());
            let [off, on] = [deltas[inputs], deltas[inputs + 1]];
            // On: a flip turns the neuron off where input and weight agree. Off: on where they differ.
            for (input, delta) in (0..).zip(&mut deltas[..inputs]) {
                *delta = if bits::get(weights, input) { off + *delta } else { on - *delta };
            }
        }
    }

    /// Adds the sums over the boundary samples of some chunks: for each input those on which it is set, with the sign that they
    /// have for a set weight; then all on which the neuron is off, and on. `next` is where the next neuron's bits begin.
    fn add_tile(
        &self,
        neuron: u32,
        against: &Against,
        chunks: Range<usize>,
        next: usize,
        deltas: &mut [i64],
        work: &mut Work<C>,
    ) {
        let inputs = self.hidden().inputs as usize;
        let from = self.row(neuron).start;
        work.found.clear();
        // What the next neuron reads lies far away, and is read once.
        for at in (next..next + chunks.len().min(TILE)).step_by(8) {
            prefetch(&self.boundary, at);
            prefetch(&self.on, at);
        }
        self.find_moved(neuron, against, chunks.clone(), &mut work.mask);
        let on = &self.on[from + chunks.start..from + chunks.end];
        self.kernels.found(&work.mask, on, chunks.start, &mut work.found);
        self.flip_changes(against, work);
        let mut most = 0;
        for (found, amounts) in work.found.chunks(MOST_FOUND).zip(work.amounts.chunks_mut(MOST_FOUND)) {
            let sides = self.kernels.sides(found, amounts);
            deltas[inputs] += sides.off;
            deltas[inputs + 1] += sides.on;
            most = most.max(sides.most);
        }
        self.row_sums(neuron, most, work);
        deltas[..inputs].iter_mut().zip(&work.sums).for_each(|(delta, &sum)| *delta += i64::from(sum));
    }

    /// Finds the boundary samples of some chunks without those of which it is known that their loss would not change.
    fn find_moved(&self, neuron: u32, against: &Against, chunks: Range<usize>, mask: &mut Vec<u64>) {
        let (from, words) = (self.row(neuron).start, self.sample_words());
        let boundary = &self.boundary[from + chunks.start..from + chunks.end];
        mask.clear();
        if self.rising.is_empty() || chunks.is_empty() {
            mask.extend_from_slice(boundary);
            return;
        }
        mask.resize(chunks.len(), 0);
        let last = self.samples.len().min(chunks.end * CHUNK) - 1;
        for class in self.labels.of(chunks.start * CHUNK)..=self.labels.of(last) {
            let samples = self.labels.of_class(class);
            if samples.is_empty() {
                continue;
            }
            let first = (samples.start as usize / CHUNK).max(chunks.start);
            let end = (samples.end as usize).div_ceil(CHUNK).min(chunks.end);
            for &rival in against.rivals(class) {
                let rising = &self.rising[usize::from(rival) * words..][first..end];
                let mask = &mut mask[first - chunks.start..end - chunks.start];
                mask.iter_mut().zip(rising).for_each(|(mask, rising)| *mask |= rising);
            }
        }
        mask.iter_mut().zip(boundary).for_each(|(mask, boundary)| *mask &= boundary);
    }

    /// For each input of a neuron, the sum of the amounts of the found samples on which it is set.
    fn row_sums(&self, neuron: u32, most: i16, work: &mut Work<C>) {
        let (plan, words) = (self.hidden(), self.topology.input_words());
        let samples = self.samples.as_samples();
        work.sums.clear();
        work.sums.resize((plan.inputs as usize).next_multiple_of(64), 0);
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        if plan.field == Field::Dense {
            let inputs = Rows { bits: samples.inputs, words };
            self.kernels.sum_rows(inputs, &work.found, &work.amounts, most, &mut work.sums);
            return;
        }
        if self.slides() {
            let Work { found, amounts, rows, sums, .. } = work;
            return self.sliding_sums(neuron, (found, amounts), most, rows, sums);
        }
        let strips = self.strips.as_ref();
        if let Some(window) = strips.and_then(|strips| strips.window(plan, network.place(0, neuron))) {
            self.kernels.sum_window(&window, &work.found, &work.amounts, most, &mut work.sums);
            window.close_gaps(&mut work.sums);
            return;
        }
        for (found, amounts) in work.found.chunks(GATHERED).zip(work.amounts.chunks(GATHERED)) {
            work.rows.clear();
            let mut window = [0; WINDOW_WORDS];
            for &found in found {
                let input = samples.input(found as usize / 2, words);
                work.rows.extend_from_slice(network.deciding(0, neuron, input, &mut window));
            }
            let rows = Rows { bits: &work.rows, words: plan.row_words as usize };
            self.kernels.sum_rows(rows, &IN_ORDER[..found.len()], amounts, most, &mut work.sums);
        }
    }

    /// Tries mutations of one hidden neuron.
    pub(super) fn try_hidden(&mut self, neuron: u32, mutations: &[Mutation]) -> PendingTrial<C> {
        let mut work = std::mem::take(&mut self.work);
        let (words, row) = (self.sample_words(), self.row(neuron));
        work.tried.resize(words, Chunk::default());
        work.changed.resize(words, 0);
        self.mutated_row(neuron, mutations, &mut work.tried);
        self.kernels.on_bits(&work.tried, &mut work.changed);
        let on = &self.on[row];
        work.changed.iter_mut().zip(on).for_each(|(changed, on)| *changed ^= on);
        if let Some(last) = work.changed.last_mut() {
            *last &= self.tail();
        }
        work.found.clear();
        self.kernels.found(&work.changed, on, 0, &mut work.found);
        self.flip_changes(&self.against(neuron), &mut work);
        let change = work.amounts.iter().map(|&amount| i64::from(amount)).sum();
        self.work = work;
        PendingTrial::Hidden { mutations: mutations.to_vec(), change }
    }

    pub(super) fn commit_hidden(&mut self, mutations: &[Mutation], change: i64) {
        let Some(neuron) = mutations.first().map(|mutation| u32::from(mutation.neuron)) else { return };
        let (row, against) = (self.row(neuron), self.against(neuron));
        self.preactivations[row.clone()].copy_from_slice(&self.work.tried);
        self.on[row].iter_mut().zip(&self.work.changed).for_each(|(on, changed)| *on ^= changed);
        self.find_boundary(neuron);
        self.kernels.apply_moves(&self.work.found, &self.labels, &mut self.ahead, &against);
        self.apply_all(mutations);
        self.total += change;
    }
}
