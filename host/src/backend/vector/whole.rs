//! The last layer's spectra, and trials of any set of mutations: these look at all samples.

use evobit::bits;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;

use super::{Kernels, Pending, VectorLandscape};

impl<K: Kernels> VectorLandscape<'_, K> {
    pub(super) fn output_spectrum(&mut self, class: u32, deltas: &mut [i64]) {
        let (classes, count) = (self.topology.classes(), self.samples.len());
        let (mut raised, mut lowered) = (0i64, 0i64);
        let mut differences = vec![0; count];
        let rows = self.scores.chunks_exact(classes).zip(self.samples.labels);
        for ((scores, &label), difference) in rows.zip(&mut differences) {
            let up = self.tables.score_change(scores, label.into(), class as usize, 1);
            let down = self.tables.score_change(scores, label.into(), class as usize, -1);
            raised += i64::from(up);
            lowered += i64::from(down);
            *difference = up - down;
        }
        let total: i64 = differences.iter().map(|&difference| i64::from(difference)).sum();
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let weights = network.weights(1, class);
        let inputs = self.hidden().neurons;
        for neuron in 0..inputs {
            let row = &self.preactivations[neuron as usize * count..(neuron as usize + 1) * count];
            let on = self.kernels.sum_where_on(row, &differences);
            // Every sample counts: `down` where output and weight agree, `up` where they differ.
            let differ = if bits::get(weights, neuron) { total - on } else { on };
            deltas[neuron as usize] = lowered + differ;
        }
        (deltas[inputs as usize], deltas[inputs as usize + 1]) = (raised, lowered);
    }

    /// Tries any mutations: new pre-activations of the hidden neurons among them, then all scores.
    pub(super) fn try_whole(&mut self, mutations: &[Mutation]) -> Pending {
        let (classes, count) = (self.topology.classes(), self.samples.len());
        let mut moved: Vec<(usize, Vec<i16>)> = vec![];
        let mut scores = self.scores.clone();
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 0) {
            let neuron = usize::from(mutation.neuron);
            let index = moved.iter().position(|&(other, _)| other == neuron).unwrap_or_else(|| {
                moved.push((neuron, self.preactivations[neuron * count..(neuron + 1) * count].to_vec()));
                moved.len() - 1
            });
            self.add_mutation(neuron as u32, mutation.gene, &mut moved[index].1);
        }
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return Pending::None };
        for (neuron, tried) in &moved {
            let mut found = vec![];
            let old = &self.preactivations[neuron * count..(neuron + 1) * count];
            self.kernels.sign_changes(old, tried, &mut found);
            for class in 0..classes {
                let weight = bits::get(network.weights(1, class as u32), *neuron as u32);
                for &found in &found {
                    scores[found as usize / 2 * classes + class] +=
                        if weight == (found % 2 == 1) { -1 } else { 1 };
                }
            }
        }
        for mutation in mutations.iter().filter(|mutation| mutation.layer == 1) {
            let class = usize::from(mutation.neuron);
            let of_class = scores.iter_mut().skip(class).step_by(classes);
            match mutation.gene {
                Gene::Raise => of_class.for_each(|score| *score += 1),
                Gene::Lower => of_class.for_each(|score| *score -= 1),
                Gene::Weight(input) => {
                    let (neuron, weight) =
                        (usize::from(input), bits::get(network.weights(1, class as u32), input.into()));
                    let kept = &self.preactivations[neuron * count..(neuron + 1) * count];
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
        moved: Vec<(usize, Vec<i16>)>,
        scores: Vec<i16>,
    ) {
        let count = self.samples.len();
        self.apply_all(mutations);
        self.total += change;
        self.scores = scores;
        for (neuron, tried) in moved {
            self.preactivations[neuron * count..(neuron + 1) * count].copy_from_slice(&tried);
        }
        (0..count).for_each(|sample| self.refresh_terms(sample));
    }
}
