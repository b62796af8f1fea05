//! All that is known of a run while some of its settings are open, for the rules of the table.

use evobit_data::Schema;

use super::suggestion::{Suggestion, loss_scale};
use super::{Algorithm, Facts, HiddenLayer, Settings};

/// All that is known of a run while some of its settings are open. It has a method for each setting of the table: what the user
/// set, else the default.
#[derive(Clone, Debug)]
pub(super) struct Open<'a> {
    pub(super) settings: &'a Settings,
    pub(super) facts: Facts<'a>,
    /// What presets say. Empty until it is made itself, which uses only defaults that do not depend on it.
    pub(super) suggested: Suggestion,
}

impl<'a> Open<'a> {
    pub(super) fn new(settings: &'a Settings, facts: Facts<'a>) -> Self {
        Self { settings, facts, suggested: Suggestion::default() }
    }

    pub(super) fn is_genetic(&self) -> bool {
        self.algorithm() == Algorithm::Genetic
    }

    /// Margin and temperature of the loss.
    pub(super) fn loss(&self) -> (f64, f64) {
        self.settings.loss(self.facts.schema, &self.suggested.hidden)
    }
}

impl Settings {
    /// Margin and temperature of the loss for a network with these hidden layers.
    pub(super) fn loss(&self, schema: &Schema, hidden: &[HiddenLayer]) -> (f64, f64) {
        let width = hidden.last().map_or(0, |layer| match layer {
            HiddenLayer::None => 0,
            HiddenLayer::Dense(neurons) => u64::from(*neurons),
            HiddenLayer::Window { output, .. } => output.units(),
        });
        // The spread of the scores of a random network grows with the square root of the neurons that vote.
        let scale = (width.max(16) as f64).sqrt();
        let (margin, temperature) = loss_scale(schema);
        let margin = self.margin.unwrap_or_else(|| (margin * scale).round());
        let temperature = self.temperature.unwrap_or_else(|| (temperature * scale).round());
        (margin, temperature)
    }
}
