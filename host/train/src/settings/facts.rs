//! What the settings of a run depend on, of its data.

use evobit_data::{Dataset, Schema};

/// What of a data set its settings depend on. It is in a model as well, but for the samples.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the features are.
    pub schema: &'a Schema,
    /// Class names.
    pub classes: &'a [String],
    /// How many samples there are to learn from and to choose by.
    pub samples: usize,
    /// The samples themselves, where they are at hand: see `--levels`.
    pub data: Option<&'a Dataset>,
}

impl<'a> From<&'a Dataset> for Facts<'a> {
    fn from(data: &'a Dataset) -> Self {
        Self { schema: &data.schema, classes: &data.classes, samples: data.samples(), data: Some(data) }
    }
}
