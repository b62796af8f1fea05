//! What the landscape is measured against: scoring one mutant by running the network again.
//!
//! Two ways, both as fast as we know how to write them: [`Full`] runs the whole network on all samples and sums
//! the loss; [`OneNeuron`] keeps outputs, scores and losses of the parent, runs the touched neuron alone on all
//! samples and looks only at those whose output changed. Both run on [`evobit_model::forward`], on all threads, look the loss
//! up in a table and allocate nothing while they are timed.

use evobit::evolve::landscape::Samples;
use evobit::loss::LossTable;
use evobit::network::Network;
use rayon::prelude::*;

use evobit_model::forward::{Block, Forward, Kernel, LANES, Scratch, fastest};

/// Blocks of samples that a thread takes at a time.
const CHUNK: usize = 64;

/// A network on all samples.
pub struct Full<'a> {
    kernel: Box<dyn Kernel>,
    forward: Forward,
    blocks: Vec<Block>,
    labels: &'a [u8],
    terms: Terms,
    /// One for each [`CHUNK`] of blocks.
    chunks: Vec<(Scratch, Vec<Block>)>,
}

/// The loss of every difference of scores that can be.
struct Terms {
    zero: i32,
    terms: Vec<i32>,
}

impl Terms {
    fn new(hidden: usize, loss: &LossTable<&[u32]>) -> Self {
        // Scores lie within the number of hidden neurons, either way; a trial moves each by one.
        let zero = 2 * hidden as i32 + 2;
        Self { zero, terms: (-zero..=zero).map(|difference| loss.term(difference)).collect() }
    }

    #[inline(always)]
    fn term(&self, difference: i32) -> i32 {
        self.terms[(difference + self.zero) as usize]
    }

    /// The losses of the samples of one block.
    #[inline(always)]
    fn block(&self, scores: &[Block], labels: &[u8]) -> [i32; LANES] {
        let mut right = [0; LANES];
        for (lane, &label) in labels.iter().enumerate() {
            right[lane] = scores[usize::from(label)].0[lane] as i32;
        }
        // The right class is among them, with the loss of difference 0.
        let mut losses = [-self.term(0); LANES];
        for scores in scores {
            for lane in 0..LANES {
                losses[lane] += self.term(scores.0[lane] as i32 - right[lane]);
            }
        }
        losses[labels.len()..].fill(0);
        losses
    }
}

impl<'a> Full<'a> {
    /// Lays everything out; `None` where the network has not exactly one hidden layer.
    #[must_use]
    pub fn new(
        network: &Network<'_, &[u32]>,
        samples: Samples<'a>,
        loss: &LossTable<&[u32]>,
    ) -> Option<Self> {
        let forward = Forward::new(network)?;
        let blocks = forward.blocks(samples.inputs);
        let chunks = blocks.len().div_ceil(CHUNK * forward.input_words());
        let chunks = vec![(forward.scratch(), vec![Block::default(); forward.classes()]); chunks];
        let terms = Terms::new(network.topology().layer(0).neurons as usize, loss);
        Some(Self { kernel: fastest(), forward, blocks, labels: samples.labels, terms, chunks })
    }

