//! Mutations and evolvable bits held against the layout that `topology` documents, walked bit by bit.

use evobit::evolve::genetic::Genes;
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::network::{GenomeError, Network};
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Field, Layer, Plan, Shape, Topology};

/// Bits of the genome that a neuron has: its place, its threshold, its weights and their padding.
struct Parts {
    layer: usize,
    neuron: u32,
    place: Vec<u32>,
    threshold: Vec<u32>,
    weights: Vec<u32>,
    padding: Vec<u32>,
}

/// Where everything lies, layer after layer: places of 16 bits and thresholds of 8 or 16, each padded to whole words, then the rows of weights.
fn parts(topology: &Topology) -> Vec<Parts> {
    let (mut at, mut all) = (0, vec![]);
    for (layer, plan) in topology.layers().iter().enumerate() {
        let first = all.len();
        let place_bits = if plan.field == Field::Dense { 0 } else { 16 };
        let threshold_bits = if plan.inputs <= 256 { 8 } else { 16 };
        let mut take = |count: u32| {
            at += count;
            (at - count..at).collect::<Vec<_>>()
        };
        for neuron in 0..plan.neurons {
            let [threshold, weights, padding] = [const { vec![] }; 3];
            all.push(Parts { layer, neuron, place: take(place_bits), threshold, weights, padding });
        }
        take(plan.neurons * place_bits % 32);
        all[first..].iter_mut().for_each(|part| part.threshold = take(threshold_bits));
        take((32 - plan.neurons * threshold_bits % 32) % 32);
        for part in &mut all[first..] {
            part.weights = take(plan.inputs);
            part.padding = take((32 - plan.inputs % 32) % 32);
        }
    }
    assert_eq!(at as usize, 32 * topology.genome_words());
    all
}

fn number(words: &[u32], bits: &[u32]) -> u32 {
    bits.iter().zip(0..).map(|(&bit, place)| (words[bit as usize / 32] >> (bit % 32) & 1) << place).sum()
}

fn put(words: &mut [u32], bits: &[u32], value: u32) {
    for (&bit, place) in bits.iter().zip(0..) {
        let word = &mut words[bit as usize / 32];
        *word = *word & !(1 << (bit % 32)) | (value >> place & 1) << (bit % 32);
    }
}

fn topologies() -> Vec<Topology> {
    let image = Shape { planes: 2, height: 5, width: 37 };
    let inner = Shape { planes: 1, height: 3, width: 3 };
    [
        (Shape::flat(9), vec![Layer::dense(4), Layer::dense(2)]),
        (Shape::flat(1), vec![Layer::dense(3)]),
        (Shape::flat(64), vec![Layer::dense(2)]),
        (image, vec![Layer::windows(5, 1, 3, 3), Layer::dense(3)]),
        (image, vec![Layer::windows(4, 2, 4, 30).sliding(1), Layer::dense(300), Layer::dense(3)]),
        (
            image,
            vec![
                Layer { output: inner, ..Layer::windows(9, 1, 2, 2) },
                Layer::windows(3, 1, 2, 3),
                Layer::dense(2),
            ],
        ),
    ]
    .map(|(input, layers)| Topology::new(input, &layers).unwrap())
    .into()
}

fn random(topology: &Topology, seed: u64) -> Vec<u32> {
    let mut words = vec![u32::MAX; topology.genome_words()];
    GenomeMut::new(topology, &mut words).unwrap().randomize(&mut Stream::new(seed, Purpose::Test, 8));
    words
}

/// How many bits a number from 0 to below `count` needs.
fn digits(count: u32) -> usize {
    (0..).find(|&digits| 1u64 << digits >= count.into()).unwrap()
}

