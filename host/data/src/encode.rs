//! Learning an encoder from training data, and encoding data sets with it.
//!
//! Images share one list of levels, spread evenly between the least and the greatest pixel: a level is the same brightness
//! everywhere. A numeric column of a table has levels of its own at quantiles of its training values, denser towards the
//! ends, a category column one bit for each name.

use evobit::bits::Words;
use evobit::encode::{Code, Encoder, EncoderError, MAX_BITS, MISSING, write_table, write_uniform};
use evobit::topology::Packing;
use rayon::prelude::*;

use crate::{Column, ColumnKind, Dataset, Schema, Values};

/// Encoded samples and their labels.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// Packed inputs, `[samples][input_words]`.
    pub inputs: Vec<u32>,
    /// The class of each sample.
    pub labels: Vec<u8>,
}

impl Encoded {
    /// Puts other samples behind these.
    pub fn append(&mut self, mut other: Self) {
        self.inputs.append(&mut other.inputs);
        self.labels.append(&mut other.labels);
    }

    /// As a landscape takes it.
    #[must_use]
    pub fn samples(&self) -> evobit::evolve::landscape::Samples<'_> {
        evobit::evolve::landscape::Samples { inputs: &self.inputs, labels: &self.labels }
    }
}

/// Learns the packed words of an encoder with up to `levels` levels per pixel or numeric column, and one more where values may be
/// missing.
///
/// # Errors
/// [`EncoderError::Values`] when the samples would take more bits than an encoder makes.
pub fn learn(train: &Dataset, levels: u16) -> Result<Vec<u32>, EncoderError> {
    match &train.schema {
        Schema::Image { .. } => {
            let keys = (0..train.values.len()).map(|index| train.values.key(index));
            let (low, high) =
                keys.fold((i32::MAX, i32::MIN), |(low, high), key| (low.min(key), high.max(key)));
            let levels = even_levels(low, high, levels);
            if levels.len() as u64 * train.features() as u64 > MAX_BITS {
                return Err(EncoderError::Values);
            }
            let mut words = vec![0; levels.len() + 3];
            write_uniform(train.features() as u32, &levels, &mut words)?;
            Ok(words)
        }
        Schema::Table(columns) => {
            let features: Vec<(Code, Vec<i32>)> = columns
                .iter()
                .enumerate()
                .map(|(feature, column)| match &column.kind {
                    ColumnKind::Category(names) => (Code::OneHot, (0..names.len() as i32).collect()),
                    ColumnKind::Integer => (Code::Integer, column_levels(train, feature, column, levels)),
                    ColumnKind::Real => (Code::Real, column_levels(train, feature, column, levels)),
                })
                .collect();
            let features: Vec<(Code, &[i32])> =
                features.iter().map(|(code, values)| (*code, &values[..])).collect();
            let mut words = vec![0; 3 + features.iter().map(|(_, values)| 1 + values.len()).sum::<usize>()];
            write_table(&features, &mut words)?;
            Ok(words)
        }
    }
}

/// Up to `levels` levels that part `low..=high` evenly.
fn even_levels(low: i32, high: i32, levels: u16) -> Vec<i32> {
    let range = i64::from(high) - i64::from(low);
    let parts = i64::from(levels) + 1;
    let mut levels: Vec<i32> =
        (1..parts).map(|part| (i64::from(low) + range * part / parts) as i32).collect();
    levels.dedup();
    levels
}

/// The levels of a column of numbers; the first tells where values are missing, if they may be.
fn column_levels(train: &Dataset, feature: usize, column: &Column, levels: u16) -> Vec<i32> {
    let keys = (0..train.samples()).map(|sample| train.key(sample, feature));
    if !column.missing {
        return quantiles(keys.collect(), levels);
    }
    let there: Vec<i32> = keys.filter(|&key| key != MISSING).collect();
    let levels = if there.is_empty() { vec![] } else { quantiles(there, levels) };
    [vec![MISSING], levels].concat()
}

