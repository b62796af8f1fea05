//! The promises of local-rule networks.

use super::baseline::{CubicHebbian, Delta, Oja};
use super::*;
use crate::evolve::genetic::randomize;
use crate::rng::{Draw, Purpose, Stream};
use core::cell::RefCell;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// The buffers of a network.
struct Room<const L: usize> {
    weights: Vec<Weight<L>>,
    units: Vec<Unit<L>>,
    scores: Vec<[i32; L]>,
}

impl<const L: usize> Room<L> {
    /// Weights, states, activations and errors of any size.
    fn random(shape: &PlasticShape, rng: &mut Stream) -> Self {
        let mut value =
            |most: i32| Lanes([(); L].map(|()| (rng.below(2 * most as u32 + 1) as i32 - most) as i16));
        let weights =
            (0..shape.weights()).map(|_| Weight { value: value(127 << 8), state: value(127 << 8) }).collect();
        let units = (0..shape.units()).map(|_| Unit { activation: value(127), error: value(127) }).collect();
        Self { weights, units, scores: vec![[0; L]; shape.classes()] }
    }

    fn network(&mut self, shape: PlasticShape) -> PlasticNetwork<'_, L> {
        let buffers =
            PlasticBuffers { weights: &mut self.weights, units: &mut self.units, scores: &mut self.scores };
        PlasticNetwork::new(shape, Plasticity::default(), buffers).unwrap()
    }
}

fn shapes() -> impl Strategy<Value = PlasticShape> {
    prop::collection::vec(2u16..9, 2..6).prop_map(|widths| PlasticShape::new(&widths).unwrap())
}

fn any_rule(seed: u64) -> EvolvedRule {
    let mut genome = [0; GENOME_WORDS];
    randomize(&RuleGenes, &mut genome, &mut Stream::new(seed, Purpose::Test, 9));
    EvolvedRule::new(&genome).unwrap()
}

/// A rule that only writes down what it is shown.
#[derive(Default)]
struct Witness<const L: usize> {
    neurons: RefCell<Vec<NeuronView<L>>>,
    sources: RefCell<Vec<SourceView<L>>>,
}

impl<const L: usize> LocalRule<L> for Witness<L> {
    type Neuron = ();
    type Source = ();

    fn needs(&self) -> RuleNeeds {
        RuleNeeds {
            error: true,
            neuron_weights: true,
            neuron_states: true,
            source_weights: true,
            source_states: true,
        }
    }

    fn neuron(&self, view: &NeuronView<L>) {
        self.neurons.borrow_mut().push(*view);
    }

    fn source(&self, view: &SourceView<L>) {
        self.sources.borrow_mut().push(*view);
    }

    fn change(&self, (): &(), (): &(), weight: Weight<L>) -> Weight<L> {
        weight
    }
}

/// The sum of a byte of some weights, shifted by half the logarithm of their count, rounded up.
fn naive_sum(weights: impl Iterator<Item = i16>, count: usize) -> i16 {
    let sum: i32 = weights.map(|value| i32::from(value >> 8)).sum();
    let mut shift = 0;
    while 1 << (2 * shift) < count {
        shift += 1;
    }
    (sum >> shift).clamp(-127, 127) as i16
}

