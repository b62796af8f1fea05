//! What is remembered of a sample after a committed flip.

use super::super::kernels::{Ahead, CHUNK, Cell, Kernels, LANES};
use super::flips::{Ones, Scratch};
use super::state::{Given, LayerState, near_of};

impl<C: Cell> LayerState<C> {
    /// Flips what follows above where a hidden neuron that is `on` on a sample flips; the answers of its own layer are the
    /// caller's.
    pub(super) fn flip<K: Kernels>(
        &mut self,
        given: &Given<'_, K>,
        scratch: &mut Scratch,
        sample: usize,
        (layer, neuron): (usize, usize),
        on: bool,
    ) {
        if layer + 2 == given.topology.depth() {
            scratch.above.clear(neuron / 64 + 1);
            let side = if on { &mut scratch.above.falling } else { &mut scratch.above.rising };
            side[neuron / 64] |= 1 << (neuron % 64);
            return self.move_scores(given, scratch, sample);
        }
        self.flip_first(given, scratch, sample, (layer, neuron), on);
        for above in layer + 2..given.topology.depth() - 1 {
            if scratch.above.is_empty() {
                return;
            }
            std::mem::swap(&mut scratch.below, &mut scratch.above);
            scratch.rise(given.kernels, self, above, sample);
            let upper = &mut self.upper[above - 1];
            let words = upper.links.words;
            let values = &mut upper.preactivations[sample * words..(sample + 1) * words];
            let near = &mut upper.near[sample * 2 * words..(sample + 1) * 2 * words];
            for (word, (values, moved)) in values.iter_mut().zip(&scratch.moved).enumerate() {
                values.0.iter_mut().zip(&moved.0).for_each(|(value, &step)| *value += step);
                [near[word], near[words + word]] = near_of(given.kernels, values);
            }
            self.turn(given, scratch, above, sample);
        }
        if !scratch.above.is_empty() {
            self.move_scores(given, scratch, sample);
        }
    }

    /// The layer above a single flip: only neurons that see it change.
    fn flip_first<K: Kernels>(
        &mut self,
        given: &Given<'_, K>,
        scratch: &mut Scratch,
        sample: usize,
        (layer, neuron): (usize, usize),
        on: bool,
    ) {
        let upper = &mut self.upper[layer];
        let words = upper.links.words;
        let values = &mut upper.preactivations[sample * words..(sample + 1) * words];
        let near = &mut upper.near[sample * 2 * words..(sample + 1) * 2 * words];
        let (falls, rises) = upper.links.touched(neuron, on);
        let direction = if on { -1 } else { 1 };
        scratch.above.clear(words);
        for (word, (values, moves)) in values.iter_mut().zip(upper.links.moves(neuron)).enumerate() {
            if falls[word] | rises[word] == 0 {
                continue;
            }
            scratch.above.falling[word] = near[word] & falls[word];
            scratch.above.rising[word] = near[words + word] & rises[word];
            values.0.iter_mut().zip(&moves.0).for_each(|(value, &step)| *value += direction * step);
            [near[word], near[words + word]] = near_of(given.kernels, values);
        }
        self.turn(given, scratch, layer + 1, sample);
    }

    /// Turns the answers of a layer that flip.
    fn turn<K>(&mut self, given: &Given<'_, K>, scratch: &Scratch, layer: usize, sample: usize) {
        let words = given.words();
        for (neurons, _) in scratch.above.sides() {
            for neuron in Ones::of(neurons) {
                self.answers[layer].columns[neuron * words + sample / CHUNK] ^= 1 << (sample % CHUNK);
                self.turn_in_row(layer, neuron, sample);
            }
        }
    }

    /// Turns an answer where it lies sample by sample.
    pub(super) fn turn_in_row(&mut self, layer: usize, neuron: usize, sample: usize) {
        let answers = &mut self.answers[layer];
        let position = answers.positions[neuron] as usize;
        answers.rows[sample * answers.row_words + position / 32] ^= 1 << (position % 32);
    }

    /// Moves the scores by what flips in the last hidden layer.
    fn move_scores<K>(&mut self, given: &Given<'_, K>, scratch: &Scratch, sample: usize) {
        let (blocks, label) = (given.blocks(), given.label(sample));
        let mut moved = [Ahead::default(); 16];
        for (units, direction) in scratch.above.sides() {
            for unit in Ones::of(units) {
                let votes = &self.votes[unit * blocks..(unit + 1) * blocks];
                for (moved, votes) in moved.iter_mut().zip(votes) {
                    moved.0.iter_mut().zip(&votes.0).for_each(|(moved, &vote)| *moved += direction * vote);
                }
            }
        }
        let right = moved[label / LANES].0[label % LANES];
        let ahead = &mut self.ahead[sample * blocks..(sample + 1) * blocks];
        let lanes = ahead.iter_mut().zip(&moved).flat_map(|(ahead, moved)| ahead.0.iter_mut().zip(&moved.0));
        let classes = lanes.take(given.topology.classes());
        classes.for_each(|(ahead, &moved)| *ahead += moved - right);
        self.losses[sample] = given.terms.sample_loss(given.ahead_of(&self.ahead, sample));
    }
}
