//! The models that a search would have left at earlier times, for measuring how long it takes.

use std::time::{Duration, Instant};

/// Genomes with the time they were set aside at.
#[derive(Debug)]
pub struct Snapshots {
    started: Instant,
    every: Duration,
    last: Instant,
    taken: Vec<(Duration, Vec<u32>)>,
}

impl Snapshots {
    /// None yet. Times count from `started`; one is due `every` so often, beside those at the ends of sweeps.
    #[must_use]
    pub fn new(started: Instant, every: Duration) -> Self {
        Self { started, every, last: Instant::now(), taken: vec![] }
    }

    /// The genomes that were set aside, each unlike the one before, in the order of their times.
    pub fn taken(&self) -> impl Iterator<Item = (Duration, &[u32])> {
        self.taken.iter().map(|(at, genome)| (*at, &genome[..]))
    }

    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    pub(super) fn take(&mut self, genome: &[u32]) {
        self.last = Instant::now();
        if self.taken.last().is_none_or(|(_, last)| last != genome) {
            self.taken.push((self.started.elapsed(), genome.to_vec()));
        }
    }
}
