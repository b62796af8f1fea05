//! What becomes of values that are missing.

use csv::StringRecord;

use super::cells::is_missing;
use super::text::{Layout, Text};

crate::named! {
    /// What becomes of values that are missing.
    pub enum Missing {
        /// A column with missing values has one more bit, which tells where
        Bit = "bit",
        /// Lines with missing values are left out
        Skip = "skip",
        /// They are errors
        Error = "error",
    }
}

impl Missing {
    /// Whether texts among the numbers of a column are missing values too: where the user has said what becomes of these.
    pub(super) fn takes_texts(chosen: Option<Self>) -> bool {
        matches!(chosen, Some(Self::Bit | Self::Skip))
    }
}

/// Finds the lines that are left out.
#[derive(Default)]
pub(super) struct Gaps {
    skip: bool,
    /// The columns of features, and whether they hold numbers.
    columns: Vec<(usize, bool)>,
}

impl Gaps {
    /// Of a layout whose features hold numbers or not.
    pub(super) fn new(layout: &Layout, numbers: impl Iterator<Item = bool>) -> Self {
        let skip = layout.missing == Some(Missing::Skip);
        Self { skip, columns: layout.features.iter().copied().zip(numbers).collect() }
    }

    /// Whether a line is left out.
    pub(super) fn leaves_out(&self, text: &Text, row: &StringRecord) -> bool {
        let is_number = |cell: &str| text.plain(cell).parse::<f64>().is_ok();
        let gap = |&(column, numbers): &(usize, bool)| {
            let cell = row.get(column).unwrap_or_default();
            is_missing(cell) || numbers && !is_number(cell)
        };
        self.skip && self.columns.iter().any(gap)
    }
}
