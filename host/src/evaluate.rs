//! Running a network on many samples: accuracy, confusion, loss, predictions; on all cores.

use evobit::bits::Words;
use evobit::evolve::landscape::Samples;
use evobit::loss::LossTable;
use evobit::network::{Network, best_class};
use rayon::prelude::*;

use crate::forward::{Block, Forward, LANES, fastest};

/// Samples that one task takes; large enough that its buffers do not matter.
const CHUNK: usize = 256;

/// How a network does on samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Samples.
    pub samples: usize,
    /// Samples classified correctly.
    pub correct: usize,
    /// Sum of the losses, in loss units.
    pub loss: i64,
}

impl Score {
    /// Share of samples classified correctly; NaN without samples.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }

    /// Mean loss in nats per sample; NaN without samples.
    #[must_use]
    pub fn mean_loss(&self, unit: u32) -> f64 {
        self.loss as f64 / f64::from(unit) / self.samples as f64
    }
}

/// How many samples are classified correctly before the first that is not, times 2^40, less the loss of these and of that one. The loss only
/// tells genomes apart whose counts are equal: without it nothing leads from one count to the next.
#[must_use]
pub fn right_before_error<W: Words>(
    network: &Network<'_, W>,
    loss: &LossTable<&[u32]>,
    samples: Samples<'_>,
) -> i64 {
    let topology = network.topology();
    let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    let inputs = samples.inputs.chunks_exact(topology.input_words());
    let (mut right, mut lost) = (0, 0);
    for (input, &label) in inputs.zip(samples.labels) {
        network.run(input, &mut hidden, &mut scores);
        lost += i64::from(loss.sample(&scores, label.into()));
        if best_class(&scores) != usize::from(label) {
            break;
        }
        right += 1;
    }
    (right << 40) - lost.min((1 << 40) - 1)
}

/// The scores of every sample: `[samples][classes]`.
#[must_use]
pub fn scores<W: Words + Sync>(network: &Network<'_, W>, inputs: &[u32]) -> Vec<i32> {
    // Laying a network out for vectors takes about as long as running it on some hundred samples.
    if inputs.len() / network.topology().input_words() >= CHUNK
        && let Some(forward) = Forward::new(network)
    {
        return scores_together(&forward, inputs);
    }
    scores_alone(network, inputs)
}

/// One sample after the other.
fn scores_alone<W: Words + Sync>(network: &Network<'_, W>, inputs: &[u32]) -> Vec<i32> {
    let topology = network.topology();
    let (words, classes) = (topology.input_words(), topology.classes());
    let mut scores = vec![0; inputs.len() / words * classes];
    scores.par_chunks_mut(CHUNK * classes).zip(inputs.par_chunks(CHUNK * words)).for_each(
        |(scores, inputs)| {
            let mut hidden = vec![0; topology.hidden_words()];
            for (scores, input) in scores.chunks_mut(classes).zip(inputs.chunks(words)) {
                network.run(input, &mut hidden, scores);
            }
        },
    );
    scores
}

/// Sixteen samples at a time.
fn scores_together(forward: &Forward, inputs: &[u32]) -> Vec<i32> {
    let (words, classes, kernel) = (forward.input_words(), forward.classes(), fastest());
    let mut scores = vec![0; inputs.len() / words * classes];
    scores.par_chunks_mut(CHUNK * classes).zip(inputs.par_chunks(CHUNK * words)).for_each(
        |(scores, inputs)| {
            let mut scratch = forward.scratch();
            let (mut block, mut lanes) = (vec![Block::default(); words], vec![Block::default(); classes]);
            for (scores, inputs) in scores.chunks_mut(LANES * classes).zip(inputs.chunks(LANES * words)) {
                forward.transpose(inputs, &mut block);
                kernel.scores(forward, &block, &mut scratch, &mut lanes);
                for (lane, scores) in scores.chunks_mut(classes).enumerate() {
                    scores.iter_mut().zip(&lanes).for_each(|(score, lanes)| *score = lanes.0[lane] as i32);
                }
            }
        },
    );
    scores
}

/// The class of every sample.
#[must_use]
pub fn predict<W: Words + Sync>(network: &Network<'_, W>, inputs: &[u32]) -> Vec<u8> {
    let classes = network.topology().classes();
    scores(network, inputs).chunks(classes).map(|scores| best_class(scores) as u8).collect()
}

/// How the network does on labelled samples.
#[must_use]
pub fn score<W: Words + Sync, L: Words>(
    network: &Network<'_, W>,
    loss: &LossTable<L>,
    samples: Samples<'_>,
) -> Score {
    let classes = network.topology().classes();
    let all = scores(network, samples.inputs);
    let mut score = Score { samples: samples.len(), ..Score::default() };
    for (scores, &label) in all.chunks(classes).zip(samples.labels) {
        score.correct += usize::from(best_class(scores) == usize::from(label));
        score.loss += i64::from(loss.sample(scores, label.into()));
    }
    score
}

/// How often each class (row) was taken for each class (column).
#[must_use]
pub fn confusion(predictions: &[u8], labels: &[u8], classes: usize) -> Vec<Vec<u32>> {
    let mut matrix = vec![vec![0; classes]; classes];
    for (&prediction, &label) in predictions.iter().zip(labels) {
        matrix[usize::from(label)][usize::from(prediction)] += 1;
    }
    matrix
}

#[cfg(test)]
mod tests {
    use evobit::genome::GenomeMut;
    use evobit::rng::{Draw, Purpose, Stream};
    use evobit::topology::{Layer, Shape, Topology};

    use super::*;

    #[test]
    fn samples_score_the_same_together_and_alone() {
        let image = Shape { planes: 1, height: 10, width: 32 };
        for layer in [Layer::dense(50), Layer::windows(50, 1, 4, 5)] {
            let topology = Topology::new(image, &[layer, Layer::dense(4)]).unwrap();
            let mut genome = vec![0; topology.genome_words()];
            let mut rng = Stream::new(2, Purpose::Test, 0);
            GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
            let network = Network::new(&topology, &genome[..]).unwrap();
            for samples in [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 5] {
                let inputs: Vec<u32> =
                    (0..samples * topology.input_words()).map(|_| rng.below(u32::MAX)).collect();
                assert_eq!(scores(&network, &inputs), scores_alone(&network, &inputs), "{samples} samples");
            }
        }
    }

    #[test]
    fn one_more_sample_before_the_first_error_is_worth_any_loss() {
        let topology = Topology::new(Shape::flat(8), &[Layer::dense(2)]).unwrap();
        let mut genome = vec![0; topology.genome_words()];
        GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
        let network = Network::new(&topology, &genome[..]).unwrap();
        let inputs: Vec<u32> = (0..60).collect();
        let mut labels = predict(&network, &inputs);
        let mut words = vec![0; 300];
        let len = evobit::loss::write_logistic(1.0, 4.0, 64, &mut words).unwrap();
        let loss = LossTable::new(&words[..len]).unwrap();
        let before = |labels: &[u8]| {
            let samples = Samples { inputs: &inputs, labels };
            (right_before_error(&network, &loss, samples), score(&network, &loss, samples).loss)
        };
        let (all, lost) = before(&labels);
        assert_eq!(all, (60 << 40) - lost);
        labels[41] ^= 1;
        labels[50] ^= 1;
        let (some, lost) = before(&labels);
        assert!(some > (41 << 40) - lost && some < 41 << 40, "the loss ends with the first error");
    }
}
