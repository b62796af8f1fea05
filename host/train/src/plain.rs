//! A run without islands: one algorithm under the driver.

use evobit_search::{Ended, Pace, Searcher, Step, Stop};

use crate::algorithm::{Algorithm, Place};
use crate::checkpoint::{Course, State};
use crate::error::TrainError;
use crate::outcome::Outcome;
use crate::row::Row;
use crate::tracker::Tracker;

/// An algorithm with its tracker.
pub(crate) struct Plain<'a> {
    place: Place<'a>,
    algorithm: Box<dyn Algorithm + 'a>,
    tracker: Tracker<'a>,
    /// The genome whose model was written last.
    written: Vec<u32>,
    /// The last step was given up: nothing is new since the one before.
    gave_up: bool,
}

impl<'a> Plain<'a> {
    pub(crate) fn new(place: Place<'a>, algorithm: Box<dyn Algorithm + 'a>, tracker: Tracker<'a>) -> Self {
        Self { place, algorithm, tracker, written: vec![], gave_up: false }
    }

    /// What was found until it ended.
    pub(crate) fn finish(self, ended: Ended) -> Outcome {
        let seconds = self.tracker.pace.seconds();
        Outcome {
            is_saved: ended.is_saved,
            ..found(self.tracker.course, ended.stop, seconds, self.algorithm.genome())
        }
    }
}

/// What a search has found that is at `genome` after so many seconds.
pub(crate) fn found(course: Course, stop: Stop, seconds: f64, genome: &[u32]) -> Outcome {
    let Course { now, rows, best, heats } = course;
    let (genome, best) = best.map_or_else(|| (genome.to_vec(), now), |best| (best.genome, best.row));
    let (steps, mutants) = (now.step, now.mutants);
    Outcome { genome, best, rows, stop, heats, steps, mutants, seconds, lineage: None, is_saved: true }
}

impl Searcher for Plain<'_> {
    type Row = Row;
    type Error = TrainError;

    fn step(&mut self, _: &Pace) -> Result<Option<Step<Row>>, TrainError> {
        let Some(stride) = self.algorithm.step(&mut self.tracker)? else {
            self.gave_up = true;
            return Ok(None);
        };
        let mut stop = self.tracker.count(stride.mutants, stride.committed);
        let mut row = None;
        if stride.sweep_ended || stop.is_some() {
            // The last row was at the end of the last sweep.
            let stands = self.tracker.course.now.committed == 0;
            let converged = stride.sweep_ended && stride.is_cold && stands;
            let training = self.algorithm.training();
            let (made, verdict) = self.tracker.assess(self.algorithm.genome(), training, stride.sweep_ended);
            self.place.accelerator.check()?;
            stop = stop.or(verdict).or(converged.then_some(Stop::Converged));
            row = Some(made);
        }
        let now = &self.tracker.course.now;
        Ok(Some(Step { number: now.step, scored: now.mutants, row, stop }))
    }

    fn state(&mut self) -> Vec<u8> {
        self.tracker.course.now.seconds = self.tracker.pace.seconds();
        let course = self.tracker.course.clone();
        // An algorithm that took a step has a state.
        self.algorithm.state().map_or_else(|_| vec![], |search| State { course, search }.to_bytes())
    }

    fn files(&mut self) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        let genome = self.tracker.best().unwrap_or_else(|| self.algorithm.genome());
        if self.written == genome {
            return Ok(vec![]);
        }
        let model = self.place.prepared.model(genome).map_err(|error| error.to_string())?;
        self.written = genome.to_vec();
        Ok(vec![("model.evb", model.bytes().to_vec())])
    }

    fn found(&mut self, made_row: bool) -> Vec<u32> {
        let genome = self.algorithm.genome();
        let best = self.tracker.best().filter(|_| made_row);
        best.unwrap_or_else(|| self.tracker.result_at(genome)).to_vec()
    }

    fn last_row(&mut self, _: &Pace) -> Option<Row> {
        if self.gave_up {
            return None;
        }
        let training = self.algorithm.training();
        Some(self.tracker.assess(self.algorithm.genome(), training, false).0)
    }
}
