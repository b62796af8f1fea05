//! Training: from loaded data to the best genome found.
//!
//! [`prepare`] splits, learns the encoder, encodes and plans the network; [`run`] searches. What chooses between genomes is the
//! validation part: after every sweep the genome is scored on it and the best is kept. The test part is
//! only carried along; nothing here looks at it.

mod genetic;
mod prepare;
mod spectrum;

use std::time::{Duration, Instant};

use evobit::evolve::landscape::LandscapeError;
use evobit::loss::LossTable;

use crate::backend::{self, Memory};
use crate::evaluate::Score;
use crate::settings::{Algorithm, Config};

pub use prepare::{PrepareError, Prepared, parts, prepare};
pub use spectrum::layer_spectrum;

/// The state of a search at the end of a sweep, or where it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// Steps so far: blocks of neurons visited, or generations.
    pub step: u64,
    /// Sweeps so far, or generations.
    pub sweep: u32,
    /// Mutants scored so far.
    pub mutants: u64,
    /// Seconds since the search began; for people, never for decisions.
    pub seconds: f64,
    /// Mean loss on the samples learned from, shifted copies included.
    pub train_loss: f64,
    /// Accuracy on them.
    pub train_accuracy: f64,
    /// Mean loss on the validation part; NaN without one.
    pub validation_loss: f64,
    /// Accuracy on it; NaN without one.
    pub validation_accuracy: f64,
    /// Mutations that became part of the genome since the last row.
    pub committed: u64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// No single mutation improves the genome.
    Converged,
    /// No better validation loss for as many sweeps as the configuration is patient.
    Patience,
    /// As many sweeps as the configuration allows.
    Sweeps,
    /// As many steps as the configuration allows.
    Steps,
    /// The time budget was spent.
    Budget,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Stop {
    /// True where the clock or a person ended the search, so that only its recorded steps repeat it.
    #[must_use]
    pub const fn is_early(self) -> bool {
        matches!(self, Self::Budget | Self::Interrupted)
    }
}

/// Follows a search and may end it.
pub trait Watch {
    /// The search is at this step, having scored so many mutants.
    fn step(&mut self, step: u64, mutants: u64);
    /// A sweep ended.
    fn row(&mut self, row: &Row);
    /// Should the search stop now?
    fn interrupted(&self) -> bool;
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The genome that did best on the validation part.
    pub genome: Vec<u32>,
    /// The row it belongs to.
    pub best: Row,
    /// All rows.
    pub rows: Vec<Row>,
    /// Why the search ended.
    pub stop: Stop,
    /// Steps taken.
    pub steps: u64,
    /// Mutants scored.
    pub mutants: u64,
    /// Seconds of the search.
    pub seconds: f64,
}

/// Searches for a genome.
///
/// # Errors
/// None for what [`prepare`] made.
pub fn run(
    prepared: &Prepared,
    config: &Config,
    budget: Option<Duration>,
    watch: &mut dyn Watch,
) -> Result<Outcome, LandscapeError> {
    match config.algorithm {
        Algorithm::Spectrum => spectrum::run(prepared, config, Keeper::new(prepared, config, budget, watch)),
        Algorithm::Genetic => genetic::run(prepared, config, Keeper::new(prepared, config, budget, watch)),
    }
}

/// Keeps the best genome and knows when to stop: what all searches share.
struct Keeper<'a> {
    prepared: &'a Prepared,
    config: &'a Config,
    loss: LossTable<&'a [u32]>,
    budget: Option<Duration>,
    watch: &'a mut dyn Watch,
    started: Instant,
    now: Row,
    rows: Vec<Row>,
    /// The best genome, its row, and its validation result: correct samples and loss.
    best: Option<(Vec<u32>, Row, (usize, i64))>,
}

impl<'a> Keeper<'a> {
    fn new(
        prepared: &'a Prepared,
        config: &'a Config,
        budget: Option<Duration>,
        watch: &'a mut dyn Watch,
    ) -> Self {
        let loss = prepared.loss_table();
        let (rows, now) = (vec![], Row::default());
        Self { prepared, config, loss, budget, watch, started: Instant::now(), now, rows, best: None }
    }

    /// Counts a step; says whether the search must stop after it.
    fn step(&mut self, mutants: u64, committed: u64) -> Option<Stop> {
        self.now.step += 1;
        self.now.mutants += mutants;
        self.now.committed += committed;
        self.watch.step(self.now.step, self.now.mutants);
        if self.config.steps.is_some_and(|steps| self.now.step >= steps) {
            return Some(Stop::Steps);
        }
        if self.watch.interrupted() {
            return Some(Stop::Interrupted);
        }
        self.budget.is_some_and(|budget| self.started.elapsed() >= budget).then_some(Stop::Budget)
    }

    /// How a genome does on the validation part.
    fn validate(&self, genome: &[u32]) -> Score {
        let samples = self.prepared.validation.samples();
        let (topology, instructions) = (&self.prepared.topology, self.prepared.instructions);
        // A landscape runs many samples faster than one network one sample at a time.
        let mut memory = Memory::default();
        match backend::landscape(instructions, topology, genome, samples, self.loss, &mut memory) {
            Ok(landscape) => Score {
                samples: samples.len(),
                correct: landscape.correct() as usize,
                loss: landscape.loss(),
            },
            Err(_) => Score::default(),
        }
    }

    /// Scores the genome on the validation part, keeps it if it is the best, and says whether the search should stop.
    fn assess(
        &mut self,
        genome: &[u32],
        train_loss: i64,
        train_correct: u32,
        sweep_ended: bool,
    ) -> Option<Stop> {
        let validation = self.validate(genome);
        let samples = self.prepared.train.labels.len().max(1) as f64;
        let unit = self.loss.unit();
        self.now.sweep += u32::from(sweep_ended);
        let row = Row {
            seconds: self.started.elapsed().as_secs_f64(),
            train_loss: train_loss as f64 / f64::from(unit) / samples,
            train_accuracy: f64::from(train_correct) / samples,
            validation_loss: validation.mean_loss(unit),
            validation_accuracy: validation.accuracy(),
            ..self.now
        };
        self.now.committed = 0;
        self.rows.push(row);
        self.watch.row(&row);
        // Without a validation part the last genome, which has the lowest training loss, is the best.
        let result = (validation.correct, -validation.loss);
        let better = self.best.as_ref().is_none_or(|(_, _, best)| result >= *best);
        if better {
            self.best = Some((genome.to_vec(), row, result));
        }
        let best_sweep = self.best.as_ref().map_or(0, |(_, row, _)| row.sweep);
        if row.sweep >= self.config.sweeps {
            Some(Stop::Sweeps)
        } else {
            (row.sweep - best_sweep >= self.config.patience).then_some(Stop::Patience)
        }
    }

    fn finish(self, stop: Stop, genome: &[u32]) -> Outcome {
        let (genome, best, _) = self.best.unwrap_or_else(|| (genome.to_vec(), self.now, (0, 0)));
        Outcome {
            genome,
            best,
            rows: self.rows,
            stop,
            steps: self.now.step,
            mutants: self.now.mutants,
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }
}
