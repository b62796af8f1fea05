//! The rule that evolves: a small network that all weights share, with coefficients of few bits.
//!
//! It has three units. The first gives the change of the weight, the second that of the hidden state, the third is a
//! hidden unit that the first two may use. Each unit is a sum, over what a weight's neighbourhood shows, of
//!
//! ```text
//! neuron . [1, after, error, error x states, weights, states, after^2, |error|]        for the neuron after
//! + source . [before, weights, states, |before|]                                      for the unit before
//! + before x (gain . [1, after, error, error x states, weights, states, after^2, |error|])
//! + weight x (hold . [1, after, error, error x states, weights, states, after^2, |error|])
//! + own x hidden state
//! ```
//!
//! where `weights` and `states` are the sums over the neuron's weights, or over the unit's. So the delta rule is one
//! coefficient (`gain` of `error`), Oja's rule two (`gain` of `after`, `hold` of `after^2`), weight decay one (`hold` of 1), and a hidden
//! state that counts steps makes the rate of a neuron rise or fall (`error x states`), or that of every weight (`fatigue`).
//!
//! Coefficients are 0 or plus or minus a power of two up to 64. What has only coefficients of 0 is not computed: a rule that evolved from
//! nothing costs as much as what it found. The sums for neurons and units before are computed once a step, not once a weight.

use super::baseline::{add, square};
use super::{Lanes, LocalRule, NeuronView, RuleNeeds, SourceView, Weight};

/// Units of the rule: for the weight, for its hidden state, and a hidden one.
pub const UNITS: usize = 3;
/// The first of the hidden units, and how many results there are.
pub(super) const RESULTS: usize = 2;
/// What a unit sees of a neuron.
pub(super) const NEURON_SIGNALS: usize = 8;
/// What a unit sees of a unit before.
pub(super) const SOURCE_SIGNALS: usize = 4;
/// Hidden units: sums shift right by this before they are clamped.
const HIDDEN_SHIFT: u32 = 6;

/// The coefficients of one unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnitCoefficients {
    /// Of what the neuron after shows.
    pub neuron: [i8; NEURON_SIGNALS],
    /// Of what the unit before shows.
    pub source: [i8; SOURCE_SIGNALS],
    /// Of the same as `neuron`, times the activation before.
    pub gain: [i8; NEURON_SIGNALS],
    /// Of the same as `neuron`, times the weight.
    pub hold: [i8; NEURON_SIGNALS],
    /// Of the weight's hidden state.
    pub own: i8,
}

/// A rule read from a genome, see [`super::RuleGenes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EvolvedRule {
    /// The units.
    pub units: [UnitCoefficients; UNITS],
    /// How much of the hidden units goes into the results, `[result][hidden unit]`.
    pub mix: [[i8; UNITS - RESULTS]; RESULTS],
    /// How much the hidden state weakens the change of its weight: 63 stops it at the highest state, -63 doubles it.
    pub fatigue: i8,
    /// The changes of weight and hidden state are divided by 2 to the power of these, 0 to 7 and 0 to 7.
    pub rates: [u8; RESULTS],
    pub(super) used: [Used; UNITS],
}

/// Which parts of a unit are not all 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Used {
    any: bool,
    neuron: bool,
    source: bool,
    gain: bool,
    hold: bool,
}

/// What weights need of a unit before: its activation, and one sum for each unit of the rule.
pub type SourceSums<const L: usize> = [Lanes<L>; UNITS + 1];

/// What weights need of a neuron: for each unit of the rule the sums `neuron`, `gain` and `hold`.
pub type NeuronSums<const L: usize> = [[Lanes<L>; 3]; UNITS];

impl EvolvedRule {
    /// Finds out what is used; to be called after coefficients changed.
    #[must_use]
    pub fn prepared(mut self) -> Self {
        let some = |coefficients: &[i8]| coefficients.iter().any(|&coefficient| coefficient != 0);
        for index in 0..UNITS {
            let unit = &self.units[index];
            let (neuron, source) = (some(&unit.neuron), some(&unit.source));
            let (gain, hold) = (some(&unit.gain), some(&unit.hold));
            let any = neuron || source || gain || hold || unit.own != 0;
            // A hidden unit that no result uses is not computed.
            let read = |hidden: usize| self.mix.iter().any(|mix| mix[hidden] != 0);
            let any = any && (index < RESULTS || read(index - RESULTS));
            self.used[index] = Used { any, neuron, source, gain, hold };
        }
        // A hidden state that nothing changes or that nothing reads needs no change.
        let mixed = |result: usize| (0..UNITS - RESULTS).any(|hidden| self.mix[result][hidden] != 0);
        let read = self.fatigue != 0 || self.needs_states() || self.units.iter().any(|unit| unit.own != 0);
        let changed = self.used[1].any || mixed(1);
        self.used[1].any = changed && read;
        self
    }

    fn needs_states(&self) -> bool {
        let wants = |set: &[i8; NEURON_SIGNALS]| set[3] != 0 || set[5] != 0;
        self.units
            .iter()
            .any(|unit| wants(&unit.neuron) || wants(&unit.gain) || wants(&unit.hold) || unit.source[2] != 0)
    }

