//! Reads a CSV text whose schema is not known yet: finds the label column, the kind of every other
//! column, and the classes.
//!
//! A column whose every cell is a whole number that fits `i32` is [`ColumnKind::Integer`]; if every cell
//! is a number, [`ColumnKind::Real`]; else [`ColumnKind::Category`], where a missing value is a name like any
//! other, the empty one, however it is marked. A missing value does not make a column of numbers a category: it is an error. So are
//! a few cells of text among numbers.

use std::collections::BTreeSet;
use std::io::Read;

use super::cells::{fill, is_missing, number};
use super::error::{listed, missing, shown};
use super::input::Input;
use super::text::{Layout, Text, column_names, find_column};
use super::{Column, ColumnKind, DataError, Dataset, LoadOptions, Schema};

const MOST_CLASSES: usize = 256;

/// In a column of numbers fewer texts than one in so many cells are mistakes, not names.
const NUMBERS_FOR_A_TEXT: usize = 10;

/// Text columns with more names than this, and than half the lines, are taken for identifiers.
const FEW_NAMES: usize = 32;

/// Reads a labelled data set as CSV from `reader`, plain or compressed; `name` is for messages.
///
/// What parts the cells, and whether commas stand before decimals, is found out. The first line is no header where
/// all its cells are numbers, or each text of it stands in its column again: then the columns are called `c1`, `c2`, and so on.
///
/// # Errors
/// Whatever is wrong with the text, as a [`DataError`].
pub fn read_csv(reader: impl Read, name: &str, options: &LoadOptions) -> Result<Dataset, DataError> {
    infer(&Text::read(Input::new(name, reader)?)?, options).map(|(dataset, _)| dataset)
}

/// Reads a labelled data set from `text`, with notes on how it was read.
pub(super) fn infer(text: &Text, options: &LoadOptions) -> Result<(Dataset, Vec<String>), DataError> {
    let layout = layout(text, options)?;
    let label = layout.label.unwrap_or_default();
    let schema = match options.shape {
        Some((channels, height, width)) => Schema::Image { channels, height, width },
        None => Schema::Table(columns(text, &layout)?),
    };
    if let Some((channels, height, width)) = options.shape
        && schema.features() != layout.features.len()
    {
        let (file, features) = (text.file.clone(), layout.features.len());
        return Err(DataError::Shape { file, features, channels, height, width });
    }
    let classes = classes(text, &layout, label)?;
    let (values, labels) = fill(text, &layout, &schema, &classes)?;
    let notes = text.notes(&text.first()?, layout.header);
    Ok((Dataset { schema, values, labels, classes }, notes))
}

fn layout(text: &Text, options: &LoadOptions) -> Result<Layout, DataError> {
    let first = text.first()?;
    let header = text.has_header(&first);
    let names = column_names(&first, header);
    let mut seen = BTreeSet::new();
    if let Some(column) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(DataError::DuplicateColumn { file: text.file.clone(), column: shown(column) });
    }
    let label = match &options.label {
        Some(label) => find_column(&names, label).ok_or_else(|| text.unknown_label(label, &names))?,
        None => names.len().saturating_sub(1),
    };
    let features: Vec<usize> = (0..names.len()).filter(|&column| column != label).collect();
    if features.is_empty() {
        return Err(DataError::NoFeatures { file: text.file.clone() });
    }
    Ok(Layout { header, names, features, label: Some(label) })
}

/// What has been seen of a column so far.
#[derive(Clone, Default)]
struct Seen {
    /// Cells with a number.
    numbers: usize,
    /// Those that are no whole numbers of 32 bits.
    reals: usize,
    /// Cells with neither a number nor a mark for a missing value.
    texts: usize,
    /// The first few of them, and their lines.
    first: Vec<(u64, String)>,
}

impl Seen {
    /// How many texts are named.
    const NAMED: usize = 3;

    fn add(&mut self, text: &Text, line: u64, cell: &str) {
        let plain = text.plain(cell);
        if plain.parse::<i32>().is_ok() {
            self.numbers += 1;
        } else if is_missing(cell) {
        } else if plain.parse::<f32>().is_ok() {
            (self.numbers, self.reals) = (self.numbers + 1, self.reals + 1);
        } else {
            self.texts += 1;
            if self.first.len() < Self::NAMED {
                self.first.push((line, cell.to_owned()));
            }
        }
    }

    /// Whether its texts are so few that they are mistakes.
    fn has_few_texts(&self) -> bool {
        self.texts > 0 && self.texts * NUMBERS_FOR_A_TEXT <= self.numbers
    }
}

