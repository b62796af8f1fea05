//! Reads a CSV text whose schema is not known yet: finds the label column, the kind of every other
//! column, and the classes.
//!
//! A column whose every cell is a whole number that fits `i32` is [`ColumnKind::Integer`]; if every cell
//! is a number, [`ColumnKind::Real`]; else [`ColumnKind::Category`], where a missing value is a name like any
//! other, the empty one, however it is marked. A missing value does not make a column of numbers a category: such a column has a bit
//! that tells where values are missing, unless [`Missing`] says otherwise. A few cells of text among numbers are an error, or
//! missing values where the user has said what becomes of these.

use std::collections::BTreeSet;
use std::io::Read;

use super::cells::{Filled, fill, number};
use super::error::{listed, missing, shown};
use super::gaps::{Gaps, is_missing};
use super::input::Input;
use super::load::TableFacts;
use super::notes::{index_notes, missing_note, rounding_notes};
use super::options::Missing;
use super::seen::{Is, Seen};
use super::text::{Layout, Matched, Parting, Text, column_names, find_column};
use super::{Column, ColumnChoice, ColumnKind, DataError, Dataset, Division, LoadOptions, Schema};

const MOST_CLASSES: usize = 256;

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
    infer(&Text::read(Input::new(name, reader)?, options.writing)?, options).map(|inferred| inferred.dataset)
}

/// A labelled data set, and how it was read.
pub(super) struct Inferred {
    pub(super) dataset: Dataset,
    pub(super) notes: Vec<String>,
    pub(super) facts: TableFacts,
    pub(super) division: Division,
}

/// Reads a labelled data set from `text`.
pub(super) fn infer(text: &Text, options: &LoadOptions) -> Result<Inferred, DataError> {
    let layout = layout(text, options)?;
    let label = layout.label.unwrap_or_default();
    let (schema, gaps, seen) = match options.shape {
        Some((channels, height, width)) => {
            let gaps = Gaps::new(&layout, layout.features.iter().map(|_| true));
            (Schema::Image { channels, height, width }, gaps, vec![])
        }
        None => {
            let (columns, gaps, seen) = columns(text, &layout, &options.columns)?;
            (Schema::Table(columns), gaps, seen)
        }
    };
    if let Some((channels, height, width)) = options.shape
        && schema.features() != layout.features.len()
    {
        let (file, features) = (text.file.clone(), layout.features.len());
        return Err(DataError::Shape { file, features, channels, height, width });
    }
    let classes = classes(text, &layout, label, &gaps)?;
    let Filled { values, labels, division, .. } = fill(text, &layout, &schema, &classes)?;
    let mut notes = text.notes(&text.first()?, layout.header);
    notes.extend(missing_note(&layout, &seen, labels.len()));
    notes.extend(rounding_notes(&layout, &seen));
    notes.extend(index_notes(&layout, &seen));
    let facts = TableFacts { writing: text.writing(layout.header), label: layout.names[label].clone() };
    Ok(Inferred { dataset: Dataset { schema, values, labels, classes }, notes, facts, division })
}

fn layout(text: &Text, options: &LoadOptions) -> Result<Layout, DataError> {
    let first = text.first()?;
    let header = text.has_header(&first);
    let names = column_names(&first, header);
    let mut seen = BTreeSet::new();
    if let Some(column) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(DataError::DuplicateColumn { file: text.file.clone(), column: shown(column) });
    }
    let parting = Parting::new(text, &names, &options.columns)?;
    let label = match &options.label {
        Some(label) => find_column(&names, label).ok_or_else(|| text.unknown_label(label, &names))?,
        None => (0..names.len()).rev().find(|&column| !parting.contains(column)).unwrap_or_default(),
    };
    if names.len() < 2 {
        return Err(DataError::NoFeatures { file: text.file.clone() });
    }
    let ColumnChoice { drop, only, .. } = &options.columns;
    let drop = places(text, &names, "--drop", drop)?;
    let only = places(text, &names, "--only", only)?;
    let kept = |column: &usize| {
        !parting.contains(*column) && !drop.contains(column) && (only.is_empty() || only.contains(column))
    };
    let features: Vec<usize> = (0..names.len()).filter(|&column| column != label).filter(kept).collect();
    if features.is_empty() {
        return Err(DataError::NoneLeft { file: text.file.clone() });
    }
    Ok(Layout {
        header,
        names,
        features,
        label: Some(label),
        missing: options.missing,
        matched: Matched::Names,
        parting,
    })
}