proptest! {
    #[test]
    fn perceived_sums_are_the_naive_ones(shape in shapes(), seed: u64) {
        let mut room = Room::<2>::random(&shape, &mut Stream::new(seed, Purpose::Test, 0));
        let before = room.weights.clone();
        for index in 0..shape.depth() {
            let witness = Witness::<2>::default();
            let layer = shape.layer(index);
            let needs = LocalRule::<2>::needs(&witness);
            let mut sources = vec![(); shape.widest_row()];
            room.network(shape).update(&witness, needs, index, &mut sources);
            let weight = |neuron: usize, place: usize| before[layer.weights + neuron * layer.row() + place];
            for lane in 0..2 {
                for (neuron, view) in witness.neurons.borrow().iter().enumerate() {
                    let all = |part: fn(&Weight<2>) -> Lanes<2>| {
                        naive_sum((0..layer.row()).map(|place| part(&weight(neuron, place)).0[lane]), layer.row())
                    };
                    let unit = &room.units[layer.after + neuron];
                    prop_assert_eq!(view.weights.0[lane], all(|weight| weight.value));
                    prop_assert_eq!(view.states.0[lane], all(|weight| weight.state));
                    prop_assert_eq!((view.after, view.error), (unit.activation, unit.error));
                }
                for (place, view) in witness.sources.borrow().iter().enumerate() {
                    let all = |part: fn(&Weight<2>) -> Lanes<2>| {
                        naive_sum((0..layer.neurons).map(|neuron| part(&weight(neuron, place)).0[lane]), layer.neurons)
                    };
                    prop_assert_eq!(view.weights.0[lane], all(|weight| weight.value));
                    prop_assert_eq!(view.states.0[lane], all(|weight| weight.state));
                    let bias = Lanes::all(PlasticShape::BIAS);
                    let activation = if place < layer.inputs { room.units[layer.before + place].activation } else { bias };
                    prop_assert_eq!(view.before, activation);
                }
            }
            prop_assert_eq!(witness.neurons.borrow().len(), layer.neurons);
            prop_assert_eq!(witness.sources.borrow().len(), layer.row());
        }
        prop_assert_eq!(before, room.weights);
    }

    #[test]
    fn no_update_depends_on_a_weight_outside_the_neighbourhood(shape in shapes(), seed: u64) {
        let mut rng = Stream::new(seed, Purpose::Test, 0);
        let rule = any_rule(seed);
        let original = Room::<1>::random(&shape, &mut rng);
        let update = |weights: &[Weight<1>], index: usize| {
            let mut room = Room { weights: weights.to_vec(), units: original.units.clone(), scores: original.scores.clone() };
            let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
            room.network(shape).update(&rule, LocalRule::<1>::needs(&rule), index, &mut sources);
            room.weights
        };
        let index = rng.below(shape.depth() as u32) as usize;
        let layer = shape.layer(index);
        let (neuron, place) = (rng.below(layer.neurons as u32) as usize, rng.below(layer.row() as u32) as usize);
        let mut others = original.weights.clone();
        let replacement = Room::<1>::random(&shape, &mut rng);
        for (far, weight) in others.iter_mut().enumerate() {
            let inside = far.checked_sub(layer.weights).map(|far| (far / layer.row(), far % layer.row()));
            if inside.is_none_or(|(row, column)| row >= layer.neurons || row != neuron && column != place) {
                *weight = replacement.weights[far];
            }
        }
        let at = layer.weights + neuron * layer.row() + place;
        prop_assert_eq!(update(&original.weights, index)[at], update(&others, index)[at]);
    }

    #[test]
    fn lanes_do_what_single_networks_do(shape in shapes(), seed: u64, synchronous: bool, signs: bool, share in 0u16..400) {
        let kind = if signs { WeightKind::Signs } else { WeightKind::Bytes };
        let plasticity = Plasticity { kind, share, synchronous, ..Plasticity::default() };
        let rule = any_rule(seed);
        let classes = shape.classes() as u32;
        let mut together = Room::<3>::random(&shape, &mut Stream::new(seed, Purpose::Test, 0));
        let start = together.weights.clone();
        let mut rng = Stream::new(seed, Purpose::Test, 1);
        let samples: Vec<_> = (0..4).map(|_| {
            let inputs: Vec<_> = (0..shape.inputs()).map(|_| [(); 3].map(|()| rng.next_byte())).collect();
            (inputs, [(); 3].map(|()| rng.below(classes) as u8))
        }).collect();
        let mut network = together.network(shape);
        network.set_plasticity(plasticity);
        let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
        for (inputs, classes) in &samples {
            for lane in 0..3 {
                network.input(lane, &inputs.iter().map(|input| input[lane]).collect::<Vec<_>>());
            }
            network.learn(&rule, *classes, &mut sources);
        }
        for lane in 0..3 {
            let mut alone = Room::<1>::random(&shape, &mut Stream::new(seed, Purpose::Test, 0));
            for (weight, start) in alone.weights.iter_mut().zip(&start) {
                *weight = Weight { value: Lanes([start.value.0[lane]]), state: Lanes([start.state.0[lane]]) };
            }
            let mut network = alone.network(shape);
            network.set_plasticity(plasticity);
            let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
            for (inputs, classes) in &samples {
                network.input(0, &inputs.iter().map(|input| input[lane]).collect::<Vec<_>>());
                network.learn(&rule, [classes[lane]], &mut sources);
            }
            for (alone, together) in alone.weights.iter().zip(&together.weights) {
                prop_assert_eq!((alone.value.0[0], alone.state.0[0]), (together.value.0[lane], together.state.0[lane]));
            }
        }
    }

    #[test]
    fn weights_of_one_bit_are_the_signs_of_their_counters(shape in shapes(), seed: u64) {
        let mut room = Room::<1>::random(&shape, &mut Stream::new(seed, Purpose::Test, 0));
        let mut network = room.network(shape);
        network.set_plasticity(Plasticity { kind: WeightKind::Signs, ..Plasticity::default() });
        network.start(48, [&mut Stream::new(seed, Purpose::Test, 1)]);
        let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
        for step in 0..4 {
            for weight in network.weights() {
                let counter = weight.state.0[0];
                prop_assert!(step > 0 || counter.abs() <= 48 << 8);
                prop_assert_eq!(weight.weight().0[0], if counter < 0 { -32 } else { 32 });
            }
            network.learn(&any_rule(seed), [0], &mut sources);
        }
    }

    #[test]
    fn absent_weights_stay_absent_and_unseen(shape in shapes(), seed: u64) {
        let mut rng = Stream::new(seed, Purpose::Test, 0);
        let mut room = Room::<1>::random(&shape, &mut rng);
        let gone: Vec<bool> = room.weights.iter().map(|_| rng.chance(1 << 30)).collect();
        for (weight, _) in room.weights.iter_mut().zip(&gone).filter(|(_, gone)| **gone) {
            *weight = Weight::ABSENT;
        }
        let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
        room.network(shape).learn(&any_rule(seed), [0], &mut sources);
        for (weight, gone) in room.weights.iter().zip(gone) {
            prop_assert_eq!(weight == &Weight::ABSENT, gone);
            prop_assert!(weight.weight().0[0].abs() <= 127);
        }
    }
}