/// Up to `levels` levels, each halfway between two neighbouring training values, at [`quantile`]s of the samples; one level
/// where the column is constant.
fn quantiles(mut keys: Vec<i32>, levels: u16) -> Vec<i32> {
    keys.sort_unstable();
    let parts = usize::from(levels) + 1;
    let mut chosen: Vec<i32> = (1..parts)
        .filter_map(|part| {
            // The nearest place at or after the quantile where the value changes.
            let start = quantile(keys.len(), part, parts);
            let end = (start.max(1)..keys.len()).find(|&index| keys[index - 1] < keys[index])?;
            Some(((i64::from(keys[end - 1]) + i64::from(keys[end])).div_euclid(2)) as i32)
        })
        .collect();
    chosen.dedup();
    if chosen.is_empty() {
        // No value changes after any quantile: one level under the greatest value, or at a constant.
        let last = keys.last().copied().unwrap_or(0);
        let before = keys.iter().rev().find(|&&key| key < last).copied().unwrap_or(last);
        chosen.push(((i64::from(before) + i64::from(last)).div_euclid(2)) as i32);
    }
    chosen
}

/// How many of `len` samples lie below level `part` of `parts`.
///
/// Even shares tell the extremes of a column least apart, though by a linear rule these matter most; levels even in the values tell
/// the bulk of a skewed column least apart. So the share is halfway between u, an even one, and the smooth step 3 u^2 - 2 u^3.
fn quantile(len: usize, part: usize, parts: usize) -> usize {
    let [len, part, parts] = [len, part, parts].map(|number| number as u128);
    let share = part * (parts * parts + 3 * part * parts - 2 * part * part);
    (len * share / (2 * parts * parts * parts)) as usize
}

/// Encodes `samples` samples of raw values in `packing`.
#[must_use]
pub fn encode<W: Words + Sync>(
    encoder: &Encoder<W>,
    packing: Packing,
    values: &Values,
    samples: usize,
) -> Vec<u32> {
    let features = encoder.features() as usize;
    let mut inputs = vec![0; samples * packing.words()];
    inputs.par_chunks_mut(packing.words()).enumerate().for_each(|(sample, input)| {
        encoder.encode(|feature| values.key(sample * features + feature as usize), packing, input);
    });
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[i32]) -> Dataset {
        Dataset {
            schema: Schema::Table(vec![Column { missing: true, ..Column::new("x", ColumnKind::Integer) }]),
            values: Values::Keys(values.to_vec()),
            labels: vec![0; values.len()],
            classes: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn levels_of_images_are_even() {
        assert_eq!(even_levels(0, 16, 3), [4, 8, 12]);
        assert_eq!(even_levels(0, 255, 1), [127]);
        assert_eq!(even_levels(0, 1, 3), [0]);
        assert_eq!(even_levels(5, 5, 3), [5]);
        assert_eq!(even_levels(i32::MIN, i32::MAX, 1), [-1]);
    }

    #[test]
    fn levels_of_columns_part_the_samples_more_finely_at_the_ends() {
        let many: Vec<i32> = (0..100).collect();
        // Of a quarter the smooth step is 5/32.
        assert_eq!(quantiles(many, 3), [19, 49, 78]);
        assert_eq!(quantiles(vec![7; 9], 3), [7]);
        assert_eq!(quantiles(vec![0, 0, 0, 0, 9], 3), [4]);
        assert_eq!(quantiles(vec![0, 9, 9, 9, 9], 3), [4]);
        assert_eq!(quantiles(vec![i32::MIN, i32::MAX], 1), [-1]);
    }

    #[test]
    fn missing_values_have_a_level_and_move_no_other() {
        let levels = |values: &[i32]| {
            let words = learn(&table(values), 3).unwrap();
            let encoder = Encoder::new(&words[..]).unwrap();
            let feature = encoder.table().next().unwrap();
            (0..feature.len()).map(|index| feature.value(index)).collect::<Vec<i32>>()
        };
        let many: Vec<i32> = (0..100).flat_map(|value| [value, MISSING, MISSING]).collect();
        assert_eq!(levels(&many), [MISSING, 19, 49, 78]);
        assert_eq!(levels(&[MISSING; 5]), [MISSING]);
        assert_eq!(levels(&[MISSING + 1, MISSING]), [MISSING, MISSING + 1]);
    }
}
