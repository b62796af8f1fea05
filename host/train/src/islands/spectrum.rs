//! An epoch of the spectrum-guided search on an island.

use evobit::evolve::genetic::{Genes, Kin, Mate};
use evobit::evolve::landscape::{Landscape, LandscapeError, MAX_TRIAL, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::evolve::smooth::Smoothing;
use evobit::genome::{Gene, Mutation};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;

use super::ancestry::{Cause, count};
use super::island::{Epoch, Immigrant, State, World};
use crate::checkpoint::Search;
use crate::genetic::training;
use crate::operators::{self, MATINGS};
use crate::settings::ShareKind;
use crate::spectrum::{landscape_on, level_ends, loss_units, memories};
use crate::{Keeper, TrainError};

pub(super) fn epoch(
    world: &World<'_>,
    state: &mut State,
    immigrants: &[Immigrant],
    keeper: &mut Keeper<'_>,
) -> Result<Epoch, TrainError> {
    let (prepared, config, accelerator) = (world.prepared, world.config, world.accelerator(state.island));
    let topology = &prepared.topology;
    let search_config = SearchConfig { proposals: config.proposals, block: config.block };
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(topology, search_config)];
    let (mut genome, mut rng) = match &state.search {
        Some(Search::Spectrum { genome, rng, order: visits, .. }) => {
            order.clone_from(visits);
            (genome.clone(), Stream::from_state(*rng).ok_or(LandscapeError::Buffers)?)
        }
        _ => {
            let rng = Stream::new(config.seed, Purpose::Search, u32::from(state.island));
            // It writes the first order of visits.
            SpectrumSearch::new(topology, search_config, rng.clone(), &mut order, &mut deltas)
                .ok_or(LandscapeError::Buffers)?;
            (world.start.to_vec(), rng)
        }
    };
    let ends = level_ends(prepared);
    let smoothing = Smoothing { radius: config.smoothing, ends: &ends };
    let (mut taken, mut changed) = (vec![[0; 2]; immigrants.len()], 0);
    let mut loss = state.records.last().map_or(0, |record| record.loss);
    let mut done = 0;
    while done < config.epoch && !(state.settled && (done > 0 || immigrants.is_empty())) {
        let heat = keeper.heat();
        let samples = learned(world, state.island, keeper.course.now.sweep, heat > 0.0);
        if done == 0 {
            genome = adopted(world, state, genome, immigrants, keeper.course.now.sweep + 1, &mut taken);
        }
        let mut memory = memories(samples);
        let mut landscape = landscape_on(accelerator, prepared, &genome, samples, &mut memory)?;
        if done == 0 {
            let (at, units) = (keeper.course.now.sweep + 1, loss_units(prepared, heat, samples.len() as u32));
            mate_all(world, state, immigrants, (&mut landscape, units, at), (&mut taken, &mut rng));
        }
        // One landscape for all sweeps that learn from the same samples: to make it takes as long as several sweeps of a small network.
        loop {
            let heat = keeper.heat();
            let units = loss_units(prepared, heat, samples.len() as u32);
            let before = landscape.genome().to_vec();
            let stream = rng.clone();
            let search = SpectrumSearch::resume(topology, search_config, stream, &mut order, &mut deltas, 0);
            let mut search = search.ok_or(LandscapeError::Buffers)?.smoothed(smoothing);
            loop {
                let step = search.step(&mut landscape, units);
                keeper.step(step.mutants, step.committed.into());
                if step.sweep_ended {
                    break;
                }
            }
            rng = search.rng().clone();
            let committed = keeper.course.now.committed;
            // Epochs end by their number alone.
            let _ = keeper.assess(&landscape, true);
            // Before anything of it is kept: a failed device says of every mutant that it cannot be.
            accelerator.check()?;
            loss = landscape.loss();
            genome = landscape.genome().to_vec();
            changed += count(&before, &genome);
            state.ancestry.push(keeper.course.now.sweep, Cause::Search, &before, &genome);
            let came: u32 = taken.iter().map(|[_, taken]| taken).sum();
            state.settled = heat == 0.0 && committed == 0 && (done > 0 || came == 0);
            done += 1;
            let stays = prepared.copies == 1 && config.share == ShareKind::All || heat == 0.0;
            if done == config.epoch || state.settled || !stays {
                break;
            }
        }
    }
    let search = Search::Spectrum { genome: genome.clone(), rng: rng.state(), order, position: 0 };
    state.search = Some(search);
    Ok(Epoch { champion: genome, loss, changed, taken })
}

