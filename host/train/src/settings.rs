//! Every hyperparameter of a run: what may be set in a file and by flags, and what a run finally uses.
//!
//! [`Settings`] is what a user says: everything optional, the same names in a TOML file and as flags. Defaults give way to
//! the file, the file to the flags. [`Config`] is the outcome, with nothing left open; it is saved with each run as
//! TOML that is again a valid file of settings, so that the run can be repeated.

mod config;
mod file;
mod grey;
mod notation;
mod presets;
mod resolve;
mod size;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::family::FamilyName;
use crate::operators;
pub use config::Config;
use evobit_data::{Dataset, LoadOptions, Schema};
pub use file::SettingsError;
pub use notation::{HiddenLayer, ImageShape, plan};
pub use presets::Preset;

/// What a user sets.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What to learn: `digits` or `iris` (built in), a folder of IDX files such as MNIST's, or a CSV file; memorize:512 for so many random
    /// images with random labels, memorize:512:7 for those of seed 7
    #[arg(long, value_name = "SOURCE", help_heading = "Data")]
    pub data: Option<String>,
    /// Label column of a CSV file, by name or by number from 1 [default: the last]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub label: Option<String>,
    /// Read the columns of a CSV file as an image: HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH
    #[arg(long, value_name = "SHAPE", help_heading = "Data")]
    pub shape: Option<ImageShape>,
    /// Share of the samples held out for the final test, where the data brings no test part [default: 0.2]
    #[arg(long, value_name = "SHARE", help_heading = "Data")]
    pub test: Option<f64>,
    /// Share of the samples that chooses between genomes [default: 0.1, of tables 0.05]
    #[arg(long, value_name = "SHARE", help_heading = "Data")]
    pub validation: Option<f64>,
    /// Go on from this model, such as one pulled from a board: its network, encoding and loss stay, and the search starts from its
    /// genome, without heat unless that is set
    #[arg(long, value_name = "MODEL", help_heading = "Network")]
    pub from: Option<PathBuf>,
    /// Choose network and search for a model image of at most 8192 bytes (small), 32 KB (medium) or 256 KB (large); all
    /// that is set beside it stands
    #[arg(long, value_enum, value_name = "SIZE", help_heading = "Network")]
    pub preset: Option<Preset>,
    /// Seed of the split, the start and the search: the same seed gives the same model [default: 1]
    #[arg(long, help_heading = "Search")]
    pub seed: Option<u64>,

    /// Thermometer levels per pixel or numeric column: one bit each [default: by the data; more where images are grey]
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub levels: Option<u16>,
    /// Hidden layers: NEURONS (dense) or NEURONS@HxW (each neuron sees a window of H by W pixels at its own place; NEURONS@PxHxW
    /// for P planes, one for each level, of them all), separated by commas; `none` for no hidden layer [default: by the data]
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', help_heading = "Network")]
    pub hidden: Option<Vec<HiddenLayer>>,
    /// What the network is: `network`, layers of neurons, or `memory`, prototypes of which the nearest answers, as many as the neurons of
    /// --hidden [default: network]
    #[arg(long, value_name = "KIND", help_heading = "Network")]
    pub kind: Option<FamilyName>,
    /// Rows and columns by which the windows of images slide: neurons look for their pattern at (N + 1)^2 positions, which makes models
    /// more accurate, and slower as many times; up to 7, 0 for not at all [default: 4; 0 with preset small unless images are grey, and where
    /// a window sees several planes]
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub slide: Option<u16>,
    /// How far the right score should lie above each wrong one [default: by the network]
    #[arg(long, allow_negative_numbers = true, help_heading = "Network")]
    pub margin: Option<f64>,
    /// How gradually the loss sets in around the margin, in units of the score [default: by the network]
    #[arg(long, help_heading = "Network")]
    pub temperature: Option<f64>,
    /// Resolution of the integer loss: units for each step of the score [default: 64]
    #[arg(long, value_name = "UNITS", help_heading = "Network")]
    pub slope: Option<u32>,
    /// Distorted copies of each image, itself among them, that the hot sweeps learn from by turns; 1 for none [default: by the data]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub copies: Option<u16>,
    /// Copies that the cold sweeps learn from together [default: as many as make 300000 samples, at least 1]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub together: Option<u16>,
    /// How far copies are shifted at most, in pixels [default: 1, for small images 0.5]
    #[arg(long, value_name = "PIXELS", help_heading = "Data")]
    pub shift: Option<f64>,
    /// How far copies are turned at most, in radians; they are sheared and stretched by up to half of it [default: 0.1,
    /// or 0.2 with preset medium or large]
    #[arg(long, value_name = "RADIANS", help_heading = "Data")]
    pub warp: Option<f64>,

    /// How to search: `spectrum` (exact effect of every single-bit mutant) or `genetic` (a classical genetic
    /// algorithm, for comparison) [default: spectrum]
    #[arg(long, value_enum, help_heading = "Search")]
    pub algorithm: Option<Algorithm>,
    /// Stop after so many sweeps over all neurons (spectrum) or generations (genetic) [default: 40, by the preset, or 2000]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub sweeps: Option<u32>,
    /// Stop after so many steps of the search; a run that was stopped early records its steps here [default: no limit]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub steps: Option<u64>,
    /// Stop after so many sweeps without a better result on the validation samples [default: 10; 200 generations]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub patience: Option<u32>,
    /// Stop when the model that would be saved is right on this share of the validation samples, such as 0.97, or with --validation 0
    /// of the training samples; held-out samples are never looked at [default: no limit]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, help_heading = "Search")]
    pub target: Option<f64>,
    /// Most flips that a neuron proposes together [default: 16]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub proposals: Option<u16>,
    /// How far uphill the search may go at first, in mean loss, to leave local optima; 0 for never [default: 0.002, or by the
    /// preset]
    #[arg(long, value_name = "LOSS", help_heading = "Search")]
    pub heat: Option<f64>,
    /// Sweeps over which the heat falls to 0 [default: three quarters of the sweeps]; with a budget it is 0 after three
    /// quarters of that at the latest
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub cooling: Option<u32>,
    /// The heat of every sweep, 0 after the last of them, in place of heat and cooling: how a run is recorded that a
    /// budget cooled
    #[arg(skip)]
    pub heats: Option<Vec<f64>>,
    /// Neurons whose spectra are computed together [default: 64]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub block: Option<u16>,
    /// While the search is hot, choose which weights to flip by the mean change of loss over so many levels of a table's column to
    /// either side; 0 for none [default: half the levels]
    #[arg(long, value_name = "LEVELS", help_heading = "Search")]
    pub smoothing: Option<u16>,
    /// Individuals of the genetic algorithm, on each island [default: 50]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub population: Option<u32>,
    /// Individuals that live on unchanged [default: 2]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub elites: Option<u32>,
    /// Parents are the best of so many drawn at random, or any of the best so many (selection `truncation`) [default: 5]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub tournament: Option<u32>,
    /// How the genetic algorithm selects parents [default: tournament]
    #[arg(long, value_name = "OPERATOR", value_parser = operators::parser(operators::SELECTIONS), help_heading = "Search")]
    pub selection: Option<String>,
    /// Bits that a mutation of the genetic algorithm flips, on average where their number varies [default: 4]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub flips: Option<u32>,
    /// How the genetic algorithm mutates [default: flips]
    #[arg(long, value_name = "OPERATOR", value_parser = operators::parser(operators::MUTATIONS), help_heading = "Search")]
    pub mutation: Option<String>,
    /// How parents mate; also how the spectrum-guided search of an island mates with immigrants [default: uniform, with islands
    /// union]
    #[arg(long, value_name = "OPERATOR", value_parser = operators::parser(operators::MATINGS), help_heading = "Search")]
    pub mating: Option<String>,
    /// What makes an individual of the genetic algorithm fit [default: loss]
    #[arg(long, value_name = "OBJECTIVE", value_parser = operators::parser(operators::OBJECTIVES), help_heading = "Search")]
    pub objective: Option<String>,
    /// Samples that a generation of the genetic algorithm is scored on, drawn anew for each; 0 for all [default: 0]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub batch: Option<u32>,
    /// Generations at the start in which adaptive rates evolve and nothing else [default: 0]
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub rate_generations: Option<u32>,
    /// Evolve on so many islands, which exchange migrants; the result depends on their number, not on the threads or machines
    /// that they run on [default: none, one search on all threads]
    #[arg(long, value_name = "N", help_heading = "Islands")]
    pub islands: Option<u16>,
    /// Sweeps or generations between two exchanges [default: 1 sweep, 20 generations]
    #[arg(long, value_name = "N", help_heading = "Islands")]
    pub epoch: Option<u32>,
    /// Who sends its best to whom: `ring`, `torus`, `random` (another ring each time) or `all` [default: ring]
    #[arg(long, value_enum, help_heading = "Islands")]
    pub graph: Option<GraphKind>,
    /// `deterministic`: migrants enter after --latency epochs, waited for where they must be. `async`: nobody waits, and arrivals
    /// are recorded, so that --replay repeats the run [default: deterministic]
    #[arg(long, value_enum, help_heading = "Islands")]
    pub migration: Option<MigrationKind>,
    /// Epochs after which a migrant enters, 1 or more: islands may be so far apart [default: 1]
    #[arg(long, value_name = "EPOCHS", help_heading = "Islands")]
    pub latency: Option<u32>,
    /// What the islands of the spectrum-guided search learn from while they are hot: `all` samples, or `parts`, each island another
    /// part, by turns [default: all]
    #[arg(long, value_enum, help_heading = "Islands")]
    pub share: Option<ShareKind>,
}

