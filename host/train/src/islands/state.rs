//! What an island goes on from: its checkpoint holds this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ancestry::Ancestry;
use super::records::{Arrival, Migrant, Record};
use crate::checkpoint::{Course, Search};
use evobit_search::words;

/// A genome of which islands know that they both have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Known(#[serde(with = "words")] pub(super) Vec<u32>);

/// Everything that the rest of an island's life depends on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct IslandState {
    /// The island.
    pub island: u16,
    /// Epochs it has lived.
    pub epoch: u32,
    /// Where its search is; none before the first epoch.
    pub search: Option<Search>,
    /// What it found.
    pub course: Course,
    /// No single mutation improves its genome, so it need not search until somebody comes.
    pub settled: bool,
    /// Those of its emigrants that the islands they are for have not taken in at their checkpoints, as far as it knows.
    pub sent: Vec<Migrant>,
    /// The last genome that it sent to all that it sends to; none on random graphs, where these are others each time.
    pub told: Option<Known>,
    /// The last genome that each other sent to it; none on random graphs.
    pub known: BTreeMap<u16, Known>,
    /// Those who came, where nobody waited for them.
    pub arrivals: Vec<Arrival>,
    /// How its genome came to be.
    pub ancestry: Ancestry,
    /// What each epoch came to.
    pub records: Vec<Record>,
}

impl IslandState {
    /// An island before its first epoch.
    pub(super) fn new(island: u16, start: &[u32]) -> Self {
        Self {
            island,
            epoch: 0,
            search: None,
            course: Course::default(),
            settled: false,
            sent: vec![],
            told: None,
            known: BTreeMap::new(),
            arrivals: vec![],
            ancestry: Ancestry::new(start.to_vec()),
            records: vec![],
        }
    }

    /// Forgets what others know of it and it of them, and what is under way.
    pub(super) fn forget(&mut self) {
        self.told = None;
        self.known.clear();
        self.sent.clear();
    }
}
