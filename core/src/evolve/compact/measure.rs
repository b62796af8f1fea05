//! Trials: the change of loss that a mutated genome makes, and bringing what is remembered up to date with it.

use super::{CompactLandscape, HIDDEN, OUTPUT, Score, loops};
use crate::bits::{self, Words};
use crate::evolve::landscape::{Mutable, PendingTrial, column, only_neuron};
use crate::genome::{GenomeMut, Mutation};
use crate::network::Window;
use crate::topology::WINDOW_WORDS;

impl<W: Words, S: Score> CompactLandscape<'_, W, S> {
    /// The first sample from `from` on where a hidden neuron is on by the genome as it is now, and was not, or the reverse.
    fn next_changed(&self, neuron: u32, position: u32, from: usize, window: &mut Window) -> Option<usize> {
        let (plan, network) = (self.topology.layer(HIDDEN), self.network());
        let weights = network.weights(HIDDEN, neuron);
        let seen = (plan, network.place(HIDDEN, neuron), weights, network.threshold(HIDDEN, neuron));
        let words = self.topology.hidden_words();
        let inputs = &self.samples.inputs[from * self.topology.input_words()..];
        let kept = (&self.hidden[from * words..], words, position);
        loops::next_changed(seen, inputs, kept, window).map(|sample| from + sample)
    }
}

impl<W: Words, S: Score> Mutable for CompactLandscape<'_, W, S> {
    fn genome_mut(&mut self) -> Option<GenomeMut<'_>> {
        GenomeMut::new(self.topology, self.genome).ok()
    }

    fn pending(&mut self) -> &mut PendingTrial {
        &mut self.pending
    }

    fn measure(&mut self, mutations: &[Mutation]) -> i64 {
        let mut window = [0; WINDOW_WORDS];
        let mut change = 0;
        match only_neuron(mutations) {
            Some((HIDDEN, neuron)) => {
                let column = column(&self.network(), neuron);
                let position = self.topology.layer(OUTPUT).packing.position(neuron);
                let mut from = 0;
                while let Some(sample) = self.next_changed(neuron, position, from, &mut window) {
                    let was_on = bits::get(self.hidden(sample), position);
                    change += i64::from(self.flip_change(&column, sample, was_on));
                    from = sample + 1;
                }
            }
            Some((_, class)) => {
                for sample in 0..self.samples.len() {
                    let score = self.network().preactivation(OUTPUT, class, self.hidden(sample), &mut window);
                    let step = score - self.scores(sample)[class as usize].into();
                    if step != 0 {
                        change += i64::from(self.score_change(class as usize, sample, step));
                    }
                }
            }
            None => {
                for sample in 0..self.samples.len() {
                    self.run(sample);
                    let after = self.loss.sample(self.row_scores, self.label(sample));
                    change += i64::from(after) - i64::from(self.sample_loss(sample));
                }
            }
        }
        change
    }

    fn refresh(&mut self, mutations: &[Mutation], change: i64) {
        self.total += change;
        let (words, classes) = (self.row.len(), self.row_scores.len());
        let mut window = [0; WINDOW_WORDS];
        match only_neuron(mutations) {
            Some((HIDDEN, neuron)) => {
                let column = column(&self.network(), neuron);
                let position = self.topology.layer(OUTPUT).packing.position(neuron);
                let mut from = 0;
                while let Some(sample) = self.next_changed(neuron, position, from, &mut window) {
                    from = sample + 1;
                    let was_on = bits::get(self.hidden(sample), position);
                    bits::flip(&mut self.hidden[sample * words..(sample + 1) * words], position);
                    let scores = &mut self.scores[sample * classes..(sample + 1) * classes];
                    for (score, class) in scores.iter_mut().zip(0..) {
                        let step = if bits::get(&column[..], class) == was_on { -1 } else { 1 };
                        *score = S::of((*score).into() + step);
                    }
                }
            }
            Some((_, class)) => {
                for sample in 0..self.samples.len() {
                    let score = self.network().preactivation(OUTPUT, class, self.hidden(sample), &mut window);
                    self.scores[sample * classes + class as usize] = S::of(score);
                }
            }
            None => {
                for sample in 0..self.samples.len() {
                    self.run(sample);
                    self.keep(sample);
                }
            }
        }
    }
}
