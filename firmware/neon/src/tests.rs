//! Random networks and inputs, held against the inference that runs everywhere.

extern crate std;

use std::vec;
use std::vec::Vec;

use evobit::bits;
use evobit::genome::GenomeMut;
use evobit::network::Network;
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use rand_core::Rng;

const GENOMES: usize = 20;
const INPUTS: usize = 20;

/// Random bits where the packing has units, zeros where it has none.
fn input(topology: &Topology, rng: &mut Stream) -> Vec<u32> {
    let packing = topology.layer(0).packing;
    let mut input = vec![0; packing.words()];
    for unit in 0..packing.units() {
        bits::set(&mut input, packing.position(unit), rng.next_u32() & 1 == 1);
    }
    input
}

#[test]
fn it_equals_the_inference_that_runs_everywhere() {
    let image = |height, width| Shape { planes: 1, height, width };
    let topologies = [
        (image(28, 28), vec![Layer::windows(256, 1, 8, 8), Layer::dense(10)]),
        (image(8, 32), vec![Layer::windows(32, 1, 8, 8), Layer::dense(2)]),
        (Shape { planes: 3, height: 12, width: 9 }, vec![Layer::windows(96, 1, 8, 8), Layer::dense(3)]),
        // Others, which run as everywhere: a number of neurons that fills no word, other windows, some that slide, rows of two words, deep ones.
        (image(28, 28), vec![Layer::windows(36, 1, 8, 8), Layer::dense(10)]),
        (image(28, 28), vec![Layer::windows(64, 1, 5, 8), Layer::dense(10)]),
        (image(28, 28), vec![Layer::windows(64, 1, 8, 8).sliding(1), Layer::dense(10)]),
        (image(28, 40), vec![Layer::windows(64, 1, 8, 8), Layer::dense(10)]),
        (image(28, 28), vec![Layer::windows(64, 1, 8, 8), Layer::dense(40), Layer::dense(5)]),
        (Shape::flat(192), vec![Layer::dense(48), Layer::dense(10)]),
    ];
    let mut rng = Stream::new(7, Purpose::Test, 0);
    for (shape, layers) in topologies {
        let topology = Topology::new(shape, &layers).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut on = [0, 0];
        for _ in 0..GENOMES {
            GenomeMut::new(&topology, &mut words).unwrap().randomize(&mut rng);
            let network = Network::new(&topology, &words[..]).unwrap();
            for _ in 0..INPUTS {
                let input = input(&topology, &mut rng);
                let run = |run: &dyn Fn(&mut [u32], &mut [i32])| {
                    let mut hidden = vec![0; topology.hidden_words()];
                    let mut scores = vec![0; topology.classes()];
                    run(&mut hidden, &mut scores);
                    (hidden, scores)
                };
                let everywhere = run(&|hidden, scores| network.run(&input, hidden, scores));
                let here = run(&|hidden, scores| super::run(&network, &input, hidden, scores));
                assert_eq!(here, everywhere, "{shape:?} {layers:?}");
                let ones = everywhere.0.iter().map(|word| word.count_ones()).sum::<u32>();
                on = [on[0] + ones, on[1] + 1];
            }
        }
        // Neither all neurons are on nor all off, so that the comparison says something.
        let (neurons, ones) = (topology.layer(0).neurons, on[0] / on[1]);
        assert!(ones > neurons / 10, "{ones} of {neurons}");
    }
}

#[test]
#[should_panic(expected = "range end index")]
fn an_input_that_is_too_short_is_noticed() {
    let topology = Topology::new(
        Shape { planes: 1, height: 28, width: 28 },
        &[Layer::windows(32, 1, 8, 8), Layer::dense(2)],
    );
    let topology = topology.unwrap();
    let mut words = vec![0; topology.genome_words()];
    GenomeMut::new(&topology, &mut words).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let network = Network::new(&topology, &words[..]).unwrap();
    super::classify(&network, &[0; 7], &mut vec![0; topology.hidden_words()], &mut [0; 2]);
}