    fn wants(&self, signal: usize) -> bool {
        let wants = |unit: &UnitCoefficients| {
            unit.neuron[signal] != 0 || unit.gain[signal] != 0 || unit.hold[signal] != 0
        };
        self.units.iter().zip(&self.used).any(|(unit, used)| used.any && wants(unit))
    }

    fn wants_source(&self, signal: usize) -> bool {
        self.units.iter().zip(&self.used).any(|(unit, used)| used.any && unit.source[signal] != 0)
    }

    /// What unit `index` comes to for one weight.
    #[inline(always)]
    fn sum<const L: usize>(
        &self,
        index: usize,
        neuron: &NeuronSums<L>,
        source: &SourceSums<L>,
        weight: &Weight<L>,
    ) -> Lanes<L> {
        let (unit, used) = (&self.units[index], &self.used[index]);
        let mut sum = if used.neuron { neuron[index][0] } else { Lanes::ZERO };
        if used.source {
            sum = sum.plus(source[1 + index]);
        }
        if used.gain {
            sum = sum.plus(source[0].times(neuron[index][1]));
        }
        if used.hold {
            sum = sum.plus(weight.weight().times(neuron[index][2]));
        }
        if unit.own != 0 { sum.plus(weight.visible().scaled(unit.own)) } else { sum }
    }

    /// Coefficients that are not 0.
    #[must_use]
    pub fn terms(&self) -> usize {
        let unit = |unit: &UnitCoefficients| {
            let all = unit.neuron.iter().chain(&unit.source).chain(&unit.gain).chain(&unit.hold);
            all.chain([&unit.own]).filter(|&&coefficient| coefficient != 0).count()
        };
        let used = self.units.iter().zip(&self.used).filter(|(_, used)| used.any);
        used.map(|(coefficients, _)| unit(coefficients)).sum()
    }
}

/// The sum of signals times coefficients.
#[inline(always)]
fn weighed<const L: usize, const N: usize>(coefficients: &[i8; N], signals: &[Lanes<L>; N]) -> Lanes<L> {
    let mut sum = Lanes::ZERO;
    for (&coefficient, signal) in coefficients.iter().zip(signals) {
        if coefficient != 0 {
            sum = sum.plus(signal.scaled(coefficient));
        }
    }
    sum
}

impl<const L: usize> LocalRule<L> for EvolvedRule {
    type Neuron = NeuronSums<L>;
    type Source = SourceSums<L>;

    fn needs(&self) -> RuleNeeds {
        RuleNeeds {
            error: self.wants(2) || self.wants(3) || self.wants(7),
            neuron_weights: self.wants(4),
            neuron_states: self.wants(3) || self.wants(5),
            source_weights: self.wants_source(1),
            source_states: self.wants_source(2),
        }
    }

    #[inline(always)]
    fn neuron(&self, view: &NeuronView<L>) -> NeuronSums<L> {
        let scaled_error = view.error.with(view.states, |error, state| error.wrapping_mul(state) >> 7);
        let signals = [
            Lanes::all(64),
            view.after,
            view.error,
            scaled_error,
            view.weights,
            view.states,
            square(view.after),
            view.error.map(i16::abs),
        ];
        let mut sums = [[Lanes::ZERO; 3]; UNITS];
        for ((sums, unit), used) in sums.iter_mut().zip(&self.units).zip(&self.used) {
            if used.any {
                *sums = [&unit.neuron, &unit.gain, &unit.hold].map(|set| weighed(set, &signals));
            }
        }
        sums
    }

    #[inline(always)]
    fn source(&self, view: &SourceView<L>) -> SourceSums<L> {
        let signals = [view.before, view.weights, view.states, view.before.map(i16::abs)];
        let mut sums = [view.before; UNITS + 1];
        for ((sum, unit), used) in sums[1..].iter_mut().zip(&self.units).zip(&self.used) {
            if used.any {
                *sum = weighed(&unit.source, &signals);
            }
        }
        sums
    }

    #[inline(always)]
    fn change(&self, neuron: &NeuronSums<L>, source: &SourceSums<L>, weight: Weight<L>) -> Weight<L> {
        let (mut value, mut hidden_state) = (self.sum(0, neuron, source, &weight), Lanes::ZERO);
        if self.used[1].any {
            hidden_state = self.sum(1, neuron, source, &weight);
        }
        for index in RESULTS..UNITS {
            if self.used[index].any {
                let hidden = self.sum(index, neuron, source, &weight).shifted(HIDDEN_SHIFT).within(127);
                value = value.plus(hidden.scaled(self.mix[0][index - RESULTS]));
                hidden_state = hidden_state.plus(hidden.scaled(self.mix[1][index - RESULTS]));
            }
        }
        if self.fatigue != 0 {
            // As twice the upper half of a product of 16 bits.
            let part = weight.visible().scaled(self.fatigue).map(|part| part << 2);
            value = value.with(part, |value, part| {
                value.saturating_sub(((i32::from(value) * i32::from(part)) >> 16) as i16 * 2)
            });
        }
        let mut changed = Weight { value: add(weight.value, value, self.rates[0]), state: weight.state };
        if self.used[1].any {
            changed.state = add(weight.state, hidden_state, self.rates[1] + 4);
        }
        changed
    }
}