#[test]
fn evolvable_bits_are_weights_then_digits_of_thresholds_layer_by_layer() {
    for topology in topologies() {
        let parts = parts(&topology);
        let mut expected = vec![];
        for (layer, plan) in topology.layers().iter().enumerate() {
            let start = expected.len() as u32;
            let of_layer = || parts.iter().filter(|part| part.layer == layer);
            expected.extend(of_layer().flat_map(|part| part.weights.clone()));
            expected.extend(of_layer().flat_map(|part| part.threshold[..digits(plan.inputs)].to_vec()));
            assert_eq!(topology.layer_genes(layer as u32), start..expected.len() as u32);
        }
        let genes: Vec<u32> = (0..topology.count()).map(|gene| topology.position(gene)).collect();
        assert_eq!(genes, expected);
        for beyond in [topology.count(), topology.count() + 1, u32::MAX] {
            assert_eq!(topology.position(beyond), u32::MAX);
        }
        let depth = topology.depth() as u32;
        assert_eq!((topology.layer_count(), topology.layer_genes(depth)), (depth, 0..0));
        assert_eq!(
            (topology.units() as usize, Genes::words(&topology)),
            (parts.len(), topology.genome_words())
        );
        for (part, unit) in parts.iter().zip(0..) {
            let [weights, threshold, place] = topology.fields(unit).map(Iterator::collect::<Vec<_>>);
            assert_eq!(weights, [&part.weights[..], &part.padding].concat());
            assert_eq!((threshold, place), (part.threshold.clone(), part.place.clone()));
        }
        assert_eq!(topology.fields(parts.len() as u32), [0..0, 0..0, 0..0]);
    }
}

#[test]
fn a_mutation_changes_its_weight_or_threshold_and_nothing_else() {
    for topology in topologies() {
        for part in parts(&topology) {
            let plan = topology.layer(part.layer);
            for threshold in [0, 1, plan.inputs / 2, plan.inputs.saturating_sub(2), plan.inputs - 1] {
                let mut start = random(&topology, 1);
                put(&mut start, &part.threshold, threshold.min(plan.inputs - 1));
                let now = number(&start, &part.threshold);
                let inputs = [0, plan.inputs / 2, plan.inputs - 1, plan.inputs, plan.inputs + 1];
                let genes = inputs
                    .map(|input| Gene::Weight(input as u16))
                    .into_iter()
                    .chain([Gene::Raise, Gene::Lower]);
                for gene in genes {
                    let mut expected = start.clone();
                    let there = match gene {
                        Gene::Weight(input) if u32::from(input) < plan.inputs => {
                            let bit = part.weights[usize::from(input)];
                            expected[bit as usize / 32] ^= 1 << (bit % 32);
                            true
                        }
                        Gene::Raise if now + 1 < plan.inputs => {
                            put(&mut expected, &part.threshold, now + 1);
                            true
                        }
                        Gene::Lower if now > 0 => {
                            put(&mut expected, &part.threshold, now - 1);
                            true
                        }
                        _ => false,
                    };
                    let mut words = start.clone();
                    let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
                    let mutation = Mutation { layer: part.layer as u8, neuron: part.neuron as u16, gene };
                    assert_eq!(genome.apply(mutation), there, "{mutation:?} of {topology:?}");
                    assert_eq!(words, expected, "{mutation:?} of {topology:?}");
                }
            }
        }
    }
}

#[test]
fn entries_of_a_spectrum_are_weights_then_raise_then_lower() {
    let at = |entry| Mutation::at(2, 300, entry, 5);
    let genes = [0, 4, 5, 6].map(|entry| at(entry).gene);
    assert_eq!(genes, [Gene::Weight(0), Gene::Weight(4), Gene::Raise, Gene::Lower]);
    assert_eq!((at(3).layer, at(3).neuron), (2, 300));
    let inverses = [3, 5, 6].map(|entry| at(entry).inverse());
    assert_eq!(inverses, [at(3), at(6), at(5)]);
}

