//! From what a user sets to what a run uses.

use evobit_data::{ColumnChoice, LoadOptions, Writing};

use super::declare::By;
use super::open::Open;
use super::presets::suggest;
use super::{Facts, ImageShape, Settings, TrainConfig};

impl Settings {
    /// These settings, and `other` where they are open. A preset stands above what `other` sets of all that presets set.
    #[must_use]
    pub fn or(self, mut other: Self) -> Self {
        if self.preset.is_some() {
            other = other.without(By::Preset);
        }
        if self.heat.is_some() || self.cooling.is_some() {
            other.heats = None;
        }
        self.each_or(other)
    }

    /// The key of the first that is set beside `from` although the model decides it.
    #[must_use]
    pub fn decided_by_model(&self) -> Option<String> {
        self.from.as_ref().and_then(|_| self.first_set(By::Model))
    }

    /// How to load the data that they name.
    #[must_use]
    pub fn load_options(&self) -> LoadOptions {
        let shape = self.shape.map(|ImageShape(channels, height, width)| (channels, height, width));
        LoadOptions {
            label: self.label.clone(),
            trained_label: None,
            shape,
            missing: self.missing,
            writing: Writing {
                separator: self.separator,
                decimal: self.decimal,
                no_header: self.no_header.unwrap_or_default(),
            },
            columns: ColumnChoice {
                drop: self.drop.clone().unwrap_or_default(),
                only: self.only.clone().unwrap_or_default(),
                categorical: self.categorical.clone().unwrap_or_default(),
                numeric: self.numeric.clone().unwrap_or_default(),
                group: self.group.clone(),
                split: self.split.clone(),
                id: None,
            },
        }
    }

    /// Fills what is open for data of these facts: by the preset, else with defaults.
    ///
    /// # Errors
    /// A line that names the setting that is out of range, or says why no network fits the preset.
    pub fn resolve<'a>(mut self, data: impl Into<Facts<'a>>) -> Result<TrainConfig, String> {
        let facts = data.into();
        if let (Some(kind), None) = (self.kind, self.preset) {
            let defaults: Result<Self, _> = toml::from_str(kind.defaults());
            self = self.or(defaults.map_err(|error| {
                format!("kind {kind}: its defaults are no settings ({}): correct them", error.message())
            })?);
        }
        let suggested = suggest(&self, &facts)?;
        let config = Open { settings: &self, facts, suggested }.config();
        config.check()?;
        Ok(config)
    }
}
