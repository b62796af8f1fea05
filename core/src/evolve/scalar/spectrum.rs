//! Changes of loss, and the spectra that they add up to.

use super::ScalarLandscape;
use crate::bits::{self, Words};
use crate::evolve::landscape::{Column, add_by_agreement, column};
use crate::topology::WINDOW_WORDS;

impl<W: Words> ScalarLandscape<'_, W> {
    /// The change of a sample's loss if a hidden neuron that is `on` there were not, or the reverse.
    pub(super) fn flip_change(
        &mut self,
        layer: usize,
        neuron: u32,
        column: &Column,
        sample: usize,
        on: bool,
    ) -> i64 {
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
    pub(super) fn scratch_change(&self, sample: usize) -> i64 {
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

    pub(super) fn hidden_spectrum(&mut self, layer: usize, neuron: u32, deltas: &mut [i64]) {
        let inputs = self.topology.layer(layer).inputs as usize;
        let column = if layer + 2 == self.topology.depth() {
            column(&self.network(), neuron)
        } else {
            Column::default()
        };
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
            let seen = network.deciding(layer, neuron, self.input(layer, sample), &mut window);
            let amounts = if on { (change, 0) } else { (0, change) };
            add_by_agreement(seen, network.weights(layer, neuron), amounts, &mut deltas[..inputs]);
            deltas[inputs + usize::from(on)] += change;
        }
    }

    pub(super) fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
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
}
