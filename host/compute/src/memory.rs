//! Core's scalar landscape with memory of its own.

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape, Suspended};
use evobit::genome::Mutation;
use evobit::loss::LossTable;
use evobit::network::best_class;
use evobit::topology::Topology;

/// A scalar landscape that owns what core's borrows: it is resumed over its buffers for each call and suspended after it, which
/// computes nothing anew.
#[derive(Debug)]
pub(crate) struct OwnedScalar<'a> {
    topology: &'a Topology,
    samples: Samples<'a>,
    loss: LossTable<&'a [u32]>,
    genome: Vec<u32>,
    hidden: Vec<u32>,
    scores: Vec<i16>,
    preactivations: Vec<i16>,
    scratch: Vec<u32>,
    scratch_scores: Vec<i16>,
    suspended: Suspended,
}

impl<'a> OwnedScalar<'a> {
    /// The landscape of `genome` on `samples`.
    ///
    /// # Errors
    /// As [`ScalarLandscape::new`].
    pub(crate) fn new(
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'a>,
        loss: LossTable<&'a [u32]>,
    ) -> Result<Self, LandscapeError> {
        let needs = Needs::new(topology, samples.len());
        let mut owned = Self {
            topology,
            samples,
            loss,
            genome: genome.to_vec(),
            hidden: vec![0; needs.hidden],
            scores: vec![0; needs.scores],
            preactivations: vec![0; needs.preactivations],
            scratch: vec![0; needs.scratch],
            scratch_scores: vec![0; needs.scratch_scores],
            suspended: Suspended::default(),
        };
        let (genome, buffers, _) = owned.parts();
        owned.suspended = ScalarLandscape::new(topology, genome, samples, loss, buffers)?.suspend();
        Ok(owned)
    }

    fn parts(&mut self) -> (&mut [u32], Buffers<'_>, Suspended) {
        let buffers = Buffers {
            hidden: &mut self.hidden,
            scores: &mut self.scores,
            preactivations: Some(&mut self.preactivations),
            scratch: &mut self.scratch,
            scratch_scores: &mut self.scratch_scores,
        };
        (&mut self.genome, buffers, std::mem::take(&mut self.suspended))
    }

    /// Works with the landscape. None where it does not resume, which it does over buffers that only it writes.
    fn with<T>(&mut self, work: impl FnOnce(&mut ScalarLandscape<'_, &[u32]>) -> T) -> Option<T> {
        let Self { topology, samples, loss, .. } = *self;
        let (genome, buffers, suspended) = self.parts();
        let resumed = ScalarLandscape::resume(topology, genome, samples, loss, buffers, suspended);
        let mut landscape = resumed.ok()?;
        let done = work(&mut landscape);
        self.suspended = landscape.suspend();
        Some(done)
    }
}

impl Landscape for OwnedScalar<'_> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.suspended.loss()
    }

    fn correct(&self) -> u32 {
        let scores = self.scores.chunks_exact(self.topology.classes());
        let right = scores.zip(self.samples.labels);
        right.filter(|&(scores, &label)| best_class(scores) == usize::from(label)).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        if self.with(|landscape| landscape.spectra(layer, neurons, deltas)).is_none() {
            deltas.fill(IMPOSSIBLE);
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.with(|landscape| landscape.trial(mutations)).unwrap_or(IMPOSSIBLE)
    }

    fn commit(&mut self) {
        self.with(|landscape| landscape.commit());
    }

    fn rollback(&mut self) {
        self.with(|landscape| landscape.rollback());
    }
}
