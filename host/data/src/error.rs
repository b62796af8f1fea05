//! What can be wrong with a data file, each in one line that says what to do about it.
//!
//! Names of files and cells are made safe for one line before they enter an error: see [`one_line`]
//! and [`shown`].

use std::io;

/// Why a data set could not be loaded. `file` is a path, the name of a built-in set, or whatever
/// name the caller gave a stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of a variant says what its fields are")]
pub enum DataError {
    /// The source is neither a built-in set nor something on disk.
    #[error("{file}: no such file or folder: check the path, or name a built-in set ({})", super::builtin::NAMES.join(", "))]
    NotFound { file: String },
    /// The system refused to read.
    #[error("{file}: cannot be read ({reason}): check that it is a file you may read")]
    Unreadable { file: String, reason: io::Error },
    /// A compressed file is cut short or damaged.
    #[error("{file}: its gzip data is cut short or damaged ({reason}): download or copy it again")]
    Gzip { file: String, reason: io::Error },

    /// Random images that are not written as they should be.
    #[error(
        "{file}: random images to memorize are written memorize:SAMPLES or memorize:SAMPLES:SEED, such as memorize:512, of 10 to 65536 samples"
    )]
    Memorize { file: String },

    /// A folder without IDX files.
    #[error(
        "{folder}: holds no IDX files with `images` in their names: give a folder such as MNIST's, or a CSV file"
    )]
    NoPairs { folder: String },
    /// Images without labels, or labels without images.
    #[error("{folder}: holds {present} but not its other half: add {missing} (or the same name with .gz)")]
    HalfPair { folder: String, present: String, missing: String },
    /// Only a test pair is there.
    #[error("{folder}: holds only test data ({present}): add the training images and labels")]
    NoTraining { folder: String, present: String },
    /// More pairs than can be told apart.
    #[error("{folder}: holds more than one {part} pair ({names}): keep one data set in a folder of its own")]
    SeveralPairs { folder: String, part: &'static str, names: String },
    /// An IDX file by itself where labels are needed.
    #[error("{file}: is an IDX file, and its labels are in another: give the folder that holds both")]
    LoneIdx { file: String },
    /// Not the kind of IDX file its name says.
    #[error(
        "{file}: starts with the number {found}, where IDX {what} start with {expected}: check that it is the right file and not converted"
    )]
    Magic { file: String, what: &'static str, expected: &'static str, found: u32 },
    /// Floats that are no whole numbers.
    #[error(
        "{file}: holds {element}, and value {place} is {value}: pixels are whole numbers here; multiply them, such as by 255, and save them as bytes"
    )]
    IdxFraction { file: String, element: &'static str, place: usize, value: String },
    /// A label that is no small whole number.
    #[error("{file}: label {place} is {label}, and labels are 0 to 255: number the classes from 0")]
    IdxLabel { file: String, place: usize, label: i32 },
    /// A header that counts no images.
    #[error("{file}: its header counts 0 images: choose a file with samples in it")]
    NoImages { file: String },
    /// Channels, height or width zero or too large.
    #[error(
        "{file}: its header gives images of {channels} x {height} x {width} (channels, height, width), where each must be 1 to 65535: the file is damaged or not IDX"
    )]
    ImageSize { file: String, channels: u32, height: u32, width: u32 },
    /// Fewer bytes than the header promises.
    #[error(
        "{file}: is cut short: it should hold {expected} bytes and holds {found}: download or copy it again"
    )]
    Truncated { file: String, expected: u64, found: u64 },
    /// More bytes than the header promises.
    #[error(
        "{file}: goes on after the {expected} bytes its header promises: it is damaged or several files in one; download or copy it again"
    )]
    TrailingBytes { file: String, expected: u64 },
    /// Images and labels differ in number.
    #[error(
        "{images_file} holds {images} images and {labels_file} {labels} labels: use two files of one set"
    )]
    LabelCount { images_file: String, images: u64, labels_file: String, labels: u64 },

    /// Bytes that are no text.
    #[error("{file}: line {line} is not UTF-8 text: save the file as CSV in UTF-8")]
    NotText { file: String, line: u64 },
    /// A file without a single line.
    #[error("{file}: is empty: it needs a header line and one line per sample")]
    Empty { file: String },
    /// A header and no samples.
    #[error("{file}: has a header line and no samples: add one line per sample")]
    HeaderOnly { file: String },
    /// A line with more or fewer cells than the first.
    #[error("{file}: line {line} has {found} cells and the first line {expected}: give every line the same")]
    Ragged { file: String, line: u64, expected: usize, found: usize },
    /// One column only, which is the label.
    #[error(
        "{file}: has one column, so nothing but the label: separate columns with commas and give at least two"
    )]
    NoFeatures { file: String },
    /// Two columns of one name.
    #[error("{file}: has two columns named {column}: rename one")]
    DuplicateColumn { file: String, column: String },
    /// No column of the name or number asked for.
    #[error(
        "{file}: has no column {label} for the label: choose one of {columns}, or a number from 1 to {count}"
    )]
    UnknownLabelColumn { file: String, label: String, columns: String, count: usize },
    /// No column of a name or number that a flag names.
    #[error(
        "{file}: has no column {column}, which {flag} names: choose of {columns}, or numbers from 1 to {count}"
    )]
    UnknownColumn { file: String, flag: &'static str, column: String, columns: String, count: usize },
    /// Nothing is left to learn from.
    #[error("{file}: --drop and --only leave no column but the label: keep at least one")]
    NoneLeft { file: String },
    /// The header stands in the middle of the lines as well.
    #[error("{file}: line {line} is the header again: two files were joined; remove that line")]
    HeaderAgain { file: String, line: u64 },
    /// A cell that must not be empty.
    #[error("{file}: line {line}, column {column} is {cell}: fill it in or remove the line")]
    Missing { file: String, line: u64, column: String, cell: String },
    /// A label that is missing.
    #[error(
        "{file}: line {line}, column {column} is {cell}, and it is the label: fill it in, remove the line, or name another column (--label)"
    )]
    MissingLabel { file: String, line: u64, column: String, cell: String },
    /// A few cells that are no numbers in a column of numbers.
    #[error(
        "{file}: column {column} holds numbers, but {count} of its {rows} cells are not: {cells}; correct them, or take them for missing values with --missing bit or skip"
    )]
    FewTexts { file: String, column: String, count: usize, rows: usize, cells: String },
    /// The last line seems to be cut short.
    #[error(
        "{file}: the last line is cut short: its label {label} is the start of {class}, and no other line has it; complete the line or remove it"
    )]
    CutLabel { file: String, label: String, class: String },
    /// NaN, infinity, or a number beyond `f32`.
    #[error(
        "{file}: line {line}, column {column} is {cell}, not a finite number: correct it or remove the line"
    )]
    NotFinite { file: String, line: u64, column: String, cell: String },
    /// Text in a column that a model reads as numbers.
    #[error("{file}: line {line}, column {column} is {cell}, not a number: correct it or remove the line")]
    NotANumber { file: String, line: u64, column: String, cell: String },
    /// A fraction, or too large a number, where whole numbers are read.
    #[error(
        "{file}: line {line}, column {column} is {cell}, where a whole number of 32 bits belongs: correct it, or train with such values"
    )]
    NotWhole { file: String, line: u64, column: String, cell: String },
    /// All samples belong to one class.
    #[error(
        "{file}: every sample has the label {class}, and at least two classes are needed: check the label column (--label) or add samples"
    )]
    OneClass { file: String, class: String },
    /// More classes than a label holds.
    #[error(
        "{file}: column {column} has {classes} different values, and a label has at most 256 classes: it is probably not the label; choose another column (--label)"
    )]
    TooManyClasses { file: String, column: String, classes: usize },
    /// A text column that hardly repeats itself.
    #[error(
        "{file}: column {column} is read as text (line {line}: {cell}) and has {distinct} different values in {rows} lines, probably an identifier: leave the column out (--drop), or correct that cell if the column holds numbers"
    )]
    LikelyIdentifier { file: String, column: String, line: u64, cell: String, distinct: usize, rows: usize },
    /// The features do not fill the image shape asked for.
    #[error(
        "{file}: has {features} features, which do not make images of {channels} x {height} x {width} (channels, height, width): correct the shape (--shape) or the label column"
    )]
    Shape { file: String, features: usize, channels: u16, height: u16, width: u16 },

    /// A table where the model reads other columns.
    #[error("{file}: lacks the model's column {missing}: use the header line of the training file")]
    MissingColumn { file: String, missing: String },
    /// The number of columns fits neither with nor without a label.
    #[error(
        "{file}: has {found} columns, where the model reads {expected} features and at most one label: use the columns of the training file"
    )]
    ColumnCount { file: String, expected: usize, found: usize },
    /// A labelled data set is needed and this one has no label column.
    #[error(
        "{file}: has no label column next to the {features} features, or several that could be it: name it (--label)"
    )]
    NoLabels { file: String, features: usize },
    /// A label the model was never trained on.
    #[error(
        "{file}: {place} has the label {label}, which the model does not know (it knows {classes}): remove such samples or train with them"
    )]
    UnknownClass { file: String, place: String, label: String, classes: String },
    /// Images for a model of a table.
    #[error(
        "{file}: holds images, and the model reads a table: give a CSV file with the columns of the training file"
    )]
    ImagesForTable { file: String },
    /// Images of another size than asked for, or than the model's.
    #[error(
        "{file}: holds images of {found}, where {expected} is expected (channels x height x width): correct the shape (--shape), or choose images or a model that fit"
    )]
    OtherShape { file: String, found: String, expected: String },

    /// Fewer groups than parts.
    #[error(
        "there are {groups} groups for {parts} parts, and no group may be in two: use other groups, or no validation part (--validation 0)"
    )]
    Groups { groups: usize, parts: usize },
    /// Folds that cannot be dealt.
    #[error(
        "{samples} samples cannot be dealt into {folds} folds: choose 2 to {samples}, and leave --split out"
    )]
    Folds { folds: usize, samples: usize },
    /// A cell that names no part.
    #[error(
        "{file}: line {line}, column {column} is {cell}, where train, validation or test belongs: correct it"
    )]
    NoPart { file: String, line: u64, column: String, cell: String },
    /// Shares of a split that leave nothing to train on.
    #[error(
        "cannot keep {validation} of the samples for validation and {test} for testing: give shares of at least 0 that together stay under 1"
    )]
    Shares { validation: f64, test: f64 },
}

/// `text` with anything that would break a line written as an escape.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// The text of a cell in quotes, escaped, and cut to a length that fits a message.
pub(super) fn shown(cell: &str) -> String {
    const LONGEST: usize = 40;
    match cell.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &cell[..end]),
        None => format!("{cell:?}"),
    }
}

/// A cell that says that its value is missing.
pub(super) fn missing(cell: &str) -> String {
    if cell.is_empty() { "empty".to_owned() } else { format!("{}, a missing value", shown(cell)) }
}

/// The first few of `names`, quoted, and how many more there are.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let more = names.len().saturating_sub(MOST);
    let mut list = names.take(MOST).map(shown).collect::<Vec<_>>().join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(one_line("a\nb\u{2028}\u{e9}"), "a\\nb\\u{2028}\u{e9}");
        assert_eq!(shown("a\n"), "\"a\\n\"");
        assert_eq!(shown(&"x".repeat(50)), format!("\"{}\"...", "x".repeat(40)));
        let names = vec!["n"; 14];
        assert!(listed(names.into_iter()).ends_with("\"n\" and 2 more"));
    }
}