/// A genome with coefficients by place: of unit, set (0 neuron, 1 source, 2 gain, 3 hold), signal, as four bits.
fn genome(coefficients: &[(usize, usize, usize, u32)], rates: u32) -> [u32; GENOME_WORDS] {
    let mut words = [0; GENOME_WORDS];
    let mut put = |at: usize, bits: u32| {
        (0..4).for_each(|bit| words[(at + bit) / 32] |= (bits >> bit & 1) << ((at + bit) % 32));
    };
    for &(unit, set, signal, bits) in coefficients {
        put(4 * (29 * unit + [0, 8, 12, 20][set] + signal), bits);
    }
    put(360, rates);
    words
}

/// 64 as a coefficient: sign 0, then the reflected code of 7, 100.
const SIXTY_FOUR: u32 = 0b0010;
/// -64 as a coefficient.
const MINUS_SIXTY_FOUR: u32 = 0b0011;

#[test]
fn a_genome_of_zeros_changes_nothing() {
    let shape = PlasticShape::new(&[3, 4, 2]).unwrap();
    let mut room = Room::<1>::random(&shape, &mut Stream::new(1, Purpose::Test, 0));
    let before = room.weights.clone();
    let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
    room.network(shape).learn(&EvolvedRule::new(&[0; GENOME_WORDS]).unwrap(), [0], &mut sources);
    assert_eq!(before, room.weights);
}

