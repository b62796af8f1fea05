//! The last layer: spectra, and trials that change one class. These look at all samples.

use evobit::bits;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;

use super::super::kernels::{Cell, Chunk, Column, Kernels, LANES};
use super::links::votes;
use super::{DeepLandscape, PendingTrial};

impl<K: Kernels, C: Cell> DeepLandscape<'_, K, C> {
    pub(super) fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
        let (given, state) = (&self.given, &self.state);
        let last = given.topology.depth() - 1;
        let (mut raised, mut lowered) = (0i64, 0i64);
        let mut differences = vec![Chunk::default(); given.words()];
        for sample in 0..given.samples.len() {
            let (ahead, label) = (given.ahead_of(&state.ahead, sample), given.label(sample));
            let [up, down] = [1, -1].map(|step| given.terms.score_change(ahead, label, class as usize, step));
            raised += i64::from(up);
            lowered += i64::from(down);
            differences[sample / 64].0[sample % 64] = up - down;
        }
        let Ok(network) = Network::new(given.topology, &self.genome[..]) else { return };
        let weights = network.weights(last, class);
        let inputs = given.topology.layer(last).inputs;
        for neuron in 0..inputs {
            let on = given.kernels.sum_where_on(state.column(given, last, neuron), &differences);
            // Every sample counts: `down` where output and weight agree, `up` where they differ.
            let differ = if bits::get(weights, neuron) { raised - lowered - on } else { on };
            deltas[neuron as usize] = lowered + differ;
        }
        (deltas[inputs as usize], deltas[inputs as usize + 1]) = (raised, lowered);
    }

    /// By how much the score of a class moves on each sample.
    fn steps(&self, class: u32, mutations: &[Mutation]) -> Vec<Chunk<i16>> {
        let last = self.given.topology.depth() - 1;
        let zeros = vec![Chunk::default(); self.given.words()];
        let Ok(network) = Network::new(self.given.topology, &self.genome[..]) else { return zeros };
        let (mut base, mut columns) = (0, Vec::with_capacity(mutations.len()));
        for mutation in mutations {
            match mutation.gene {
                Gene::Weight(input) => {
                    // Where weight and output agree the flip takes 1 from the score.
                    let step = if bits::get(network.weights(last, class), input.into()) { -1 } else { 1 };
                    columns.push(Column { bits: self.state.column(&self.given, last, input.into()), step });
                }
                Gene::Raise => base += 1,
                Gene::Lower => base -= 1,
            }
        }
        let mut steps = zeros.clone();
        self.given.kernels.add_columns(&zeros, &columns, base, &mut steps);
        steps
    }

    /// Tries mutations of one class.
    pub(super) fn try_class(&mut self, class: u32, mutations: &[Mutation]) -> PendingTrial<C> {
        let steps = self.steps(class, mutations);
        let each = steps.iter().flat_map(|chunk| chunk.0).take(self.given.samples.len());
        let change = |(sample, step): (usize, i16)| {
            let ahead = self.given.ahead_of(&self.state.ahead, sample);
            let label = self.given.label(sample);
            i64::from(self.given.terms.score_change(ahead, label, class as usize, step.into()))
        };
        let change = each.enumerate().map(change).sum();
        PendingTrial::Class { mutations: mutations.to_vec(), change, steps }
    }

    pub(super) fn commit_class(&mut self, mutations: &[Mutation], change: i64, steps: &[Chunk<i16>]) {
        let Some(class) = mutations.first().map(|mutation| usize::from(mutation.neuron)) else { return };
        let (classes, blocks) = (self.given.topology.classes(), self.given.blocks());
        self.apply_all(mutations);
        if let Ok(network) = Network::new(self.given.topology, &self.genome[..]) {
            self.state.votes = votes(&network);
        }
        let steps = steps.iter().flat_map(|chunk| chunk.0);
        let samples = self.state.ahead.chunks_exact_mut(blocks).zip(self.given.samples.labels);
        for ((ahead, &label), step) in samples.zip(steps) {
            let label = usize::from(label);
            if class != label {
                ahead[class / LANES].0[class % LANES] += step;
                continue;
            }
            for other in (0..classes).filter(|&other| other != label) {
                ahead[other / LANES].0[other % LANES] -= step;
            }
        }
        let ahead = &self.state.ahead;
        for (sample, loss) in self.state.losses.iter_mut().enumerate() {
            *loss = self.given.terms.sample_loss(self.given.ahead_of(ahead, sample));
        }
        self.state.total += change;
    }
}