    /// The instructions used.
    #[must_use]
    pub fn instructions(&self) -> &'static str {
        self.kernel.name()
    }

    /// Flips a weight of a hidden neuron: makes a mutant, or the parent again.
    ///
    /// # Panics
    /// When there is no such neuron or input.
    pub fn flip(&mut self, neuron: usize, input: u32) {
        self.forward.flip(neuron, input);
    }

    /// Runs the network on all samples: the sum of the losses.
    pub fn loss(&mut self) -> i64 {
        let Self { kernel, forward, blocks, labels, terms, chunks } = self;
        let words = forward.input_words();
        let inputs = blocks.par_chunks(CHUNK * words).zip(labels.par_chunks(CHUNK * LANES));
        let losses = chunks.par_iter_mut().zip(inputs).map(|((scratch, scores), (inputs, labels))| {
            let mut sum = 0;
            for (inputs, labels) in inputs.chunks_exact(words).zip(labels.chunks(LANES)) {
                kernel.scores(forward, inputs, scratch, scores);
                sum += terms.block(scores, labels).iter().map(|&loss| i64::from(loss)).sum::<i64>();
            }
            sum
        });
        losses.sum()
    }

    /// Share of the samples on which one weight flip can change a neuron's output, averaged over the hidden neurons.
    #[must_use]
    pub fn boundary_share(&self) -> f64 {
        let (words, forward) = (self.forward.input_words(), &self.forward);
        let neurons = forward.neurons();
        let count = |threshold: u32, neuron: usize, on: &mut [u16]| -> u64 {
            self.kernel.outputs(forward, neuron, threshold, &self.blocks, on);
            let last = (1u32 << ((self.labels.len() + LANES - 1) % LANES + 1)) - 1;
            on.iter_mut().last().iter_mut().for_each(|on| **on &= last as u16);
            on.iter().map(|on| u64::from(on.count_ones())).sum()
        };
        let boundary = |neuron: usize| {
            let mut on = vec![0; self.blocks.len() / words];
            let threshold = forward.threshold(neuron);
            let below = if threshold == 0 { 0 } else { count(threshold - 1, neuron, &mut on) };
            count(threshold + 1, neuron, &mut on) - below
        };
        let all: u64 = (0..neurons).into_par_iter().map(boundary).sum();
        all as f64 / neurons as f64 / self.labels.len() as f64
    }
}

/// The parent's state, to run one neuron against.
pub struct OneNeuron<'a> {
    full: &'a Full<'a>,
    forward: Forward,
    /// `[hidden neurons][blocks]`.
    outputs: Vec<u16>,
    /// `[samples][classes]`.
    scores: Vec<i16>,
    losses: Vec<i32>,
    /// `[hidden neurons][classes]`: the step of each score when the neuron turns on.
    steps: Vec<i16>,
    /// The mutant's outputs: `[blocks]`.
    tried: Vec<u16>,
}

impl<'a> OneNeuron<'a> {
    /// The state of `network`, which must be the one that `full` was made of.
    #[must_use]
    pub fn new(network: &Network<'_, &[u32]>, full: &'a Full<'a>) -> Self {
        let (words, classes) = (full.forward.input_words(), full.forward.classes());
        let (neurons, count) = (full.forward.neurons(), full.blocks.len() / words);
        let mut outputs = vec![0; neurons * count];
        outputs.par_chunks_mut(count.max(1)).enumerate().for_each(|(neuron, on)| {
            let threshold = full.forward.threshold(neuron);
            full.kernel.outputs(&full.forward, neuron, threshold, &full.blocks, on);
        });
        let (mut scores, mut losses) = (vec![], vec![]);
        let (mut scratch, mut block) = (full.forward.scratch(), vec![Block::default(); classes]);
        for (inputs, labels) in full.blocks.chunks_exact(words).zip(full.labels.chunks(LANES)) {
            full.kernel.scores(&full.forward, inputs, &mut scratch, &mut block);
            for lane in 0..labels.len() {
                scores.extend(block.iter().map(|scores| scores.0[lane] as i16));
            }
            losses.extend_from_slice(&full.terms.block(&block, labels)[..labels.len()]);
        }
        let step = |neuron: usize, class: usize| {
            if evobit::bits::get(network.weights(1, class as u32), neuron as u32) { 1 } else { -1 }
        };
        let steps = (0..neurons * classes).map(|index| step(index / classes, index % classes)).collect();
        let tried = vec![0; count];
        Self { full, forward: full.forward.clone(), outputs, scores, losses, steps, tried }
    }

