//! What a rule sees of a weight's neighbourhood, and what a rule is.

use super::{Lanes, Weight};

/// What all weights into one neuron see of it. All values are -127 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeuronView<const L: usize> {
    /// Its activation: the activation after these weights.
    pub after: Lanes<L>,
    /// Its error: at the output how far it fails its target, elsewhere the feedback that local sums carry backwards.
    pub error: Lanes<L>,
    /// The sum of its weights, shifted; 0 unless the rule needs it.
    pub weights: Lanes<L>,
    /// The sum of its weights' hidden states, shifted; 0 unless the rule needs it.
    pub states: Lanes<L>,
}

/// What all weights from one unit see of it. All values are -127 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceView<const L: usize> {
    /// Its activation: the activation before these weights.
    pub before: Lanes<L>,
    /// The sum of its weights, shifted; 0 unless the rule needs it.
    pub weights: Lanes<L>,
    /// The sum of its weights' hidden states, shifted; 0 unless the rule needs it.
    pub states: Lanes<L>,
}

/// What a rule must be given beside activations. Sums that nobody needs are not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RuleNeeds {
    /// Errors, so labelled samples.
    pub error: bool,
    /// Sums of the weights that share their next-layer neuron.
    pub neuron_weights: bool,
    /// Sums of the hidden states of the weights that share their next-layer neuron.
    pub neuron_states: bool,
    /// Sums of the weights that share their previous-layer unit.
    pub source_weights: bool,
    /// Sums of the hidden states of the weights that share their previous-layer unit.
    pub source_states: bool,
}

/// A rule that changes weights by what their neighbourhoods show.
///
/// It is asked in three parts, so that what weights share is computed once: of every neuron, of every unit before it,
/// and then, from these two and the weight itself, the change. It gets to see nothing else.
pub trait LocalRule<const L: usize> {
    /// What it makes of a neuron.
    type Neuron: Copy;
    /// What it makes of a unit before.
    type Source: Copy;

    /// What it must be given; nothing but activations where a rule does not say.
    fn needs(&self) -> RuleNeeds {
        RuleNeeds::default()
    }

    /// Looks at a neuron, once a step.
    fn neuron(&self, view: &NeuronView<L>) -> Self::Neuron;

    /// Looks at a unit before a layer, once a step.
    fn source(&self, view: &SourceView<L>) -> Self::Source;

    /// The weight after the step. The network keeps it within bounds.
    fn change(&self, neuron: &Self::Neuron, source: &Self::Source, weight: Weight<L>) -> Weight<L>;
}
