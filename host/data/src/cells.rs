//! Turns the cells of a text into keys and labels, by a layout and a schema that are known.

use std::collections::HashMap;

use super::error::{listed, missing, shown};
use super::text::{Layout, Text};
use super::{ColumnKind, DataError, Schema, Values, real_key};

/// How a column is read, with what that needs at hand.
enum Reading<'a> {
    /// A pixel.
    Whole,
    Integer,
    Real,
    Category(HashMap<&'a str, i32>),
}

/// A cell with its place, for messages.
struct Cell<'a> {
    text: &'a Text,
    line: u64,
    column: &'a str,
    content: &'a str,
}

/// The values of all samples and, where the layout has a label, their classes.
pub(super) fn fill(
    text: &Text,
    layout: &Layout,
    schema: &Schema,
    classes: &[String],
) -> Result<(Values, Vec<u8>), DataError> {
    let readings = readings(schema);
    let known: HashMap<&str, u8> = classes.iter().map(String::as_str).zip(0..=u8::MAX).collect();
    let (mut keys, mut labels) = (Vec::new(), Vec::new());
    let mut samples = 0u64;
    text.rows(layout.header, |line, row| {
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
            keys.push(cell(column).key(reading)?);
        }
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
    Ok((values, labels))
}

/// Whether a cell says that its value is missing.
pub(super) fn is_missing(cell: &str) -> bool {
    const MARKS: [&str; 7] = ["", "?", "-", "na", "n/a", "nan", "null"];
    MARKS.iter().any(|mark| cell.eq_ignore_ascii_case(mark))
}

/// The number that the name of a class is. Greater ones than these could be equal as floats and are names.
pub(super) fn number(name: &str) -> Option<f64> {
    const GREATEST: f64 = 9_007_199_254_740_991.0;
    name.parse().ok().filter(|number: &f64| number.abs() <= GREATEST)
}

fn readings(schema: &Schema) -> Vec<Reading<'_>> {
    let Schema::Table(columns) = schema else { return Vec::new() };
    let reading = |kind| match kind {
        &ColumnKind::Integer => Reading::Integer,
        &ColumnKind::Real => Reading::Real,
        ColumnKind::Category(names) => Reading::Category(names.iter().map(String::as_str).zip(0..).collect()),
    };
    columns.iter().map(|column| reading(&column.kind)).collect()
}

impl Cell<'_> {
    fn key(&self, reading: &Reading) -> Result<i32, DataError> {
        match reading {
            Reading::Whole => self.whole(),
            Reading::Integer => self.integer(),
            Reading::Real => self.real(),
            Reading::Category(names) => {
                // A missing value is a category of its own, whichever way it is marked.
                let missing = || names.get("").filter(|_| is_missing(self.content));
                Ok(names.get(self.content).or_else(missing).copied().unwrap_or(-1))
            }
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
            Ok(number) if number.is_finite() => Ok(number.ceil() as i32),
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
