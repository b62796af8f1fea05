//! Every hyperparameter of a run: what may be set in a file and by flags, and what a run finally uses.
//!
//! [`Settings`] is what a user says: everything optional, the same names in a TOML file and as flags. Defaults give way to
//! the file, the file to the flags. [`Config`] is the outcome, with nothing left open; it is saved with each run as
//! TOML that is again a valid file of settings, so that the run can be repeated. Both, and the help, follow from one
//! table, `table.rs`, which has an entry for each setting.

mod check;
mod config;
mod declare;
mod file;
mod grey;
mod kinds;
mod notation;
mod open;
mod presets;
mod size;
mod table;
mod value;

pub use declare::Setting;
use evobit_data::{Dataset, LoadOptions, Schema};
pub use file::SettingsError;
pub use kinds::{Algorithm, GraphKind, MigrationKind, Preset, ShareKind};
pub use notation::{HiddenLayer, ImageShape, plan};
pub use table::{Config, Settings};
pub use value::Value;

use declare::By;
use open::Open;

/// What of a data set its settings depend on. It is in a model as well, but for the samples.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the features are.
    pub schema: &'a Schema,
    /// Class names.
    pub classes: &'a [String],
    /// How many samples there are to learn from and to choose by.
    pub samples: usize,
    /// The samples themselves, where they are at hand: see `--levels`.
    pub data: Option<&'a Dataset>,
}

impl<'a> From<&'a Dataset> for Facts<'a> {
    fn from(data: &'a Dataset) -> Self {
        Self { schema: &data.schema, classes: &data.classes, samples: data.samples(), data: Some(data) }
    }
}

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

    /// What stands for random images where it is not set: nothing is held out of what shall be memorized, nothing is distorted, a pixel is a bit, and no
    /// mistake is left.
    #[must_use]
    pub fn memorizing() -> Self {
        Self {
            test: Some(0.0),
            validation: Some(0.0),
            copies: Some(1),
            levels: Some(1),
            hidden: Some(vec![HiddenLayer::Dense(256)]),
            target: Some(1.0),
            ..Self::default()
        }
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
        LoadOptions { label: self.label.clone(), shape }
    }
}

#[cfg(test)]
mod tests;