/// All or nothing: a set with one impossible mutation leaves the genome as it was, wherever in the set that is.
#[test]
fn a_set_of_mutations_is_applied_whole_or_not_at_all() {
    let topology = Topology::new(Shape::flat(9), &[Layer::dense(4), Layer::dense(2)]).unwrap();
    let mutation = |gene| Mutation { layer: 0, neuron: 1, gene };
    let start = random(&topology, 2);
    let possible = [Gene::Raise, Gene::Weight(3), Gene::Raise, Gene::Lower, Gene::Weight(4)].map(mutation);
    let mut expected = start.clone();
    GenomeMut::new(&topology, &mut expected).unwrap().set_threshold(0, 1, 5);
    assert_eq!(Network::new(&topology, &start[..]).unwrap().threshold(0, 1), 4);
    let bits = &parts(&topology)[1].weights;
    for input in [3, 4] {
        expected[bits[input] as usize / 32] ^= 1 << (bits[input] % 32);
    }
    let apply = |mutations: &[Mutation]| {
        let mut words = start.clone();
        let applied = GenomeMut::new(&topology, &mut words).unwrap().apply_all(mutations);
        (applied, words)
    };
    assert_eq!(apply(&possible), (true, expected));
    assert_eq!(apply(&[]), (true, start.clone()));
    for at in 0..=possible.len() {
        let mut mutations = possible.to_vec();
        mutations.insert(at, mutation(Gene::Weight(9)));
        assert_eq!(apply(&mutations), (false, start.clone()), "{at}");
    }
}

/// Every place that `places_range` counts can be set, and reads back as its bit address; no other.
#[test]
fn windows_are_placed_where_they_fit() {
    for topology in topologies() {
        for part in parts(&topology) {
            let plan: &Plan = topology.layer(part.layer);
            let (planes, rows, columns) = match plan.field {
                Field::Dense => (0, 0, 0),
                Field::Window { planes, height, width, slide } => (
                    plan.input.planes - planes + 1,
                    plan.input.height - height - slide + 1,
                    plan.input.width - width - slide + 1,
                ),
            };
            for (plane, row, column) in [
                (0, 0, 0),
                (1, 0, 0),
                (0, 1, 0),
                (0, 0, 1),
                (1, 1, 2),
                (0, 2, 0),
                (0, 0, 6),
                (0, 0, 35),
                (2, 0, 0),
                (0, 5, 0),
                (0, 0, 37),
            ] {
                let mut words = random(&topology, 3);
                let mut expected = words.clone();
                let fits = plane < planes && row < rows && column < columns;
                if fits {
                    let line = u32::from(plan.input.width).div_ceil(32) * 32;
                    let address = u32::from(plane * plan.input.height + row) * line + u32::from(column);
                    put(&mut expected, &part.place, address);
                }
                let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
                let set = genome.set_place(part.layer, part.neuron, plane.into(), row.into(), column.into());
                assert_eq!((set, &words), (fits, &expected), "{plane} {row} {column} of {topology:?}");
                assert_eq!(Network::new(&topology, &words[..]).unwrap().check(), Ok(()));
            }
        }
    }
}

/// Random genomes: sound, thresholds in the middle, weights of either sign and places everywhere.
#[test]
fn random_genomes_are_sound_and_varied() {
    for topology in topologies() {
        let all: Vec<Vec<u32>> = (0..400).map(|seed| random(&topology, seed)).collect();
        for words in &all {
            assert_eq!(Network::new(&topology, &words[..]).unwrap().check(), Ok(()));
        }
        for part in parts(&topology).iter().step_by(37) {
            let plan = topology.layer(part.layer);
            assert!(all.iter().all(|words| number(words, &part.threshold) == (plan.inputs - 1) / 2));
            for &bit in &part.weights {
                let set = all.iter().filter(|words| number(words, &[bit]) == 1).count();
                assert!((130..270).contains(&set), "{set} of 400");
            }
            let (planes, rows, columns) = plan.places_range();
            let places: std::collections::BTreeSet<u32> =
                all.iter().map(|words| number(words, &part.place)).collect();
            let most = (planes * rows * columns) as usize;
            assert!(places.len() == most || places.len() > 100, "{} of {most}", places.len());
        }
    }
}

