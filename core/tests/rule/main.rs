//! Local rules held against a second form in plain numbers: the genome read from a table of codes, one sum for each weight as the
//! documentation writes it down, nothing left out because its coefficients are 0.

mod plain;
mod start;

use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::baseline::{CubicHebbian, Delta, Oja};
use evobit::rule::*;
use plain::{Plain, PlainRule};
use rand_core::Rng;

/// Room for a network of one lane.
struct Room {
    weights: Vec<Weight<1>>,
    units: Vec<evobit::rule::Unit<1>>,
    scores: Vec<[i32; 1]>,
}

impl Room {
    /// Weights and states of any size, one weight in eight absent.
    fn new(shape: &PlasticShape, rng: &mut Stream) -> Self {
        let mut any = |most: i32| Lanes([(rng.below(2 * most as u32 + 1) as i32 - most) as i16]);
        let weights = (0..shape.weights())
            .map(|_| match any(127).0[0] {
                -127..-96 => Weight::ABSENT,
                _ => Weight { value: any(127 << 8), state: any(127 << 8) },
            })
            .collect();
        let units = vec![evobit::rule::Unit::ZERO; shape.units()];
        Self { weights, units, scores: vec![[0]; shape.classes()] }
    }

    fn network(&mut self, shape: PlasticShape, plasticity: Plasticity) -> PlasticNetwork<'_, 1> {
        let buffers =
            PlasticBuffers { weights: &mut self.weights, units: &mut self.units, scores: &mut self.scores };
        PlasticNetwork::new(shape, plasticity, buffers).unwrap()
    }
}

/// A genome with about one in `rarity` coefficients set, and small or large rates.
fn genome(rng: &mut Stream, rarity: u32) -> [u32; GENOME_WORDS] {
    let mut words = [0; GENOME_WORDS];
    for coefficient in 0..90 {
        let bits = if rng.below(rarity) == 0 { rng.below(16) } else { 0 };
        words[coefficient / 8] |= bits << (coefficient % 8 * 4);
    }
    words[360 / 32] |= rng.below(64) << (360 % 32);
    words
}

const WIDTHS: [&[u16]; 6] =
    [&[3, 2], &[1, 4, 2], &[5, 6, 3], &[2, 3, 4, 2], &[17, 2, 5], &[2, 2, 3, 2, 2, 4]];

#[test]
fn learning_is_what_plain_numbers_make_of_the_rule() {
    let mut rng = Stream::new(15, Purpose::Test, 0);
    for round in 0..400 {
        let shape = PlasticShape::new(WIDTHS[round % WIDTHS.len()]).unwrap();
        let genome = genome(&mut rng, 1 + round as u32 % 12);
        let (rule, plain_rule) = (EvolvedRule::new(&genome).unwrap(), PlainRule::read(&genome));
        let plasticity = Plasticity {
            kind: if rng.below(3) == 0 { WeightKind::Signs } else { WeightKind::Bytes },
            share: [256, 300, 255, 128, 3, 0][rng.below(6) as usize],
            synchronous: rng.below(2) == 0,
            seed: rng.next_u32().max(1),
        };
        let mut room = Room::new(&shape, &mut rng);
        let mut network = room.network(shape, plasticity);
        let mut plain = Plain::of(&network, plasticity.seed);
        let mut sources = vec![[Lanes::ZERO; UNITS + 1]; shape.widest_row()];
        for _ in 0..4 {
            let input: Vec<i8> = (0..shape.inputs()).map(|_| (rng.next_u32() >> 24) as i8).collect();
            let class = rng.below(shape.classes() as u32) as usize;
            network.input(0, &input);
            network.learn(&rule, [class as u8], &mut sources);
            let inputs = plain.units[0].iter_mut().zip(&input);
            inputs.for_each(|(unit, &value)| unit.0 = i64::from(value).max(-127));
            plain.learn(&plain_rule, class, plasticity);
            let now = Plain::of(&network, 1);
            let scores: Vec<i64> = network.scores().iter().map(|score| score[0].into()).collect();
            assert_eq!(scores, plain.scores);
            let activations =
                |plain: &Plain| plain.units.iter().flatten().map(|unit| unit.0).collect::<Vec<_>>();
            assert_eq!(activations(&now), activations(&plain));
            let all = |plain: &Plain| plain.weights.iter().flatten().flatten().copied().collect::<Vec<_>>();
            assert_eq!(all(&now), all(&plain), "round {round}, {plasticity:?}");
            assert!(now.units[0].iter().all(|unit| unit.1 == 0), "input units have no error");
        }
    }
}

