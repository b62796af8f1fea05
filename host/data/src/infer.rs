//! Reads a CSV text whose schema is not known yet: finds the label column, the kind of every other
//! column, and the classes.
//!
//! A column whose every cell is a whole number that fits `i32` is [`ColumnKind::Integer`]; if every cell
//! is a number, [`ColumnKind::Real`]; else [`ColumnKind::Category`], where an empty cell is a name like any
//! other. An empty cell does not make a column of numbers a category: it is an error.

use std::collections::BTreeSet;
use std::io::Read;

use super::cells::fill;
use super::error::{listed, shown};
use super::input::Input;
use super::text::{Layout, Text, are_numbers, column_names, find_column};
use super::{Column, ColumnKind, DataError, Dataset, LoadOptions, Schema};

const MOST_CLASSES: usize = 256;

/// Text columns with more names than this, and than half the lines, are taken for identifiers.
const FEW_NAMES: usize = 32;

/// Reads a labelled data set as CSV from `reader`, plain or compressed; `name` is for messages.
///
/// The first line is a header unless all its cells are numbers (or empty): then the columns are
/// called `c1`, `c2`, and so on.
///
/// # Errors
/// Whatever is wrong with the text, as a [`DataError`].
pub fn read_csv(reader: impl Read, name: &str, options: &LoadOptions) -> Result<Dataset, DataError> {
    infer(&Text::read(Input::new(name, reader)?)?, options)
}

/// Reads a labelled data set from `text`.
pub(super) fn infer(text: &Text, options: &LoadOptions) -> Result<Dataset, DataError> {
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
    Ok(Dataset { schema, values, labels, classes })
}

fn layout(text: &Text, options: &LoadOptions) -> Result<Layout, DataError> {
    let first = text.first()?;
    let header = !are_numbers(first.iter());
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
#[derive(Clone)]
struct Seen {
    integer: bool,
    /// The first cell that is no number, and its line.
    text: Option<(u64, String)>,
}

/// The kinds of the feature columns.
fn columns(text: &Text, layout: &Layout) -> Result<Vec<Column>, DataError> {
    let mut seen = vec![Seen { integer: true, text: None }; layout.features.len()];
    text.rows(layout.header, |line, row| {
        for (seen, &column) in seen.iter_mut().zip(&layout.features) {
            let cell = row.get(column).unwrap_or_default();
            if cell.is_empty() || seen.text.is_some() || (seen.integer && cell.parse::<i32>().is_ok()) {
                continue;
            }
            seen.integer = false;
            if cell.parse::<f32>().is_err() {
                seen.text = Some((line, cell.to_owned()));
            }
        }
        Ok(())
    })?;
    let mut names = names(text, layout, &seen)?.into_iter();
    let kinds = seen.iter().map(|seen| match seen {
        Seen { text: Some(_), .. } => ColumnKind::Category(names.next().unwrap_or_default()),
        Seen { integer: true, .. } => ColumnKind::Integer,
        Seen { integer: false, .. } => ColumnKind::Real,
    });
    let named = |(kind, &column): (ColumnKind, &usize)| Column { name: layout.names[column].clone(), kind };
    Ok(kinds.zip(&layout.features).map(named).collect())
}

/// The sorted names of each category column, in order.
fn names(text: &Text, layout: &Layout, seen: &[Seen]) -> Result<Vec<Vec<String>>, DataError> {
    let of_text = |(seen, &column): (&Seen, &usize)| {
        seen.text.clone().map(|(line, cell)| (column, line, cell, BTreeSet::new()))
    };
    let mut categories: Vec<_> = seen.iter().zip(&layout.features).filter_map(of_text).collect();
    if categories.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = 0;
    text.rows(layout.header, |_, row| {
        rows += 1;
        for (column, _, _, names) in &mut categories {
            insert(names, row.get(*column).unwrap_or_default());
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

/// The classes, in the order of their numbers if all are whole numbers, else of their names.
fn classes(text: &Text, layout: &Layout, label: usize) -> Result<Vec<String>, DataError> {
    let (file, column) = (text.file.clone(), shown(&layout.names[label]));
    let mut names = BTreeSet::new();
    text.rows(layout.header, |line, row| {
        let cell = row.get(label).unwrap_or_default();
        if cell.is_empty() {
            let (file, column) = (text.file.clone(), column.clone());
            return Err(DataError::EmptyCell { file, line, column });
        }
        insert(&mut names, cell);
        Ok(())
    })?;
    let mut classes: Vec<String> = names.into_iter().collect();
    if let Ok(numbers) = classes.iter().map(|class| class.parse::<i64>()).collect::<Result<Vec<_>, _>>() {
        let mut numbered: Vec<_> = numbers.into_iter().zip(classes).collect();
        numbered.sort();
        classes = numbered.into_iter().map(|(_, class)| class).collect();
    }
    match classes.len() {
        0 => Err(DataError::HeaderOnly { file }),
        1 => Err(DataError::OneClass { file, class: listed(classes.iter().map(String::as_str)) }),
        2..=MOST_CLASSES => Ok(classes),
        count => Err(DataError::TooManyClasses { file, column, classes: count }),
    }
}

/// Adds a name, without an allocation when it is there already.
fn insert(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}