/// A neuron that is not there has nothing to set; a threshold too high becomes the highest.
#[test]
fn what_is_not_there_is_left_alone() {
    for topology in topologies() {
        let parts = parts(&topology);
        let start = random(&topology, 4);
        let last = parts.last().unwrap();
        for (layer, neuron) in
            [(last.layer, last.neuron + 1), (last.layer + 1, 0), (0, topology.layer(0).neurons)]
        {
            let mut words = start.clone();
            let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
            genome.set_threshold(layer, neuron, 0);
            assert!(!genome.set_place(layer, neuron, 0, 0, 0));
            let mutation = |gene| Mutation { layer: layer as u8, neuron: neuron as u16, gene };
            assert!(
                ![Gene::Weight(0), Gene::Raise, Gene::Lower].iter().any(|&gene| genome.apply(mutation(gene)))
            );
            assert_eq!(words, start);
        }
        for part in &parts {
            let most = topology.layer(part.layer).inputs - 1;
            for (asked, expected) in [(0, 0), (most, most), (most + 1, most), (u32::MAX, most)] {
                let (mut words, mut expected_words) = (start.clone(), start.clone());
                put(&mut expected_words, &part.threshold, expected);
                GenomeMut::new(&topology, &mut words).unwrap().set_threshold(part.layer, part.neuron, asked);
                assert_eq!(words, expected_words);
            }
        }
        let mut long = [&start[..], &[0]].concat();
        assert_eq!(GenomeMut::new(&topology, &mut long).err(), Some(GenomeError::Length));
        // Too high a threshold is brought back, by whatever bits it came.
        let mut broken = start.clone();
        parts.iter().for_each(|part| put(&mut broken, &part.threshold, u32::MAX));
        topology.repair(&mut broken);
        for part in &parts {
            assert_eq!(number(&broken, &part.threshold), topology.layer(part.layer).inputs - 1);
        }
        topology.repair(&mut long);
        assert_eq!(long, [&start[..], &[0]].concat());
    }
}

/// What does not belong into a genome is named: every padding bit, every threshold that is too high, every place where no window fits.
#[test]
fn broken_genomes_are_refused_and_named() {
    for topology in topologies() {
        let parts = parts(&topology);
        let start = random(&topology, 5);
        let check = |words: &[u32]| Network::new(&topology, words).unwrap().check();
        let used: std::collections::BTreeSet<u32> = parts
            .iter()
            .flat_map(|part| [&part.place, &part.threshold, &part.weights].into_iter().flatten().copied())
            .collect();
        for bit in (0..32 * start.len() as u32).filter(|bit| !used.contains(bit)) {
            let mut words = start.clone();
            put(&mut words, &[bit], 1);
            let layer = topology.layers().iter().position(|plan| bit < 32 * plan.end).unwrap();
            assert_eq!(check(&words), Err(GenomeError::Padding { layer }), "bit {bit} of {topology:?}");
        }
        for part in &parts {
            let (layer, neuron) = (part.layer, part.neuron);
            let plan = topology.layer(layer);
            let mut words = start.clone();
            put(&mut words, &part.threshold, plan.inputs);
            assert_eq!(check(&words) == Ok(()), plan.inputs == 256, "{topology:?}");
            if plan.inputs != 256 {
                assert_eq!(check(&words), Err(GenomeError::Threshold { layer, neuron }));
            }
            if !part.place.is_empty() {
                let mut words = start.clone();
                put(&mut words, &part.place, u32::MAX);
                assert_eq!(check(&words), Err(GenomeError::Place { layer, neuron }));
            }
        }
    }
}

#[test]
fn errors_name_layer_and_neuron() {
    for (error, parts) in [
        (GenomeError::Length, &["length"][..]),
        (GenomeError::Place { layer: 3, neuron: 71 }, &["layer 3", "neuron 71", "window"]),
        (GenomeError::Threshold { layer: 3, neuron: 71 }, &["layer 3", "neuron 71", "threshold"]),
        (GenomeError::Padding { layer: 3 }, &["layer 3", "padding"]),
    ] {
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
    }
}
