//! One property suite for all landscapes: what a backend reports must equal what running the whole network again
//! gives, on random small networks.

use std::ops::RangeInclusive;

use evobit::evolve::compact::{CompactBuffers, CompactLandscape, CompactNeeds};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
use evobit::genome::{GenomeMut, Mutation};
use evobit::loss::{LossTable, MAX_SLOPE, write_logistic};
use evobit::network::{Network, best_class};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Field, Layer, Shape, Topology};
use proptest::prelude::*;
use rand_core::Rng;

/// A random network with random samples.
#[derive(Debug, Clone)]
pub struct Case {
    /// The network's shape.
    pub topology: Topology,
    /// Its genome.
    pub genome: Vec<u32>,
    /// Packed samples.
    pub inputs: Vec<u32>,
    /// Their classes.
    pub labels: Vec<u8>,
    /// The packed loss table.
    pub loss: Vec<u32>,
    /// For draws of the suite.
    pub seed: u64,
}

impl Case {
    /// The samples as a landscape takes them.
    pub fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }

    /// The loss as a landscape takes it.
    pub fn table(&self) -> LossTable<&[u32]> {
        LossTable::new(&self.loss[..]).unwrap()
    }
}

fn layer_of(shape: Shape, most_slide: u16) -> impl Strategy<Value = Layer> {
    let output =
        (1..=3u16, 1..=5u16, 1..=7u16).prop_map(|(planes, height, width)| Shape { planes, height, width });
    let window = (1..=shape.planes, 1..=shape.height.min(4), 1..=shape.width.min(20), 0..=most_slide)
        .prop_map(move |(planes, height, width, slide)| {
            let slide = slide.min(shape.height - height).min(shape.width - width);
            Field::Window { planes, height, width, slide }
        });
    (prop_oneof![Just(Field::Dense), window], output).prop_map(|(field, output)| Layer { field, output })
}

fn layers(shape: Shape, hidden: usize, most_slide: u16, before: Vec<Layer>) -> BoxedStrategy<Vec<Layer>> {
    if hidden == 0 {
        return (2..=12u16)
            .prop_map(move |classes| {
                let mut layers = before.clone();
                layers.push(Layer::dense(classes));
                layers
            })
            .boxed();
    }
    layer_of(shape, most_slide)
        .prop_flat_map(move |layer| {
            let mut before = before.clone();
            before.push(layer);
            layers(layer.output, hidden - 1, most_slide, before)
        })
        .boxed()
}

/// Random networks of 1 to 4 layers, dense and windowed, 2 to 12 classes, on 0 to 40 samples.
pub fn cases() -> impl Strategy<Value = Case> {
    cases_of(0..=3, 3, 40)
}

/// Random networks of one hidden layer, on more samples than one word of bits holds.
pub fn one_hidden_layer() -> impl Strategy<Value = Case> {
    cases_of(1..=1, 4, 150)
}

/// One hidden layer of small windows of one plane, which slide by up to as much as windows can, over images of one or two words a line.
pub fn one_hidden_layer_that_slides() -> impl Strategy<Value = Case> {
    let window = (1..=8u16, 1..=8u16, 1..=7u16, 0..=5u16, 0..=30u16, 1..=2u16);
    let loss = (-10.0..30.0f64, 0.5..40.0f64, 1..200u32);
    (window, 1..=6u16, 2..=12u16, loss, 0..150usize, any::<u64>()).prop_map(
        |((height, width, slide, below, beside, planes), neurons, classes, loss, samples, seed)| {
            let image = Shape { planes, height: height + slide + below, width: width + slide + beside };
            let hidden = Layer::windows(neurons, 1, height, width).sliding(slide);
            let topology = Topology::new(image, &[hidden, Layer::dense(classes)]).unwrap();
            let mut case = random_case(topology, loss, samples, seed);
            just_on_or_off(&mut case);
            case
        },
    )
}

