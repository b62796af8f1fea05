//! Turns the cells of a text into keys and labels, by a layout and a schema that are known.

use std::collections::HashMap;

use super::error::{listed, missing, shown};
use super::gaps::{Gaps, is_missing};
use super::options::Missing;
use super::text::{Layout, Text};
use super::{Column, ColumnKind, DataError, Division, MISSING, Part, Schema, Values, real_key};

/// How a column is read, with what that needs at hand.
enum Reading<'a> {
    /// A pixel.
    Whole,
    Integer {
        gaps: Option<Gap>,
    },
    Real {
        gaps: Option<Gap>,
    },
    Category(HashMap<&'a str, i32>),
}

/// What is a missing number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// What marks it.
    Marked,
    /// That, or any text.
    Texts,
}

/// A cell with its place, for messages.
struct Cell<'a> {
    text: &'a Text,
    line: u64,
    column: &'a str,
    content: &'a str,
}

/// What cells were turned into.
pub(super) struct Filled {
    pub(super) values: Values,
    /// Classes, where the layout has a label.
    pub(super) labels: Vec<u8>,
    /// What says which part each sample goes to.
    pub(super) division: Division,
    /// The names of the samples, where a column has them.
    pub(super) ids: Vec<String>,
    /// What the user should know of how cells were read.
    pub(super) notes: Vec<String>,
}

/// What parts the samples, as it is read.
#[derive(Default)]
struct Divider {
    groups: HashMap<String, u32>,
    of_samples: Vec<u32>,
    parts: Vec<Part>,
}

impl Divider {
    /// One more sample; its group or its part is a cell.
    fn add(&mut self, group: Option<Cell<'_>>, part: Option<Cell<'_>>) -> Result<(), DataError> {
        if let Some(cell) = part {
            let (file, line, column, shown) = cell.place();
            let part =
                Part::named(cell.content).ok_or(DataError::NoPart { file, line, column, cell: shown })?;
            self.parts.push(part);
        }
        if let Some(cell) = group {
            let next = self.groups.len() as u32;
            let group = match self.groups.get(cell.content) {
                Some(&group) => group,
                None => *self.groups.entry(cell.content.to_owned()).or_insert(next),
            };
            self.of_samples.push(group);
        }
        Ok(())
    }

    /// The parts where they are named, else the groups.
    fn division(self) -> Division {
        if !self.parts.is_empty() {
            Division::Parts(self.parts)
        } else if !self.of_samples.is_empty() {
            Division::Groups(self.of_samples)
        } else {
            Division::Shares
        }
    }
}

/// Cells of a column that a model does not know.
#[derive(Clone, Default)]
struct Unknown {
    /// Missing where none was in training.
    missing: u64,
    /// Of other categories.
    unseen: u64,
    /// The first such category.
    example: String,
}

impl Unknown {
    /// One more category that training did not have, or none.
    fn add(&mut self, cell: &str) {
        if is_missing(cell) {
            self.missing += 1;
            return;
        }
        if self.unseen == 0 {
            cell.clone_into(&mut self.example);
        }
        self.unseen += 1;
    }

    fn notes(&self, column: &str) -> Vec<String> {
        let cells = |count: u64, what: &str| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} cell{plural} of column {column} {what}")
        };
        let unseen = (self.unseen > 0).then(|| {
            let what = cells(self.unseen, "with a category that training did not have");
            format!("{what}, such as {}: read as none of its categories", shown(&self.example))
        });
        let missing = (self.missing > 0).then(|| {
            let what = cells(self.missing, "without a value");
            format!(
                "{what}, where none was missing in training: read as less than all levels, or as no category"
            )
        });
        unseen.into_iter().chain(missing).collect()
    }
}

/// The values of all samples and, where the layout has a label, their classes.
pub(super) fn fill(
    text: &Text,
    layout: &Layout,
    schema: &Schema,
    classes: &[String],
) -> Result<Filled, DataError> {
    let mut unknown = vec![Unknown::default(); layout.features.len()];
    let readings = readings(schema, layout);
    let numbers = |feature| !matches!(readings.get(feature), Some(Reading::Category(_)));
    let gaps = Gaps::new(layout, (0..layout.features.len()).map(numbers));
    let known: HashMap<&str, u8> = classes.iter().map(String::as_str).zip(0..=u8::MAX).collect();
    let (mut keys, mut labels, mut divider) = (Vec::new(), Vec::new(), Divider::default());
    let mut ids = vec![];
    let mut samples = 0u64;
    text.rows(layout.header, |line, row| {
        if gaps.leaves_out(text, row) {
            return Ok(());
        }
        samples += 1;
        let cell = |column: usize| Cell {
            text,
            line,
            column: &layout.names[column],
            content: row.get(column).unwrap_or_default(),
        };
        for (feature, &column) in layout.features.iter().enumerate() {
            // The features of an image are all read alike.
            let reading = readings.get(feature).unwrap_or(&Reading::Whole);
            let cell = cell(column);
            let key = match cell.key(reading) {
                // Who only wants answers gets one for every line.
                Err(DataError::Missing { .. })
                    if layout.label.is_none()
                        && layout.missing.is_none()
                        && !matches!(reading, Reading::Whole) =>
                {
                    unknown[feature].missing += 1;
                    MISSING
                }
                key => key?,
            };
            if key == -1 && matches!(reading, Reading::Category(_)) {
                unknown[feature].add(cell.content);
            }
            keys.push(key);
        }
        ids.extend(layout.parting.id.map(|column| cell(column).content.to_owned()));
        divider.add(layout.parting.group.map(cell), layout.parting.split.map(cell))?;
        if let Some(column) = layout.label {
            labels.push(cell(column).class(&known, classes)?);
        }
        Ok(())
    })?;
    if samples == 0 {
        return Err(DataError::HeaderOnly { file: text.file.clone() });
    }
    let values = match schema {
        Schema::Image { .. } => Values::packed(keys),
        Schema::Table(_) => Values::Keys(keys),
    };
    let notes = unknown
        .iter()
        .zip(&layout.features)
        .flat_map(|(unknown, &column)| unknown.notes(&shown(&layout.names[column])));
    Ok(Filled { values, labels, division: divider.division(), ids, notes: notes.collect() })
}