#[test]
fn a_genome_is_read_as_its_table_of_codes_says() {
    let mut rng = Stream::new(15, Purpose::Test, 1);
    let wide = |set: &[i8]| set.iter().map(|&value| i64::from(value)).collect::<Vec<_>>();
    for round in 0..100 {
        let genome = genome(&mut rng, 1 + round % 4);
        let (rule, plain) = (EvolvedRule::new(&genome).unwrap(), PlainRule::read(&genome));
        for (unit, plain) in rule.units.iter().zip(&plain.units) {
            assert_eq!(
                (wide(&unit.neuron), wide(&unit.source)),
                (plain.neuron.clone(), plain.source.clone())
            );
            assert_eq!((wide(&unit.gain), wide(&unit.hold)), (plain.gain.clone(), plain.hold.clone()));
            assert_eq!(i64::from(unit.own), plain.own);
        }
        assert_eq!(rule.mix.map(|mix| i64::from(mix[0])), plain.mix);
        assert_eq!(
            (i64::from(rule.fatigue), rule.rates.map(u32::from).to_vec()),
            (plain.fatigue, plain.rates)
        );
    }
}

/// A rule asks for what its coefficients multiply and for nothing else: sums that nobody needs are not made.
#[test]
fn a_rule_needs_what_it_has_coefficients_for() {
    let mut rng = Stream::new(15, Purpose::Test, 11);
    for round in 0..600 {
        let genome = genome(&mut rng, 1 + round % 60);
        let (rule, plain) = (EvolvedRule::new(&genome).unwrap(), PlainRule::read(&genome));
        let used = plain.used();
        let sets = || used.iter().flat_map(|unit| [&unit.neuron, &unit.gain, &unit.hold]);
        let signal = |index: usize| sets().any(|set| set[index] != 0);
        let source = |index: usize| used.iter().any(|unit| unit.source[index] != 0);
        let needs = RuleNeeds {
            error: signal(2) || signal(3) || signal(7),
            neuron_weights: signal(4),
            neuron_states: signal(3) || signal(5),
            source_weights: source(1),
            source_states: source(2),
        };
        assert_eq!(LocalRule::<1>::needs(&rule), needs, "round {round}");
        let others = used.iter().flat_map(|unit| unit.source.iter().chain([&unit.own]));
        let terms = sets().flatten().chain(others).filter(|&&coefficient| coefficient != 0).count();
        assert_eq!(rule.terms(), terms, "round {round}");
    }
}

/// Three units of 29 coefficients, two of the hidden unit and the fatigue, four bits each, and two rates of three bits.
#[test]
fn genes_of_a_rule_are_its_bits_in_order() {
    use evobit::evolve::genetic::Genes;
    assert_eq!((RuleGenes.count(), RuleGenes.words()), (4 * (3 * 29 + 2 + 1) + 2 * 3, 12));
    (0..366).for_each(|gene| assert_eq!(RuleGenes.position(gene), gene));
    assert_eq!(RuleGenes::COMMON, 4 + 2 * 3);
    for rate in 0..=255u8 {
        let rule = PlainRule::read(&RuleGenes::delta(rate));
        assert_eq!(rule.rates, [u32::from(rate).min(7), 0]);
        assert_eq!((rule.units[0].gain[2], rule.used().len(), rule.fatigue), (64, 1, 0));
    }
}

/// A rule of one coefficient set by hand.
fn by_hand(set: impl FnOnce(&mut EvolvedRule)) -> EvolvedRule {
    let mut rule = EvolvedRule::default();
    set(&mut rule);
    rule.prepared()
}

/// What a rule makes of one weight: a neuron with activation, error and sums, a unit before with the same.
fn changed(rule: &EvolvedRule, neuron: [i16; 4], before: i16, (value, state): (i16, i16)) -> (i16, i16) {
    let [after, error, weights, states] = neuron.map(Lanes::<1>::all);
    let neuron = rule.neuron(&NeuronView { after, error, weights, states });
    let source =
        rule.source(&SourceView { before: Lanes::all(before), weights: Lanes::ZERO, states: Lanes::ZERO });
    let weight = Weight { value: Lanes([value]), state: Lanes([state]) };
    let changed = rule.change(&neuron, &source, weight);
    (changed.value.0[0], changed.state.0[0])
}

/// The neuron's constant of 64 times a coefficient of 64 is 4096, a rate of 3 leaves it as it is. With the highest state, 127, a fatigue of 63
/// takes nearly all of it away: 4096 * (1 - 127 * 63 / 8192) = 95.5. A fatigue of -63 nearly doubles it: 8096.5. States below 0 turn both.
#[test]
fn fatigue_stops_a_weight_with_a_high_state_and_its_opposite_doubles_the_change() {
    for (fatigue, state, expected) in
        [(63, 127, 95), (-63, 127, 8097), (63, -127, 8097), (-63, -127, 95), (63, 0, 4096), (32, 64, 3072)]
    {
        let rule = by_hand(|rule| {
            rule.units[0].neuron[0] = 64;
            (rule.fatigue, rule.rates) = (fatigue, [3, 7]);
        });
        let (value, _) = changed(&rule, [0; 4], 0, (0, state << 8));
        assert!((value - expected).abs() <= 1, "fatigue {fatigue}, state {state}: {value}");
    }
}

