//! The last layer's spectra, trials that change one class, and trials of any set of mutations: these look at all samples.

use evobit::bits;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;

use super::kernels::{Ahead, Cell, Chunk, Column, LANES};
use super::{Kernels, PendingTrial, VectorLandscape};

impl<K: Kernels, C: Cell> VectorLandscape<'_, K, C> {
    pub(super) fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
        let (mut raised, mut lowered) = (0i64, 0i64);
        let mut differences = vec![Chunk::default(); self.sample_words()];
        for sample in 0..self.samples.len() {
            let ahead = self.ahead_of(&self.ahead, sample);
            let label = self.samples.labels[sample].into();
            let [up, down] =
                [1, -1].map(|step| self.tables.terms.score_change(ahead, label, class as usize, step));
            raised += i64::from(up);
            lowered += i64::from(down);
            differences[sample / 64].0[sample % 64] = up - down;
        }
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let weights = network.weights(1, class);
        let inputs = self.hidden().neurons;
        for neuron in 0..inputs {
            let on = self.kernels.sum_where_on(&self.on[self.row(neuron)], &differences);
            // Every sample counts: `down` where output and weight agree, `up` where they differ.
            let differ = if bits::get(weights, neuron) { raised - lowered - on } else { on };
            deltas[neuron as usize] = lowered + differ;
        }
        (deltas[inputs as usize], deltas[inputs as usize + 1]) = (raised, lowered);
    }

    /// Tries mutations of one class.
    pub(super) fn try_class(&mut self, class: u32, mutations: &[Mutation]) -> PendingTrial<C> {
        let mut work = std::mem::take(&mut self.work);
        let words = self.sample_words();
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return PendingTrial::None };
        let (mut base, mut columns) = (0, Vec::with_capacity(mutations.len()));
        for mutation in mutations {
            match mutation.gene {
                Gene::Weight(input) => {
                    let neuron = u32::from(input);
                    // Where weight and output agree the flip takes 1 from the score.
                    let step = if bits::get(network.weights(1, class), neuron) { -1 } else { 1 };
                    columns.push(Column { bits: &self.on[self.row(neuron)], step });
                }
                Gene::Raise => base += 1,
                Gene::Lower => base -= 1,
            }
        }
        work.steps.resize(words, Chunk::default());
        self.kernels.add_columns(&vec![Chunk::default(); words], &columns, base, &mut work.steps);
        let steps = work.steps.iter().flat_map(|chunk| chunk.0).zip(&self.samples.labels);
        let change = |(sample, (step, &label)): (usize, (i16, &u8))| {
            let ahead = self.ahead_of(&self.ahead, sample);
            i64::from(self.tables.terms.score_change(ahead, label.into(), class as usize, step.into()))
        };
        let change = steps.enumerate().map(change).sum();
        self.work = work;
        PendingTrial::Class { mutations: mutations.to_vec(), change }
    }

    pub(super) fn commit_class(&mut self, mutations: &[Mutation], change: i64) {
        let Some(class) = mutations.first().map(|mutation| usize::from(mutation.neuron)) else { return };
        let (classes, blocks) = (self.topology.classes(), self.blocks());
        self.apply_all(mutations);
        self.total += change;
        let steps = self.work.steps.iter().flat_map(|chunk| chunk.0).zip(&self.samples.labels);
        for ((step, &label), ahead) in steps.zip(self.ahead.chunks_exact_mut(blocks)) {
            move_class(ahead, classes, label.into(), class, step);
        }
    }

    /// Tries any mutations: new pre-activations of the hidden neurons among them, then all scores.
    pub(super) fn try_whole(&mut self, mutations: &[Mutation]) -> PendingTrial<C> {
        let (classes, blocks, words) = (self.topology.classes(), self.blocks(), self.sample_words());
        let labels = &self.samples.labels;
        let mut moved: Vec<(u32, Vec<Chunk<C>>)> = vec![];
        let mut ahead = self.ahead.clone();
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 0) {
            let neuron = u32::from(mutation.neuron);
            if moved.iter().all(|&(other, _)| other != neuron) {
                let mut row = vec![Chunk::default(); words];
                self.mutated_row(neuron, mutations, &mut row);
                moved.push((neuron, row));
            }
        }
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return PendingTrial::None };
        let signs = |neuron: u32| {
            let mut on = self.on[self.row(neuron)].to_vec();
            if let Some((_, tried)) = moved.iter().find(|(other, _)| *other == neuron) {
                self.kernels.on_bits(tried, &mut on);
            }
            on
        };
        let is_on = |on: &[u64], sample: usize| on[sample / 64] >> (sample % 64) & 1 == 1;
        for &(neuron, _) in &moved {
            let (before, after) = (&self.on[self.row(neuron)], signs(neuron));
            let samples = ahead.chunks_exact_mut(blocks).zip(labels).enumerate();
            for (sample, (ahead, &label)) in samples {
                let on = is_on(&after, sample);
                if is_on(before, sample) == on {
                    continue;
                }
                for class in 0..classes {
                    let agrees = bits::get(network.weights(1, class as u32), neuron) == on;
                    move_class(ahead, classes, label.into(), class, if agrees { 1 } else { -1 });
                }
            }
        }
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 1) {
            let class = usize::from(mutation.neuron);
            let (on, weight, base) = match mutation.gene {
                Gene::Raise => (None, false, 1),
                Gene::Lower => (None, false, -1),
                Gene::Weight(input) => {
                    let weight = bits::get(network.weights(1, class as u32), input.into());
                    (Some(signs(input.into())), weight, 0)
                }
            };
            for (sample, (ahead, &label)) in ahead.chunks_exact_mut(blocks).zip(labels).enumerate() {
                // Where weight and output agree the flip takes 1 from the score.
                let flip = |on: &Vec<u64>| if is_on(on, sample) == weight { -1 } else { 1 };
                let step = on.as_ref().map_or(base, flip);
                move_class(ahead, classes, label.into(), class, step);
            }
        }
        let loss: i64 = (0..self.samples.len()).map(|sample| self.sample_loss(&ahead, sample)).sum();
        PendingTrial::Whole { mutations: mutations.to_vec(), change: loss - self.total, moved, ahead }
    }

    pub(super) fn commit_whole(
        &mut self,
        mutations: &[Mutation],
        change: i64,
        moved: Vec<(u32, Vec<Chunk<C>>)>,
        ahead: Vec<Ahead>,
    ) {
        self.apply_all(mutations);
        self.total += change;
        self.ahead = ahead;
        for (neuron, tried) in moved {
            let row = self.row(neuron);
            self.kernels.on_bits(&tried, &mut self.on[row.clone()]);
            self.preactivations[row].copy_from_slice(&tried);
            self.find_boundary(neuron);
        }
    }
}

/// Moves the score of one class of a sample.
fn move_class(ahead: &mut [Ahead], classes: usize, label: usize, class: usize, step: i16) {
    if class != label {
        ahead[class / LANES].0[class % LANES] += step;
        return;
    }
    for other in (0..classes).filter(|&other| other != label) {
        ahead[other / LANES].0[other % LANES] -= step;
    }
}
