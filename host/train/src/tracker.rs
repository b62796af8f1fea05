//! Counts what a search does, keeps its best genome and knows when it has done enough: what all algorithms share.

use evobit::loss::LossTable;
use evobit_model::evaluate::{self, Evaluation};
use evobit_search::{Pace, Stop};

use crate::checkpoint::{Best, Course};
use crate::cooling::Cooling;
use crate::prepare::Prepared;
use crate::row::Row;
use crate::settings::TrainConfig;

/// Follows one search, of a plain run or of an island.
pub(crate) struct Tracker<'a> {
    prepared: &'a Prepared,
    config: &'a TrainConfig,
    loss: LossTable<&'a [u32]>,
    cooling: Cooling,
    /// The clock, and whether the search is to end.
    pub(crate) pace: Pace,
    /// What was found so far.
    pub(crate) course: Course,
}

impl<'a> Tracker<'a> {
    /// Of a search that found this much before.
    pub(crate) fn new(prepared: &'a Prepared, config: &'a TrainConfig, course: Course, pace: Pace) -> Self {
        let cooling =
            if course.heats.is_empty() { Cooling::default() } else { Cooling::after(&course.heats) };
        Self { prepared, config, loss: prepared.loss_table(), cooling, pace, course }
    }

    /// Counts a step; says whether it was the last that the configuration allows.
    pub(crate) fn count(&mut self, mutants: u64, committed: u64) -> Option<Stop> {
        let now = &mut self.course.now;
        now.step += 1;
        now.mutants += mutants;
        now.committed += committed;
        now.seconds = self.pace.seconds();
        self.config.steps.is_some_and(|steps| now.step >= steps).then_some(Stop::Steps)
    }

    /// The heat of the sweep that the next step belongs to, in mean loss; decided when its first step is the next.
    pub(crate) fn heat(&mut self) -> f64 {
        let sweep = self.course.now.sweep;
        if let Some(&heat) = self.course.heats.get(sweep as usize) {
            return heat;
        }
        let heat = self.cooling.heat(self.config, sweep, self.pace.elapsed(), self.pace.budget());
        self.course.heats.push(heat);
        heat
    }

    /// Sweeps up to the last hot one, of those begun.
    fn hot_sweeps(&self) -> u32 {
        self.course.heats.iter().rposition(|&heat| heat > 0.0).map_or(0, |last| last as u32 + 1)
    }

    /// How a genome does on the validation part.
    fn validate(&self, genome: &[u32]) -> Evaluation {
        let samples = self.prepared.validation.samples();
        self.prepared.classifier(genome).map_or_else(
            |_| Evaluation::default(),
            |classifier| evaluate::score(&*classifier, &self.loss, samples),
        )
    }

    /// Scores a genome with this training loss, number of correct samples and of samples on the validation part, keeps it if
    /// it is the best, and says whether the search should stop.
    pub(crate) fn assess(
        &mut self,
        genome: &[u32],
        [train_loss, correct, samples]: [i64; 3],
        sweep_ended: bool,
    ) -> (Row, Option<Stop>) {
        let validation = self.validate(genome);
        let samples = samples.max(1) as f64;
        let unit = self.loss.unit();
        let hot = self.hot_sweeps();
        let now = &mut self.course.now;
        let cold = now.sweep >= hot;
        now.sweep += u32::from(sweep_ended);
        now.seconds = self.pace.seconds();
        let row = Row {
            train_loss: train_loss as f64 / f64::from(unit) / samples,
            train_accuracy: correct as f64 / samples,
            validation_loss: validation.mean_loss(unit),
            validation_accuracy: validation.accuracy(),
            ..*now
        };
        now.committed = 0;
        self.course.rows.push(row);
        let result = result(&validation);
        if self.is_better(result, cold) {
            self.course.best = Some(Best { genome: genome.to_vec(), row, result, cold });
        }
        // Patience begins when the search is cold.
        let best_sweep = self.course.best.as_ref().map_or(0, |best| best.row.sweep).max(hot);
        // Where nothing is held back to choose by, the training samples have to do.
        let accuracy =
            |row: &Row| if validation.samples == 0 { row.train_accuracy } else { row.validation_accuracy };
        let reached =
            |target: f64| self.course.best.as_ref().is_some_and(|best| accuracy(&best.row) >= target);
        let stop = if self.config.target.is_some_and(reached) {
            Some(Stop::Target)
        } else if row.sweep >= self.config.sweeps {
            Some(Stop::Sweeps)
        } else {
            (row.sweep.saturating_sub(best_sweep) >= self.config.patience).then_some(Stop::Patience)
        };
        (row, stop)
    }

    /// Should a genome of this validation result take the place of the best?
    ///
    /// A hot genome is a random one around a good one: one that validates well was lucky. The first cold one takes its
    /// place, whatever its result.
    fn is_better(&self, result: (u64, i64), cold: bool) -> bool {
        let best = self.course.best.as_ref();
        best.is_none_or(|best| if cold == best.cold { result >= best.result } else { cold })
    }

    /// The best genome so far, where there is one.
    pub(crate) fn best(&self) -> Option<&[u32]> {
        self.course.best.as_ref().map(|best| &best.genome[..])
    }

    /// The genome that would be the result if the search ended at `genome`, between two steps.
    pub(crate) fn result_at<'b>(&'b self, genome: &'b [u32]) -> &'b [u32] {
        let cold = self.course.now.sweep >= self.hot_sweeps();
        let better = self.is_better(result(&self.validate(genome)), cold);
        self.best().filter(|_| !better).unwrap_or(genome)
    }
}

/// A validation result, the higher the better: correct samples, then the loss. Without a validation part the last genome, which
/// has the lowest training loss, is the best.
fn result(validation: &Evaluation) -> (u64, i64) {
    (validation.correct as u64, -validation.loss)
}
