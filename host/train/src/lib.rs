//! Training: from loaded data to the best genome found.
//!
//! [`prepare`] splits, learns the encoder, encodes and plans the network; [`run`] searches. What chooses between genomes is the
//! validation part: after every sweep the genome is scored on it and the best is kept. The test part is
//! only carried along; nothing here looks at it. A search is saved between steps, see [`checkpoint`], and goes on from
//! there as if nothing had happened.

pub mod checkpoint;
mod cooling;
pub mod family;
mod genetic;
pub mod islands;
mod objective;
pub mod operators;
mod prepare;
pub mod run_folder;
pub mod settings;
mod snapshots;
mod source;
mod spectrum;
mod start;

use std::time::{Duration, Instant};

use evobit::evolve::landscape::{Landscape, LandscapeError};
use evobit::loss::LossTable;

use crate::settings::{Algorithm, Config};
use evobit_compute::SearchError;
use evobit_model::evaluate::{self, Score};

use checkpoint::{Best, Checkpoint, Checkpoints, Course, Search, State};
use cooling::Cooling;
pub use prepare::{PrepareError, Prepared, parts, prepare, prepare_from, random_genome};
pub use snapshots::Snapshots;
pub use source::{Source, SourceError};
pub use spectrum::layer_spectrum;
pub use spectrum::{landscape, memories};

/// The state of a search at the end of a sweep, or where it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// Steps so far: blocks of neurons visited, or generations.
    pub step: u64,
    /// Sweeps so far, or generations.
    pub sweep: u32,
    /// Mutants scored so far.
    pub mutants: u64,
    /// Seconds since the search began; for people, never for decisions.
    pub seconds: f64,
    /// Mean loss on the samples that the sweep learned from.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// No single mutation improves the genome.
    Converged,
    /// No better validation loss for as many sweeps as the configuration is patient.
    Patience,
    /// The best genome is as accurate on the validation part as the configuration asks for.
    Target,
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
    /// A checkpoint could not be written, for this reason; the search goes on.
    fn unsaved(&mut self, reason: &str);
    /// Islands that lived before go on from their checkpoints of these epochs.
    fn islands(&mut self, _epochs: &[u32]) {}
}

/// Follows no search.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Watch for Silent {
    fn step(&mut self, _: u64, _: u64) {}

    fn row(&mut self, _: &Row) {}

    fn interrupted(&self) -> bool {
        false
    }

    fn unsaved(&mut self, _: &str) {}
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
    /// The heat of each sweep that was begun, in mean loss; none of a genetic algorithm.
    pub heats: Vec<f64>,
    /// Steps taken.
    pub steps: u64,
    /// Mutants scored.
    pub mutants: u64,
    /// Seconds of the search.
    pub seconds: f64,
    /// Of islands how the genome came to be.
    pub lineage: Option<islands::lineage::Lineage>,
}

/// What does not change the result of a run.
#[derive(Debug, Default)]
pub struct Session<'a> {
    /// When to stop. The search is cold for the last quarter of it, see [`Outcome::heats`] for what came of that.
    pub budget: Option<Duration>,
    /// Where to save the state.
    pub checkpoints: Option<&'a mut Checkpoints>,
    /// Where to set aside what would be saved.
    pub snapshots: Option<&'a mut Snapshots>,
    /// The other processes of a run of islands; none where it is one process.
    pub transport: Option<&'a dyn islands::exchange::Transport>,
    /// Who came to each island in the run that this one is to repeat.
    pub replay: Option<Vec<Vec<islands::Arrival>>>,
}

/// Why a search cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// What was prepared makes no landscape.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// The search failed where it computes.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// An island cannot go on, for this reason.
    #[error("{0}")]
    Islands(String),
}

