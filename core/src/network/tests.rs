use super::*;
use crate::genome::{Gene, GenomeMut, Mutation};
use crate::rng::{Draw, Purpose, Stream};
use crate::topology::{Field, Layer, Plan, Shape};
use rand_core::Rng;
use std::vec;
use std::vec::Vec;

/// The forward pass as a textbook has it, unit by unit with -1/+1 integers.
fn naive_scores(network: &Network<'_, &[u32]>, units: &[i32]) -> Vec<i32> {
    let mut units = units.to_vec();
    for (layer, plan) in network.topology().layers().iter().enumerate() {
        let sums: Vec<i32> = (0..plan.neurons)
            .map(|neuron| {
                let weights = network.weights(layer, neuron);
                let t = plan.inputs as i32 - 1 - 2 * network.threshold(layer, neuron) as i32;
                let positions = seen_units(plan, network.place(layer, neuron), &units).into_iter();
                let sums = positions.map(|seen| {
                    let products =
                        seen.iter().zip(0..).map(|(x, i)| if bits::get(weights, i) { *x } else { -x });
                    products.sum::<i32>() - t
                });
                sums.max().unwrap()
            })
            .collect();
        assert!(sums.iter().all(|z| z % 2 != 0));
        if layer + 1 == network.topology().depth() {
            return sums.iter().map(|z| (z - 1) / 2).collect();
        }
        units = sums.iter().map(|z| z.signum()).collect();
    }
    unreachable!()
}

/// What a neuron sees, at each of its positions.
fn seen_units(plan: &Plan, place: u16, units: &[i32]) -> Vec<Vec<i32>> {
    let Field::Window { planes, height, width, slide } = plan.field else { return vec![units.to_vec()] };
    let (plane, row, column) = plan.corner(place).unwrap();
    let at = |down: u32, right: u32| {
        let mut seen = vec![];
        for p in 0..u32::from(planes) {
            for r in 0..u32::from(height) {
                for c in 0..u32::from(width) {
                    let line = (plane + p) * u32::from(plan.input.height) + row + down + r;
                    seen.push(units[(line * u32::from(plan.input.width) + column + right + c) as usize]);
                }
            }
        }
        seen
    };
    let slide = u32::from(slide);
    (0..=slide).flat_map(|down| (0..=slide).map(move |right| (down, right))).map(|(d, r)| at(d, r)).collect()
}

#[test]
fn the_forward_pass_equals_the_textbook() {
    let mut rng = Stream::new(3, Purpose::Test, 0);
    let grid = Shape { planes: 2, height: 5, width: 37 };
    let inner = Shape { planes: 2, height: 6, width: 7 };
    let narrow = Shape { planes: 2, height: 11, width: 28 };
    let topologies = [
        Topology::new(Shape::flat(70), &[Layer::dense(3)]),
        Topology::new(grid, &[Layer::dense(33), Layer::dense(40), Layer::dense(12)]),
        Topology::new(grid, &[Layer::windows(40, 1, 3, 5), Layer::dense(4)]),
        // Windows that are two words, over rows that are one.
        Topology::new(narrow, &[Layer::windows(76, 1, 8, 8), Layer::dense(4)]),
        Topology::new(narrow, &[Layer::windows(77, 1, 8, 8), Layer::dense(4)]),
        Topology::new(narrow, &[Layer::windows(64, 1, 8, 8), Layer::dense(4)]),
        Topology::new(grid, &[Layer::windows(9, 2, 5, 32), Layer::dense(2)]),
        // Rows that straddle two words of the gathered window.
        Topology::new(grid, &[Layer::windows(20, 2, 5, 7), Layer::dense(2)]),
        Topology::new(grid, &[Layer::windows(20, 1, 4, 31), Layer::dense(2)]),
        Topology::new(
            grid,
            &[
                Layer { field: Field::Window { planes: 2, height: 2, width: 3, slide: 0 }, output: inner },
                Layer::windows(35, 1, 4, 4),
                Layer::dense(20),
                Layer::dense(5),
            ],
        ),
        // Windows that slide: over words, over rows, and one layer on another.
        Topology::new(narrow, &[Layer::windows(64, 1, 8, 8).sliding(3), Layer::dense(4)]),
        Topology::new(grid, &[Layer::windows(30, 2, 3, 5).sliding(2), Layer::dense(4)]),
        Topology::new(
            grid,
            &[
                Layer { output: inner, ..Layer::windows(84, 1, 2, 3).sliding(1) },
                Layer::windows(35, 2, 3, 3).sliding(3),
                Layer::dense(5),
            ],
        ),
    ];
    for topology in topologies.map(Result::unwrap) {
        for _ in 0..20 {
            let mut words = vec![0; topology.genome_words()];
            let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
            genome.randomize(&mut rng);
            for (layer, plan) in topology.layers().iter().enumerate() {
                for neuron in 0..plan.neurons {
                    genome.set_threshold(layer, neuron, rng.below(plan.inputs));
                }
            }
            let network = Network::new(&topology, &words[..]).unwrap();
            assert_eq!(network.check(), Ok(()));
            let units: Vec<i32> =
                (0..topology.input().units()).map(|_| if rng.next_u32() & 1 == 1 { 1 } else { -1 }).collect();
            let mut input = vec![0; topology.input_words()];
            let mut writer = Writer::new(&mut input, topology.layer(0).packing.row_bits);
            units.iter().for_each(|&unit| writer.push(unit > 0));
            writer.finish();
            let mut hidden = vec![0; topology.hidden_words()];
            let mut scores = vec![0; topology.classes()];
            network.run(&input, &mut hidden, &mut scores);
            assert_eq!(scores, naive_scores(&network, &units));
        }
    }
}