/// Brings the threshold of every hidden neuron to where a sample is on its boundary: of many positions the fewest mismatches are far
/// below the middle.
fn just_on_or_off(case: &mut Case) {
    let (topology, mut rng) = (case.topology, Stream::new(case.seed, Purpose::Test, 5));
    let mut window = [0; evobit::topology::WINDOW_WORDS];
    let mut view = GenomeMut::new(&topology, &mut case.genome).unwrap();
    let plan = topology.layer(0);
    for neuron in (0..plan.neurons).filter(|_| !case.labels.is_empty()) {
        let sample = rng.below(case.labels.len() as u32) as usize;
        let input = &case.inputs[sample * topology.input_words()..][..topology.input_words()];
        let network = view.network();
        let ahead = network.preactivation(0, neuron, input, &mut window);
        let fewest = network.threshold(0, neuron) as i32 - ahead;
        let threshold = (fewest - rng.below(2) as i32).clamp(0, plan.inputs as i32 - 1);
        view.set_threshold(0, neuron, threshold as u32);
    }
}

/// Random networks of two and three hidden layers, whose windows do not slide, on as many samples.
pub fn several_hidden_layers() -> impl Strategy<Value = Case> {
    cases_of(2..=3, 0, 150)
}

fn cases_of(
    hidden: RangeInclusive<usize>,
    most_slide: u16,
    most_samples: usize,
) -> impl Strategy<Value = Case> {
    let input =
        (1..=3u16, 1..=6u16, 1..=40u16).prop_map(|(planes, height, width)| Shape { planes, height, width });
    let shape = (input, hidden)
        .prop_flat_map(move |(input, hidden)| (Just(input), layers(input, hidden, most_slide, vec![])));
    let loss = (-10.0..30.0f64, 0.5..40.0f64, 1..200u32);
    (shape, loss, 0..most_samples, any::<u64>()).prop_map(|((input, layers), loss, samples, seed)| {
        let topology = Topology::new(input, &layers).unwrap();
        random_case(topology, loss, samples, seed)
    })
}

/// A problem with something to learn: 200 samples of 40 bits, each class a random pattern with a fifth of its bits
/// flipped, and a network of 16 hidden neurons.
pub fn separable() -> Case {
    let topology = Topology::new(Shape::flat(40), &[Layer::dense(16), Layer::dense(4)]).unwrap();
    let mut case = random_case(topology, (4.0, 4.0, 64), 200, 11);
    let mut rng = Stream::new(11, Purpose::Test, 2);
    let patterns: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
    for (input, &label) in case.inputs.chunks_mut(2).zip(&case.labels) {
        for bit in 0..40 {
            let flipped = rng.below(5) == 0;
            evobit::bits::set(input, bit, (patterns[usize::from(label)] >> bit & 1 == 1) != flipped);
        }
    }
    case
}

/// Networks with as many classes as there can be, and losses as steep: what small cases never reach.
pub fn extreme_cases() -> impl Strategy<Value = Case> {
    let loss = (-4.0..4.0f64, 0.2..1.5f64, 3000..=MAX_SLOPE);
    let classes = prop_oneof![30..=70u16, 250..=256u16];
    (classes, 0..=2usize, loss, 1..8usize, any::<u64>()).prop_map(|(classes, hidden, loss, samples, seed)| {
        let layers = [Layer::windows(4, 1, 1, 32), Layer::dense(3), Layer::dense(classes)];
        let input = Shape { planes: 1, height: 1, width: if hidden == 2 { 34 } else { 3 } };
        let topology = Topology::new(input, &layers[2 - hidden..]).unwrap();
        random_case(topology, loss, samples, seed)
    })
}

fn random_case(
    topology: Topology,
    (margin, temperature, slope): (f64, f64, u32),
    samples: usize,
    seed: u64,
) -> Case {
    let mut rng = Stream::new(seed, Purpose::Test, 0);
    let mut genome = vec![0; topology.genome_words()];
    let mut view = GenomeMut::new(&topology, &mut genome).unwrap();
    view.randomize(&mut rng);
    // Thresholds near the middle, now and then at an end.
    for (layer, plan) in topology.layers().iter().enumerate() {
        for neuron in 0..plan.neurons {
            let threshold = match rng.below(8) {
                0 => 0,
                1 => plan.inputs - 1,
                2 => rng.below(plan.inputs),
                _ => (plan.inputs / 2 + rng.below(5)).saturating_sub(3),
            };
            view.set_threshold(layer, neuron, threshold);
        }
    }
    let packing = topology.layer(0).packing;
    let mut inputs = vec![0u32; samples * topology.input_words()];
    for sample in inputs.chunks_mut(packing.words()) {
        for row in sample.chunks_mut(packing.row_words as usize) {
            row.iter_mut().for_each(|word| *word = rng.next_u32());
            *row.last_mut().unwrap() &= evobit::bits::tail_mask(packing.row_bits);
        }
    }
    let labels = (0..samples).map(|_| rng.below(topology.classes() as u32) as u8).collect();
    let mut loss = vec![0; 4100];
    let len = write_logistic(margin, temperature, slope, &mut loss).unwrap();
    loss.truncate(len);
    Case { topology, genome, inputs, labels, loss, seed }
}