/// Searches for a genome, from the start or from where another run was.
///
/// # Errors
/// None for what [`prepare`] made and a checkpoint that [`Checkpoint::fits`], but for failures of a GPU; of islands what keeps one of them from
/// going on, such as a full disk.
pub fn run<'a>(
    prepared: &'a Prepared,
    config: &'a Config,
    session: Session<'a>,
    from: Option<Checkpoint>,
    watch: &'a mut dyn Watch,
) -> Result<Outcome, TrainError> {
    if config.islands.is_some() {
        let transport = session.transport.unwrap_or(&islands::exchange::Alone);
        // Others go by what the first process read, which may be writing while they read.
        if transport.rank() > 0 || from.as_ref().is_none_or(|from| from.ended().is_none()) {
            return islands::run(prepared, config, session, from, watch);
        }
        islands::dismiss(transport, session.checkpoints.as_ref().map(|checkpoints| checkpoints.folder()));
    }
    let mut keeper = Keeper::new(prepared, config, session, watch);
    let mut search = None;
    if let Some(from) = from {
        keeper.before = from.state.course.now.seconds;
        keeper.course = from.state.course.clone();
        keeper.cooling = Cooling::after(&keeper.course.heats);
        if let Some(stop) = from.ended() {
            if let Some(checkpoints) = &mut keeper.session.checkpoints {
                checkpoints.ended(from);
            }
            return Ok(keeper.finish(stop, &[]));
        }
        search = Some(from.state.search);
    }
    Ok(match config.algorithm {
        Algorithm::Spectrum => spectrum::run(prepared, config, search, keeper)?,
        Algorithm::Genetic => genetic::run(prepared, config, search, keeper)?,
    })
}

impl Outcome {
    /// Of a search that found nothing yet.
    fn empty(genome: Vec<u32>) -> Self {
        let (best, stop) = (Row::default(), Stop::Interrupted);
        let (rows, heats) = (vec![], vec![]);
        Self { genome, best, rows, stop, heats, steps: 0, mutants: 0, seconds: 0.0, lineage: None }
    }
}

/// Keeps the best genome and the checkpoints, and knows when to stop: what all searches share.
struct Keeper<'a> {
    prepared: &'a Prepared,
    config: &'a Config,
    loss: LossTable<&'a [u32]>,
    session: Session<'a>,
    watch: &'a mut dyn Watch,
    started: Instant,
    /// Seconds of the search before that.
    before: f64,
    cooling: Cooling,
    course: Course,
}

impl<'a> Keeper<'a> {
    fn new(
        prepared: &'a Prepared,
        config: &'a Config,
        session: Session<'a>,
        watch: &'a mut dyn Watch,
    ) -> Self {
        let (loss, started) = (prepared.loss_table(), Instant::now());
        let (cooling, course) = (Cooling::default(), Course::default());
        Self { prepared, config, loss, session, watch, started, before: 0.0, cooling, course }
    }

    /// Counts a step; says whether it was the last that the configuration allows.
    fn step(&mut self, mutants: u64, committed: u64) -> Option<Stop> {
        let now = &mut self.course.now;
        now.step += 1;
        now.mutants += mutants;
        now.committed += committed;
        self.watch.step(now.step, now.mutants);
        self.config.steps.is_some_and(|steps| now.step >= steps).then_some(Stop::Steps)
    }

    /// Between two steps: saves the state where it is time for that, and says whether the search ends here, because of
    /// `stop` or because of the clock or a person.
    fn settle(&mut self, stop: Option<Stop>, search: impl FnOnce() -> Search) -> Option<Stop> {
        let stop = stop.or_else(|| self.early());
        if let Some(checkpoints) = &mut self.session.checkpoints
            && (stop.is_some() || checkpoints.is_due())
        {
            self.course.now.seconds = self.before + self.started.elapsed().as_secs_f64();
            let state = State { course: self.course.clone(), search: search() };
            if let Err(reason) = checkpoints.write(self.prepared, state, stop) {
                self.watch.unsaved(&reason);
            }
        }
        stop
    }

    fn early(&self) -> Option<Stop> {
        if self.watch.interrupted() {
            return Some(Stop::Interrupted);
        }
        self.session.budget.is_some_and(|budget| self.started.elapsed() >= budget).then_some(Stop::Budget)
    }

    /// The heat of the sweep that the next step belongs to, in mean loss; decided when its first step is the next.
    fn heat(&mut self) -> f64 {
        let sweep = self.course.now.sweep;
        if let Some(&heat) = self.course.heats.get(sweep as usize) {
            return heat;
        }
        let heat = self.cooling.heat(self.config, sweep, self.started.elapsed(), self.session.budget);
        self.course.heats.push(heat);
        heat
    }

    /// Sweeps up to the last hot one, of those begun.
    fn hot_sweeps(&self) -> u32 {
        self.course.heats.iter().rposition(|&heat| heat > 0.0).map_or(0, |last| last as u32 + 1)
    }

