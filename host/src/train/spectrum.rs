//! Training by the spectrum-guided search.

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::genome::GenomeMut;
use evobit::rng::{Purpose, Stream};
use rayon::prelude::*;

use super::{Keeper, Outcome, Prepared, Stop};
use crate::backend::{self, Memory, Sharded, shard_count};
use crate::settings::Config;

pub(super) fn run(
    prepared: &Prepared,
    config: &Config,
    mut keeper: Keeper<'_>,
) -> Result<Outcome, LandscapeError> {
    let topology = &prepared.topology;
    let samples = prepared.train.samples();
    let mut memory = memories(samples);
    let mut landscape = landscape(prepared, &random_genome(prepared, config), samples, &mut memory)?;
    let search_config = SearchConfig { proposals: config.proposals, block: config.block };
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(topology, search_config)];
    let rng = Stream::new(config.seed, Purpose::Search, 0);
    let mut search = SpectrumSearch::new(topology, search_config, rng, &mut order, &mut deltas)
        .ok_or(LandscapeError::Buffers)?;

    let mut swept = 0;
    let stop = loop {
        let step = search.step(&mut landscape);
        swept += step.committed;
        let mut stop = keeper.step(step.mutants, step.committed.into());
        if step.sweep_ended || stop.is_some() {
            let (loss, correct) = (landscape.loss(), landscape.correct());
            let verdict = keeper.assess(landscape.genome(), loss, correct, step.sweep_ended);
            stop = stop.or(verdict);
            if step.sweep_ended && swept == 0 {
                stop = stop.or(Some(Stop::Converged));
            }
            if step.sweep_ended {
                swept = 0;
            }
        }
        if let Some(stop) = stop {
            break stop;
        }
    };
    Ok(keeper.finish(stop, landscape.genome()))
}

/// Samples of a shard.
fn shard_len(samples: Samples<'_>) -> usize {
    samples.len().div_ceil(shard_count(samples.len(), rayon::current_num_threads())).max(1)
}

/// Memory for the shards of a landscape on `samples`.
fn memories(samples: Samples<'_>) -> Vec<Memory> {
    samples.labels.chunks(shard_len(samples)).map(|_| Memory::default()).collect()
}

/// The landscape of `genome` over such memory, on all threads.
fn landscape<'a>(
    prepared: &'a Prepared,
    genome: &[u32],
    samples: Samples<'a>,
    memory: &'a mut [Memory],
) -> Result<Sharded<'a>, LandscapeError> {
    let (topology, len) = (&prepared.topology, shard_len(samples));
    let parts = samples.labels.par_chunks(len).zip(samples.inputs.par_chunks(len * topology.input_words()));
    let shards = memory.par_iter_mut().zip(parts).map(|(memory, (labels, inputs))| {
        let part = Samples { inputs, labels };
        backend::landscape(prepared.instructions, topology, genome, part, prepared.loss_table(), memory)
    });
    Sharded::new(shards.collect::<Result<_, _>>()?).ok_or(LandscapeError::Samples)
}

/// The exact change of loss of every single-bit mutant of `layer` on up to `most` of the samples learned from, and their number.
///
/// # Errors
/// A genome that is not one of the topology.
pub fn layer_spectrum(
    prepared: &Prepared,
    genome: &[u32],
    layer: usize,
    most: usize,
) -> Result<(Vec<i64>, usize), LandscapeError> {
    let all = prepared.train.samples();
    let count = all.len().min(most);
    let words = prepared.topology.input_words();
    let samples = Samples { inputs: &all.inputs[..count * words], labels: &all.labels[..count] };
    let mut memory = memories(samples);
    let mut landscape = landscape(prepared, genome, samples, &mut memory)?;
    let plan = prepared.topology.layer(layer);
    let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
    let mut deltas = vec![0; neurons.len() * plan.mutants()];
    landscape.spectra(layer, &neurons, &mut deltas);
    deltas.retain(|&delta| delta != IMPOSSIBLE);
    Ok((deltas, count))
}

/// The genome that a seed starts from.
pub(super) fn random_genome(prepared: &Prepared, config: &Config) -> Vec<u32> {
    let mut genome = vec![0; prepared.topology.genome_words()];
    if let Ok(mut view) = GenomeMut::new(&prepared.topology, &mut genome) {
        view.randomize(&mut Stream::new(config.seed, Purpose::Start, 0));
    }
    genome
}
