//! A local rule and a plastic network in plain numbers.

use evobit::rule::{PlasticNetwork, Plasticity, WeightKind};

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
pub(crate) struct Unit {
    pub(crate) neuron: Vec<i64>,
    pub(crate) source: Vec<i64>,
    pub(crate) gain: Vec<i64>,
    pub(crate) hold: Vec<i64>,
    pub(crate) own: i64,
}

/// A rule as its documentation has it.
pub(crate) struct PlainRule {
    pub(crate) units: Vec<Unit>,
    pub(crate) mix: [i64; 2],
    pub(crate) fatigue: i64,
    pub(crate) rates: Vec<u32>,
}

/// The number that three bits stand for, the first read one in front.
fn reflected(bits: [bool; 3]) -> u32 {
    let codes = ["000", "001", "011", "010", "110", "111", "101", "100"];
    let code: String = bits.iter().map(|&bit| if bit { '1' } else { '0' }).collect();
    codes.iter().position(|&known| known == code).unwrap() as u32
}

impl PlainRule {
    pub(crate) fn read(words: &[u32]) -> Self {
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

    /// The units that weights depend on: those with coefficients, the hidden one where a result takes it in, and that of the hidden state
    /// where something changes it and something reads it.
    pub(crate) fn used(&self) -> Vec<&Unit> {
        let any = |unit: &Unit| {
            let sets = [&unit.neuron, &unit.source, &unit.gain, &unit.hold];
            sets.into_iter().flatten().chain([&unit.own]).any(|&coefficient| coefficient != 0)
        };
        let used = [
            any(&self.units[0]),
            (any(&self.units[1]) || self.mix[1] != 0) && self.reads_states(),
            any(&self.units[2]) && self.mix != [0, 0],
        ];
        self.units.iter().zip(used).filter(|(_, used)| *used).map(|(unit, _)| unit).collect()
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
pub(crate) struct Seen {
    pub(crate) activation: i64,
    pub(crate) error: i64,
    pub(crate) weights: i64,
    pub(crate) states: i64,
}

/// No weight.
const ABSENT: i64 = -0x8000;

/// A plastic network of plain numbers.
#[derive(Clone)]
pub(crate) struct Plain {
    pub(crate) widths: Vec<usize>,
    /// `[layer][neuron][place]`: value and state; the constant's place is the last.
    pub(crate) weights: Vec<Vec<Vec<(i64, i64)>>>,
    /// `[layer][unit]`: activation and error; layer 0 is the input.
    pub(crate) units: Vec<Vec<(i64, i64)>>,
    pub(crate) scores: Vec<i64>,
    pub(crate) draws: u64,
}

fn weight((value, _): (i64, i64)) -> i64 {
    if value == ABSENT { 0 } else { shifted(value, 8) }
}

impl Plain {
    pub(crate) fn of(network: &PlasticNetwork<'_, 1>, seed: u32) -> Self {
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

    pub(crate) fn learn(&mut self, rule: &PlainRule, class: usize, plasticity: Plasticity) {
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