/// The columns that a flag names.
fn places(
    text: &Text,
    names: &[String],
    flag: &'static str,
    columns: &[String],
) -> Result<Vec<usize>, DataError> {
    columns.iter().map(|column| text.place(names, flag, column)).collect()
}

/// The feature columns, which lines are left out, and what was seen.
fn columns(
    text: &Text,
    layout: &Layout,
    choice: &ColumnChoice,
) -> Result<(Vec<Column>, Gaps, Vec<Seen>), DataError> {
    let numeric = places(text, &layout.names, "--numeric", &choice.numeric)?;
    let categorical = places(text, &layout.names, "--categorical", &choice.categorical)?;
    let is = |column: &usize| match (numeric.contains(column), categorical.contains(column)) {
        (true, _) => Some(Is::Numbers),
        (_, true) => Some(Is::Categories),
        _ => None,
    };
    let mut seen: Vec<Seen> =
        layout.features.iter().map(|column| Seen { is: is(column), ..Seen::default() }).collect();
    let mut rows = 0;
    text.rows(layout.header, |line, row| {
        rows += 1;
        for (seen, &column) in seen.iter_mut().zip(&layout.features) {
            seen.add(text, line, row.get(column).unwrap_or_default());
        }
        Ok(())
    })?;
    let mut mistaken = seen.iter().zip(&layout.features).filter(|(seen, _)| seen.is_mistaken());
    if let Some((seen, &column)) = mistaken.next()
        && !Missing::takes_texts(layout.missing)
    {
        let named = seen.first.iter().map(|(line, cell)| format!("line {line}: {}", shown(cell)));
        let mut cells = named.collect::<Vec<_>>().join(", ");
        if seen.texts > seen.first.len() {
            cells.push_str(&format!(" and {} more", seen.texts - seen.first.len()));
        }
        let (file, column) = (text.file.clone(), shown(&layout.names[column]));
        return Err(DataError::FewTexts { file, column, count: seen.texts, rows, cells });
    }
    let gaps = Gaps::new(layout, seen.iter().map(Seen::holds_numbers));
    let mut names = names(text, layout, &seen, &gaps)?.into_iter();
    let bit = !matches!(layout.missing, Some(Missing::Skip | Missing::Error));
    let column = |(seen, &column): (&Seen, &usize)| {
        let kind = match seen {
            seen if !seen.holds_numbers() => ColumnKind::Category(names.next().unwrap_or_default()),
            seen if seen.reals == 0 || seen.is_better_whole() => ColumnKind::Integer,
            _ => ColumnKind::Real,
        };
        let missing = bit && seen.holds_numbers() && seen.missing + seen.texts > 0;
        Column { name: layout.names[column].clone(), kind, missing }
    };
    let columns = seen.iter().zip(&layout.features).map(column).collect();
    Ok((columns, gaps, seen))
}

/// The sorted names of each category column, in order.
fn names(text: &Text, layout: &Layout, seen: &[Seen], gaps: &Gaps) -> Result<Vec<Vec<String>>, DataError> {
    let of_text = |(seen, &column): (&Seen, &usize)| {
        let (line, cell) = seen.first.first().cloned().unwrap_or_default();
        // What the user calls categories are no identifiers.
        let free = seen.is.is_some();
        (!seen.holds_numbers()).then(|| (column, (line, cell, free), BTreeSet::new()))
    };
    let mut categories: Vec<_> = seen.iter().zip(&layout.features).filter_map(of_text).collect();
    if categories.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = 0;
    text.rows(layout.header, |_, row| {
        if gaps.leaves_out(text, row) {
            return Ok(());
        }
        rows += 1;
        for (column, _, names) in &mut categories {
            let cell = row.get(*column).unwrap_or_default();
            insert(names, if is_missing(cell) { "" } else { cell });
        }
        Ok(())
    })?;
    let sorted = |(column, (line, cell, free), names): (usize, (u64, String, bool), BTreeSet<String>)| {
        if !free && names.len() > FEW_NAMES && names.len() > rows / 2 {
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
fn classes(text: &Text, layout: &Layout, label: usize, gaps: &Gaps) -> Result<Vec<String>, DataError> {
    let (file, column) = (text.file.clone(), shown(&layout.names[label]));
    let mut names = BTreeSet::new();
    let (mut last, mut times) = (String::new(), 0);
    text.rows(layout.header, |line, row| {
        if gaps.leaves_out(text, row) {
            return Ok(());
        }
        let cell = row.get(label).unwrap_or_default();
        // A minus alone may name a class.
        if is_missing(cell) && cell != "-" {
            let (file, column, cell) = (text.file.clone(), column.clone(), missing(cell));
            return Err(DataError::MissingLabel { file, line, column, cell });
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
