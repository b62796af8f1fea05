//! What all islands of a process share.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};

use super::graph::Graph;
use super::records::Arrival;
use crate::algorithm::Place;
use crate::prepare::Prepared;
use crate::settings::{GraphKind, TrainConfig};
use evobit_compute::Accelerator;
use evobit_search::{Interrupt, RunFolder};

/// So many may compute at a time.
#[derive(Debug)]
pub(super) struct Permits {
    left: Mutex<usize>,
    returned: Condvar,
}

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        Self { left: Mutex::new(count.max(1)), returned: Condvar::new() }
    }

    /// Does some work when one of them is free.
    pub(super) fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        // A thread that panicked left the count as it was.
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while *left == 0 {
            left = self.returned.wait(left).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *left -= 1;
        drop(left);
        let done = work();
        *self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        self.returned.notify_one();
        done
    }
}

/// What all islands of a process share.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) config: &'a TrainConfig,
    /// The genome that all islands begin with.
    pub(super) start: &'a [u32],
    pub(super) graph: Graph,
    /// Where to save, and the checksum of the configuration.
    pub(super) folder: Option<(&'a RunFolder, u32)>,
    /// Who came to each island in the run that is to be repeated.
    pub(super) replay: Option<&'a [Vec<Arrival>]>,
    pub(super) permits: Permits,
    /// Threads of an island.
    pub(super) threads: usize,
    /// Asks the run to end.
    pub(super) interrupt: Interrupt,
    /// What each island of this process computes with.
    pub(super) accelerators: BTreeMap<u16, Accelerator>,
}

impl World<'_> {
    /// Where an island searches.
    pub(super) fn place(&self, island: u16) -> Place<'_> {
        let accelerator = self.accelerators.get(&island).unwrap_or(&self.prepared.accelerator);
        Place { prepared: self.prepared, config: self.config, accelerator, island }
    }

    /// Whether islands send to the same islands each time, so that flips against what was sent last are few. On random graphs all
    /// changes are against the start: to remember a genome of every other island would take more than it saves.
    pub(super) fn remembers(&self) -> bool {
        self.config.graph != GraphKind::Random
    }
}
