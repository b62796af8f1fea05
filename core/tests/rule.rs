//! Local rules held against a second form in plain numbers: the genome read from a table of codes, one sum for each weight as the
//! documentation writes it down, nothing left out because its coefficients are 0.

use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::baseline::{CubicHebbian, Delta, Oja};
use evobit::rule::*;
use rand_core::Rng;

/// Kept within what 16 bits hold.
fn kept(value: i64) -> i64 {
    value.clamp(-0x8000, 0x7fff)
}

/// Divided by a power of two, rounded down.
fn shifted(value: i64, bits: u32) -> i64 {
    value.div_euclid(1 << bits)
}

/// Half the logarithm of a count to base 2, rounded up.
fn half_logarithm(count: usize) -> u32 {
    (0..).find(|&bits| 4usize.pow(bits) >= count).unwrap()
}

/// The coefficients of a unit of a rule.
struct Unit {
    neuron: Vec<i64>,
    source: Vec<i64>,
    gain: Vec<i64>,
    hold: Vec<i64>,
    own: i64,
}

/// A rule as its documentation has it.
struct PlainRule {
    units: Vec<Unit>,
    mix: [i64; 2],
    fatigue: i64,
    rates: Vec<u32>,
}

/// The number that three bits stand for, the first read one in front.
fn reflected(bits: [bool; 3]) -> u32 {
    let codes = ["000", "001", "011", "010", "110", "111", "101", "100"];
    let code: String = bits.iter().map(|&bit| if bit { '1' } else { '0' }).collect();
    codes.iter().position(|&known| known == code).unwrap() as u32
}

impl PlainRule {
    fn read(words: &[u32]) -> Self {
        let mut bits: Vec<bool> =
            words.iter().flat_map(|word| (0..32).map(move |bit| word >> bit & 1 == 1)).collect();
        // The last bit of the constant of the hidden state, unit 1, is read turned.
        bits[4 * 29 + 3] ^= true;
        let mut bits = bits.into_iter();
        let mut next = || bits.next().unwrap();
        let mut signed = |size: &dyn Fn(u32) -> i64| {
            let negative = next();
            let size = size(reflected([next(), next(), next()]));
            if negative { -size } else { size }
        };
        let power = |code: u32| if code == 0 { 0 } else { 2i64.pow(code - 1) };
        let mut some = |count: usize| (0..count).map(|_| signed(&power)).collect::<Vec<_>>();
        let units = (0..3)
            .map(|_| Unit { neuron: some(8), source: some(4), gain: some(8), hold: some(8), own: some(1)[0] })
            .collect();
        let mix = [some(1)[0], some(1)[0]];
        let fatigue = signed(&|code| 9 * i64::from(code));
        let rates = (0..2).map(|_| reflected([next(), next(), next()])).collect();
        Self { units, mix, fatigue, rates }
    }

    /// Whether anything that the rule does to weights may depend on hidden states.
    fn reads_states(&self) -> bool {
        let sets =
            |unit: &Unit| [&unit.neuron, &unit.gain, &unit.hold].iter().any(|set| set[3] != 0 || set[5] != 0);
        self.fatigue != 0 || self.units.iter().any(|unit| sets(unit) || unit.source[2] != 0 || unit.own != 0)
    }

    /// What a weight and its state become.
    fn change(&self, neuron: &Seen, source: &Seen, (value, state): (i64, i64)) -> (i64, i64) {
        let (weight, visible) = (shifted(value, 8), shifted(state, 8));
        let Seen { activation: after, error, weights, states } = *neuron;
        let of_neuron = [
            64,
            after,
            error,
            shifted(error * states, 7),
            weights,
            states,
            shifted(after * after, 7),
            error.abs(),
        ];
        let of_source = [source.activation, source.weights, source.states, source.activation.abs()];
        let weighed = |set: &[i64], signals: &[i64]| {
            set.iter().zip(signals).fold(0, |sum, (coefficient, signal)| kept(sum + coefficient * signal))
        };
        let unit = |unit: &Unit| {
            let mut sum = weighed(&unit.neuron, &of_neuron);
            sum = kept(sum + weighed(&unit.source, &of_source));
            sum = kept(sum + shifted(source.activation * weighed(&unit.gain, &of_neuron), 8));
            sum = kept(sum + shifted(weight * weighed(&unit.hold, &of_neuron), 8));
            kept(sum + unit.own * visible)
        };
        let hidden = shifted(unit(&self.units[2]), 6).clamp(-127, 127);
        let mut change = kept(unit(&self.units[0]) + hidden * self.mix[0]);
        // A state that nothing reads is left as it is, also where it is the counter of a weight of one bit.
        let state_change =
            if self.reads_states() { kept(unit(&self.units[1]) + hidden * self.mix[1]) } else { 0 };
        change = kept(change - 2 * shifted(change * visible * self.fatigue * 4, 16));
        (added(value, change, self.rates[0]), added(state, state_change, self.rates[1] + 4))
    }
}

