//! Training by the spectrum-guided search.

use evobit::encode::{Code, Encoder};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::evolve::smooth::Smoothing;
use evobit::rng::{Purpose, Stream};
use rayon::prelude::*;

use super::random_genome;
use super::{Keeper, Outcome, Prepared, Search, Stop};
use crate::family::Ground;
use crate::settings::Config;
use evobit_compute::{Accelerator, Memory, SearchError, Sharded, shard_count};

pub(super) fn run(
    prepared: &Prepared,
    config: &Config,
    from: Option<Search>,
    mut keeper: Keeper<'_>,
) -> Result<Outcome, SearchError> {
    let topology = &prepared.topology;
    let search_config = SearchConfig { proposals: config.proposals, block: config.block };
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(topology, search_config)];
    let (mut genome, search) = match from {
        Some(Search::Spectrum { genome, rng, order: from, position }) => {
            order = from;
            let rng = Stream::from_state(rng).ok_or(LandscapeError::Buffers)?;
            let (order, deltas, position) = (&mut order, &mut deltas, position as usize);
            (genome, SpectrumSearch::resume(topology, search_config, rng, order, deltas, position))
        }
        _ => {
            let rng = Stream::new(config.seed, Purpose::Search, 0);
            let search = SpectrumSearch::new(topology, search_config, rng, &mut order, &mut deltas);
            (random_genome(prepared, config), search)
        }
    };
    let ends = level_ends(prepared);
    let smoothing = Smoothing { radius: config.smoothing, ends: &ends };
    let mut search = search.ok_or(LandscapeError::Buffers)?.smoothed(smoothing);
    loop {
        // One copy of the samples after the other while the search is hot, then those that are held together.
        let is_hot = keeper.heat() > 0.0;
        let samples = prepared.swept(keeper.course.now.sweep, is_hot);
        let mut memory = memories(samples);
        let mut landscape = landscape(prepared, &genome, samples, &mut memory)?;
        let ended = run_on(prepared, &mut landscape, &mut search, &mut keeper, is_hot)?;
        genome = landscape.genome().to_vec();
        if let Some(stop) = ended {
            return Ok(keeper.finish(stop, &genome));
        }
    }
}

/// Searches on one landscape, for a sweep while the search is hot, else to the end; says why the search ended where it did.
fn run_on(
    prepared: &Prepared,
    landscape: &mut Sharded<'_>,
    search: &mut SpectrumSearch<'_, Stream>,
    keeper: &mut Keeper<'_>,
    is_hot: bool,
) -> Result<Option<Stop>, SearchError> {
    loop {
        let heat = keeper.heat();
        let step = search.step(landscape, loss_units(prepared, heat, landscape.samples()));
        // Before anything of it is kept: a failed device says of every mutant that it cannot be.
        prepared.accelerator.check()?;
        let mut stop = keeper.step(step.mutants, step.committed.into());
        let assess = |keeper: &mut Keeper<'_>| keeper.assess(&*landscape, step.sweep_ended);
        if step.sweep_ended || stop.is_some() {
            // The last row was at the end of the last sweep.
            let converged = step.sweep_ended && keeper.course.now.committed == 0 && heat == 0.0;
            let verdict = assess(keeper);
            prepared.accelerator.check()?;
            stop = stop.or(verdict).or(converged.then_some(Stop::Converged));
        }
        let state = || Search::Spectrum {
            genome: landscape.genome().to_vec(),
            rng: search.rng().state(),
            order: search.order().to_vec(),
            position: search.position() as u32,
        };
        keeper.snapshot(landscape.genome());
        if let Some(stop) = keeper.settle(stop, state) {
            if stop.is_early() && !step.sweep_ended {
                // Only for the outcome: a run that goes on from the checkpoint never made this row.
                assess(keeper);
            }
            return Ok(Some(stop));
        }
        let stays = keeper.heat() == 0.0 && !is_hot || prepared.copies == 1;
        if step.sweep_ended && !stays {
            return Ok(None);
        }
    }
}

/// Where the levels of each column of a table end; each category is by itself. None of an image.
pub(super) fn level_ends(prepared: &Prepared) -> Vec<u32> {
    let encoder = Encoder::new(&prepared.encoder[..]).ok().filter(|encoder| encoder.uniform().is_none());
    let lengths = encoder.iter().flat_map(Encoder::table).flat_map(|feature| match feature.code {
        Code::OneHot => vec![1; feature.len()],
        Code::Integer | Code::Real => vec![feature.len() as u32],
    });
    lengths
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect()
}

/// A mean loss in loss units of so many samples together.
pub(super) fn loss_units(prepared: &Prepared, mean: f64, samples: u32) -> u32 {
    let all = f64::from(prepared.loss_table().unit()) * f64::from(samples);
    // A product of exact numbers: the same on every machine. A float that is too large becomes u32::MAX.
    (mean * all) as u32
}

/// Samples of a shard.
fn shard_len(samples: Samples<'_>) -> usize {
    samples.len().div_ceil(shard_count(samples.len(), rayon::current_num_threads())).max(1)
}

