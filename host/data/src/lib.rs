//! From a file to a checked data set in memory.
//!
//! A data set is a matrix of raw values, one `i32` key per sample and feature, with a [`Schema`]
//! that says what the keys mean. Keys are raw on purpose: how values become bits is learned from
//! the training part alone and belongs to the model, so nothing is scaled or binned here. The one
//! demand on a key is that it keeps the order of the values, which [`real_key`] gives for reals.
//!
//! [`load`] finds out the schema from the file, for training. [`load_known`] and
//! [`load_unlabelled`] read by the schema of a model made earlier. All take built-in sets, IDX and
//! CSV files, plain or compressed by gzip. What they return has been checked: every feature of
//! every sample is there and finite, labels are below the number of classes, and there are 2 to
//! 256 classes. What fails is a [`DataError`] that says what to do.
//!
//! Cost: a CSV file is held in memory and parsed two or three times (once for the schema, once
//! for the values), which is cheaper than holding its cells as strings.

pub mod augment;
mod builtin;
mod cells;
mod dialect;
pub mod encode;
mod error;
mod folder;
mod gaps;
mod idx;
mod infer;
mod input;
mod known;
mod load;
mod memorize;
mod named;
mod notes;
mod options;
mod seen;
mod split;
mod text;

#[cfg(test)]
mod tests;

pub use error::DataError;
pub use evobit::encode::{MISSING, real_key};
pub use infer::read_csv;
pub use load::{Loaded, TableFacts, is_memorize, load, load_known, load_unlabelled, read_unlabelled};
pub use named::Named;
pub use options::{ColumnChoice, Decimal, LoadOptions, Missing, Separator, Writing};
pub use split::{Division, Part, Split, stratified};

/// How the raw values of one column are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers that fit `i32`; the number is the key.
    Integer,
    /// Finite numbers, rounded to `f32`; the key is [`real_key`].
    Real,
    /// One of these names, which are sorted; the key is the index, or -1 for any other name.
    Category(Vec<String>),
}

/// One feature of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in the header line, or `c1`, `c2`, ... in a file without one.
    pub name: String,
    /// How its values are read.
    pub kind: ColumnKind,
    /// Whether numbers may be missing, whose key is [`MISSING`]. A missing category is a name like any other, the empty one.
    pub missing: bool,
}

impl Column {
    /// One whose values are all there.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind, missing: false }
    }
}

/// What the features of a sample are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Pixels 0 to 255 or other whole numbers; feature `(channel * height + row) * width + column`.
    Image {
        /// Planes of pixels, such as 1 for grey or 3 for colour.
        channels: u16,
        /// Rows of pixels.
        height: u16,
        /// Pixels in a row.
        width: u16,
    },
    /// One feature per column.
    Table(Vec<Column>),
}

impl Schema {
    /// How many features a sample has.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Image { channels, height, width } => {
                usize::from(*channels) * usize::from(*height) * usize::from(*width)
            }
            Self::Table(columns) => columns.len(),
        }
    }

    /// The names that a model image holds of the features: how many columns have names, and for each its name, then those
    /// of its categories. Pixels have none.
    #[must_use]
    pub fn names(&self) -> (u16, Vec<&str>) {
        let Self::Table(columns) = self else { return (0, vec![]) };
        let Ok(count) = u16::try_from(columns.len()) else { return (0, vec![]) };
        let mut names: Vec<&str> = vec![];
        for column in columns {
            names.push(&column.name);
            if let ColumnKind::Category(categories) = &column.kind {
                names.extend(categories.iter().map(String::as_str));
            }
        }
        (count, names)
    }
}

/// Raw values, `[samples][features]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Images whose values are all 0 to 255.
    Bytes(Vec<u8>),
    /// All else.
    Keys(Vec<i32>),
}

