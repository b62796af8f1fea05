//! What of the mutations of a trial is to be measured.

use evobit::evolve::landscape::MAX_TRIAL;
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::topology::Topology;

/// The mutations of a trial that have an effect; `None` where they cannot all be applied to the genome, which is left as it was.
pub(super) fn effective(
    topology: &Topology,
    genome: &mut [u32],
    mutations: &[Mutation],
) -> Option<Vec<Mutation>> {
    let mut genome = GenomeMut::new(topology, genome).ok()?;
    if mutations.len() > MAX_TRIAL || !genome.apply_all(mutations) {
        return None;
    }
    for mutation in mutations.iter().rev() {
        genome.apply_all(&[mutation.inverse()]);
    }
    // Two flips of one weight are none.
    let mut effective: Vec<Mutation> = Vec::with_capacity(mutations.len());
    for &mutation in mutations {
        match effective.iter().position(|&other| other == mutation) {
            Some(twin) if matches!(mutation.gene, Gene::Weight(_)) => _ = effective.remove(twin),
            _ => effective.push(mutation),
        }
    }
    Some(effective)
}
