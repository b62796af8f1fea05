//! What operators are given: of a configuration what they are made from, of a run what they may look at.

use evobit::evolve::landscape::Samples;
use evobit::loss::LossTable;
use evobit::topology::Topology;

/// What operators are made from: the settings of these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Individuals of a generation.
    pub population: u32,
    /// Individuals that compete to be a parent.
    pub tournament: u32,
    /// Bits that a mutation flips.
    pub flips: u32,
    /// The seed of the run.
    pub seed: u64,
}

/// What individuals are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The shape of the network.
    pub topology: &'a Topology,
    /// The samples to learn from.
    pub samples: Samples<'a>,
    /// The loss.
    pub loss: LossTable<&'a [u32]>,
}
