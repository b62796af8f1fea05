//! A CSV text in memory, as lines of cells that are equal in number.
//!
//! What parts the cells is found out, see [`Dialect`]. Cells may be quoted, and lose the space around them; blank lines are
//! skipped, and so are lines at the start that begin with `#`. A last column in which no line has a cell is left out. Without
//! a header, see [`Text::has_header`], the columns are called `c1`, `c2`, and so on.

use std::borrow::Cow;

use csv::StringRecord;

use super::DataError;
use super::dialect::{self, Dialect, has_decimals};
use super::error::{listed, shown};
use super::input::Input;
use super::options::{ColumnChoice, Decimal, Missing, Writing};

/// Lines in which texts of the first are looked for.
const LINES_FOR_A_HEADER: usize = 10_000;

/// The bytes of a CSV file, not yet known to be text.
pub(super) struct Text {
    /// The name of the file in messages.
    pub(super) file: String,
    bytes: Vec<u8>,
    /// Where the first line lies that is no comment.
    start: usize,
    dialect: Dialect,
    /// Whether the user has said that there is no header.
    pub(super) no_header: bool,
    /// How many cells a line keeps, where one more is always empty.
    most: usize,
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
    /// What becomes of missing values, where the user has said it.
    pub(super) missing: Option<Missing>,
    /// How the columns of a model were found.
    pub(super) matched: Matched,
    /// The columns that part the samples.
    pub(super) parting: Parting,
}

/// Columns that are of samples but no features: those that part them into training, validation and test, and the one that names them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parting {
    /// The one whose equal values stay together.
    pub(super) group: Option<usize>,
    /// The one that names the parts.
    pub(super) split: Option<usize>,
    /// The one that names the samples.
    pub(super) id: Option<usize>,
}

impl Parting {
    /// Of columns with these names.
    pub(super) fn new(text: &Text, names: &[String], choice: &ColumnChoice) -> Result<Self, DataError> {
        let place = |flag, column: &Option<String>| {
            column.as_ref().map(|column| text.place(names, flag, column)).transpose()
        };
        Ok(Self {
            group: place("--group", &choice.group)?,
            split: place("--split", &choice.split)?,
            id: place("--id", &choice.id)?,
        })
    }

    /// Whether a column is one of them.
    pub(super) fn contains(self, column: usize) -> bool {
        [self.group, self.split, self.id].contains(&Some(column))
    }
}

/// How the columns of a model were found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    /// By their names.
    Names,
    /// By their names, but for capital letters.
    Letters,
    /// By their places.
    Places,
}

impl Text {
    /// Reads all of `input`.
    pub(super) fn read(input: Input, writing: Writing) -> Result<Self, DataError> {
        let file = input.file.clone();
        let bytes = input.rest()?;
        let start = comments(&bytes);
        let dialect = Dialect::of(&bytes[start..], writing);
        let bytes = if one_column(&bytes[start..], dialect) { with_blank_cells(bytes, start) } else { bytes };
        let mut text = Self { file, bytes, start, dialect, no_header: writing.no_header, most: usize::MAX };
        text.most = text.empty_column().unwrap_or(usize::MAX);
        Ok(text)
    }

    /// The last column, if it is empty in every line. A header may lack it.
    fn empty_column(&self) -> Option<usize> {
        let (mut reader, mut row) = (self.reader(), StringRecord::new());
        let (mut first, mut width) = (None, None);
        while matches!(reader.read_record(&mut row), Ok(true)) {
            let empty = row.iter().next_back().is_some_and(str::is_empty);
            if first.is_none() {
                first = Some((row.len(), empty));
            } else if !empty || width.is_some_and(|width| width != row.len()) {
                return None;
            } else {
                width = Some(row.len());
            }
        }
        let ((cells, empty), width) = (first?, width?);
        (width > 1 && (width == cells && empty || width == cells + 1)).then(|| width - 1)
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        dialect::reader(&self.bytes[self.start..], self.dialect.separator)
    }