/// The number that the name of a class is. Greater ones than these could be equal as floats and are names.
pub(super) fn number(name: &str) -> Option<f64> {
    const GREATEST: f64 = 9_007_199_254_740_991.0;
    name.parse().ok().filter(|number: &f64| number.abs() <= GREATEST)
}

fn readings<'a>(schema: &'a Schema, layout: &Layout) -> Vec<Reading<'a>> {
    let Schema::Table(columns) = schema else { return Vec::new() };
    let gap = if Missing::takes_texts(layout.missing) { Gap::Texts } else { Gap::Marked };
    let reading = |column: &'a Column| {
        let gaps = column.missing.then_some(gap);
        match &column.kind {
            ColumnKind::Integer => Reading::Integer { gaps },
            ColumnKind::Real => Reading::Real { gaps },
            ColumnKind::Category(names) => {
                Reading::Category(names.iter().map(String::as_str).zip(0..).collect())
            }
        }
    };
    columns.iter().map(reading).collect()
}

impl Cell<'_> {
    fn key(&self, reading: &Reading) -> Result<i32, DataError> {
        match reading {
            Reading::Whole => self.whole(),
            &Reading::Integer { gaps } => self.or_missing(gaps, self.integer()),
            &Reading::Real { gaps } => self.or_missing(gaps, self.real()),
            Reading::Category(names) => {
                // A missing value is a category of its own, whichever way it is marked.
                let missing = is_missing(self.content) && !names.contains_key(self.content);
                let name = if missing { "" } else { self.content };
                Ok(names.get(name).copied().unwrap_or(-1))
            }
        }
    }

    /// A number, or that it is missing.
    fn or_missing(&self, gaps: Option<Gap>, number: Result<i32, DataError>) -> Result<i32, DataError> {
        match (gaps, &number) {
            (Some(_), Err(DataError::Missing { .. })) => Ok(MISSING),
            (Some(Gap::Texts), Err(DataError::NotANumber { .. })) => Ok(MISSING),
            _ => number,
        }
    }

    fn class(&self, known: &HashMap<&str, u8>, classes: &[String]) -> Result<u8, DataError> {
        if let Some(&class) = known.get(self.content) {
            return Ok(class);
        }
        // The same number, written otherwise.
        if let Some(number) = number(self.content)
            && let Some(class) = classes.iter().position(|class| self::number(class) == Some(number))
        {
            return Ok(class as u8);
        }
        self.filled()?;
        Err(DataError::UnknownClass {
            file: self.text.file.clone(),
            place: format!("line {}", self.line),
            label: shown(self.content),
            classes: listed(classes.iter().map(String::as_str)),
        })
    }

    /// A number among integers. Bits tell whether it lies above a level, which is a whole number: so any number lies above those that
    /// the next whole number lies above.
    fn integer(&self) -> Result<i32, DataError> {
        match self.text.plain(self.content).parse::<f64>() {
            // The least of all keys is that of a missing value.
            Ok(number) if number.is_finite() => Ok((number.ceil() as i32).max(MISSING + 1)),
            _ => self.whole(),
        }
    }

    /// A whole number; one written as `3.0` will do.
    fn whole(&self) -> Result<i32, DataError> {
        if let Ok(number) = self.content.parse() {
            return Ok(number);
        }
        self.filled()?;
        let (file, line, column, cell) = self.place();
        match self.text.plain(self.content).parse::<f64>() {
            Ok(number) if !number.is_finite() => Err(DataError::NotFinite { file, line, column, cell }),
            Ok(number) if f64::from(number as i32) == number => Ok(number as i32),
            Ok(_) => Err(DataError::NotWhole { file, line, column, cell }),
            Err(_) => Err(DataError::NotANumber { file, line, column, cell }),
        }
    }

    fn real(&self) -> Result<i32, DataError> {
        let content = self.text.plain(self.content);
        let number = content.parse::<f32>();
        if let Ok(number) = number {
            // A number that is greater than all of 32 bits stands for the greatest.
            let greatest = content.parse::<f64>().is_ok_and(f64::is_finite);
            if number.is_finite() || greatest {
                return Ok(real_key(number.clamp(f32::MIN, f32::MAX)));
            }
        }
        self.filled()?;
        let (file, line, column, cell) = self.place();
        Err(match number {
            Ok(_) => DataError::NotFinite { file, line, column, cell },
            Err(_) => DataError::NotANumber { file, line, column, cell },
        })
    }

    /// An error if the cell is empty or says that its value is missing.
    fn filled(&self) -> Result<(), DataError> {
        if !is_missing(self.content) {
            return Ok(());
        }
        let (file, line, column, _) = self.place();
        Err(DataError::Missing { file, line, column, cell: missing(self.content) })
    }

    fn place(&self) -> (String, u64, String, String) {
        (self.text.file.clone(), self.line, shown(self.column), shown(self.content))
    }
}
