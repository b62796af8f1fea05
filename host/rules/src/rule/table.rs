//! Samples as plastic networks read them: every input one value of -127 to 127.

/// Samples with classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Inputs of a sample.
    pub inputs: usize,
    /// `[samples][inputs]`, -127 to 127.
    pub values: Vec<i8>,
    /// The class of each sample.
    pub labels: Vec<u8>,
    /// How many classes there are.
    pub classes: usize,
}

impl Table {
    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.labels.len()
    }

    /// The inputs of a sample.
    #[must_use]
    pub fn row(&self, sample: usize) -> &[i8] {
        &self.values[sample * self.inputs..(sample + 1) * self.inputs]
    }
}
