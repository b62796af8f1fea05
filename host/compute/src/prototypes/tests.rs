use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use evobit::genome::{Gene, Mutation};
use evobit::loss::LossTable;
use evobit::memory::Memory;
use evobit::network::best_class;
use evobit::topology::{Layer, Shape};
use proptest::prelude::*;

use evobit::bits;
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;
use evobit_model::prototypes::Prototypes;

use super::*;
use evobit_model::evaluate::{self, Classify};

/// Samples of three classes and a memory of some of them with bits flipped.
fn scene(seed: u64, samples: usize, prototypes: u16) -> (Topology, Vec<u32>, Vec<u32>, Vec<u8>) {
    let mut rng = Stream::new(seed, Purpose::Test, 0);
    let topology = Topology::new(Shape::flat(40), &[Layer::dense(prototypes), Layer::dense(3)]).unwrap();
    let mut inputs: Vec<u32> = (0..2 * samples).map(|_| rng.below(u32::MAX)).collect();
    inputs.iter_mut().skip(1).step_by(2).for_each(|word| *word &= 0xff);
    let labels = (0..samples).map(|_| rng.below(3) as u8).collect();
    let mut genome = vec![0; topology.genome_words()];
    let (plan, above) = (topology.layer(0), topology.layer(1));
    for prototype in 0..usize::from(prototypes) {
        let row = plan.weights as usize + 2 * prototype;
        genome[row..row + 2].copy_from_slice(&inputs[2 * (prototype % samples)..][..2]);
        bits::flip(&mut genome[row..], rng.below(40));
        // Some class may be without any.
        let label = above.weights as usize + (rng.below(3) * above.row_words) as usize;
        bits::set(&mut genome[label..], prototype as u32, true);
    }
    (topology, genome, inputs, labels)
}

fn table(words: &mut Vec<u32>) -> LossTable<&[u32]> {
    words.resize(600, 0);
    let len = evobit::loss::write_logistic(2.0, 6.0, 16, words).unwrap();
    LossTable::new(&words[..len]).unwrap()
}

fn prototypes_of(topology: &Topology, genome: &[u32]) -> Prototypes {
    Prototypes::of(&Network::new(topology, genome).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every entry of a spectrum, and every trial, is what the memory with these bits flipped loses more or less than this one.
    #[test]
    fn spectra_and_trials_are_exact(
        seed: u64, samples in 1usize..60, prototypes in 1u16..20,
        flips in prop::collection::vec(0u16..40, 1..9), commits: bool,
    ) {
        let (topology, genome, inputs, labels) = scene(seed, samples, prototypes);
        let mut words = vec![];
        let loss = table(&mut words);
        let samples = Samples { inputs: &inputs, labels: &labels };
        let score = |genome: &[u32]| evaluate::score(&prototypes_of(&topology, genome), &loss, samples);
        let mut landscape = MemoryLandscape::new(&topology, &genome, samples, loss).unwrap();
        let prototype = prototypes / 2;
        let mutations: Vec<Mutation> =
            flips.iter().map(|&bit| Mutation { layer: 0, neuron: prototype, gene: Gene::Weight(bit) }).collect();
        let change = landscape.trial(&mutations);
        let mut after = genome.clone();
        let row = topology.layer(0).weights as usize + 2 * usize::from(prototype);
        flips.iter().for_each(|&bit| bits::flip(&mut after[row..], bit.into()));
        prop_assert_eq!(change, score(&after).loss - score(&genome).loss);
        if commits { landscape.commit() } else { landscape.rollback() }
        let now = if commits { after } else { genome };
        prop_assert_eq!(landscape.genome(), &now[..]);
        prop_assert_eq!(landscape.loss(), score(&now).loss);
        prop_assert_eq!(landscape.correct() as usize, score(&now).correct);

        let neurons: Vec<u16> = (0..prototypes).collect();
        let mut deltas = vec![7; 42 * neurons.len()];
        landscape.spectra(0, &neurons, &mut deltas);
        for (neuron, deltas) in deltas.chunks(42).enumerate() {
            let row = topology.layer(0).weights as usize + 2 * neuron;
            for (bit, &delta) in (0..40).zip(deltas) {
                let mut mutant = now.clone();
                bits::flip(&mut mutant[row..], bit);
                prop_assert_eq!(delta, score(&mutant).loss - score(&now).loss);
            }
            prop_assert_eq!(&deltas[40..], [IMPOSSIBLE; 2]);
        }
    }

    /// The scores name the class that core's memory answers where prototypes lie class after class.
    #[test]
    fn scores_answer_as_the_memory_of_core(seed: u64, count in 3usize..30) {
        let (topology, genome, inputs, _) = scene(seed, 50, count as u16);
        let prototypes = prototypes_of(&topology, &genome);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&index| prototypes.labels[index]);
        let rows: Vec<u32> = order.iter().flat_map(|&index| prototypes.rows[2 * index..][..2].to_vec()).collect();
        let labels: Vec<u8> = order.iter().map(|&index| prototypes.labels[index]).collect();
        let memory = Memory::new(Samples { inputs: &rows, labels: &labels }, 2).unwrap();
        let scores = prototypes.scores(&inputs);
        for (input, scores) in inputs.chunks(2).zip(scores.chunks(3)) {
            prop_assert_eq!(memory.classify(input, 1), Some(best_class(scores) as u8));
        }
    }
}

#[test]
fn what_is_no_prototype_cannot_mutate() {
    let (topology, genome, inputs, labels) = scene(1, 20, 5);
    let mut words = vec![];
    let loss = table(&mut words);
    let samples = Samples { inputs: &inputs, labels: &labels };
    let mut landscape = MemoryLandscape::new(&topology, &genome, samples, loss).unwrap();
    let at = |layer, neuron, gene| Mutation { layer, neuron, gene };
    let several = [at(0, 1, Gene::Weight(3)), at(0, 2, Gene::Weight(3))];
    for mutations in
        [&[at(0, 0, Gene::Raise)][..], &[at(1, 0, Gene::Weight(0))], &[at(0, 9, Gene::Weight(0))], &several]
    {
        assert_eq!(landscape.trial(mutations), IMPOSSIBLE);
        landscape.commit();
    }
    assert_eq!(landscape.genome(), genome);
    let deep = Topology::new(Shape::flat(40), &[Layer::dense(3)]).unwrap();
    let genome = vec![0; deep.genome_words()];
    let refused = MemoryLandscape::new(&deep, &genome, samples, loss).unwrap_err();
    assert_eq!(refused, LandscapeError::Depth);
}