#[test]
fn rules_written_by_hand_are_points_of_the_genome() {
    let shape = PlasticShape::new(&[3, 4, 2]).unwrap();
    let learned = |genome: [u32; GENOME_WORDS]| {
        let mut room = Room::<1>::random(&shape, &mut Stream::new(1, Purpose::Test, 0));
        let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
        room.network(shape).learn(&EvolvedRule::new(&genome).unwrap(), [0], &mut sources);
        room.weights
    };
    fn by_hand<R: LocalRule<1, Source = Lanes<1>>>(rule: &R, shape: PlasticShape) -> Vec<Weight<1>> {
        let mut room = Room::<1>::random(&shape, &mut Stream::new(1, Purpose::Test, 0));
        room.network(shape).learn(rule, [0], &mut vec![Lanes::ZERO; shape.widest_row()]);
        room.weights
    }
    assert_eq!(learned(genome(&[(0, 2, 2, SIXTY_FOUR)], 0)), by_hand(&Delta { rate: 0 }, shape));
    // The reflected code of 3 is 010.
    assert_eq!(learned(genome(&[(0, 2, 2, SIXTY_FOUR)], 0b010)), by_hand(&Delta { rate: 3 }, shape));
    for rate in 0..8 {
        assert_eq!(learned(RuleGenes::delta(rate)), by_hand(&Delta { rate }, shape));
    }
    let oja = genome(&[(0, 2, 1, SIXTY_FOUR), (0, 3, 6, MINUS_SIXTY_FOUR)], 0);
    assert_eq!(learned(oja), by_hand(&Oja { rate: 0 }, shape));
}

#[test]
fn weights_of_one_bit_learn_what_most_inputs_say() {
    let shape = PlasticShape::new(&[5, 2]).unwrap();
    let mut room = Room::<1>::random(&shape, &mut Stream::new(1, Purpose::Test, 0));
    let mut network = room.network(shape);
    network.set_plasticity(Plasticity { kind: WeightKind::Signs, ..Plasticity::default() });
    network.start(48, [&mut Stream::new(1, Purpose::Test, 1)]);
    let mut sources = vec![Lanes::ZERO; 6];
    let samples =
        || (0..32u8).map(|bits| [0, 1, 2, 3, 4].map(|bit| if bits >> bit & 1 == 1 { 100 } else { -100 }));
    let class = |input: [i8; 5]| u8::from(input.iter().filter(|&&value| value > 0).count() > 2);
    for input in samples().cycle().take(320) {
        network.input(0, &input);
        network.learn(&Delta { rate: 3 }, [class(input)], &mut sources);
    }
    for input in samples() {
        network.input(0, &input);
        network.run();
        assert_eq!(network.class(0), class(input), "{input:?}");
    }
}

#[test]
fn oja_finds_the_direction_in_which_inputs_vary() {
    let shape = PlasticShape::new(&[3, 2]).unwrap();
    let mut room = Room::<1>::random(&shape, &mut Stream::new(2, Purpose::Test, 0));
    room.weights.iter_mut().for_each(|weight| weight.value = weight.value.shifted(3));
    let mut rng = Stream::new(3, Purpose::Test, 0);
    let mut sources = vec![Lanes::ZERO; shape.widest_row()];
    for _ in 0..2000 {
        let far = rng.next_byte() / 8 * 7;
        let mut near = || rng.next_byte() / 16;
        let input = [far + near(), far + near(), near()];
        let mut network = room.network(shape);
        network.input(0, &input);
        network.learn(&Oja { rate: 4 }, [0], &mut sources);
    }
    for row in room.weights.chunks(shape.layer(0).row()) {
        let [a, b, c, _] = [0, 1, 2, 3].map(|place| i32::from(row[place].weight().0[0]));
        assert!(a * b > 0 && (a - b).abs() < a.abs() / 3 && c.abs() < a.abs() / 3, "{a} {b} {c}");
    }
}

