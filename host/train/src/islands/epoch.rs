//! An epoch of search on an island.

use std::sync::atomic::{AtomicBool, Ordering};

use super::ancestry::{Cause, count};
use super::state::IslandState;
use super::world::World;
use crate::algorithm::{self, Algorithm, Immigrant};
use crate::error::TrainError;
use crate::settings::TrainConfig;
use crate::tracker::Tracker;
use evobit_search::{Pace, Session};

/// What an epoch's search came to.
pub(super) struct Epoch {
    /// Its best genome.
    pub(super) champion: Vec<u32>,
    /// The training loss of that.
    pub(super) loss: i64,
    /// Bits that the search changed.
    pub(super) changed: u32,
    /// Of each immigrant the bits in which it differed and those that were taken over.
    pub(super) taken: Vec<[u32; 2]>,
}

/// An epoch of search; none where it was given up.
pub(super) fn live(
    world: &World<'_>,
    state: &mut IslandState,
    immigrants: &[Immigrant],
    stop: &AtomicBool,
) -> Result<Option<Epoch>, String> {
    let course = std::mem::take(&mut state.course);
    let before = (course.now.step, course.now.seconds);
    let session = Session { before, interrupt: world.interrupt.clone(), ..Session::default() };
    let mut tracker = Tracker::new(world.prepared, world.config, course, Pace::new(&session));
    let epoch = search(world, state, immigrants, &mut tracker, stop);
    state.course = tracker.course;
    epoch.map_err(|error| format!("island {}: {error}", state.island))
}

/// Lets immigrants in and searches for as many sweeps as an epoch has.
fn search(
    world: &World<'_>,
    state: &mut IslandState,
    immigrants: &[Immigrant],
    tracker: &mut Tracker<'_>,
    stop: &AtomicBool,
) -> Result<Option<Epoch>, TrainError> {
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let place = world.place(state.island);
    let mut algorithm = algorithm::begin(place, state.search.as_ref())?;
    let (mut taken, mut changed) = (vec![[0; 2]; immigrants.len()], 0);
    let mut loss = state.records.last().map_or(0, |record| record.loss);
    let rests = state.settled && immigrants.is_empty();
    if !rests {
        let welcome = algorithm.welcome(immigrants, tracker, &mut state.ancestry)?;
        state.settled &= !welcome.was_adopted;
        taken = welcome.taken;
    }
    let came: u32 = taken.iter().map(|[_, taken]| taken).sum();
    let sweeps = sweeps(world.config, state.epoch, &*algorithm);
    let mut before = algorithm.genome().to_vec();
    let mut done = 0;
    while done < sweeps && !(state.settled && (done > 0 || rests)) {
        let Some(is_cold) = sweep(&mut *algorithm, tracker, stop)? else { return Ok(None) };
        done += 1;
        if !algorithm.has_rows_of_sweeps() && done < sweeps {
            continue;
        }
        let committed = tracker.course.now.committed;
        let (genome, training) = (algorithm.genome().to_vec(), algorithm.training());
        // Epochs end by their number alone.
        let _ = tracker.assess(&genome, training, true);
        place.accelerator.check()?;
        loss = training[0];
        changed += count(&before, &genome);
        state.ancestry.push(tracker.course.now.sweep, Cause::Search, &before, &genome);
        state.settled = is_cold && committed == 0 && (done > 1 || came == 0);
        before = genome;
    }
    state.search = Some(algorithm.state()?);
    Ok(Some(Epoch { champion: before, loss, changed, taken }))
}

/// Sweeps of an epoch. Generations end with the run, sweeps with the epoch.
fn sweeps(config: &TrainConfig, epoch: u32, algorithm: &dyn Algorithm) -> u32 {
    let done = u64::from(epoch) * u64::from(config.epoch);
    let left = u64::from(config.sweeps).saturating_sub(done).min(config.epoch.into()) as u32;
    if algorithm.has_rows_of_sweeps() { config.epoch } else { left }
}

/// A sweep or a generation: whether it was cold; none where it was given up.
fn sweep(
    algorithm: &mut dyn Algorithm,
    tracker: &mut Tracker<'_>,
    stop: &AtomicBool,
) -> Result<Option<bool>, TrainError> {
    loop {
        let stride = algorithm.step(tracker)?;
        let Some(stride) =
            stride.filter(|_| !stop.load(Ordering::Relaxed) && !tracker.pace.interrupt.is_set())
        else {
            return Ok(None);
        };
        tracker.count(stride.mutants, stride.committed);
        if stride.sweep_ended {
            return Ok(Some(stride.is_cold));
        }
    }
}