/// A state and eight times an amount divided by 2 to the power of `rate`. The amount is kept so small first that its multiple fits.
fn added(state: i64, amount: i64, rate: u32) -> i64 {
    let amount = match rate {
        0..3 => amount.clamp(shifted(-0x8000, 3 - rate), shifted(0x7fff, 3 - rate)) << (3 - rate),
        _ => shifted(amount, rate - 3),
    };
    kept(state + amount)
}

/// What is to be seen of a neuron, or of a unit before.
#[derive(Clone, Copy, Debug)]
struct Seen {
    activation: i64,
    error: i64,
    weights: i64,
    states: i64,
}

/// No weight.
const ABSENT: i64 = -0x8000;

/// A task network of plain numbers.
#[derive(Clone)]
struct Plain {
    widths: Vec<usize>,
    /// `[layer][neuron][place]`: value and state; the constant's place is the last.
    weights: Vec<Vec<Vec<(i64, i64)>>>,
    /// `[layer][unit]`: activation and error; layer 0 is the input.
    units: Vec<Vec<(i64, i64)>>,
    scores: Vec<i64>,
    draws: u64,
}

fn weight((value, _): (i64, i64)) -> i64 {
    if value == ABSENT { 0 } else { shifted(value, 8) }
}

impl Plain {
    fn of(network: &TaskNetwork<'_, 1>, seed: u32) -> Self {
        let widths: Vec<usize> = network.shape().widths().iter().map(|&width| width.into()).collect();
        let mut flat =
            network.weights().iter().map(|weight| (weight.value.0[0].into(), weight.state.0[0].into()));
        let mut row = |places: usize| (0..places).map(|_| flat.next().unwrap()).collect::<Vec<_>>();
        let weights = widths
            .windows(2)
            .map(|pair| (0..pair[1]).map(|_| row(pair[0] + 1)).collect::<Vec<_>>())
            .collect();
        let mut flat =
            network.units().iter().map(|unit| (unit.activation.0[0].into(), unit.error.0[0].into()));
        let units = widths.iter().map(|&width| (0..width).map(|_| flat.next().unwrap()).collect()).collect();
        Self { widths, weights, units, scores: vec![], draws: seed.into() }
    }

    fn run(&mut self) {
        for layer in 0..self.weights.len() {
            let shift = 5 + half_logarithm(self.widths[layer] + 1);
            let before: Vec<i64> = self.units[layer].iter().map(|unit| unit.0).chain([64]).collect();
            let sums = self.weights[layer]
                .iter()
                .map(|row| row.iter().zip(&before).map(|(w, x)| weight(*w) * x).sum());
            self.scores = sums.collect();
            for (unit, &sum) in self.units[layer + 1].iter_mut().zip(&self.scores) {
                let sum = shifted(sum, shift);
                let size = if sum.abs() <= 64 { sum.abs() } else { (64 + (sum.abs() - 64) / 4).min(127) };
                unit.0 = size * sum.signum();
            }
        }
    }

    fn fail(&mut self, class: usize) {
        let output = self.units.last_mut().unwrap();
        let right = output[class].0;
        let excess: Vec<i64> = output.iter().map(|unit| (unit.0 - right + 32).clamp(0, 127)).collect();
        let others = (0..output.len()).filter(|&other| other != class);
        let total: i64 = others.map(|other| excess[other]).sum();
        for (unit, excess) in output.iter_mut().zip(excess) {
            unit.1 = -excess;
        }
        output[class].1 = total.min(127);
    }

    fn feed_back(&mut self, layer: usize) {
        let shift = 5 + half_logarithm(self.widths[layer + 1]);
        for place in 0..self.widths[layer] {
            let errors = self.weights[layer].iter().zip(&self.units[layer + 1]);
            let sum = shifted(errors.map(|(row, unit)| weight(row[place]) * unit.1).sum(), shift);
            let unit = &mut self.units[layer][place];
            let passed = match unit.0.abs() {
                0..=64 => sum,
                65..127 => shifted(sum, 2),
                _ => 0,
            };
            unit.1 = passed.clamp(-127, 127);
        }
    }