/// Loss and correct answers of `genome` from scratch, by the forward pass alone.
pub fn full_loss(case: &Case, genome: &[u32]) -> (i64, u32) {
    let network = Network::new(&case.topology, genome).unwrap();
    let mut hidden = vec![0; case.topology.hidden_words()];
    let mut scores = vec![0; case.topology.classes()];
    let (mut loss, mut correct) = (0, 0);
    for (input, &label) in case.inputs.chunks(case.topology.input_words()).zip(&case.labels) {
        network.run(input, &mut hidden, &mut scores);
        loss += i64::from(case.table().sample(&scores, label.into()));
        correct += u32::from(best_class(&scores) == usize::from(label));
    }
    (loss, correct)
}

fn mutated(case: &Case, genome: &[u32], mutations: &[Mutation]) -> Option<Vec<u32>> {
    let mut words = genome.to_vec();
    let mut view = GenomeMut::new(&case.topology, &mut words).unwrap();
    mutations.iter().all(|&mutation| view.apply(mutation)).then_some(words)
}

/// Every entry of the spectra of every layer equals the loss after that mutation less the loss now.
pub fn check_spectra(case: &Case, landscape: &mut impl Landscape) {
    let genome = landscape.genome().to_vec();
    let (now, correct) = full_loss(case, &genome);
    assert_eq!((landscape.loss(), landscape.correct()), (now, correct));
    for (layer, plan) in case.topology.layers().iter().enumerate() {
        let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
        let mut deltas = vec![7; neurons.len() * plan.mutants()];
        landscape.spectra(layer, &neurons, &mut deltas);
        for (neuron, deltas) in deltas.chunks(plan.mutants()).enumerate() {
            for (entry, &delta) in deltas.iter().enumerate() {
                let mutation = Mutation::at(layer, neuron as u32, entry, plan.inputs);
                let expected =
                    mutated(case, &genome, &[mutation]).map(|words| full_loss(case, &words).0 - now);
                assert_eq!(delta, expected.unwrap_or(IMPOSSIBLE), "{mutation:?} of {:?}", case.topology);
            }
        }
    }
}

/// Trials of random sets of mutations are exact; what is committed is remembered right, what is rolled back is forgotten.
pub fn check_trials(case: &Case, landscape: &mut impl Landscape) {
    let mut rng = Stream::new(case.seed, Purpose::Test, 1);
    for _ in 0..12 {
        let mutations = random_mutations(&case.topology, &mut rng);
        let before = landscape.genome().to_vec();
        let (loss, _) = full_loss(case, &before);
        let change = landscape.trial(&mutations);
        assert_eq!(landscape.genome(), before);
        assert_eq!(landscape.loss(), loss);
        let Some(words) = mutated(case, &before, &mutations) else {
            assert_eq!(change, IMPOSSIBLE);
            continue;
        };
        assert_eq!(change, full_loss(case, &words).0 - loss, "{mutations:?} of {:?}", case.topology);
        if rng.below(3) == 0 {
            landscape.rollback();
            landscape.commit();
            assert_eq!((landscape.genome(), landscape.loss()), (&before[..], loss));
        } else {
            landscape.commit();
            assert_eq!((landscape.genome(), landscape.loss()), (&words[..], loss + change));
        }
    }
    check_spectra(case, landscape);
}

