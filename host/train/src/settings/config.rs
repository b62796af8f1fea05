//! What a run finally uses.

use std::path::PathBuf;

use evobit::evolve::landscape::MAX_TRIAL;
use evobit::evolve::search::MAX_BLOCK;
use evobit::evolve::smooth::MAX_RADIUS;
use serde::Serialize;

use evobit_data::augment::MAX_WARP;

use super::{Algorithm, GraphKind, HiddenLayer, ImageShape, MigrationKind, ShareKind};
use crate::family::FamilyName;
use crate::operators;

/// Each is a thread.
const MOST_ISLANDS: u16 = 1024;

/// What a run uses: settings with nothing left open. `None` stands for no limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are those of Settings")]
pub struct Config {
    pub data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<ImageShape>,
    pub test: f64,
    pub validation: f64,
    pub seed: u64,
    pub levels: u16,
    pub kind: FamilyName,
    pub hidden: Vec<HiddenLayer>,
    pub margin: f64,
    pub temperature: f64,
    pub slope: u32,
    pub copies: u16,
    pub together: u16,
    pub shift: f64,
    pub warp: f64,
    pub algorithm: Algorithm,
    pub sweeps: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    pub patience: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    pub proposals: u16,
    pub heat: f64,
    pub cooling: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heats: Option<Vec<f64>>,
    pub block: u16,
    pub smoothing: u16,
    pub population: u32,
    pub elites: u32,
    pub tournament: u32,
    pub flips: u32,
    pub mating: String,
    pub selection: String,
    pub mutation: String,
    pub objective: String,
    pub batch: u32,
    pub rate_generations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub islands: Option<u16>,
    pub epoch: u32,
    pub graph: GraphKind,
    pub migration: MigrationKind,
    pub latency: u32,
    pub share: ShareKind,
}

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        let complaint = if !share(self.test) || !share(self.validation) || self.test + self.validation >= 1.0
        {
            "test and validation must be shares from 0 that leave something to learn from, such as 0.2 and 0.1"
        } else if self.levels == 0 || self.levels > 1024 {
            "levels must be 1 to 1024"
        } else if self.sweeps == 0 || self.patience == 0 || self.steps == Some(0) {
            "sweeps, patience and steps must be at least 1"
        } else if self.target.is_some_and(|target| !(target > 0.0 && target <= 1.0)) {
            "target must be a share of the samples, more than 0 and up to 1, such as 0.97"
        } else if let Some(complaint) = self.kind.complaint(self) {
            complaint
        } else if self.objective != "loss" && self.algorithm != Algorithm::Genetic {
            "objective is of the genetic algorithm: set algorithm to genetic as well"
        } else if !(1..=MAX_TRIAL).contains(&self.proposals.into()) {
            "proposals must be 1 to 64"
        } else if !(0.0..=100.0).contains(&self.heat)
            || !self.heats.iter().flatten().all(|heat| (0.0..=100.0).contains(heat))
        {
            "heat and heats must be 0 to 100"
        } else if !(1..=MAX_BLOCK).contains(&self.block.into()) {
            "block must be 1 to 64"
        } else if usize::from(self.smoothing) > MAX_RADIUS {
            "smoothing must be 0 to 63 levels"
        } else if !(0.0..=8.0).contains(&self.shift) {
            "shift must be 0 to 8 pixels"
        } else if !(0.0..=MAX_WARP).contains(&self.warp) {
            "warp must be 0 to 0.5"
        } else if !(1..=1000).contains(&self.copies) || self.together == 0 {
            "copies must be 1 to 1000, together at least 1"
        } else if self.hidden.len() > 1 && self.hidden.contains(&HiddenLayer::None) {
            "hidden `none` stands alone"
        } else if !(2..=100_000).contains(&self.population) {
            "population must be 2 to 100000"
        } else if self.elites >= self.population || !(1..=self.population).contains(&self.tournament) {
            "elites must be fewer than the population, tournament 1 to the population"
        } else if self.islands.is_some_and(|islands| !(1..=MOST_ISLANDS).contains(&islands)) {
            "islands must be 1 to 1024"
        } else if self.epoch == 0 || self.latency == 0 {
            "epoch and latency must be at least 1"
        } else if self.islands.is_some() && (self.target.is_some() || self.steps.is_some()) {
            "islands end after as many sweeps as they are told: set sweeps, and leave target and steps out"
        } else if let Some(complaint) = operators::complaint(self) {
            return Err(complaint);
        } else {
            return Ok(());
        };
        Err(complaint.into())
    }

    /// The heat of a sweep, counted from 0, in mean loss: it falls in a straight line to 0 at the end of cooling, or is as
    /// recorded.
    #[must_use]
    pub fn heat_of(&self, sweep: u32) -> f64 {
        if let Some(heats) = &self.heats {
            return heats.get(sweep as usize).copied().unwrap_or(0.0);
        }
        let left = f64::from(self.cooling.saturating_sub(sweep)) / f64::from(self.cooling.max(1));
        // A product of exact numbers: the same on every machine.
        self.heat * left
    }

    /// Epochs of an island.
    #[must_use]
    pub const fn epochs(&self) -> u32 {
        self.sweeps.div_ceil(self.epoch)
    }

    /// The configuration as TOML, which is again a file of settings.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // All fields are plain values: this cannot fail.
        toml::to_string(self).unwrap_or_default()
    }
}
