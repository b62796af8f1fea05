//! Trials: the change of loss that a mutated genome makes, and bringing what is remembered up to date with it.

use super::ScalarLandscape;
use crate::bits::{self, Words};
use crate::evolve::landscape::{Column, Mutable, PendingTrial, column, only_neuron};
use crate::genome::{GenomeMut, Mutation};
use crate::topology::WINDOW_WORDS;

impl<W: Words> ScalarLandscape<'_, W> {
    /// Where all mutations change one hidden neuron, that neuron.
    fn only_hidden_neuron(&self, mutations: &[Mutation]) -> Option<(usize, u32)> {
        only_neuron(mutations).filter(|&(layer, _)| layer + 1 < self.topology.depth())
    }
}

fn lowest_layer(mutations: &[Mutation]) -> usize {
    mutations.iter().map(|mutation| usize::from(mutation.layer)).min().unwrap_or(0)
}

impl<W: Words> Mutable for ScalarLandscape<'_, W> {
    fn genome_mut(&mut self) -> Option<GenomeMut<'_>> {
        GenomeMut::new(self.topology, self.genome).ok()
    }

    fn pending(&mut self) -> &mut PendingTrial {
        &mut self.pending
    }

    fn measure(&mut self, mutations: &[Mutation]) -> i64 {
        let mut window = [0; WINDOW_WORDS];
        let mut change = 0;
        if let Some((layer, neuron)) = self.only_hidden_neuron(mutations) {
            let column = if layer + 2 == self.topology.depth() {
                column(&self.network(), neuron)
            } else {
                Column::default()
            };
            let position = self.topology.layer(layer + 1).packing.position(neuron);
            for sample in 0..self.samples.len() {
                let was_on = bits::get(&self.hidden(sample)[self.offsets[layer + 1]..], position);
                let input = self.input(layer, sample);
                if (self.network().preactivation(layer, neuron, input, &mut window) >= 0) != was_on {
                    change += self.flip_change(layer, neuron, &column, sample, was_on);
                }
            }
        } else {
            let from = lowest_layer(mutations);
            for sample in 0..self.samples.len() {
                self.load(sample);
                self.run_above(from, sample);
                change += self.scratch_change(sample);
            }
        }
        change
    }

    fn refresh(&mut self, mutations: &[Mutation], change: i64) {
        self.total += change;
        let only = self.only_hidden_neuron(mutations);
        let from = lowest_layer(mutations);
        for sample in 0..self.samples.len() {
            if let Some((layer, neuron)) = only {
                self.store_preactivation(layer, neuron, sample);
                let position = self.topology.layer(layer + 1).packing.position(neuron);
                let was_on = bits::get(&self.hidden(sample)[self.offsets[layer + 1]..], position);
                if (self.preactivation(layer, neuron, sample) >= 0) == was_on {
                    continue;
                }
                self.load(sample);
                bits::flip(&mut self.buffers.scratch[self.offsets[layer + 1]..], position);
                self.run_above(layer + 1, sample);
                self.store(layer + 1, sample);
            } else {
                self.load(sample);
                self.run_above(from, sample);
                self.store(from, sample);
            }
        }
    }
}
