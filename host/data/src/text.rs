//! A CSV text in memory, as lines of cells that are equal in number.
//!
//! Cells are separated by commas, may be quoted, and lose the space around them; blank lines are
//! skipped. The first line is a header unless all its cells are numbers (or empty): then the
//! columns are called `c1`, `c2`, and so on.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::DataError;
use super::error::{listed, shown};
use super::input::Input;

/// The bytes of a CSV file, not yet known to be text.
pub(super) struct Text {
    /// The name of the file in messages.
    pub(super) file: String,
    bytes: Vec<u8>,
}

/// Where the features and the label stand in the lines of a text.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Whether the first line is a header and no sample.
    pub(super) header: bool,
    /// The name of every column.
    pub(super) names: Vec<String>,
    /// The column of each feature.
    pub(super) features: Vec<usize>,
    /// The column of the label, if there is one.
    pub(super) label: Option<usize>,
}

impl Text {
    /// Reads all of `input`.
    pub(super) fn read(input: Input) -> Result<Self, DataError> {
        let file = input.file.clone();
        Ok(Self { file, bytes: input.rest()? })
    }

    /// Visits the lines with their numbers, which count from 1; with a header, from the second on.
    pub(super) fn rows(
        &self,
        header: bool,
        mut visit: impl FnMut(u64, &StringRecord) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(self.bytes.as_slice());
        let mut row = StringRecord::new();
        let mut expected = None;
        let mut lines = Lines { line: 1, counted: 0 };
        while self.read_row(&mut reader, &mut row)? {
            let line = lines.of(&self.bytes, row.position());
            let first = expected.is_none();
            let expected = *expected.get_or_insert(row.len());
            if row.len() != expected {
                return Err(DataError::Ragged { file: self.file.clone(), line, expected, found: row.len() });
            }
            if !(first && header) {
                visit(line, &row)?;
            }
        }
        Ok(())
    }

    /// The first line.
    pub(super) fn first(&self) -> Result<StringRecord, DataError> {
        let mut reader =
            ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(self.bytes.as_slice());
        let mut row = StringRecord::new();
        if self.read_row(&mut reader, &mut row)? {
            Ok(row)
        } else {
            Err(DataError::Empty { file: self.file.clone() })
        }
    }

    fn read_row(&self, reader: &mut csv::Reader<&[u8]>, row: &mut StringRecord) -> Result<bool, DataError> {
        // From bytes in memory, with lines of any length, text that is not UTF-8 is all that fails.
        reader.read_record(row).map_err(|error| {
            let line = Lines { line: 1, counted: 0 }.of(&self.bytes, error.position());
            DataError::NotText { file: self.file.clone(), line }
        })
    }

    /// The error of a label column that is not there.
    pub(super) fn unknown_label(&self, label: &str, names: &[String]) -> DataError {
        DataError::UnknownLabelColumn {
            file: self.file.clone(),
            label: shown(label),
            columns: listed(names.iter().map(String::as_str)),
            count: names.len(),
        }
    }
}

/// Counts lines up to a row. The reader's own count is of where it starts to look for the row, which
/// is before blank lines and the second byte of a line end.
struct Lines {
    line: u64,
    /// How many bytes the count is of.
    counted: usize,
}

impl Lines {
    /// The line of the row that the reader looked for from `position`, which never goes back.
    fn of(&mut self, bytes: &[u8], position: Option<&csv::Position>) -> u64 {
        let mut place = position.map_or(0, |position| position.byte() as usize).min(bytes.len());
        while matches!(bytes.get(place), Some(b'\r' | b'\n')) {
            place += 1;
        }
        while self.counted < place {
            let ends = match bytes[self.counted] {
                b'\n' => true,
                b'\r' => bytes.get(self.counted + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.counted += 1;
        }
        self.line
    }
}

/// The names of the columns: the cells of a header, where an empty one is named by its place, as
/// all are without a header.
pub(super) fn column_names(first: &StringRecord, header: bool) -> Vec<String> {
    let named = |(place, cell): (usize, &str)| {
        if header && !cell.is_empty() { cell.to_owned() } else { format!("c{place}") }
    };
    (1..).zip(first.iter()).map(named).collect()
}

/// The column with this name or, failing that, with this number, counted from 1.
pub(super) fn find_column(names: &[String], wanted: &str) -> Option<usize> {
    let wanted = wanted.trim();
    names.iter().position(|name| name == wanted).or_else(|| {
        let number = wanted.parse::<usize>().ok()?;
        (1..=names.len()).contains(&number).then(|| number - 1)
    })
}

/// Whether a first line holds numbers, at least one, or nothing in each of these cells.
pub(super) fn are_numbers<'a>(mut cells: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_number = |cell: &str| cell.parse::<f32>().is_ok();
    cells.clone().any(is_number) && cells.all(|cell| cell.is_empty() || is_number(cell))
}