/// The kinds of the feature columns.
fn columns(text: &Text, layout: &Layout) -> Result<Vec<Column>, DataError> {
    let mut seen = vec![Seen::default(); layout.features.len()];
    let mut rows = 0;
    text.rows(layout.header, |line, row| {
        rows += 1;
        for (seen, &column) in seen.iter_mut().zip(&layout.features) {
            seen.add(text, line, row.get(column).unwrap_or_default());
        }
        Ok(())
    })?;
    if let Some((seen, &column)) = seen.iter().zip(&layout.features).find(|(seen, _)| seen.has_few_texts()) {
        let named = seen.first.iter().map(|(line, cell)| format!("line {line}: {}", shown(cell)));
        let mut cells = named.collect::<Vec<_>>().join(", ");
        if seen.texts > seen.first.len() {
            cells.push_str(&format!(" and {} more", seen.texts - seen.first.len()));
        }
        let (file, column) = (text.file.clone(), shown(&layout.names[column]));
        return Err(DataError::FewTexts { file, column, count: seen.texts, rows, cells });
    }
    let mut names = names(text, layout, &seen)?.into_iter();
    let kinds = seen.iter().map(|seen| match seen {
        Seen { texts: 1.., .. } => ColumnKind::Category(names.next().unwrap_or_default()),
        Seen { reals: 0, .. } => ColumnKind::Integer,
        Seen { .. } => ColumnKind::Real,
    });
    let named = |(kind, &column): (ColumnKind, &usize)| Column { name: layout.names[column].clone(), kind };
    Ok(kinds.zip(&layout.features).map(named).collect())
}

/// The sorted names of each category column, in order.
fn names(text: &Text, layout: &Layout, seen: &[Seen]) -> Result<Vec<Vec<String>>, DataError> {
    let of_text = |(seen, &column): (&Seen, &usize)| {
        let (line, cell) = seen.first.first()?.clone();
        Some((column, line, cell, BTreeSet::new()))
    };
    let mut categories: Vec<_> = seen.iter().zip(&layout.features).filter_map(of_text).collect();
    if categories.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = 0;
    text.rows(layout.header, |_, row| {
        rows += 1;
        for (column, _, _, names) in &mut categories {
            let cell = row.get(*column).unwrap_or_default();
            insert(names, if is_missing(cell) { "" } else { cell });
        }
        Ok(())
    })?;
    let sorted = |(column, line, cell, names): (usize, u64, String, BTreeSet<String>)| {
        if names.len() > FEW_NAMES && names.len() > rows / 2 {
            return Err(DataError::LikelyIdentifier {
                file: text.file.clone(),
                column: shown(&layout.names[column]),
                line,
                cell: shown(&cell),
                distinct: names.len(),
                rows,
            });
        }
        Ok(names.into_iter().collect())
    };
    categories.into_iter().map(sorted).collect()
}

/// The classes, in the order of their numbers if all are numbers, else of their names.
fn classes(text: &Text, layout: &Layout, label: usize) -> Result<Vec<String>, DataError> {
    let (file, column) = (text.file.clone(), shown(&layout.names[label]));
    let mut names = BTreeSet::new();
    let (mut last, mut times) = (String::new(), 0);
    text.rows(layout.header, |line, row| {
        let cell = row.get(label).unwrap_or_default();
        // A minus alone may name a class.
        if is_missing(cell) && cell != "-" {
            let (file, column, cell) = (text.file.clone(), column.clone(), missing(cell));
            return Err(DataError::Missing { file, line, column, cell });
        }
        if names.contains(cell) {
            times += usize::from(cell == last);
        } else {
            names.insert(cell.to_owned());
            (last, times) = (cell.to_owned(), 1);
        }
        Ok(())
    })?;
    // What came last of all, was not there before, and does not end its line.
    let is_cut = times == 1 && !text.ends_with_line() && text.last_cell_is(&last);
    if is_cut && let Some(class) = names.iter().find(|name| name.starts_with(&last) && **name != last) {
        return Err(DataError::CutLabel { file, label: shown(&last), class: shown(class) });
    }
    let classes = in_order(names.into_iter().collect());
    match classes.len() {
        0 => Err(DataError::HeaderOnly { file }),
        1 => Err(DataError::OneClass { file, class: listed(classes.iter().map(String::as_str)) }),
        2..=MOST_CLASSES => Ok(classes),
        count => Err(DataError::TooManyClasses { file, column, classes: count }),
    }
}

/// Sorted classes in the order of their numbers if all are numbers; of those that are one number the shortest stays, as `1` of `1.0`.
fn in_order(classes: Vec<String>) -> Vec<String> {
    let Some(numbers) = classes.iter().map(|class| number(class)).collect::<Option<Vec<f64>>>() else {
        return classes;
    };
    let mut numbered: Vec<(f64, String)> = numbers.into_iter().zip(classes).collect();
    numbered.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.len().cmp(&b.1.len())));
    numbered.dedup_by(|a, b| a.0 == b.0);
    numbered.into_iter().map(|(_, class)| class).collect()
}

/// Adds a name, without an allocation when it is there already.
fn insert(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}
