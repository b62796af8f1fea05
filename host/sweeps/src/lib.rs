//! Many runs: a plan of configurations and seeds, carried out side by side, and a database of what came of them.
//!
//! [`plan`] reads the plan and lays out its runs, [`run`] carries one out on a single thread, `database` keeps plan and results in one SQLite
//! file (feature `sweep`). A run is known by its whole configuration, seed included: what is in the database already is not done again, so a
//! sweep that was killed goes on where it was. Runs are reproducible, so what one left half done is simply done anew.

#[cfg(feature = "sweep")]
pub mod database;
pub mod plan;
pub mod run;

#[cfg(feature = "sweep")]
pub use database::{Database, DatabaseError, Kept};
pub use plan::{Plan, PlanError, Planned};
pub use run::{Metric, Results, Sources, carry_out};

use evobit_search::Interrupt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Carries out `runs` on `jobs` threads, each run on one of them alone. `done` is shown what came of a run, as soon as it ends, one at a time;
/// where it says no, no further run begins.
pub fn side_by_side(
    runs: &[Planned],
    sources: &Sources,
    jobs: usize,
    stop: &Interrupt,
    done: impl FnMut(&Planned, Result<Results, String>) -> bool + Send,
) {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((done, true));
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(runs.len()) {
            scope.spawn(|| {
                // What a run spreads over threads it spreads over this one.
                let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()
                else {
                    return;
                };
                while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if stop.is_set() {
                        return;
                    }
                    let results = pool.install(|| carry_out(run, sources, stop));
                    // A run that was interrupted is not what was planned.
                    if stop.is_set() {
                        return;
                    }
                    let Ok(mut done) = done.lock() else { return };
                    let (tell, more) = &mut *done;
                    *more = *more && tell(run, results);
                    if !*more {
                        return;
                    }
                }
            });
        }
    });
}
