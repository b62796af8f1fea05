//! Changes of loss, and the spectra that they add up to.

use super::{CompactLandscape, HIDDEN, OUTPUT, Score, loops};
use crate::bits::{self, Words};
use crate::evolve::landscape::{Column, column};
use crate::network::decide;
use crate::topology::WINDOW_WORDS;

impl<W: Words, S: Score> CompactLandscape<'_, W, S> {
    /// The change of a sample's loss if a hidden neuron that is `on` there were not, or the reverse. Only classes that move against the
    /// right one change it, all by 2 in the same direction.
    pub(super) fn flip_change(&self, column: &Column, sample: usize, on: bool) -> i32 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right: i32 = scores[label].into();
        let agrees = bits::get(&column[..], label as u32);
        // Where weight and output agree, the flip takes 1 from the score.
        let step = if agrees == on { 2 } else { -2 };
        let invert = if agrees { u32::MAX } else { 0 };
        let mut change = 0;
        for (chunk, word) in scores.chunks(32).zip(column) {
            let mut against = word ^ invert;
            for &score in chunk {
                if against & 1 != 0 {
                    change += self.loss.change(score.into() - right, step);
                }
                against >>= 1;
            }
        }
        change
    }

    /// The change of a sample's loss if the score of `class` moved by `step`.
    pub(super) fn score_change(&self, class: usize, sample: usize, step: i32) -> i32 {
        let (scores, label) = (self.scores(sample), self.label(sample));
        let right: i32 = scores[label].into();
        if class != label {
            return self.loss.change(scores[class].into() - right, step);
        }
        let wrong = scores.iter().enumerate().filter(|&(other, _)| other != label);
        wrong.map(|(_, &score)| self.loss.change(score.into() - right, -step)).sum()
    }

    pub(super) fn hidden_spectrum(&self, neuron: u32, sums: &mut [i32]) -> [i32; 2] {
        let (plan, network, column) =
            (self.topology.layer(HIDDEN), self.network(), column(&self.network(), neuron));
        let (place, weights) = (network.place(HIDDEN, neuron), network.weights(HIDDEN, neuron));
        let threshold = network.threshold(HIDDEN, neuron);
        let (inputs, words) = (self.samples.inputs, self.topology.input_words());
        let (mut window, mut sides, mut from) = ([0; WINDOW_WORDS], [0; 2], 0);
        // 0 is just on, -1 just off.
        while let Some((sample, mismatches)) =
            loops::next_boundary(plan, place, weights, threshold, &inputs[from * words..], &mut window)
        {
            let sample = from + sample;
            from = sample + 1;
            let on = mismatches == threshold;
            let change = self.flip_change(&column, sample, on);
            if change != 0 {
                let seen = decide(plan, (place, threshold), weights, &inputs[sample * words..], &mut window);
                loops::add_where(seen, weights, if on { u32::MAX } else { 0 }, change, sums);
                sides[usize::from(on)] += change;
            }
        }
        sides
    }

    pub(super) fn output_spectrum(&self, class: u32, sums: &mut [i32]) -> [i32; 2] {
        let network = self.network();
        let weights = network.weights(OUTPUT, class);
        let (mut raised, mut lowered) = (0, 0);
        for sample in 0..self.samples.len() {
            let up = self.score_change(class as usize, sample, 1);
            let down = self.score_change(class as usize, sample, -1);
            // Every sample counts: `down` where the input agrees with the weight, `up` where not.
            if up != down {
                loops::add_where(self.hidden(sample), weights, 0, up - down, sums);
            }
            raised += up;
            lowered += down;
        }
        sums.iter_mut().for_each(|sum| *sum += lowered);
        [raised, lowered]
    }
}
