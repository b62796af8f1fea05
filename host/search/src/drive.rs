//! The loop of every search.

use crate::session::{Pace, Session};
use crate::stop::Stop;

/// What a step of a search came to.
#[derive(Clone, Debug)]
pub struct Step<Row> {
    /// Steps so far, as people count them: blocks, sweeps or generations.
    pub number: u64,
    /// Mutants or genomes scored so far.
    pub scored: u64,
    /// The row that the step made, if it made one.
    pub row: Option<Row>,
    /// Why the search ends here, if it does.
    pub stop: Option<Stop>,
}

/// A search, one step after the other. It is made from the start or from a [state](Self::state).
pub trait Searcher {
    /// What it reports now and then.
    type Row;
    /// Why it cannot go on.
    type Error;

    /// Takes a step. None where [`Pace::interrupt`] made it give the step up: then the state is that before it.
    ///
    /// # Errors
    /// What keeps the search from going on.
    fn step(&mut self, pace: &Pace) -> Result<Option<Step<Self::Row>>, Self::Error>;

    /// Everything that the rest of the search depends on, between two steps.
    fn state(&mut self) -> Vec<u8>;

    /// Files that show what was found so far, to be written into the run folder after a checkpoint: name and bytes. None where
    /// they are as before.
    ///
    /// # Errors
    /// Why they cannot be made, in one line.
    fn files(&mut self) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        Ok(vec![])
    }

    /// The genome that would be the result if the search ended here; after a step that made a row or not.
    fn found(&mut self, made_row: bool) -> Vec<u32> {
        let _ = made_row;
        vec![]
    }

    /// A last row of a search that the clock or a person ended after a step without one. It is for the result alone: a search that
    /// goes on from the state never made it.
    fn last_row(&mut self, pace: &Pace) -> Option<Self::Row> {
        let _ = pace;
        None
    }
}

/// Follows a search.
pub trait Watch<Row> {
    /// The search is at this step, having scored so many mutants or genomes.
    fn step(&mut self, step: u64, scored: u64) {
        let _ = (step, scored);
    }

    /// A sweep or a generation ended.
    fn row(&mut self, row: &Row) {
        let _ = row;
    }

    /// A checkpoint could not be written, for this reason; the search goes on.
    fn unsaved(&mut self, reason: &str) {
        let _ = reason;
    }

    /// Something that people may want to know, in one line.
    fn note(&mut self, line: &str) {
        let _ = line;
    }
}

/// Follows no search.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl<Row> Watch<Row> for Silent {}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub stop: Stop,
    /// Steps so far, as people count them.
    pub step: u64,
    /// True where its last state was saved.
    pub is_saved: bool,
}

/// Lets a search take steps until it ends, the budget is spent or it is interrupted; saves its state when that is due and at the end.
///
/// `pace` is the clock of the session. At least one step is taken, so that a run that goes on again and again with no time at all comes to its end.
///
/// # Errors
/// What keeps the search from going on.
pub fn drive<S: Searcher + ?Sized>(
    searcher: &mut S,
    pace: &Pace,
    session: &mut Session<'_>,
    watch: &mut dyn Watch<S::Row>,
) -> Result<Ended, S::Error> {
    let mut number = session.before.0;
    loop {
        let (mut stop, mut made_row) = (Some(Stop::Interrupted), false);
        if let Some(step) = searcher.step(pace)? {
            (number, stop, made_row) = (step.number, step.stop, step.row.is_some());
            watch.step(step.number, step.scored);
            step.row.iter().for_each(|row| watch.row(row));
        }
        if let Some(snapshots) = &mut session.snapshots
            && (made_row || snapshots.is_due())
        {
            snapshots.take(&searcher.found(made_row));
        }
        let stop = stop.or_else(|| early(pace));
        let mut is_saved = false;
        if let Some(checkpoints) = &mut session.checkpoints
            && (stop.is_some() || checkpoints.is_due())
        {
            let saved = checkpoints.write((number, pace.seconds()), searcher.state(), stop);
            is_saved = saved.is_ok();
            let mut shown = || {
                // At the end the caller writes them.
                let files = if stop.is_none() { searcher.files()? } else { vec![] };
                let folder = checkpoints.folder();
                let write = |(name, bytes): (&str, Vec<u8>)| folder.write(name, &bytes);
                files.into_iter().try_for_each(write).map_err(|error| error.to_string())
            };
            if let Err(reason) = saved.and_then(|()| shown()) {
                watch.unsaved(&reason);
            }
        }
        if let Some(stop) = stop {
            if stop.is_early() && !made_row {
                searcher.last_row(pace).iter().for_each(|row| watch.row(row));
            }
            return Ok(Ended { stop, step: number, is_saved });
        }
    }
}

fn early(pace: &Pace) -> Option<Stop> {
    if pace.interrupt.is_set() {
        return Some(Stop::Interrupted);
    }
    pace.budget().is_some_and(|budget| pace.elapsed() >= budget).then_some(Stop::Budget)
}

#[cfg(test)]
mod tests;