/// A few mutations: of one neuron, of one layer or anywhere; each at most once.
fn random_mutations(topology: &Topology, rng: &mut Stream) -> Vec<Mutation> {
    let spread = rng.below(3);
    let fixed_layer = rng.below(topology.depth() as u32) as usize;
    let fixed_neuron = rng.below(topology.layer(fixed_layer).neurons);
    let mut mutations: Vec<Mutation> = vec![];
    for _ in 0..=rng.below(6) {
        let layer = if spread == 2 { rng.below(topology.depth() as u32) as usize } else { fixed_layer };
        let plan = topology.layer(layer);
        let neuron = if spread == 0 { fixed_neuron } else { rng.below(plan.neurons) };
        let mutation = Mutation::at(layer, neuron, rng.below(plan.mutants() as u32) as usize, plan.inputs);
        if !mutations.contains(&mutation) && !mutations.contains(&mutation.inverse()) {
            mutations.push(mutation);
        }
    }
    mutations
}

/// Memory of a scalar landscape on a host.
#[derive(Debug, Default)]
pub struct Memory {
    hidden: Vec<u32>,
    scores: Vec<i16>,
    preactivations: Vec<i16>,
    scratch: Vec<u32>,
    scratch_scores: Vec<i16>,
}

/// The scalar landscape of a case, with or without kept pre-activations.
pub fn scalar<'a>(
    case: &'a Case,
    genome: &'a mut [u32],
    memory: &'a mut Memory,
    cached: bool,
) -> ScalarLandscape<'a, &'a [u32]> {
    let needs = Needs::new(&case.topology, case.labels.len());
    // Old contents must not matter.
    memory.hidden = vec![0xdead_beef; needs.hidden];
    memory.scores = vec![-99; needs.scores];
    memory.preactivations = vec![77; needs.preactivations];
    memory.scratch = vec![0xdead_beef; needs.scratch];
    memory.scratch_scores = vec![55; needs.scratch_scores];
    let buffers = Buffers {
        hidden: &mut memory.hidden,
        scores: &mut memory.scores,
        preactivations: cached.then_some(&mut memory.preactivations),
        scratch: &mut memory.scratch,
        scratch_scores: &mut memory.scratch_scores,
    };
    ScalarLandscape::new(&case.topology, genome, case.samples(), case.table(), buffers).unwrap()
}

/// The compact landscape of a case with one hidden layer.
pub fn compact<'a>(
    case: &'a Case,
    genome: &'a mut [u32],
    memory: &'a mut Memory,
) -> CompactLandscape<'a, &'a [u32]> {
    let needs = CompactNeeds::new(&case.topology, case.labels.len());
    memory.hidden = vec![0xdead_beef; needs.hidden];
    memory.scores = vec![-99; needs.scores];
    let buffers = CompactBuffers { hidden: &mut memory.hidden, scores: &mut memory.scores };
    CompactLandscape::new(&case.topology, genome, case.samples(), case.table(), buffers).unwrap()
}

/// The same with scores of one byte, for networks where they fit.
pub fn compact_bytes<'a>(
    case: &'a Case,
    genome: &'a mut [u32],
    hidden: &'a mut Vec<u32>,
    scores: &'a mut Vec<i8>,
) -> CompactLandscape<'a, &'a [u32], i8> {
    let needs = CompactNeeds::new(&case.topology, case.labels.len());
    *hidden = vec![0xdead_beef; needs.hidden];
    *scores = vec![-99; needs.scores];
    let buffers = CompactBuffers { hidden, scores };
    CompactLandscape::new(&case.topology, genome, case.samples(), case.table(), buffers).unwrap()
}

/// A compact landscape that is laid down and taken up again, in which one sample takes the place of another, is the one made afresh.
pub fn check_exchange(case: &Case) {
    if case.labels.is_empty() {
        return;
    }
    let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
    let mut landscape = compact(case, &mut genome, &mut memory);
    let place = case.seed as usize % case.labels.len();
    landscape.forget(place);
    let total = landscape.loss();
    let mut other = case.clone();
    let words = case.topology.input_words();
    other.inputs.copy_within(..words, place * words);
    other.labels[place] = other.labels[0];
    let buffers = CompactBuffers { hidden: &mut memory.hidden, scores: &mut memory.scores };
    let resumed =
        CompactLandscape::resume(&case.topology, &mut genome, other.samples(), case.table(), buffers, total);
    let mut resumed = resumed.unwrap();
    resumed.learn(place);
    check_spectra(&other, &mut resumed);
    check_trials(&other, &mut resumed);
}