/// Memory for the shards of a landscape on `samples`.
pub fn memories(samples: Samples<'_>) -> Vec<Memory> {
    samples.labels.chunks(shard_len(samples)).map(|_| Memory::default()).collect()
}

/// The landscape of `genome` over such memory, on all threads or on the GPU of the run.
pub fn landscape<'a>(
    prepared: &'a Prepared,
    genome: &[u32],
    samples: Samples<'a>,
    memory: &'a mut [Memory],
) -> Result<Sharded<'a>, SearchError> {
    landscape_on(&prepared.accelerator, prepared, genome, samples, memory)
}

/// The same on a certain GPU.
pub(super) fn landscape_on<'a>(
    accelerator: &Accelerator,
    prepared: &'a Prepared,
    genome: &[u32],
    samples: Samples<'a>,
    memory: &'a mut [Memory],
) -> Result<Sharded<'a>, SearchError> {
    let (topology, len) = (&prepared.topology, shard_len(samples));
    if let Some(gpu) = prepared.kind.accelerated(accelerator, prepared, genome, samples)? {
        return Ok(Sharded::new(vec![gpu]).ok_or(LandscapeError::Samples)?);
    }
    let parts = samples.labels.par_chunks(len).zip(samples.inputs.par_chunks(len * topology.input_words()));
    let shards = memory.par_iter_mut().zip(parts).map(|(memory, (labels, inputs))| {
        let (samples, loss) = (Samples { inputs, labels }, prepared.loss_table());
        let instructions = prepared.instructions;
        prepared.kind.landscape(genome, Ground { topology, samples, loss, instructions, memory })
    });
    Ok(Sharded::new(shards.collect::<Result<_, _>>()?).ok_or(LandscapeError::Samples)?)
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
) -> Result<(Vec<i64>, usize), SearchError> {
    let all = prepared.cold();
    let count = all.len().min(most);
    let words = prepared.topology.input_words();
    let samples = Samples { inputs: &all.inputs[..count * words], labels: &all.labels[..count] };
    let mut memory = memories(samples);
    let mut landscape = landscape(prepared, genome, samples, &mut memory)?;
    let plan = prepared.topology.layer(layer);
    let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
    let mut deltas = vec![0; neurons.len() * plan.mutants()];
    landscape.spectra(layer, &neurons, &mut deltas);
    prepared.accelerator.check()?;
    deltas.retain(|&delta| delta != IMPOSSIBLE);
    Ok((deltas, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::{Session, Silent, prepare};
    use evobit_data::{Column, Dataset, Kind, Loaded, Schema, Values};

    /// A number, a category of three and a number with two values.
    fn mixed() -> Loaded {
        let kinds = [
            ("far", Kind::Integer),
            ("kind", Kind::Category(["a", "b", "c"].map(String::from).to_vec())),
            ("near", Kind::Integer),
        ];
        let column = |(name, kind): (&str, Kind)| Column { name: name.into(), kind };
        let keys = (0..120).flat_map(|row| [row * 7 % 120, row % 3, row * 5 % 2]).collect();
        let train = Dataset {
            schema: Schema::Table(kinds.map(column).to_vec()),
            values: Values::Keys(keys),
            labels: (0..120).map(|row| u8::from(row * 7 % 120 > 60)).collect(),
            classes: vec!["low".into(), "high".into()],
        };
        Loaded { name: "mixed".into(), train, test: None }
    }

    fn genome(settings: &str) -> Vec<u32> {
        let (loaded, settings) = (mixed(), toml::from_str::<Settings>(settings).unwrap());
        let config = settings.resolve(&loaded.train).unwrap();
        let prepared = prepare(&loaded, &config).unwrap();
        super::super::run(&prepared, &config, Session::default(), None, &mut Silent).unwrap().genome
    }

    #[test]
    fn levels_of_a_column_end_together_and_categories_are_apart() {
        let loaded = mixed();
        let config = Settings { levels: Some(8), ..Settings::default() }.resolve(&loaded.train).unwrap();
        assert_eq!(config.smoothing, 4);
        let prepared = prepare(&loaded, &config).unwrap();
        assert_eq!(level_ends(&prepared), [8, 9, 10, 11, 12]);
        let digits = evobit_data::load("digits", &evobit_data::LoadOptions::default()).unwrap();
        let config = Settings::default().resolve(&digits.train).unwrap();
        assert_eq!(config.smoothing, 0);
        assert!(level_ends(&prepare(&digits, &config).unwrap()).is_empty());
    }

    #[test]
    fn smoothing_is_for_hot_sweeps() {
        let trained = |smoothing: u16, heat: f64| {
            genome(&format!("hidden = ['16']\nsweeps = 4\nsmoothing = {smoothing}\nheat = {heat:?}"))
        };
        assert_eq!(trained(0, 0.0), trained(6, 0.0));
        assert_ne!(trained(0, 0.01), trained(6, 0.01));
        assert_eq!(trained(6, 0.01), trained(6, 0.01));
    }
}
