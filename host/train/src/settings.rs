//! Every hyperparameter of a run: what may be set in a file and by flags, and what a run finally uses.
//!
//! [`Settings`] is what a user says: everything optional, the same names in a TOML file and as flags. Defaults give way to
//! the file, the file to the flags. [`TrainConfig`] is the outcome, with nothing left open; it is saved with each run as
//! TOML that is again a valid file of settings, so that the run can be repeated. Both, and the help, follow from one
//! table, `table.rs`, which has an entry for each setting.
//!
//! Imports point one way. `facts`, `kinds`, `notation`, `value`, `check` and `suggestion` need no settings. `declare`, `table`
//! and `open` make the settings out of them. All others read these, and `resolve` joins them.

mod check;
mod config;
mod declare;
mod defaults;
mod facts;
mod file;
mod grey;
mod kinds;
mod notation;
mod open;
mod presets;
mod resolve;
mod size;
mod suggestion;
mod table;
mod together;
mod value;

pub use declare::Setting;
pub use facts::Facts;
pub use file::SettingsError;
pub use kinds::{Algorithm, GraphKind, MigrationKind, Preset, ShareKind};
pub use notation::{HiddenLayer, ImageShape, TestPart, plan};
pub use table::{Settings, TrainConfig};
pub use value::Value;

#[cfg(test)]
mod tests;