    /// How a genome does on the validation part.
    fn validate(&self, genome: &[u32]) -> Score {
        let samples = self.prepared.validation.samples();
        self.prepared.classifier(genome).map_or_else(
            |_| Score::default(),
            |classifier| evaluate::score(&*classifier, &self.loss, samples),
        )
    }

    /// Scores the genome of a landscape on the validation part, keeps it if it is the best, and says whether the search should
    /// stop.
    fn assess(&mut self, landscape: &dyn Landscape, sweep_ended: bool) -> Option<Stop> {
        let training = [landscape.loss(), landscape.correct().into(), landscape.samples().into()];
        self.assess_genome(landscape.genome(), training, sweep_ended)
    }

    /// The same of a genome with this training loss, number of correct samples and of samples.
    fn assess_genome(
        &mut self,
        genome: &[u32],
        [train_loss, correct, samples]: [i64; 3],
        sweep_ended: bool,
    ) -> Option<Stop> {
        let validation = self.validate(genome);
        let samples = samples.max(1) as f64;
        let unit = self.loss.unit();
        let hot = self.hot_sweeps();
        let now = &mut self.course.now;
        let cold = now.sweep >= hot;
        now.sweep += u32::from(sweep_ended);
        now.seconds = self.before + self.started.elapsed().as_secs_f64();
        let row = Row {
            train_loss: train_loss as f64 / f64::from(unit) / samples,
            train_accuracy: correct as f64 / samples,
            validation_loss: validation.mean_loss(unit),
            validation_accuracy: validation.accuracy(),
            ..*now
        };
        now.committed = 0;
        self.course.rows.push(row);
        self.watch.row(&row);
        let result = result(&validation);
        let better = self.is_better(result, cold);
        if better {
            self.course.best = Some(Best { genome: genome.to_vec(), row, result, cold });
        }
        // Patience begins when the search is cold.
        let best_sweep = self.course.best.as_ref().map_or(0, |best| best.row.sweep).max(hot);
        if let (Some(snapshots), Some(best)) = (&mut self.session.snapshots, &self.course.best) {
            snapshots.take(&best.genome);
        }
        // Where nothing is held back to choose by, the training samples have to do.
        let accuracy =
            |row: &Row| if validation.samples == 0 { row.train_accuracy } else { row.validation_accuracy };
        let reached =
            |target: f64| self.course.best.as_ref().is_some_and(|best| accuracy(&best.row) >= target);
        if self.config.target.is_some_and(reached) {
            Some(Stop::Target)
        } else if row.sweep >= self.config.sweeps {
            Some(Stop::Sweeps)
        } else {
            (row.sweep.saturating_sub(best_sweep) >= self.config.patience).then_some(Stop::Patience)
        }
    }

    /// Should a genome of this validation result take the place of the best?
    ///
    /// A hot genome is a random one around a good one: one that validates well was lucky. The first cold one takes its
    /// place, whatever its result.
    fn is_better(&self, result: (u64, i64), cold: bool) -> bool {
        let best = self.course.best.as_ref();
        best.is_none_or(|best| if cold == best.cold { result >= best.result } else { cold })
    }

    /// Between two steps: sets aside the genome that would be saved if the search ended here, where it is time for that.
    fn snapshot(&mut self, genome: &[u32]) {
        if self.session.snapshots.as_ref().is_none_or(|snapshots| !snapshots.is_due()) {
            return;
        }
        let cold = self.course.now.sweep >= self.hot_sweeps();
        let better = self.is_better(result(&self.validate(genome)), cold);
        let best = self.course.best.as_ref().filter(|_| !better);
        if let Some(snapshots) = &mut self.session.snapshots {
            snapshots.take(best.map_or(genome, |best| &best.genome));
        }
    }

    fn finish(self, stop: Stop, genome: &[u32]) -> Outcome {
        let Course { now, rows, best, heats } = self.course;
        let (genome, best) = best.map_or_else(|| (genome.to_vec(), now), |best| (best.genome, best.row));
        let seconds = self.before + self.started.elapsed().as_secs_f64();
        let (steps, mutants) = (now.step, now.mutants);
        Outcome { genome, best, rows, stop, heats, steps, mutants, seconds, lineage: None }
    }
}

/// A validation result, the higher the better: correct samples, then the loss. Without a validation part the last genome, which
/// has the lowest training loss, is the best.
fn result(validation: &Score) -> (u64, i64) {
    (validation.correct as u64, -validation.loss)
}