    /// The change of loss if a weight of a hidden neuron were flipped.
    ///
    /// # Panics
    /// When there is no such neuron or input.
    pub fn change(&mut self, neuron: usize, input: u32) -> i64 {
        self.forward.flip(neuron, input);
        let Self { full, forward, outputs, scores, losses, steps, tried } = self;
        let (words, classes, count) = (forward.input_words(), forward.classes(), tried.len());
        let threshold = forward.threshold(neuron);
        let steps = &steps[neuron * classes..(neuron + 1) * classes];
        let (kept, labels) = (&outputs[neuron * count..(neuron + 1) * count], full.labels);
        let parts = tried.par_chunks_mut(CHUNK).zip(kept.par_chunks(CHUNK)).enumerate();
        let changes = parts.map(|(chunk, (on, kept))| {
            let start = chunk * CHUNK;
            full.kernel.outputs(forward, neuron, threshold, &full.blocks[start * words..], on);
            let mut sum = 0;
            for (block, (&on, &kept)) in on.iter().zip(kept).enumerate() {
                let mut changed = on ^ kept;
                while changed != 0 {
                    let sample = (start + block) * LANES + changed.trailing_zeros() as usize;
                    let Some(&label) = labels.get(sample) else { break };
                    let direction = if on & changed & changed.wrapping_neg() != 0 { 1 } else { -1 };
                    let scores = &scores[sample * classes..(sample + 1) * classes];
                    let label = usize::from(label);
                    let right = i32::from(scores[label] + direction * steps[label]);
                    let loss: i32 = scores
                        .iter()
                        .zip(steps)
                        .map(|(&score, &step)| full.terms.term(i32::from(score + direction * step) - right))
                        .sum();
                    sum += i64::from(loss - full.terms.term(0) - losses[sample]);
                    changed &= changed - 1;
                }
            }
            sum
        });
        let change = changes.sum();
        self.forward.flip(neuron, input);
        change
    }
}

#[cfg(test)]
mod tests {
    use evobit::genome::{Gene, GenomeMut, Mutation};
    use evobit::loss::write_logistic;
    use evobit::rng::{Draw, Purpose, Stream};
    use evobit::topology::{Layer, Shape, Topology};

    use super::*;
    use evobit_model::evaluate::score;

    #[test]
    fn both_ways_give_the_loss_of_the_network() {
        let mut rng = Stream::new(3, Purpose::Test, 0);
        let image = Shape { planes: 1, height: 9, width: 32 };
        let mut loss = vec![0; 4100];
        let len = write_logistic(6.0, 8.0, 64, &mut loss).unwrap();
        let loss = LossTable::new(&loss[..len]).unwrap();
        for layer in [Layer::dense(40), Layer::windows(40, 1, 4, 4)] {
            let topology = Topology::new(image, &[layer, Layer::dense(5)]).unwrap();
            let mut genome = vec![0; topology.genome_words()];
            GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
            for count in [1, 16, 3000] {
                let inputs: Vec<u32> =
                    (0..count * topology.input_words()).map(|_| rng.below(u32::MAX)).collect();
                let labels: Vec<u8> = (0..count).map(|_| rng.below(5) as u8).collect();
                let samples = Samples { inputs: &inputs, labels: &labels };
                let network = Network::new(&topology, &genome[..]).unwrap();
                let mut full = Full::new(&network, samples, &loss).unwrap();
                let before = score(&network, &loss, samples).loss;
                assert_eq!(full.loss(), before);
                let boundary = (0..count * 40).filter(|index| {
                    let input = samples.input(index / 40, topology.input_words());
                    let neuron = (index % 40) as u32;
                    (-1..=0).contains(&network.preactivation(0, neuron, input, &mut [0; 32]))
                });
                assert_eq!(full.boundary_share(), boundary.count() as f64 / 40.0 / count as f64);
                for _ in 0..20 {
                    let (neuron, input) = (rng.below(40), rng.below(topology.layer(0).inputs));
                    let mut mutant = genome.clone();
                    let flip = Mutation { layer: 0, neuron: neuron as u16, gene: Gene::Weight(input as u16) };
                    assert!(GenomeMut::new(&topology, &mut mutant).unwrap().apply(flip));
                    let mutant = Network::new(&topology, &mutant[..]).unwrap();
                    let after = score(&mutant, &loss, samples).loss;
                    full.flip(neuron as usize, input);
                    assert_eq!(full.loss(), after);
                    full.flip(neuron as usize, input);
                    let mut one = OneNeuron::new(&network, &full);
                    assert_eq!(one.change(neuron as usize, input), after - before);
                    assert_eq!(one.change(neuron as usize, input), after - before, "nothing is left of it");
                }
            }
        }
    }
}