/// The largest inputs, windows at the last bit address, and scores as far apart as they can be.
#[test]
fn the_largest_networks_equal_the_textbook() {
    let line = Shape { planes: 1, height: 1, width: u16::MAX };
    let lines = Shape { planes: 2, height: 1024, width: 32 };
    let topologies = [
        Topology::new(line, &[Layer::windows(6, 1, 1, 32), Layer::dense(2)]),
        Topology::new(lines, &[Layer::windows(6, 1, 32, 32), Layer::dense(256)]),
        Topology::new(Shape::flat(32_767), &[Layer::dense(2)]),
    ];
    let mut rng = Stream::new(3, Purpose::Test, 1);
    for topology in topologies.map(Result::unwrap) {
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.randomize(&mut rng);
        let plan = *topology.layer(0);
        let (planes, rows, columns) = plan.places_range();
        let windowed = matches!(plan.field, Field::Window { .. });
        assert_eq!(genome.set_place(0, 0, planes - 1, rows - 1, columns - 1), windowed);
        let network = Network::new(&topology, &words[..]).unwrap();
        assert_eq!(network.check(), Ok(()));
        let mut input = vec![0u32; topology.input_words()];
        input.fill_with(|| rng.next_u32());
        *input.last_mut().unwrap() &= bits::tail_mask(plan.packing.row_bits);
        let on = |unit| bits::get(&input[..], plan.packing.position(unit));
        let units: Vec<i32> = (0..plan.packing.units()).map(|unit| if on(unit) { 1 } else { -1 }).collect();
        let mut hidden = vec![0; topology.hidden_words()];
        let mut scores = vec![0; topology.classes()];
        network.run(&input, &mut hidden, &mut scores);
        assert_eq!(scores, naive_scores(&network, &units));
    }
    let topology = Topology::new(Shape::flat(32_767), &[Layer::dense(2)]).unwrap();
    let mut words = vec![0; topology.genome_words()];
    let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
    genome.set_threshold(0, 1, u32::MAX);
    (0..32_767).for_each(|i| assert!(genome.apply(Mutation { layer: 0, neuron: 0, gene: Gene::Weight(i) })));
    let mut scores = [0; 2];
    Network::new(&topology, &words[..]).unwrap().run(&[0; 1024], &mut [], &mut scores);
    assert_eq!(scores, [-32_767, 32_766]);
}

#[test]
#[should_panic(expected = "out of range")]
fn a_short_input_is_not_compared_in_part() {
    let topology = Topology::new(Shape::flat(40), &[Layer::dense(2)]).unwrap();
    let words = vec![0; topology.genome_words()];
    Network::new(&topology, &words[..]).unwrap().classify(&[0], &mut [], &mut [0; 2]);
}

#[test]
fn the_lowest_class_wins_a_tie() {
    assert_eq!(best_class(&[1, 5, 5, 2]), 1);
    assert_eq!(best_class(&[0, 0]), 0);
}

#[test]
fn broken_genomes_are_named() {
    let image = Shape { planes: 1, height: 8, width: 8 };
    let topology = Topology::new(image, &[Layer::windows(3, 1, 3, 3), Layer::dense(2)]).unwrap();
    let mut good = vec![0; topology.genome_words()];
    GenomeMut::new(&topology, &mut good).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let check = |words: &[u32]| Network::new(&topology, words).and_then(|network| network.check());
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&good[1..]), Err(GenomeError::Length));
    let plan = topology.layer(0);
    for (word, mask, error) in [
        (plan.places, 7, GenomeError::Place { layer: 0, neuron: 0 }),
        (plan.thresholds, 0xff, GenomeError::Threshold { layer: 0, neuron: 0 }),
        (plan.weights, 1 << 9, GenomeError::Padding { layer: 0 }),
        (plan.thresholds, 1 << 24, GenomeError::Padding { layer: 0 }),
        (plan.places + 1, 1 << 16, GenomeError::Padding { layer: 0 }),
    ] {
        let mut broken = good.clone();
        broken[word as usize] |= mask;
        assert_eq!(check(&broken), Err(error));
    }
}