/// What an island learns from in a sweep: as a run without islands does, but each another of the copies; of parts a part of that.
fn learned<'a>(world: &World<'a>, island: u16, sweep: u32, is_hot: bool) -> Samples<'a> {
    let prepared = world.prepared;
    let number = sweep + u32::from(island);
    let samples = prepared.swept(number, is_hot);
    if world.config.share == ShareKind::All || !is_hot {
        return samples;
    }
    let islands = usize::from(world.config.islands.unwrap_or(1));
    let (part, words) = (number as usize % islands, prepared.topology.input_words());
    let range = part * samples.len() / islands..(part + 1) * samples.len() / islands;
    if range.is_empty() {
        return samples;
    }
    Samples {
        inputs: &samples.inputs[range.start * words..range.end * words],
        labels: &samples.labels[range],
    }
}

/// Where nobody mates: the best immigrant takes the place of a worse genome, as a migrant does in a population of one.
fn adopted(
    world: &World<'_>,
    state: &mut State,
    genome: Vec<u32>,
    immigrants: &[Immigrant],
    sweep: u32,
    taken: &mut [[u32; 2]],
) -> Vec<u32> {
    if world.config.mating != "none" || immigrants.is_empty() {
        return genome;
    }
    let loss = |genome: &[u32]| training(world.prepared, genome)[0];
    let best = immigrants.iter().enumerate().min_by_key(|(_, immigrant)| loss(&immigrant.genome));
    let Some((index, best)) = best.filter(|(_, best)| loss(&best.genome) < loss(&genome)) else {
        return genome;
    };
    taken[index] = [count(&genome, &best.genome); 2];
    let cause = Cause::Migrant { from: best.from, epoch: best.epoch };
    state.ancestry.push(sweep, cause, &genome, &best.genome);
    state.settled = false;
    best.genome.clone()
}

/// Mates with all immigrants, as many at a time as a child has parents beside the genome itself.
///
/// The mating makes a child of the genome and the immigrants by their flips against the genome that all began with. The child
/// is not taken as it is: neuron by neuron, what is different in it is tried together on the landscape, exactly, and kept where it helps, or
/// by chance while the search is hot.
fn mate_all(
    world: &World<'_>,
    state: &mut State,
    immigrants: &[Immigrant],
    (landscape, heat, sweep): (&mut impl Landscape, u32, u32),
    (taken, rng): (&mut [[u32; 2]], &mut Stream),
) {
    let Some(mating) = operators::find(MATINGS, &world.config.mating).map(|make| make()) else { return };
    if mating.parents() < 2 {
        return;
    }
    let others = mating.parents() - 1;
    for (group, taken) in immigrants.chunks(others).zip(taken.chunks_mut(others)) {
        let before = landscape.genome().to_vec();
        let child = child(world, &*mating, &before, group, (landscape.loss(), rng));
        try_neurons(landscape, &child, heat, rng);
        let after = landscape.genome();
        for (immigrant, taken) in group.iter().zip(taken) {
            let differed = count(&before, &immigrant.genome);
            *taken = [differed, differed.saturating_sub(count(after, &immigrant.genome))];
        }
        let (from, epoch) = (group[0].from, group[0].epoch);
        state.ancestry.push(sweep, Cause::Migrant { from, epoch }, &before, after);
    }
}

/// The child of a genome and immigrants; where these are fewer than the mating asks for, they and the genome come up more than once.
fn child(
    world: &World<'_>,
    mating: &dyn Mate,
    own: &[u32],
    group: &[Immigrant],
    (loss, rng): (i64, &mut Stream),
) -> Vec<u32> {
    let family =
        || std::iter::once((own, -loss)).chain(group.iter().map(|other| (&other.genome[..], -other.loss)));
    let (parents, fitness): (Vec<&[u32]>, Vec<i64>) = family().cycle().take(mating.parents()).unzip();
    let mut child = vec![0; own.len()];
    let kin = Kin { parents: &parents, fitness: &fitness, base: world.start };
    mating.mate(&world.prepared.topology, kin, &mut child, rng);
    world.prepared.topology.repair(&mut child);
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
