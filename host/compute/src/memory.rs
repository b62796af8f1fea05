//! The memory that core's scalar landscape borrows.

use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
use evobit::loss::LossTable;
use evobit::topology::Topology;

/// Buffers and a genome of its own for one scalar landscape.
#[derive(Debug, Default)]
pub struct Memory {
    genome: Vec<u32>,
    hidden: Vec<u32>,
    scores: Vec<i16>,
    preactivations: Vec<i16>,
    scratch: Vec<u32>,
    scratch_scores: Vec<i16>,
}

impl Memory {
    /// The landscape of `genome` on `samples`, in this memory.
    ///
    /// # Errors
    /// As [`ScalarLandscape::new`].
    pub fn landscape<'a>(
        &'a mut self,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'a>,
        loss: LossTable<&'a [u32]>,
    ) -> Result<ScalarLandscape<'a, &'a [u32]>, LandscapeError> {
        let needs = Needs::new(topology, samples.len());
        *self = Self {
            genome: genome.to_vec(),
            hidden: vec![0; needs.hidden],
            scores: vec![0; needs.scores],
            preactivations: vec![0; needs.preactivations],
            scratch: vec![0; needs.scratch],
            scratch_scores: vec![0; needs.scratch_scores],
        };
        let buffers = Buffers {
            hidden: &mut self.hidden,
            scores: &mut self.scores,
            preactivations: Some(&mut self.preactivations),
            scratch: &mut self.scratch,
            scratch_scores: &mut self.scratch_scores,
        };
        ScalarLandscape::new(topology, &mut self.genome, samples, loss, buffers)
    }
}
