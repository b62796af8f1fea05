//! The memory that core's scalar landscape borrows.

use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
use evobit::loss::LossTable;
use evobit::topology::Topology;

/// Buffers and a genome of its own for one scalar landscape.
#[derive(Debug)]
pub struct Memory {
    genome: Vec<u32>,
    hidden: Vec<u32>,
    scores: Vec<i16>,
    preactivations: Vec<i16>,
    scratch: Vec<u32>,
    scratch_scores: Vec<i16>,
}

impl Memory {
    /// Memory for `samples` samples around `genome`.
    #[must_use]
    pub fn new(topology: &Topology, genome: &[u32], samples: usize) -> Self {
        let needs = Needs::new(topology, samples);
        Self {
            genome: genome.to_vec(),
            hidden: vec![0; needs.hidden],
            scores: vec![0; needs.scores],
            preactivations: vec![0; needs.preactivations],
            scratch: vec![0; needs.scratch],
            scratch_scores: vec![0; needs.scratch_scores],
        }
    }

    /// The landscape of this memory's genome on `samples`.
    ///
    /// # Errors
    /// As [`ScalarLandscape::new`].
    pub fn landscape<'a>(
        &'a mut self,
        topology: &'a Topology,
        samples: Samples<'a>,
        loss: LossTable<&'a [u32]>,
    ) -> Result<ScalarLandscape<'a, &'a [u32]>, LandscapeError> {
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

/// Bytes that scalar landscapes of `samples` samples take together, genome and samples included.
#[must_use]
pub fn scalar_bytes(topology: &Topology, samples: usize) -> u64 {
    let needs = Needs::new(topology, samples);
    let words = needs.hidden + samples * topology.input_words() + topology.genome_words();
    words as u64 * 4 + (needs.scores + needs.preactivations) as u64 * 2 + samples as u64
}