/// Who sends migrants to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphKind {
    /// Each to the next.
    Ring,
    /// Each to the one to its right and the one below it, on a grid that is closed both ways.
    Torus,
    /// Each to the next of a ring that is drawn anew for each epoch.
    Random,
    /// Each to all others.
    All,
}

/// When migrants enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationKind {
    /// So many epochs after they were sent.
    Deterministic,
    /// At the beginning of the epoch that they have arrived at.
    Async,
}

/// What islands learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareKind {
    /// Every sample.
    All,
    /// A part of them while the search is hot.
    Parts,
}

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Guided by the exact effect of every single-bit mutant.
    Spectrum,
    /// A classical genetic algorithm.
    Genetic,
}

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
            other = other.without_preset();
        }
        if self.heat.is_some() || self.cooling.is_some() {
            other.heats = None;
        }
        Self {
            preset: self.preset.or(other.preset),
            from: self.from.or(other.from),
            data: self.data.or(other.data),
            label: self.label.or(other.label),
            shape: self.shape.or(other.shape),
            test: self.test.or(other.test),
            validation: self.validation.or(other.validation),
            seed: self.seed.or(other.seed),
            levels: self.levels.or(other.levels),
            kind: self.kind.or(other.kind),
            slide: self.slide.or(other.slide),
            hidden: self.hidden.or(other.hidden),
            margin: self.margin.or(other.margin),
            temperature: self.temperature.or(other.temperature),
            slope: self.slope.or(other.slope),
            copies: self.copies.or(other.copies),
            together: self.together.or(other.together),
            shift: self.shift.or(other.shift),
            warp: self.warp.or(other.warp),
            algorithm: self.algorithm.or(other.algorithm),
            sweeps: self.sweeps.or(other.sweeps),
            steps: self.steps.or(other.steps),
            patience: self.patience.or(other.patience),
            target: self.target.or(other.target),
            proposals: self.proposals.or(other.proposals),
            heat: self.heat.or(other.heat),
            cooling: self.cooling.or(other.cooling),
            heats: self.heats.or(other.heats),
            block: self.block.or(other.block),
            smoothing: self.smoothing.or(other.smoothing),
            population: self.population.or(other.population),
            elites: self.elites.or(other.elites),
            tournament: self.tournament.or(other.tournament),
            flips: self.flips.or(other.flips),
            mating: self.mating.or(other.mating),
            selection: self.selection.or(other.selection),
            mutation: self.mutation.or(other.mutation),
            objective: self.objective.or(other.objective),
            batch: self.batch.or(other.batch),
            rate_generations: self.rate_generations.or(other.rate_generations),
            islands: self.islands.or(other.islands),
            epoch: self.epoch.or(other.epoch),
            graph: self.graph.or(other.graph),
            migration: self.migration.or(other.migration),
            latency: self.latency.or(other.latency),
            share: self.share.or(other.share),
        }
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

    /// What stands for memories where it is not set: chosen on validation samples of MNIST.
    #[must_use]
    pub fn remembering() -> Self {
        Self {
            hidden: Some(vec![HiddenLayer::Dense(100)]),
            margin: Some(2.0),
            temperature: Some(8.0),
            sweeps: Some(60),
            proposals: Some(8),
            heat: Some(0.0005),
            ..Self::default()
        }
    }

    /// These settings with all open that a preset sets.
    fn without_preset(self) -> Self {
        Self {
            preset: None,
            levels: None,
            slide: None,
            hidden: None,
            margin: None,
            temperature: None,
            copies: None,
            together: None,
            shift: None,
            warp: None,
            sweeps: None,
            heat: None,
            cooling: None,
            heats: None,
            smoothing: None,
            ..self
        }
    }

    /// The first that is set beside `from` although the model decides it.
    #[must_use]
    pub fn decided_by_model(&self) -> Option<&'static str> {
        let decided = [
            ("hidden", self.hidden.is_some()),
            ("levels", self.levels.is_some()),
            ("kind", self.kind.is_some()),
            ("preset", self.preset.is_some()),
            ("margin", self.margin.is_some()),
            ("temperature", self.temperature.is_some()),
            ("slope", self.slope.is_some()),
            ("shape", self.shape.is_some()),
        ];
        decided.iter().find(|(_, set)| *set && self.from.is_some()).map(|(key, _)| *key)
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
