//! The plastic network: forward, backward, and the update of every weight by a rule.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays side by side become vector instructions"
)]

use super::shape::PlasticLayer;
use super::weight::signed;
use super::{
    Lanes, LocalRule, NeuronView, PlasticShape, RuleNeeds, ShapeError, SourceView, Weight, WeightKind,
};
use crate::rng::Draw;
use rand_core::Rng;

/// Bits of a product of weight and activation that the activation of a neuron drops, beside those by the number of inputs.
const PRODUCT_BITS: u32 = 5;
/// How far the right class's activation should lie above each other one: further than weights of a byte reach at 64, where
/// they pile up at their bounds.
const MARGIN: i16 = 32;
/// Up to here an activation is its sum, from here on a quarter of what is over.
const BEND: i32 = 64;

/// A unit's activation and error in all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<const L: usize> {
    /// Activation, -127 to 127.
    pub activation: Lanes<L>,
    /// Error or feedback, -127 to 127; input units have none.
    pub error: Lanes<L>,
}

impl<const L: usize> Unit<L> {
    /// At rest.
    pub const ZERO: Self = Self { activation: Lanes::ZERO, error: Lanes::ZERO };
}

/// How updates are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Plasticity {
    /// What weights are.
    pub kind: WeightKind,
    /// Each weight is updated in a step with probability `share / 256`; 256 for all, without a draw.
    pub share: u16,
    /// True: all weights see the network as it was before the step. False: layers are updated from the output back, and the
    /// feedback to a layer runs through weights that are changed already.
    pub synchronous: bool,
    /// Seed of the draws; never 0.
    pub seed: u32,
}

impl Default for Plasticity {
    fn default() -> Self {
        Self { kind: WeightKind::Bytes, share: 256, synchronous: true, seed: 1 }
    }
}

/// What a plastic network stands in; longer buffers are used from their start.
#[derive(Debug)]
pub struct PlasticBuffers<'a, const L: usize> {
    /// `[PlasticShape::weights]`.
    pub weights: &'a mut [Weight<L>],
    /// `[PlasticShape::units]`.
    pub units: &'a mut [Unit<L>],
    /// `[PlasticShape::classes]`.
    pub scores: &'a mut [[i32; L]],
}

/// `L` plastic networks of one shape that run and learn together.
#[derive(Debug)]
pub struct PlasticNetwork<'a, const L: usize> {
    shape: PlasticShape,
    plasticity: Plasticity,
    draws: u32,
    buffers: PlasticBuffers<'a, L>,
}

impl<'a, const L: usize> PlasticNetwork<'a, L> {
    /// A network over what its buffers hold.
    ///
    /// # Errors
    /// PlasticBuffers that are too short.
    pub fn new(
        shape: PlasticShape,
        plasticity: Plasticity,
        buffers: PlasticBuffers<'a, L>,
    ) -> Result<Self, ShapeError> {
        let PlasticBuffers { weights, units, scores } = buffers;
        let there = [weights.len(), units.len(), scores.len()];
        for (needed, there) in [shape.weights(), shape.units(), shape.classes()].into_iter().zip(there) {
            if there < needed {
                return Err(ShapeError::Buffer(needed, there));
            }
        }
        let buffers = PlasticBuffers {
            weights: &mut weights[..shape.weights()],
            units: &mut units[..shape.units()],
            scores: &mut scores[..shape.classes()],
        };
        Ok(Self { shape, plasticity, draws: plasticity.seed.max(1), buffers })
    }

