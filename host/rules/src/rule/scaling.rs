//! From raw values to the inputs of plastic networks: integers where a standard deviation is 40.

use evobit::encode::key_real;

use super::table::Table;
use evobit_data::{Column, ColumnKind, Dataset, MISSING, Schema};

/// The value that one standard deviation becomes.
const DEVIATION: f64 = 40.0;
/// The value of the category that a sample has; the others have its negative.
const CATEGORY: i8 = 64;

/// How the values of a feature become inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// (value - mean) * factor, rounded.
    Number {
        /// Mean over the samples to learn from.
        mean: f64,
        /// `DEVIATION` over the standard deviation; 0 for a constant.
        factor: f64,
    },
    /// One input for each category.
    Categories(usize),
}

/// How samples become inputs, learned from the samples to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling(pub Vec<Scale>);

impl Scaling {
    /// Learns mean and deviation of every column; of images the mean of every pixel and one deviation for all, because a pixel
    /// that is nearly always white says little.
    #[must_use]
    pub fn learn(data: &Dataset) -> Self {
        let features = data.features();
        let moments: Vec<(f64, f64)> = (0..features).map(|feature| moments(data, feature)).collect();
        let scales = match &data.schema {
            Schema::Image { .. } => {
                let variance = moments.iter().map(|moments| moments.1).sum::<f64>() / features.max(1) as f64;
                moments.iter().map(|&(mean, _)| Scale::Number { mean, factor: factor(variance) }).collect()
            }
            Schema::Table(columns) => {
                let scale = |(column, &(mean, variance)): (&Column, &(f64, f64))| match &column.kind {
                    ColumnKind::Category(names) => Scale::Categories(names.len()),
                    ColumnKind::Integer | ColumnKind::Real => {
                        Scale::Number { mean, factor: factor(variance) }
                    }
                };
                columns.iter().zip(&moments).map(scale).collect()
            }
        };
        Self(scales)
    }

    /// The inputs that a sample becomes.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.0.iter().map(|scale| if let Scale::Categories(count) = scale { *count } else { 1 }).sum()
    }

    /// Scales all samples.
    #[must_use]
    pub fn apply(&self, data: &Dataset) -> Table {
        let mut values = Vec::with_capacity(data.samples() * self.inputs());
        for sample in 0..data.samples() {
            for (feature, scale) in self.0.iter().enumerate() {
                match *scale {
                    Scale::Number { mean, factor } => {
                        let scaled =
                            |value: f64| ((value - mean) * factor).round().clamp(-127.0, 127.0) as i8;
                        // What is missing is as the mean.
                        values.push(value(data, sample, feature).map_or(0, scaled));
                    }
                    Scale::Categories(count) => {
                        let key = data.key(sample, feature);
                        values.extend(
                            (0..count as i32).map(|index| if index == key { CATEGORY } else { -CATEGORY }),
                        );
                    }
                }
            }
        }
        Table { inputs: self.inputs(), values, labels: data.labels.clone(), classes: data.classes.len() }
    }
}

fn factor(variance: f64) -> f64 {
    if variance > 0.0 { DEVIATION / variance.sqrt() } else { 0.0 }
}

/// Mean and variance of a feature.
fn moments(data: &Dataset, feature: usize) -> (f64, f64) {
    let values = || (0..data.samples()).filter_map(|sample| value(data, sample, feature));
    let count = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    (mean, values().map(|value| (value - mean).powi(2)).sum::<f64>() / count)
}

/// A value, unless it is missing.
fn value(data: &Dataset, sample: usize, feature: usize) -> Option<f64> {
    let key = data.key(sample, feature);
    match &data.schema {
        Schema::Table(columns) if columns[feature].missing && key == MISSING => None,
        Schema::Table(columns) if columns[feature].kind == ColumnKind::Real => Some(f64::from(key_real(key))),
        _ => Some(f64::from(key)),
    }
}