/// An error of 100 and a sum of states of 64 are 100 * 64 / 128 = 50, whose sign both decide.
#[test]
fn error_times_states_is_their_product_divided_by_128() {
    for (error, states, signal) in
        [(100, 64, 50), (-100, 64, -50), (100, -64, -50), (127, 127, 126), (1, -1, -1)]
    {
        for set in 0..3 {
            let rule = by_hand(|rule| {
                let unit = &mut rule.units[0];
                [&mut unit.neuron, &mut unit.gain, &mut unit.hold][set][3] = 64;
                rule.rates = [3, 0];
            });
            let needs = LocalRule::<1>::needs(&rule);
            assert!(needs.error && needs.neuron_states);
            // A unit before of 64 and a weight of 64: a quarter of the sum.
            let (value, _) = changed(&rule, [0, error, 0, states], 64, (64 << 8, 0));
            let expected = if set == 0 { 64 * signal } else { 64 * signal / 4 };
            assert_eq!(value - (64 << 8), expected, "{error} x {states}, set {set}");
        }
    }
}

/// The hidden unit, 64 * 64 / 64, alone may change the state: 64 * 64 of it, times 8, divided by 2^4.
#[test]
fn a_hidden_unit_changes_a_state_that_nothing_else_changes() {
    for (mix, fatigue, expected) in [(64, 9, 2048), (-64, 9, -2048), (0, 9, 0), (64, 0, 0)] {
        let rule = by_hand(|rule| {
            rule.units[2].neuron[0] = 64;
            (rule.mix, rule.fatigue) = ([[0], [mix]], fatigue);
        });
        assert_eq!(changed(&rule, [0; 4], 0, (0, 0)), (0, expected), "mix {mix}, fatigue {fatigue}");
    }
}

/// What a rule written by hand makes of one weight.
fn changed_by<R: LocalRule<1>>(
    rule: &R,
    [after, error]: [i16; 2],
    before: i16,
    (value, state): (i16, i16),
) -> (i16, i16) {
    let zero = Lanes::ZERO;
    let neuron = NeuronView { after: Lanes([after]), error: Lanes([error]), weights: zero, states: zero };
    let source = SourceView { before: Lanes([before]), weights: zero, states: zero };
    let weight = Weight { value: Lanes([value]), state: Lanes([state]) };
    let changed = rule.change(&rule.neuron(&neuron), &rule.source(&source), weight);
    (changed.value.0[0], changed.state.0[0])
}

#[test]
fn rules_from_the_literature_are_their_equations() {
    // Error times activation before, divided by 4 (64 of 256), times 8, divided by 2^rate.
    for (rate, expected) in [(0, 5000), (1, 2500), (3, 625), (4, 312), (15, 0)] {
        assert_eq!(changed_by(&Delta { rate }, [0, 50], 50, (0, 300)), (expected, 300), "rate {rate}");
    }
    assert_eq!(changed_by(&Delta { rate: 4 }, [0, -50], 50, (0, 0)).0, -313);
    assert_eq!(LocalRule::<1>::needs(&Delta { rate: 0 }), RuleNeeds { error: true, ..RuleNeeds::default() });
    // After times (before / 4), less the weight times a quarter of the square, 40 * 40 / 128 = 12: 40 * 20 / 4 - 80 * 12 / 4 = -40.
    assert_eq!(changed_by(&Oja { rate: 3 }, [40, 0], 20, (80 << 8, 5)), ((80 << 8) - 40, 5));
    assert_eq!(changed_by(&Oja { rate: 3 }, [-40, 0], 20, (80 << 8, 5)), ((80 << 8) - 440, 5));
    // The cube, 64 * 32 / 128 = 16, times the activation before / 16, plus the weight times a quarter of what the size lacks, 40 - 50:
    // 16 * 48 / 16 - 64 * 10 / 4 = -112. The state moves by 8 times the distance of its upper byte, 50, from 64.
    let rule = CubicHebbian { rate: 3, target: 40 };
    assert_eq!(changed_by(&rule, [64, 0], 48, (64 << 8, 50 << 8)), ((64 << 8) - 112, (50 << 8) + 112));
    assert_eq!(changed_by(&rule, [-64, 0], 48, (64 << 8, 50 << 8)), ((64 << 8) - 208, (50 << 8) + 112));
    assert_eq!(LocalRule::<1>::needs(&rule), RuleNeeds::default());
}