    /// Random weights of -`scale` to `scale`, a generator for each lane; the hidden states of a neuron's weights begin as the
    /// binary code of layer (from the output) and neuron. Weights of one bit begin with counters of -`scale` to `scale`.
    pub fn start<R: Rng>(&mut self, scale: u8, mut generators: [&mut R; L]) {
        let scale = u32::from(scale.min(127));
        for index in 0..self.shape.depth() {
            let layer = self.shape.layer(index);
            let rows = self.buffers.weights[layer.weights..].chunks_exact_mut(layer.row());
            for (neuron, row) in (0..layer.neurons).zip(rows) {
                let code = code(self.shape.depth() - 1 - index, neuron);
                for weight in row {
                    for (value, rng) in weight.value.0.iter_mut().zip(&mut generators) {
                        *value = (rng.below(2 * scale + 1) as i16 - scale as i16) << 8;
                    }
                    weight.state = Lanes::all(code);
                    if self.plasticity.kind == WeightKind::Signs {
                        (weight.state, weight.value) = (weight.value, weight.value.map(signed));
                    }
                }
            }
        }
        self.draws = self.plasticity.seed.max(1);
    }

    /// Applies updates otherwise from now on.
    pub fn set_plasticity(&mut self, plasticity: Plasticity) {
        self.plasticity = plasticity;
        self.draws = plasticity.seed.max(1);
    }

    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> &PlasticShape {
        &self.shape
    }

    /// All weights, see [`super::PlasticShape`] for their order.
    #[must_use]
    pub fn weights(&self) -> &[Weight<L>] {
        self.buffers.weights
    }

    /// All weights, to change.
    pub fn weights_mut(&mut self) -> &mut [Weight<L>] {
        self.buffers.weights
    }

    /// All units, see [`super::PlasticShape`] for their order.
    #[must_use]
    pub fn units(&self) -> &[Unit<L>] {
        self.buffers.units
    }

    /// Sets the input of a lane; values are kept within -127 and 127, missing ones stay as they were.
    pub fn input(&mut self, lane: usize, values: &[i8]) {
        for (unit, &value) in self.buffers.units[..self.shape.inputs()].iter_mut().zip(values) {
            if let Some(activation) = unit.activation.0.get_mut(lane) {
                *activation = i16::from(value).max(-127);
            }
        }
    }

    /// The input units of all lanes, to set at once; values must be -127 to 127.
    pub fn inputs_mut(&mut self) -> &mut [Unit<L>] {
        &mut self.buffers.units[..self.shape.inputs()]
    }

    /// The scores of all classes after [`run`](Self::run).
    #[must_use]
    pub fn scores(&self) -> &[[i32; L]] {
        self.buffers.scores
    }

    /// How far a score shifts right to be an activation, in bits.
    #[must_use]
    pub fn score_shift(&self) -> u32 {
        PRODUCT_BITS + self.shape.layer(self.shape.depth() - 1).fan_in_shift
    }

    /// The class with the highest score in a lane, the first of equal ones.
    #[must_use]
    pub fn class(&self, lane: usize) -> u8 {
        let score = |class: usize| self.buffers.scores[class].get(lane).copied().unwrap_or(0);
        let best = (0..self.shape.classes())
            .reduce(|best, class| if score(class) > score(best) { class } else { best });
        best.unwrap_or(0) as u8
    }

    /// Runs the network on its input.
    #[inline(always)]
    pub fn run(&mut self) {
        let depth = self.shape.depth();
        for index in 0..depth {
            let layer = self.shape.layer(index);
            let (before, after) = self.buffers.units.split_at_mut(layer.after);
            let before = &before[layer.before..];
            let rows = self.buffers.weights[layer.weights..].chunks_exact(layer.row());
            for (neuron, (row, unit)) in rows.zip(&mut after[..layer.neurons]).enumerate() {
                let sums = weighted_sums(row, before);
                let shift = PRODUCT_BITS + layer.fan_in_shift;
                unit.activation = Lanes(sums.map(|sum| bent(sum >> shift)));
                if index + 1 == depth {
                    self.buffers.scores[neuron] = sums;
                }
            }
        }
    }

