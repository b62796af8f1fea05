use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};

use super::*;

fn topologies() -> Vec<Topology> {
    let image = |planes, height, width| Shape { planes, height, width };
    let one = |input, layer| Topology::new(input, &[layer, Layer::dense(7)]).unwrap();
    vec![
        one(Shape::flat(1), Layer::dense(1)),
        one(Shape::flat(70), Layer::dense(33)),
        // More words than byte counters hold.
        one(Shape::flat(2100), Layer::dense(9)),
        one(image(1, 28, 28), Layer::windows(100, 1, 8, 8)),
        one(image(1, 8, 8), Layer::windows(40, 1, 3, 3)),
        // Windows over several planes, that straddle words of the input, of the window, and of both.
        one(image(3, 9, 37), Layer::windows(50, 3, 3, 3)),
        one(image(2, 7, 70), Layer::windows(50, 1, 5, 13)),
        one(image(1, 3, 64), Layer::windows(20, 1, 2, 32)),
        one(image(2, 32, 40), Layer::windows(6, 2, 32, 16)),
        // Windows that slide, over one section of neurons and over several.
        one(image(1, 28, 28), Layer::windows(70, 1, 8, 8).sliding(4)),
        one(image(2, 7, 70), Layer::windows(20, 2, 5, 13).sliding(2)),
    ]
}

/// A random network on random samples, in a closure.
fn each_case(mut check: impl FnMut(&Topology, &mut Vec<u32>, &[u32], &mut Stream)) {
    let mut rng = Stream::new(8, Purpose::Test, 0);
    for topology in topologies() {
        let mut genome = vec![0; topology.genome_words()];
        let mut view = GenomeMut::new(&topology, &mut genome).unwrap();
        view.randomize(&mut rng);
        for neuron in 0..topology.layer(0).neurons {
            view.set_threshold(0, neuron, rng.below(topology.layer(0).inputs));
        }
        for samples in [0usize, 1, 16, 37] {
            let packing = topology.layer(0).packing;
            let mut inputs = vec![0; samples * packing.words()];
            for sample in inputs.chunks_mut(packing.words()) {
                for unit in 0..packing.units() {
                    bits::set(sample, packing.position(unit), rng.below(2) == 1);
                }
            }
            check(&topology, &mut genome, &inputs, &mut rng);
        }
    }
}

fn run(kernel: &dyn Kernel, forward: &Forward, inputs: &[u32]) -> Vec<i32> {
    let (mut scratch, mut block) = (forward.scratch(), vec![Block::default(); forward.classes()]);
    let samples = inputs.len() / forward.input_words();
    let mut scores = vec![];
    for (index, inputs) in forward.blocks(inputs).chunks(forward.input_words()).enumerate() {
        kernel.scores(forward, inputs, &mut scratch, &mut block);
        for lane in 0..LANES.min(samples - index * LANES) {
            scores.extend(block.iter().map(|scores| scores.0[lane] as i32));
        }
    }
    scores
}

fn oracle(topology: &Topology, genome: &[u32], inputs: &[u32]) -> Vec<i32> {
    let network = Network::new(topology, genome).unwrap();
    let mut hidden = vec![0; topology.hidden_words()];
    let mut scores = vec![0; inputs.len() / topology.input_words() * topology.classes()];
    for (input, scores) in inputs.chunks(topology.input_words()).zip(scores.chunks_mut(topology.classes())) {
        network.run(input, &mut hidden, scores);
    }
    scores
}

#[test]
fn every_instruction_set_gives_the_scores_of_the_network() {
    each_case(|topology, genome, inputs, rng| {
        let mut forward = Forward::new(&Network::new(topology, &genome[..]).unwrap()).unwrap();
        for _ in 0..3 {
            let expected = oracle(topology, genome, inputs);
            for kernel in kernels() {
                assert_eq!(run(&*kernel, &forward, inputs), expected, "{}, {topology:?}", kernel.name());
            }
            let plan = topology.layer(0);
            let (neuron, input) = (rng.below(plan.neurons) as u16, rng.below(plan.inputs) as u16);
            let flip = Mutation { layer: 0, neuron, gene: Gene::Weight(input) };
            assert!(GenomeMut::new(topology, genome).unwrap().apply(flip));
            forward.flip(neuron.into(), input.into());
        }
    });
}

#[test]
fn every_instruction_set_gives_the_outputs_of_a_neuron() {
    each_case(|topology, genome, inputs, rng| {
        let network = Network::new(topology, &genome[..]).unwrap();
        let forward = Forward::new(&network).unwrap();
        let (blocks, words) = (forward.blocks(inputs), topology.input_words());
        let neuron = rng.below(topology.layer(0).neurons);
        for threshold in [network.threshold(0, neuron), network.threshold(0, neuron) + 1] {
            for kernel in kernels() {
                let mut on = vec![0; blocks.len() / words];
                kernel.outputs(&forward, neuron as usize, threshold, &blocks, &mut on);
                for (sample, input) in inputs.chunks(words).enumerate() {
                    let moved = threshold as i32 - network.threshold(0, neuron) as i32;
                    let expected = network.preactivation(0, neuron, input, &mut [0; 32]) + moved >= 0;
                    assert_eq!(
                        on[sample / LANES] >> (sample % LANES) & 1 == 1,
                        expected,
                        "{}",
                        kernel.name()
                    );
                }
            }
        }
        assert_eq!(forward.threshold(neuron as usize), network.threshold(0, neuron));
    });
}

#[test]
fn deep_flat_and_broken_networks_are_none() {
    for layers in [&[Layer::dense(3)][..], &[Layer::dense(4), Layer::dense(4), Layer::dense(3)]] {
        let topology = Topology::new(Shape::flat(9), layers).unwrap();
        let genome = vec![0; topology.genome_words()];
        assert!(Forward::new(&Network::new(&topology, &genome[..]).unwrap()).is_none());
    }
    let topology = Topology::new(Shape::flat(9), &[Layer::dense(3), Layer::dense(2)]).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    genome[0] = 200;
    assert!(Forward::new(&Network::new(&topology, &genome[..]).unwrap()).is_none());
}
