//! Missing values, and the lines that are left out for them.

use csv::StringRecord;

use super::options::Missing;
use super::text::{Layout, Text};

/// Whether a cell says that its value is missing.
pub(super) fn is_missing(cell: &str) -> bool {
    const MARKS: [&str; 7] = ["", "?", "-", "na", "n/a", "nan", "null"];
    MARKS.iter().any(|mark| cell.eq_ignore_ascii_case(mark))
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
