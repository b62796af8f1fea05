//! What an algorithm is, and what it is told and asked.

use evobit_compute::Accelerator;

use crate::checkpoint::Search;
use crate::error::TrainError;
use crate::islands::ancestry::Ancestry;
use crate::prepare::Prepared;
use crate::settings::TrainConfig;
use crate::tracker::Tracker;

/// Where a search takes place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) config: &'a TrainConfig,
    /// What it computes with.
    pub(crate) accelerator: &'a Accelerator,
    /// The island: the number of its stream of random draws. 0 for a plain run.
    pub(crate) island: u16,
}

/// What a step came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stride {
    /// Mutants scored.
    pub(crate) mutants: u64,
    /// Mutations that became part of the genome.
    pub(crate) committed: u64,
    /// A sweep ended, or a generation.
    pub(crate) sweep_ended: bool,
    /// Only what is better is kept, so that a whole sweep without a mutation is an end.
    pub(crate) is_cold: bool,
}

/// An immigrant as a genome.
#[derive(Clone, Debug)]
pub(crate) struct Immigrant {
    pub(crate) from: u16,
    pub(crate) epoch: u32,
    pub(crate) loss: i64,
    pub(crate) genome: Vec<u32>,
}

/// What came of immigrants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Welcome {
    /// Of each the bits in which it differed and those that were taken over.
    pub(crate) taken: Vec<[u32; 2]>,
    /// One took the place of the genome as it was.
    pub(crate) was_adopted: bool,
}

/// A search under way.
pub(crate) trait Algorithm {
    /// Takes a step from where the tracker is. None where it was given up because of an interruption: then nothing has changed.
    fn step(&mut self, tracker: &mut Tracker<'_>) -> Result<Option<Stride>, TrainError>;

    /// The genome that it is at.
    fn genome(&self) -> &[u32];

    /// Loss, right samples and samples of that genome on what it learns from.
    fn training(&mut self) -> [i64; 3];

    /// Where it is, between two steps.
    fn state(&mut self) -> Result<Search, TrainError>;

    /// Lets immigrants in, before an epoch; `ancestry` is told what they changed.
    fn welcome(
        &mut self,
        immigrants: &[Immigrant],
        tracker: &mut Tracker<'_>,
        ancestry: &mut Ancestry,
    ) -> Result<Welcome, TrainError>;

    /// Whether every sweep of an epoch has a row, or only the last.
    fn has_rows_of_sweeps(&self) -> bool;
}
