//! What a run is given beside its search: time, places to save to, a way to end it. Nothing of it changes the result, but a budget.

use std::time::{Duration, Instant};

use crate::checkpoint::Checkpoints;
use crate::stop::Interrupt;

/// What does not change the result of a run.
#[derive(Debug, Default)]
pub struct Session<'a> {
    /// When to stop.
    pub budget: Option<Duration>,
    /// Steps and seconds of the search before this session.
    pub before: (u64, f64),
    /// Where to save the state.
    pub checkpoints: Option<&'a mut Checkpoints>,
    /// Where to set aside what would be saved.
    pub snapshots: Option<&'a mut Snapshots>,
    /// Asks the search to end.
    pub interrupt: Interrupt,
}

/// The clock of a session, and what a long step asks whether it is to be given up.
#[derive(Clone, Debug)]
pub struct Pace {
    started: Instant,
    before: f64,
    budget: Option<Duration>,
    /// Asks the search to end.
    pub interrupt: Interrupt,
}

impl Pace {
    /// From now on.
    #[must_use]
    pub fn new(session: &Session<'_>) -> Self {
        let Session { budget, before, ref interrupt, .. } = *session;
        Self { started: Instant::now(), before: before.1, budget, interrupt: interrupt.clone() }
    }

    /// The time of this session.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Seconds of the search, with those before this session.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.before + self.elapsed().as_secs_f64()
    }

    /// When the session stops.
    #[must_use]
    pub fn budget(&self) -> Option<Duration> {
        self.budget
    }
}

/// Genomes with the time they were set aside at: the results that a search would have left at earlier times, for measuring how long
/// it takes.
#[derive(Debug)]
pub struct Snapshots {
    started: Instant,
    every: Duration,
    last: Instant,
    taken: Vec<(Duration, Vec<u32>)>,
}

impl Snapshots {
    /// None yet. Times count from `started`; one is due `every` so often, beside those with each row.
    #[must_use]
    pub fn new(started: Instant, every: Duration) -> Self {
        Self { started, every, last: Instant::now(), taken: vec![] }
    }

    /// The genomes that were set aside, each unlike the one before, in the order of their times.
    pub fn taken(&self) -> impl Iterator<Item = (Duration, &[u32])> {
        self.taken.iter().map(|(at, genome)| (*at, &genome[..]))
    }

    pub(crate) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    pub(crate) fn take(&mut self, genome: &[u32]) {
        self.last = Instant::now();
        if self.taken.last().is_none_or(|(_, last)| last != genome) {
            self.taken.push((self.started.elapsed(), genome.to_vec()));
        }
    }
}
