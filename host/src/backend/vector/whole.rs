//! The last layer's spectra, trials that change one class, and trials of any set of mutations: these look at all samples.

use evobit::bits;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;

use super::kernels::{Column, LANES};
use super::{Kernels, Pending, VectorLandscape};

impl<K: Kernels> VectorLandscape<'_, K> {
    pub(super) fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
        let (mut raised, mut lowered) = (0i64, 0i64);
        let mut differences = vec![0; self.samples.len()];
        for (sample, difference) in differences.iter_mut().enumerate() {
            let scores = self.scores_of(&self.scores, sample);
            let label = self.samples.labels[sample].into();
            let [up, down] =
                [1, -1].map(|step| self.tables.score_change(scores, label, class as usize, step));
            raised += i64::from(up);
            lowered += i64::from(down);
            *difference = up - down;
        }
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let weights = network.weights(1, class);
        let inputs = self.hidden().neurons;
        for neuron in 0..inputs {
            let on = self.kernels.sum_where_on(&self.on[self.on_row(neuron)], &differences);
            // Every sample counts: `down` where output and weight agree, `up` where they differ.
            let differ = if bits::get(weights, neuron) { raised - lowered - on } else { on };
            deltas[neuron as usize] = lowered + differ;
        }
        (deltas[inputs as usize], deltas[inputs as usize + 1]) = (raised, lowered);
    }

    /// Tries mutations of one class.
    pub(super) fn try_class(&mut self, class: u32, mutations: &[Mutation]) -> Pending {
        let mut work = std::mem::take(&mut self.work);
        let count = self.samples.len();
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return Pending::None };
        let (mut base, mut columns) = (0, Vec::with_capacity(mutations.len()));
        for mutation in mutations {
            match mutation.gene {
                Gene::Weight(input) => {
                    let neuron = u32::from(input);
                    // Where weight and output agree the flip takes 1 from the score.
                    let step = if bits::get(network.weights(1, class), neuron) { -1 } else { 1 };
                    columns.push(Column { bits: &self.on[self.on_row(neuron)], step });
                }
                Gene::Raise => base += 1,
                Gene::Lower => base -= 1,
            }
        }
        work.tried.resize(count, 0);
        self.kernels.add_columns(&vec![0; count], &columns, base, &mut work.tried);
        let change = |(sample, &step): (usize, &i16)| {
            let (scores, label) = (self.scores_of(&self.scores, sample), self.samples.labels[sample]);
            i64::from(self.tables.score_change(scores, label.into(), class as usize, step.into()))
        };
        let change = work.tried.iter().enumerate().map(change).sum();
        self.work = work;
        Pending::Class { mutations: mutations.to_vec(), change }
    }

    pub(super) fn commit_class(&mut self, mutations: &[Mutation], change: i64) {
        let Some(class) = mutations.first().map(|mutation| usize::from(mutation.neuron)) else { return };
        let (work, blocks) = (std::mem::take(&mut self.work), self.blocks());
        self.apply_all(mutations);
        self.total += change;
        for (sample, &step) in work.tried.iter().enumerate().filter(|&(_, &step)| step != 0) {
            self.scores[sample * blocks + class / LANES].0[class % LANES] += step;
            self.refresh_terms(sample);
        }
        self.work = work;
    }

    /// Tries any mutations: new pre-activations of the hidden neurons among them, then all scores.
    pub(super) fn try_whole(&mut self, mutations: &[Mutation]) -> Pending {
        let (classes, blocks, count) = (self.topology.classes(), self.blocks(), self.samples.len());
        let mut moved: Vec<(u32, Vec<i16>)> = vec![];
        let mut scores = self.scores.clone();
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 0) {
            let neuron = u32::from(mutation.neuron);
            if moved.iter().all(|&(other, _)| other != neuron) {
                let mut row = vec![0; count];
                self.mutated_row(neuron, mutations, &mut row);
                moved.push((neuron, row));
            }
        }
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return Pending::None };
        for (neuron, tried) in &moved {
            let mut found = vec![];
            self.kernels.sign_changes(&self.preactivations[self.row(*neuron)], tried, &mut found);
            for class in 0..classes {
                let weight = bits::get(network.weights(1, class as u32), *neuron);
                for &found in &found {
                    scores[found as usize / 2 * blocks + class / LANES].0[class % LANES] +=
                        if weight == (found % 2 == 1) { -1 } else { 1 };
                }
            }
        }
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 1) {
            let class = usize::from(mutation.neuron);
            let of_class = scores.iter_mut().skip(class / LANES).step_by(blocks);
            let of_class = of_class.map(|scores| &mut scores.0[class % LANES]);
            match mutation.gene {
                Gene::Raise => of_class.for_each(|score| *score += 1),
                Gene::Lower => of_class.for_each(|score| *score -= 1),
                Gene::Weight(input) => {
                    let neuron = u32::from(input);
                    let weight = bits::get(network.weights(1, class as u32), neuron);
                    let kept = &self.preactivations[self.row(neuron)];
                    let row =
                        moved.iter().find(|(other, _)| *other == neuron).map_or(kept, |(_, tried)| tried);
                    of_class.zip(row).for_each(|(score, &value)| {
                        *score += if (value >= 0) == weight { -1 } else { 1 };
                    });
                }
            }
        }
        let loss: i64 = (0..count).map(|sample| self.sample_loss(&scores, sample)).sum();
        Pending::Whole { mutations: mutations.to_vec(), change: loss - self.total, moved, scores }
    }

    pub(super) fn commit_whole(
        &mut self,
        mutations: &[Mutation],
        change: i64,
        moved: Vec<(u32, Vec<i16>)>,
        scores: Vec<super::Scores>,
    ) {
        let count = self.samples.len();
        self.apply_all(mutations);
        self.total += change;
        self.scores = scores;
        for (neuron, tried) in moved {
            let (row, on_row) = (self.row(neuron), self.on_row(neuron));
            self.kernels.on_bits(&tried, &mut self.on[on_row]);
            self.preactivations[row].copy_from_slice(&tried);
        }
        (0..count).for_each(|sample| self.refresh_terms(sample));
    }
}
