//! From what a user sets to what a run uses.

use evobit_data::Schema;

use super::presets::{self, Suggestion};
use super::{Algorithm, Config, Facts, HiddenLayer, Settings};

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

/// Three quarters of a number of sweeps.
pub(super) fn three_quarters(sweeps: u32) -> u32 {
    (u64::from(sweeps) * 3 / 4) as u32
}

impl Settings {
    /// Fills what is open for data of these facts: by the preset, else with defaults.
    ///
    /// # Errors
    /// A line that names the setting that is out of range, or says why no network fits the preset.
    pub fn resolve<'a>(mut self, data: impl Into<Facts<'a>>) -> Result<Config, String> {
        let facts = data.into();
        if let (Some(kind), None) = (self.kind, self.preset) {
            let defaults: Result<Self, _> = toml::from_str(kind.defaults());
            self = self.or(defaults.map_err(|error| {
                format!("kind {kind}: its defaults are no settings ({}): correct them", error.message())
            })?);
        }
        let suggested = presets::suggest(&self, &facts)?;
        let config = Open { settings: &self, facts, suggested }.config();
        config.check()?;
        Ok(config)
    }

    /// Margin and temperature of the loss for a network with these hidden layers.
    pub(super) fn loss(&self, schema: &Schema, hidden: &[HiddenLayer]) -> (f64, f64) {
        let width = hidden.last().map_or(0, |layer| match layer {
            HiddenLayer::None => 0,
            HiddenLayer::Dense(neurons) => u64::from(*neurons),
            HiddenLayer::Window { output, .. } => output.units(),
        });
        // The spread of the scores of a random network grows with the square root of the neurons that vote.
        let scale = (width.max(16) as f64).sqrt();
        let (margin, temperature) = presets::loss_scale(schema);
        let margin = self.margin.unwrap_or_else(|| (margin * scale).round());
        let temperature = self.temperature.unwrap_or_else(|| (temperature * scale).round());
        (margin, temperature)
    }
}