    fn update(&mut self, rule: &PlainRule, layer: usize, share: u64, kind: WeightKind) {
        let old = self.weights[layer].clone();
        let (into, from) = (half_logarithm(self.widths[layer] + 1), half_logarithm(self.widths[layer + 1]));
        let sum = |part: fn((i64, i64)) -> i64, of: &[(i64, i64)], shift: u32| {
            shifted(of.iter().map(|&weight| part(weight)).sum(), shift).clamp(-127, 127)
        };
        let state = |weight: (i64, i64)| shifted(weight.1, 8);
        for neuron in 0..self.widths[layer + 1] {
            let (activation, error) = self.units[layer + 1][neuron];
            let row = &old[neuron];
            let after =
                Seen { activation, error, weights: sum(weight, row, into), states: sum(state, row, into) };
            for place in 0..=self.widths[layer] {
                let column: Vec<_> = old.iter().map(|row| row[place]).collect();
                let activation = self.units[layer].get(place).map_or(64, |unit| unit.0);
                let (weights, states) = (sum(weight, &column, from), sum(state, &column, from));
                let before = Seen { activation, error: 0, weights, states };
                if share >= 256 || self.draw() < share {
                    let at = old[neuron][place];
                    let changed = rule.change(&after, &before, at);
                    self.weights[layer][neuron][place] = settled(at, changed, kind);
                }
            }
        }
    }

    fn learn(&mut self, rule: &PlainRule, class: usize, plasticity: Plasticity) {
        self.run();
        self.fail(class);
        let depth = self.weights.len();
        if plasticity.synchronous {
            (1..depth).rev().for_each(|layer| self.feed_back(layer));
        }
        for layer in (0..depth).rev() {
            self.update(rule, layer, plasticity.share.into(), plasticity.kind);
            if !plasticity.synchronous && layer > 0 {
                self.feed_back(layer);
            }
        }
    }

    /// The upper byte of the next number of the generator that Marsaglia names `y^=(y<<13); y^=(y>>17); y^=(y<<5)`.
    fn draw(&mut self) -> u64 {
        const ALL: u64 = 1 << 32;
        self.draws = (self.draws ^ (self.draws * 0x2000)) % ALL;
        self.draws ^= self.draws / 0x2_0000;
        self.draws = (self.draws ^ (self.draws * 0x20)) % ALL;
        self.draws / 0x100_0000
    }
}

/// A changed weight within its bounds; one that is absent stays as it was.
fn settled(before: (i64, i64), (mut value, mut state): (i64, i64), kind: WeightKind) -> (i64, i64) {
    const MOST: i64 = 127 * 256;
    if before.0 == ABSENT {
        return before;
    }
    if kind == WeightKind::Signs {
        state = kept(state + kept(value - before.0));
        value = if state < 0 { -32 * 256 } else { 32 * 256 };
    }
    (value.clamp(-MOST, MOST), state.clamp(-MOST, MOST))
}

/// Room for a network of one lane.
struct Room {
    weights: Vec<Weight<1>>,
    units: Vec<evobit::rule::Unit<1>>,
    scores: Vec<[i32; 1]>,
}

impl Room {
    /// Weights and states of any size, one weight in eight absent.
    fn new(shape: &Shape, rng: &mut Stream) -> Self {
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

    fn network(&mut self, shape: Shape, plasticity: Plasticity) -> TaskNetwork<'_, 1> {
        let buffers =
            Buffers { weights: &mut self.weights, units: &mut self.units, scores: &mut self.scores };
        TaskNetwork::new(shape, plasticity, buffers).unwrap()
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
        let shape = Shape::new(WIDTHS[round % WIDTHS.len()]).unwrap();
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
    assert_eq!(LocalRule::<1>::needs(&Delta { rate: 0 }), Needs { error: true, ..Needs::default() });
    // After times (before / 4), less the weight times a quarter of the square, 40 * 40 / 128 = 12: 40 * 20 / 4 - 80 * 12 / 4 = -40.
    assert_eq!(changed_by(&Oja { rate: 3 }, [40, 0], 20, (80 << 8, 5)), ((80 << 8) - 40, 5));
    assert_eq!(changed_by(&Oja { rate: 3 }, [-40, 0], 20, (80 << 8, 5)), ((80 << 8) - 440, 5));
    // The cube, 64 * 32 / 128 = 16, times the activation before / 16, plus the weight times a quarter of what the size lacks, 40 - 50:
    // 16 * 48 / 16 - 64 * 10 / 4 = -112. The state moves by 8 times the distance of its upper byte, 50, from 64.
    let rule = CubicHebbian { rate: 3, target: 40 };
    assert_eq!(changed_by(&rule, [64, 0], 48, (64 << 8, 50 << 8)), ((64 << 8) - 112, (50 << 8) + 112));
    assert_eq!(changed_by(&rule, [-64, 0], 48, (64 << 8, 50 << 8)), ((64 << 8) - 208, (50 << 8) + 112));
    assert_eq!(LocalRule::<1>::needs(&rule), Needs::default());
}