    /// Runs the network and lets `rule` change its weights: the lanes' samples are of these classes. `sources` holds
    /// [`PlasticShape::widest_row`] elements of any content, what the rule makes of the units before a layer. Where the rule needs no
    /// errors, classes are not looked at.
    #[inline(always)]
    pub fn learn<R: LocalRule<L>>(&mut self, rule: &R, classes: [u8; L], sources: &mut [R::Source]) {
        self.run();
        let needs = rule.needs();
        if needs.error {
            self.fail(classes);
        }
        let depth = self.shape.depth();
        if needs.error && self.plasticity.synchronous {
            (1..depth).rev().for_each(|index| self.feed_back(index));
        }
        for index in (0..depth).rev() {
            self.update(rule, needs, index, sources);
            if needs.error && !self.plasticity.synchronous && index > 0 {
                self.feed_back(index);
            }
        }
    }

    /// The errors of the output: every wrong class is driven down by how far it is not [`MARGIN`] below the right one, which is
    /// driven up by all of that (the squared hinge loss of Crammer and Singer's margin, 2001).
    #[inline(always)]
    fn fail(&mut self, classes: [u8; L]) {
        let last = self.shape.layer(self.shape.depth() - 1);
        let output = &mut self.buffers.units[last.after..][..last.neurons];
        let (mut right, mut total) = (Lanes::<L>::ZERO, Lanes::<L>::ZERO);
        for (class, unit) in (0u8..).zip(output.iter()) {
            for lane in 0..L {
                if classes[lane] == class {
                    right.0[lane] = unit.activation.0[lane];
                }
            }
        }
        for (class, unit) in (0u8..).zip(output.iter_mut()) {
            for lane in 0..L {
                let excess = (unit.activation.0[lane] - right.0[lane] + MARGIN).clamp(0, 127);
                let excess = if classes[lane] == class { 0 } else { excess };
                unit.error.0[lane] = -excess;
                total.0[lane] = (total.0[lane] + excess).min(127);
            }
        }
        for (class, unit) in (0u8..).zip(output.iter_mut()) {
            for lane in 0..L {
                if classes[lane] == class {
                    unit.error.0[lane] = total.0[lane];
                }
            }
        }
    }

    /// Carries the errors of layer `index` back to the units before it: sums over the weights that share their
    /// previous-layer unit, less where that unit's activation is bent.
    #[inline(always)]
    fn feed_back(&mut self, index: usize) {
        let layer = self.shape.layer(index);
        let (before, after) = self.buffers.units.split_at_mut(layer.after);
        let weights = &self.buffers.weights[layer.weights..][..layer.neurons * layer.row()];
        for (source, unit) in before[layer.before..].iter_mut().enumerate() {
            let mut sums = [0i32; L];
            for (row, neuron) in weights.chunks_exact(layer.row()).zip(&after[..layer.neurons]) {
                let weight = row[source].weight();
                for lane in 0..L {
                    sums[lane] += i32::from(weight.0[lane]) * i32::from(neuron.error.0[lane]);
                }
            }
            for lane in 0..L {
                let sum = sums[lane] >> (PRODUCT_BITS + layer.fan_out_shift);
                let size = unit.activation.0[lane].abs();
                let gated = if i32::from(size) <= BEND {
                    sum
                } else if size < 127 {
                    sum >> 2
                } else {
                    0
                };
                unit.error.0[lane] = gated.clamp(-127, 127) as i16;
            }
        }
    }

    /// Changes the weights of layer `index`.
    #[inline(always)]
    pub(super) fn update<R: LocalRule<L>>(
        &mut self,
        rule: &R,
        needs: RuleNeeds,
        index: usize,
        sources: &mut [R::Source],
    ) {
        let layer = self.shape.layer(index);
        let PlasticBuffers { weights, units, .. } = &mut self.buffers;
        let weights = &mut weights[layer.weights..][..layer.neurons * layer.row()];
        let (before, after) = (&units[layer.before..layer.after], &units[layer.after..][..layer.neurons]);
        let Some(sources) = sources.get_mut(..layer.row()) else { return };
        for (place, source) in sources.iter_mut().enumerate() {
            let activation = before.get(place).map_or(Lanes::all(PlasticShape::BIAS), |unit| unit.activation);
            *source = rule.source(&source_view(weights, &layer, needs, place, activation));
        }
        let Plasticity { share, kind, .. } = self.plasticity;
        for (row, unit) in weights.chunks_exact_mut(layer.row()).zip(after) {
            let neuron = rule.neuron(&neuron_view(row, &layer, needs, unit));
            for (weight, source) in row.iter_mut().zip(sources.iter()) {
                if share >= 256 || drawn(&mut self.draws) < share {
                    *weight = rule.change(&neuron, source, *weight).settled(*weight, kind);
                }
            }
        }
    }
}