    /// A cell with a point before its decimals.
    pub(super) fn plain<'a>(&self, cell: &'a str) -> Cow<'a, str> {
        if self.dialect.decimal_comma && has_decimals(cell, ',') {
            Cow::Owned(cell.replacen(',', ".", 1))
        } else {
            Cow::Borrowed(cell)
        }
    }

    /// Whether the first line is a header. One of numbers is none, unless it counts the columns. One of texts alone is one where
    /// numbers follow. Else it is none where each of its texts stands in its column again, as names of classes do and names of
    /// columns do not.
    pub(super) fn has_header(&self, first: &StringRecord) -> bool {
        if self.no_header {
            return false;
        }
        if self.are_numbers(first.iter()) {
            return counts_columns(first);
        }
        let is_number = |cell: &str| self.plain(cell).parse::<f32>().is_ok();
        let names = !first.iter().any(is_number);
        let mut texts: Vec<(usize, &str)> =
            first.iter().enumerate().filter(|(_, cell)| !cell.is_empty() && !is_number(cell)).collect();
        let (mut reader, mut row) = (self.reader(), StringRecord::new());
        let _ = self.read_row(&mut reader, &mut row);
        for _ in 0..LINES_FOR_A_HEADER {
            if texts.is_empty() || !matches!(self.read_row(&mut reader, &mut row), Ok(true)) {
                break;
            }
            if names && row.iter().any(is_number) {
                return true;
            }
            texts.retain(|&(column, text)| row.get(column) != Some(text));
        }
        !texts.is_empty()
    }

    /// Whether a first line holds numbers, at least one, or nothing in each of these cells.
    pub(super) fn are_numbers<'a>(&self, mut cells: impl Iterator<Item = &'a str> + Clone) -> bool {
        let is_number = |cell: &str| self.plain(cell).parse::<f32>().is_ok();
        cells.clone().any(is_number) && cells.all(|cell| cell.is_empty() || is_number(cell))
    }

    /// Whether the last line has an end.
    pub(super) fn ends_with_line(&self) -> bool {
        matches!(self.bytes.last(), None | Some(b'\n' | b'\r'))
    }

    /// Whether the text ends with this cell, without quotes.
    pub(super) fn last_cell_is(&self, cell: &str) -> bool {
        let before = self.bytes.trim_ascii_end().strip_suffix(cell.as_bytes());
        before.is_some_and(|bytes| bytes.trim_ascii_end().last() == Some(&self.dialect.separator.byte()))
    }

    /// How it is written.
    pub(super) fn writing(&self, header: bool) -> Writing {
        let decimal = if self.dialect.decimal_comma { Decimal::Comma } else { Decimal::Point };
        Writing { separator: Some(self.dialect.separator), decimal: Some(decimal), no_header: !header }
    }

    /// What of the text was found out and may be otherwise than meant.
    pub(super) fn notes(&self, first: &StringRecord, header: bool) -> Vec<String> {
        let mut notes: Vec<String> = self.dialect.note().into_iter().collect();
        if self.start > 0 {
            notes.push("lines at the start that begin with # are comments".into());
        }
        if self.most < usize::MAX {
            notes.push("the last column is empty and left out".into());
        }
        if !header {
            notes.push(format!("there is no header: columns are called c1 to c{}", first.len()));
        } else if counts_columns(first) {
            notes.push("the first line counts the columns and is taken for a header".into());
        }
        notes
    }

    /// Visits the lines with their numbers, which count from 1; with a header, from the second on.
    pub(super) fn rows(
        &self,
        header: bool,
        mut visit: impl FnMut(u64, &StringRecord) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut reader = self.reader();
        let mut row = StringRecord::new();
        let mut first: Option<StringRecord> = None;
        let mut lines = self.lines();
        while self.read_row(&mut reader, &mut row)? {
            let line = lines.of(&self.bytes[self.start..], row.position());
            let Some(first) = &first else {
                first = Some(row.clone());
                if !header {
                    visit(line, &row)?;
                }
                continue;
            };
            if row.len() != first.len() {
                let (file, expected) = (self.file.clone(), first.len());
                return Err(DataError::Ragged { file, line, expected, found: row.len() });
            }
            if header && row == *first {
                return Err(DataError::HeaderAgain { file: self.file.clone(), line });
            }
            visit(line, &row)?;
        }
        Ok(())
    }

    fn lines(&self) -> Lines {
        let before = self.bytes[..self.start].iter().filter(|&&byte| byte == b'\n').count();
        Lines { line: 1 + before as u64, counted: 0 }
    }

    /// The first line.
    pub(super) fn first(&self) -> Result<StringRecord, DataError> {
        let mut row = StringRecord::new();
        if self.read_row(&mut self.reader(), &mut row)? {
            Ok(row)
        } else {
            Err(DataError::Empty { file: self.file.clone() })
        }
    }

    fn read_row(&self, reader: &mut csv::Reader<&[u8]>, row: &mut StringRecord) -> Result<bool, DataError> {
        // From bytes in memory, with lines of any length, text that is not UTF-8 is all that fails.
        let read = reader.read_record(row).map_err(|error| {
            let line = self.lines().of(&self.bytes[self.start..], error.position());
            DataError::NotText { file: self.file.clone(), line }
        })?;
        if row.len() == self.most.saturating_add(1) {
            row.truncate(self.most);
        }
        Ok(read)
    }

    /// The column that a flag names.
    pub(super) fn place(
        &self,
        names: &[String],
        flag: &'static str,
        column: &str,
    ) -> Result<usize, DataError> {
        find_column(names, column).ok_or_else(|| DataError::UnknownColumn {
            file: self.file.clone(),
            flag,
            column: shown(column),
            columns: listed(names.iter().map(String::as_str)),
            count: names.len(),
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

/// Whether a line counts its cells from 0 or from 1: such as the names that pandas gives columns without names.
fn counts_columns(line: &StringRecord) -> bool {
    let counts = |from: usize| (from..).zip(line).all(|(number, cell)| cell == number.to_string());
    line.len() > 3 && (counts(0) || counts(1))
}

/// Whether the lines of a text are one cell each.
fn one_column(bytes: &[u8], dialect: Dialect) -> bool {
    let mut row = StringRecord::new();
    matches!(dialect::reader(bytes, dialect.separator).read_record(&mut row), Ok(true)) && row.len() == 1
}

/// A text of one column with the blank lines among its samples as empty cells: else they would be no samples.
fn with_blank_cells(bytes: Vec<u8>, start: usize) -> Vec<u8> {
    let end = bytes.trim_ascii_end().len();
    let mut written = bytes[..start].to_vec();
    let mut begun = false;
    for line in bytes[start..end.max(start)].split_inclusive(|&byte| byte == b'\n') {
        let blank = line.trim_ascii().is_empty();
        begun |= !blank;
        if blank && begun {
            written.extend_from_slice(b"\"\"");
        }
        written.extend_from_slice(line);
    }
    written.extend_from_slice(&bytes[end.max(start)..]);
    written
}

/// How many bytes at the start are comments: lines that begin with `#`, and blank ones.
fn comments(bytes: &[u8]) -> usize {
    let (mut start, mut line) = (0, 0);
    for bytes in bytes.split_inclusive(|&byte| byte == b'\n') {
        let text = bytes.trim_ascii();
        if text.first().is_some_and(|&first| first != b'#') {
            break;
        }
        line += bytes.len();
        if !text.is_empty() {
            start = line;
        }
    }
    start
}