#[test]
fn homeostasis_keeps_activations_near_their_target() {
    let shape = PlasticShape::new(&[6, 3]).unwrap();
    let mut rng = Stream::new(3, Purpose::Test, 0);
    let rule = CubicHebbian { rate: 4, target: 40 };
    let mut room = Room::<1>::random(&shape, &mut rng);
    let mut sources = vec![Lanes::ZERO; shape.widest_row()];
    let mut sizes = [0i32; 3];
    for step in 0..4000 {
        let input = [(); 6].map(|()| rng.next_byte());
        let mut network = room.network(shape);
        network.input(0, &input);
        network.learn(&rule, [0], &mut sources);
        if step >= 3000 {
            let units = &network.units()[6..];
            sizes.iter_mut().zip(units).for_each(|(sum, unit)| *sum += i32::from(unit.activation.0[0].abs()));
        }
    }
    assert!(sizes.iter().all(|sum| (20..65).contains(&(sum / 1000))), "{sizes:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    assert_eq!(PlasticShape::new(&[4]), Err(ShapeError::Depth(0)));
    assert_eq!(PlasticShape::new(&[4; 7]), Err(ShapeError::Depth(6)));
    assert_eq!(PlasticShape::new(&[4, 0, 2]), Err(ShapeError::Width(1, 0)));
    assert_eq!(PlasticShape::new(&[4, 1]), Err(ShapeError::Classes));
    let shape = PlasticShape::new(&[4, 3, 2]).unwrap();
    assert_eq!((shape.weights(), shape.units(), shape.widest_row()), (23, 9, 5));
    let buffers = PlasticBuffers::<1> {
        weights: &mut [Weight::ABSENT; 22],
        units: &mut [Unit::ZERO; 9],
        scores: &mut [[0]; 2],
    };
    assert_eq!(
        PlasticNetwork::new(shape, Plasticity::default(), buffers).err(),
        Some(ShapeError::Buffer(23, 22))
    );
    assert_eq!(EvolvedRule::new(&[0; 3]), Err(RuleError::Length(GENOME_WORDS, 3)));
    assert_eq!(EvolvedRule::new(&[u32::MAX; GENOME_WORDS]), Err(RuleError::Padding));
}

proptest! {
    #[test]
    fn an_image_brings_back_rule_and_network(shape in shapes(), seed: u64, signs: bool, at in 0usize..2000, bit in 0u8..8) {
        let mut rng = Stream::new(seed, Purpose::Test, 0);
        let mut genome = [0; GENOME_WORDS];
        randomize(&RuleGenes, &mut genome, &mut rng);
        let room = Room::<1>::random(&shape, &mut rng);
        let kind = if signs { WeightKind::Signs } else { WeightKind::Bytes };
        let mut bytes = vec![0; image::image_len(Some(&shape))];
        prop_assert_eq!(image::write(&genome, Some((&shape, kind, &room.weights)), &mut bytes), Ok(bytes.len()));
        let read = image::RuleImage::parse(&bytes).unwrap();
        let mut weights = vec![Weight::ABSENT; shape.weights()];
        read.copy_weights(&mut weights);
        prop_assert_eq!((read.genome(), read.shape(), &weights), (&genome, Some(shape), &room.weights));
        prop_assert_eq!(read.kind(), kind);
        prop_assert_eq!(read.rule(), &EvolvedRule::new(&genome).unwrap());
        // Whatever bit is turned, it is noticed; cut off anywhere, too.
        let at = at % bytes.len();
        prop_assert!(image::RuleImage::parse(&bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        prop_assert!(image::RuleImage::parse(&bytes).is_err());
    }
}

#[test]
fn an_image_of_a_rule_alone_has_no_network() {
    let mut bytes = [0; 64];
    assert_eq!(image::write(&[0; GENOME_WORDS], None, &mut bytes), Ok(64));
    assert_eq!(image::RuleImage::parse(&bytes).unwrap().shape(), None);
    assert_eq!(
        image::write(&[0; GENOME_WORDS], None, &mut bytes[..63]),
        Err(image::RuleImageError::Buffer(64, 63))
    );
}

trait NextByte {
    fn next_byte(&mut self) -> i8;
}

impl NextByte for Stream {
    fn next_byte(&mut self) -> i8 {
        (self.below(255) as i16 - 127) as i8
    }
}
