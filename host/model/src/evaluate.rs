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
pub struct Evaluation {
    /// Samples.
    pub samples: usize,
    /// Samples classified correctly.
    pub correct: usize,
    /// Sum of the losses, in loss units.
    pub loss: i64,
}

impl Evaluation {
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

/// What gives each class a score: networks, and memories.
pub trait Classify: Sync {
    /// Number of classes.
    fn classes(&self) -> usize;

    /// The scores of every sample, `[samples][classes]`, on all threads; the highest is the answer, the first among equals.
    fn scores(&self, inputs: &[u32]) -> Vec<i32>;
}

impl<W: Words + Sync> Classify for Network<'_, W> {
    fn classes(&self) -> usize {
        self.topology().classes()
    }

    fn scores(&self, inputs: &[u32]) -> Vec<i32> {
        scores(self, inputs)
    }
}

/// The scores of every sample: `[samples][classes]`.
fn scores<W: Words + Sync>(network: &Network<'_, W>, inputs: &[u32]) -> Vec<i32> {
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
pub fn predict(classifier: &(impl Classify + ?Sized), inputs: &[u32]) -> Vec<u8> {
    answers(&classifier.scores(inputs), classifier.classes())
}

/// The classes that scores, `[samples][classes]`, stand for.
#[must_use]
pub fn answers(scores: &[i32], classes: usize) -> Vec<u8> {
    scores.chunks(classes).map(|scores| best_class(scores) as u8).collect()
}

/// How a classifier does on labelled samples.
#[must_use]
pub fn score<L: Words>(
    classifier: &(impl Classify + ?Sized),
    loss: &LossTable<L>,
    samples: Samples<'_>,
) -> Evaluation {
    let classes = classifier.classes();
    let all = classifier.scores(samples.inputs);
    let mut score = Evaluation { samples: samples.len(), ..Evaluation::default() };
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
}