impl Values {
    /// How many values there are, over all samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Keys(keys) => keys.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`, which is `sample * features + feature`.
    ///
    /// # Panics
    /// When `index` is not below [`Values::len`].
    #[must_use]
    pub fn key(&self, index: usize) -> i32 {
        match self {
            Self::Bytes(bytes) => i32::from(bytes[index]),
            Self::Keys(keys) => keys[index],
        }
    }

    /// A sample of so many features as a board takes it: a byte for each where all fit one, else four, little-endian.
    ///
    /// # Panics
    /// When there are not so many samples.
    #[must_use]
    pub fn bytes(&self, sample: usize, features: usize) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes[sample * features..][..features].to_vec(),
            Self::Keys(keys) => {
                let keys = &keys[sample * features..][..features];
                let narrow: Result<Vec<u8>, _> = keys.iter().map(|&key| u8::try_from(key)).collect();
                narrow.unwrap_or_else(|_| keys.iter().flat_map(|key| key.to_le_bytes()).collect())
            }
        }
    }

    /// `keys` as bytes when every one fits.
    fn packed(keys: Vec<i32>) -> Self {
        match keys.iter().map(|&key| u8::try_from(key)).collect() {
            Ok(bytes) => Self::Bytes(bytes),
            Err(_) => Self::Keys(keys),
        }
    }

    /// The rows of `samples`, each `features` long, in the order asked for.
    fn select(&self, features: usize, samples: &[u32]) -> Self {
        fn rows<T: Copy>(values: &[T], features: usize, samples: &[u32]) -> Vec<T> {
            let mut chosen = Vec::with_capacity(samples.len() * features);
            for &sample in samples {
                let start = sample as usize * features;
                chosen.extend_from_slice(&values[start..start + features]);
            }
            chosen
        }
        match self {
            Self::Bytes(bytes) => Self::Bytes(rows(bytes, features, samples)),
            Self::Keys(keys) => Self::Keys(rows(keys, features, samples)),
        }
    }
}

/// Samples with their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What the features are.
    pub schema: Schema,
    /// The values, `[samples][features]`.
    pub values: Values,
    /// The class of each sample, an index into `classes`.
    pub labels: Vec<u8>,
    /// The names of the 2 to 256 classes. A class may have no samples here.
    pub classes: Vec<String>,
}

impl Dataset {
    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.labels.len()
    }

    /// How many features a sample has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.schema.features()
    }

    /// A sample as a board takes it: a byte for each feature where all fit one, else four.
    ///
    /// # Panics
    /// When there are not so many samples.
    #[must_use]
    pub fn bytes(&self, sample: usize) -> Vec<u8> {
        self.values.bytes(sample, self.features())
    }

    /// The raw value of `feature` in `sample`.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn key(&self, sample: usize, feature: usize) -> i32 {
        self.values.key(sample * self.features() + feature)
    }

    /// The data set of these samples, in this order; an index may come more than once.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn select(&self, samples: &[u32]) -> Self {
        Self {
            schema: self.schema.clone(),
            values: self.values.select(self.features(), samples),
            labels: samples.iter().map(|&sample| self.labels[sample as usize]).collect(),
            classes: self.classes.clone(),
        }
    }

    /// How many samples each class has, in the order of `classes`.
    #[must_use]
    pub fn class_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

/// Samples of unknown class, to predict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlabelled {
    /// What the features are.
    pub schema: Schema,
    /// The values, `[samples][features]`.
    pub values: Values,
    /// What the user should know of how they were read.
    pub notes: Vec<String>,
    /// The column that names the samples, and the names, where one was asked for.
    pub ids: Option<(String, Vec<String>)>,
}

impl Unlabelled {
    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.values.len().checked_div(self.features()).unwrap_or(0)
    }

    /// How many features a sample has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.schema.features()
    }

    /// The raw value of `feature` in `sample`.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn key(&self, sample: usize, feature: usize) -> i32 {
        self.values.key(sample * self.features() + feature)
    }
}