/// Sums of products of a neuron's weights with the activations before it.
#[inline(always)]
fn weighted_sums<const L: usize>(row: &[Weight<L>], before: &[Unit<L>]) -> [i32; L] {
    let mut sums = [0i32; L];
    // Loops instead of closures: a closure that is not inlined is compiled without the caller's vector instructions.
    if let Some((bias, row)) = row.split_last() {
        for (weight, unit) in row.iter().zip(before) {
            let weight = weight.weight();
            for lane in 0..L {
                sums[lane] += i32::from(weight.0[lane]) * i32::from(unit.activation.0[lane]);
            }
        }
        let bias = bias.weight();
        for lane in 0..L {
            sums[lane] += i32::from(bias.0[lane]) * i32::from(PlasticShape::BIAS);
        }
    }
    sums
}

/// What the weights of `row`, all those into one neuron, see of it.
#[inline(always)]
fn neuron_view<const L: usize>(
    row: &[Weight<L>],
    layer: &PlasticLayer,
    needs: RuleNeeds,
    unit: &Unit<L>,
) -> NeuronView<L> {
    NeuronView {
        after: unit.activation,
        error: if needs.error { unit.error } else { Lanes::ZERO },
        weights: sum_if(needs.neuron_weights, row.iter().map(Weight::weight), layer.fan_in_shift),
        states: sum_if(needs.neuron_states, row.iter().map(Weight::visible), layer.fan_in_shift),
    }
}

/// What the weights at `place` of all rows, those from one unit, see of it.
#[inline(always)]
fn source_view<const L: usize>(
    weights: &[Weight<L>],
    layer: &PlasticLayer,
    needs: RuleNeeds,
    place: usize,
    before: Lanes<L>,
) -> SourceView<L> {
    let column = || weights.iter().skip(place).step_by(layer.row());
    SourceView {
        before,
        weights: sum_if(needs.source_weights, column().map(Weight::weight), layer.fan_out_shift),
        states: sum_if(needs.source_states, column().map(Weight::visible), layer.fan_out_shift),
    }
}

/// The sum of `values` in each lane, shifted and kept within -127 and 127; 0 where it is not needed.
#[inline(always)]
fn sum_if<const L: usize>(needed: bool, values: impl Iterator<Item = Lanes<L>>, shift: u32) -> Lanes<L> {
    if !needed {
        return Lanes::ZERO;
    }
    let mut sums = [0i32; L];
    for value in values {
        for lane in 0..L {
            sums[lane] += i32::from(value.0[lane]);
        }
    }
    Lanes(sums.map(|sum| (sum >> shift).clamp(-127, 127) as i16))
}

/// The activation of a neuron: a hard tanh with a bend, so that it still tells apart what is far from 0.
#[inline(always)]
fn bent(sum: i32) -> i16 {
    let over = (sum.abs() - BEND).clamp(0, 4 * (127 - BEND));
    let size = sum.abs().min(BEND) + over / 4;
    (if sum < 0 { -size } else { size }) as i16
}

/// The hidden state that the weights into a neuron begin with: three bits of the layer, counted from the output, and four
/// of the neuron's number.
fn code(layer: usize, neuron: usize) -> i16 {
    let bits = (layer & 7) << 4 | neuron & 15;
    (bits as i16 - 64) << 8
}

/// A byte of Marsaglia's 32-bit xorshift generator (2003): one draw a weight must be cheap.
#[inline(always)]
fn drawn(state: &mut u32) -> u16 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    (*state >> 24) as u16
}
