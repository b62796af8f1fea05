//! Rules written by hand: baselines for evolved ones, and examples of [`LocalRule`].

use super::{Lanes, LocalRule, NeuronView, RuleNeeds, SourceView, Weight};

/// Products of two signals are shifted left by so much, so that rates are shifts to the right alone.
const UP: u32 = 3;

/// Adds `amount`, eightfold and divided by 2 to the power of `rate`, to a state; all in range.
#[inline(always)]
pub(super) fn add<const L: usize>(state: Lanes<L>, amount: Lanes<L>, rate: u8) -> Lanes<L> {
    let rate = u32::from(rate).min(15);
    let amount = if rate < UP {
        let up = UP - rate;
        amount.map(|value| value.clamp(i16::MIN >> up, i16::MAX >> up) << up)
    } else {
        amount.shifted(rate - UP)
    };
    state.plus(amount)
}

/// The delta rule (Widrow and Hoff, 1960): error times activation before. With hidden layers, whose errors are carried
/// backwards, it is gradient descent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Delta {
    /// Changes are divided by 2 to the power of this.
    pub rate: u8,
}

impl<const L: usize> LocalRule<L> for Delta {
    type Neuron = Lanes<L>;
    type Source = Lanes<L>;

    fn needs(&self) -> RuleNeeds {
        RuleNeeds { error: true, ..RuleNeeds::default() }
    }

    #[inline(always)]
    fn neuron(&self, view: &NeuronView<L>) -> Lanes<L> {
        view.error.scaled(64)
    }

    #[inline(always)]
    fn source(&self, view: &SourceView<L>) -> Lanes<L> {
        view.before
    }

    #[inline(always)]
    fn change(&self, neuron: &Lanes<L>, source: &Lanes<L>, weight: Weight<L>) -> Weight<L> {
        Weight { value: add(weight.value, source.times(*neuron), self.rate), ..weight }
    }
}

/// Oja's rule (1982): Hebbian growth, and decay by the square of the activation after, so that a linear neuron's weights
/// become the first principal component. It needs no labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Oja {
    /// Changes are divided by 2 to the power of this.
    pub rate: u8,
}

impl<const L: usize> LocalRule<L> for Oja {
    /// The activation after, and its square.
    type Neuron = [Lanes<L>; 2];
    type Source = Lanes<L>;

    #[inline(always)]
    fn neuron(&self, view: &NeuronView<L>) -> [Lanes<L>; 2] {
        [view.after.scaled(64), square(view.after).scaled(-64)]
    }

    #[inline(always)]
    fn source(&self, view: &SourceView<L>) -> Lanes<L> {
        view.before
    }

    #[inline(always)]
    fn change(&self, neuron: &[Lanes<L>; 2], source: &Lanes<L>, weight: Weight<L>) -> Weight<L> {
        let change = source.times(neuron[0]).plus(weight.weight().times(neuron[1]));
        Weight { value: add(weight.value, change, self.rate), ..weight }
    }
}

/// Hebbian growth with the cube of the activation after, which favours inputs that drive a neuron far (as in Hyvärinen and Oja,
/// 1998), and homeostasis: the hidden state follows the size of the activation, and all weights of a neuron are scaled until
/// that is near its target (synaptic scaling, Turrigiano, 2008). It needs no labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CubicHebbian {
    /// Changes are divided by 2 to the power of this.
    pub rate: u8,
    /// The size of activation that a neuron's weights are scaled to, 0 to 127.
    pub target: u8,
}

impl<const L: usize> LocalRule<L> for CubicHebbian {
    /// The cube of the activation after, and its size.
    type Neuron = [Lanes<L>; 2];
    type Source = Lanes<L>;

    #[inline(always)]
    fn neuron(&self, view: &NeuronView<L>) -> [Lanes<L>; 2] {
        let cube = view
            .after
            .with(square(view.after), |value, square| ((i32::from(value) * i32::from(square)) >> 7) as i16);
        [cube.scaled(16), view.after.map(i16::abs)]
    }

    #[inline(always)]
    fn source(&self, view: &SourceView<L>) -> Lanes<L> {
        view.before
    }

    #[inline(always)]
    fn change(&self, neuron: &[Lanes<L>; 2], source: &Lanes<L>, weight: Weight<L>) -> Weight<L> {
        let (target, size) = (i16::from(self.target.min(127)), weight.visible());
        let lack = size.map(|size| (target - size).clamp(-127, 127)).scaled(64);
        let change = source.times(neuron[0]).plus(weight.weight().times(lack));
        let followed = neuron[1].with(size, |now, mean| now - mean).scaled(8);
        Weight { value: add(weight.value, change, self.rate), state: weight.state.plus(followed) }
    }
}

/// The square of a signal, 0 to 126.
#[inline(always)]
pub(super) fn square<const L: usize>(signal: Lanes<L>) -> Lanes<L> {
    signal.map(|value| value.wrapping_mul(value) >> 7)
}
