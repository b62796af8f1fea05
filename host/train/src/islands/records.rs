//! What goes from island to island, and what islands leave: plain values, which all else of islands is about.

use serde::{Deserialize, Serialize};

use super::ancestry::{Ancestry, Change};
use crate::checkpoint::Course;

/// An emigrant: what it changed in a genome that sender and receiver know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrant {
    /// The island that sends it.
    pub from: u16,
    /// The island that it is for.
    pub to: u16,
    /// The epoch that it was the best of.
    pub epoch: u32,
    /// Checksum of the genome that the change is of: the last that went this way, or the first of all.
    pub base: u32,
    /// Its training loss where it comes from.
    pub loss: i64,
    /// What turns that into the emigrant.
    pub change: Change,
}

/// A migrant that an island took in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The epoch of the island, counted from 0.
    pub epoch: u32,
    /// Whom and what it brought: enough to repeat it without the sender.
    pub migrant: Migrant,
}

/// What an epoch of an island came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The island.
    pub island: u16,
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Whom it mated with: the island, its epoch, the bits in which they differed and those that were taken over.
    pub mated: Vec<(u16, u32, u32, u32)>,
    /// Bits that the search changed.
    pub changed: u32,
    /// The training loss at its end.
    pub loss: i64,
    /// Validation samples that were right, as a share; NaN without any.
    pub validation: f64,
}

impl Record {
    /// Whom it mated with, each as `island@epoch:bits taken/bits that differed`.
    #[must_use]
    pub fn matings(&self) -> String {
        let one = |(from, epoch, differed, taken): &(u16, u32, u32, u32)| {
            format!("{from}@{epoch}:{taken}/{differed}")
        };
        self.mated.iter().map(one).collect::<Vec<String>>().join(" ")
    }
}

/// What an island leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finish {
    /// The island.
    pub island: u16,
    /// What it found.
    pub course: Course,
    /// How its last genome came to be.
    pub ancestry: Ancestry,
    /// What each epoch came to.
    pub records: Vec<Record>,
    /// Those who came, where nobody waited for them.
    pub arrivals: Vec<Arrival>,
    /// The run was stopped before its end.
    pub stopped: bool,
}

/// The island whose best genome did best on the validation part; of equals the first.
pub(super) fn winner(finished: &[Finish]) -> Option<&Finish> {
    let key = |finish: &&Finish| {
        let best = finish.course.best.as_ref();
        (best.map(|best| (best.cold, best.result)), std::cmp::Reverse(finish.island))
    };
    finished.iter().max_by_key(key)
}
