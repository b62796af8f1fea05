//! Mutations of weights alone.

use evobit::bits::WORD_BITS;
use evobit::evolve::genetic::{Error, Genes, Mutate};
use evobit::topology::Topology;
use rand_core::Rng;

/// Mutates weights by another operator; thresholds stay where they began.
///
/// The digits of a threshold are drawn as evenly as weights are by the other ways to mutate, and most of the values that they spell leave a
/// neuron on for every input or off for every one. Where selection is weak, as on a plateau, drift would end there.
pub(super) struct Weights<By> {
    pub(super) topology: Topology,
    pub(super) by: By,
}

impl<By: Mutate> Mutate for Weights<By> {
    fn draw(&self, _: &dyn Genes, mask: &mut [u32], strategy: &mut [u32], rng: &mut dyn Rng) {
        self.by.draw(&OfWeights(&self.topology), mask, strategy, rng);
    }

    fn strategy_words(&self, _: &dyn Genes) -> usize {
        self.by.strategy_words(&OfWeights(&self.topology))
    }

    fn begin(&self, _: &dyn Genes, strategy: &mut [u32]) {
        self.by.begin(&OfWeights(&self.topology), strategy);
    }

    fn check(&self, _: &dyn Genes) -> Result<(), Error> {
        self.by.check(&OfWeights(&self.topology))
    }
}

/// The weights of a network, neuron by neuron.
struct OfWeights<'a>(&'a Topology);

impl Genes for OfWeights<'_> {
    fn count(&self) -> u32 {
        self.0.weights()
    }

    fn position(&self, gene: u32) -> u32 {
        let mut rest = gene;
        for plan in self.0.layers() {
            let weights = plan.neurons * plan.inputs;
            if rest < weights {
                let (neuron, input) = (rest / plan.inputs, rest % plan.inputs);
                return (plan.weights + neuron * plan.row_words) * WORD_BITS + input;
            }
            rest -= weights;
        }
        u32::MAX
    }

    fn words(&self) -> usize {
        self.0.genome_words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::evolve::genetic::Flips;
    use evobit::genome::GenomeMut;
    use evobit::rng::{Purpose, Stream};
    use evobit::topology::{Layer, Shape};

    #[test]
    fn so_many_weights_flip_and_no_threshold() {
        let input = Shape { planes: 1, height: 6, width: 7 };
        let topology = Topology::new(input, &[Layer::windows(9, 1, 3, 4), Layer::dense(3)]).unwrap();
        let mut rng = Stream::new(1, Purpose::Test, 0);
        let mut genome = vec![0; topology.genome_words()];
        GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
        for flips in [1, 5, topology.weights()] {
            let mut mask = vec![0; topology.genome_words()];
            Weights { topology, by: Flips(flips) }.draw(&topology, &mut mask, &mut [], &mut rng);
            assert_eq!(mask.iter().map(|word| word.count_ones()).sum::<u32>(), flips);
            let mut child: Vec<u32> = genome.iter().zip(&mask).map(|(word, mask)| word ^ mask).collect();
            let child = GenomeMut::new(&topology, &mut child).unwrap();
            let parent = GenomeMut::new(&topology, &mut genome).unwrap();
            for (layer, plan) in topology.layers().iter().enumerate() {
                for neuron in 0..plan.neurons {
                    let thresholds =
                        [&child, &parent].map(|genome| genome.network().threshold(layer, neuron));
                    assert_eq!(thresholds[0], thresholds[1]);
                }
            }
        }
        let many = Weights { topology, by: Flips(topology.weights() + 1) };
        assert_eq!(many.check(&topology), Err(Error::TooManyFlips));
    }
}
