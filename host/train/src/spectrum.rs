//! Landscapes of what was prepared, and the figures of the spectrum-guided search on them.

use evobit::encode::{Code, Encoder};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, Samples};
use rayon::prelude::*;

use super::prepare::Prepared;
use evobit_compute::{Accelerator, SearchError, Sharded, shard_count};

/// Where the levels of each column of a table end; each category is by itself. None of an image.
pub(super) fn level_ends(prepared: &Prepared) -> Vec<u32> {
    let encoder = Encoder::new(&prepared.encoder[..]).ok().filter(|encoder| encoder.uniform().is_none());
    let lengths = encoder.iter().flat_map(Encoder::table).flat_map(|feature| match feature.code {
        Code::OneHot => vec![1; feature.len()],
        Code::Integer | Code::Real if feature.tells_missing() && feature.len() > 1 => {
            vec![1, feature.len() as u32 - 1]
        }
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

/// The landscape of `genome`, on all threads or on the GPU of the run.
pub fn landscape<'a>(
    prepared: &'a Prepared,
    genome: &[u32],
    samples: Samples<'a>,
) -> Result<Sharded<'a>, SearchError> {
    landscape_on(&prepared.accelerator, prepared, genome, samples)
}

/// The same on a certain GPU.
pub(super) fn landscape_on<'a>(
    accelerator: &Accelerator,
    prepared: &'a Prepared,
    genome: &[u32],
    samples: Samples<'a>,
) -> Result<Sharded<'a>, SearchError> {
    let (topology, len) = (&prepared.topology, shard_len(samples));
    if let Some(gpu) = prepared.kind.accelerated(accelerator, genome, prepared.ground(samples))? {
        return Ok(Sharded::new(vec![gpu]).ok_or(LandscapeError::Samples)?);
    }
    let parts = samples.labels.par_chunks(len).zip(samples.inputs.par_chunks(len * topology.input_words()));
    let shards = parts
        .map(|(labels, inputs)| prepared.kind.landscape(genome, prepared.ground(Samples { inputs, labels })));
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
    let mut landscape = landscape(prepared, genome, samples)?;
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
    use crate::{Session, prepare, run};
    use evobit_data::{Column, ColumnKind, Dataset, Loaded, Schema, Values};
    use evobit_search::Silent;

    /// A number, a category of three and a number with two values.
    fn mixed() -> Loaded {
        let kinds = [
            ("far", ColumnKind::Integer),
            ("kind", ColumnKind::Category(["a", "b", "c"].map(String::from).to_vec())),
            ("near", ColumnKind::Integer),
        ];
        let column = |(name, kind): (&str, ColumnKind)| Column::new(name, kind);
        let keys = (0..120).flat_map(|row| [row * 7 % 120, row % 3, row * 5 % 2]).collect();
        let train = Dataset {
            schema: Schema::Table(kinds.map(column).to_vec()),
            values: Values::Keys(keys),
            labels: (0..120).map(|row| u8::from(row * 7 % 120 > 60)).collect(),
            classes: vec!["low".into(), "high".into()],
        };
        Loaded {
            name: "mixed".into(),
            train,
            test: None,
            notes: vec![],
            table: None,
            division: evobit_data::Division::Shares,
        }
    }

    fn genome(settings: &str) -> Vec<u32> {
        let (loaded, settings) = (mixed(), toml::from_str::<Settings>(settings).unwrap());
        let config = settings.resolve(&loaded.train).unwrap();
        let prepared = prepare(&loaded, &config).unwrap();
        run(&prepared, &config, Session::default(), None, &mut Silent).unwrap().genome
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
