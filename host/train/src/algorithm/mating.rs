//! How a genome mates with immigrants on a landscape: neuron by neuron, each of which must prove itself.

use evobit::evolve::genetic::{Genes, Kin, Mate};
use evobit::evolve::landscape::{Landscape, MAX_TRIAL};
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;
use evobit::rng::{Draw, Stream};
use evobit::topology::Topology;

use super::one::Immigrant;
use crate::islands::ancestry::{Ancestry, Cause, count};
use crate::operators::{self, MATINGS};

/// Mates with all immigrants, as many at a time as a child has parents beside the genome itself. `mating` is the name of the
/// mating, `start` the genome that all islands began with. Returns of each immigrant the bits in which it differed and those that were
/// taken over.
///
/// The mating makes a child of the genome and the immigrants by their flips against the genome that all began with. The child
/// is not taken as it is: neuron by neuron, what is different in it is tried together on the landscape, exactly, and kept where it helps, or
/// by chance while the search is hot.
pub(super) fn mate_all(
    (mating, start): (&str, &[u32]),
    immigrants: &[Immigrant],
    (landscape, heat, sweep): (&mut impl Landscape, u32, u32),
    ancestry: &mut Ancestry,
    (taken, rng): (&mut [[u32; 2]], &mut Stream),
) {
    let Some(mating) = operators::find(MATINGS, mating).map(|make| make()) else { return };
    if mating.parents() < 2 {
        return;
    }
    let others = mating.parents() - 1;
    for (group, taken) in immigrants.chunks(others).zip(taken.chunks_mut(others)) {
        let before = landscape.genome().to_vec();
        let (loss, topology) = (landscape.loss(), *landscape.topology());
        let child = child((&topology, start), &*mating, (&before, loss), group, rng);
        try_neurons(landscape, &child, heat, rng);
        let after = landscape.genome();
        for (immigrant, taken) in group.iter().zip(taken) {
            let differed = count(&before, &immigrant.genome);
            *taken = [differed, differed.saturating_sub(count(after, &immigrant.genome))];
        }
        let (from, epoch) = (group[0].from, group[0].epoch);
        ancestry.push(sweep, Cause::Migrant { from, epoch }, &before, after);
    }
}

/// The child of a genome and immigrants; where these are fewer than the mating asks for, they and the genome come up more than once.
fn child(
    (topology, start): (&Topology, &[u32]),
    mating: &dyn Mate,
    (own, loss): (&[u32], i64),
    group: &[Immigrant],
    rng: &mut Stream,
) -> Vec<u32> {
    let family =
        || std::iter::once((own, -loss)).chain(group.iter().map(|other| (&other.genome[..], -other.loss)));
    let (parents, fitness): (Vec<&[u32]>, Vec<i64>) = family().cycle().take(mating.parents()).unzip();
    let mut child = vec![0; own.len()];
    let kin = Kin { parents: &parents, fitness: &fitness, base: start };
    mating.mate(topology, kin, &mut child, rng);
    topology.repair(&mut child);
    child
}

/// Tries, neuron by neuron, to make the genome of `landscape` that of `child`.
fn try_neurons(landscape: &mut impl Landscape, child: &[u32], heat: u32, rng: &mut Stream) {
    let topology = *landscape.topology();
    for (layer, plan) in topology.layers().iter().enumerate() {
        for neuron in 0..plan.neurons {
            let differing = mutations(&topology, landscape.genome(), child, layer, neuron);
            for together in differing.chunks(MAX_TRIAL) {
                let change = landscape.trial(together);
                let chance = (u64::from(rng.below(u32::MAX)) * u64::from(heat)) >> 32;
                if change < chance as i64 {
                    landscape.commit();
                } else {
                    landscape.rollback();
                }
            }
        }
    }
}

/// What turns a neuron of `own` into that of `child`.
fn mutations(topology: &Topology, own: &[u32], child: &[u32], layer: usize, neuron: u32) -> Vec<Mutation> {
    let (Ok(from), Ok(to)) = (Network::new(topology, own), Network::new(topology, child)) else {
        return vec![];
    };
    let mutation = |gene| Mutation { layer: layer as u8, neuron: neuron as u16, gene };
    let (before, after) = (from.weights(layer, neuron), to.weights(layer, neuron));
    let inputs = 0..topology.layer(layer).inputs;
    let differs = |input: &u32| evobit::bits::get(before, *input) != evobit::bits::get(after, *input);
    let mut all: Vec<Mutation> =
        inputs.filter(differs).map(|input| mutation(Gene::Weight(input as u16))).collect();
    let (low, high) = (from.threshold(layer, neuron), to.threshold(layer, neuron));
    let gene = if high > low { Gene::Raise } else { Gene::Lower };
    all.extend((0..high.abs_diff(low)).map(|_| mutation(gene)));
    all
}
