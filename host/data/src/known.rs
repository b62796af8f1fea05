//! Reads a CSV text by the schema of a model made earlier: finds where the columns of the model
//! stand, and the label if there is one.
//!
//! Columns are matched by the names of the header when it has all of the model's; further columns
//! are ignored then. Otherwise they are matched by place, if the text has as many columns as the
//! model has features or one more, which is the label. Images are always matched by place.
//!
//! The label is the column named in the options, or the one with its name of training, or the only column the model does not
//! read, or the only one of these that holds nothing but classes. Where columns are matched by place, it is the last one.
//!
//! A first line that does not name the model's columns is a sample, not a header, when it could be
//! one: it has numbers where the model reads numbers, and a number or one of the model's classes as
//! its label.

use csv::StringRecord;

use super::cells::{Filled, fill, number};
use super::error::shown;
use super::text::{Layout, Matched, Parting, Text, column_names, find_column};
use super::{Column, ColumnKind, DataError, Dataset, Division, LoadOptions, Schema, Unlabelled};

/// Samples with their labels.
pub(super) struct Labelled {
    pub(super) set: Dataset,
    pub(super) division: Division,
    pub(super) notes: Vec<String>,
}

/// What a model reads, and where the options say its label is.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) schema: &'a Schema,
    pub(super) classes: &'a [String],
    pub(super) options: &'a LoadOptions,
}

impl Known<'_> {
    /// Reads samples with their labels.
    pub(super) fn labelled(&self, text: &Text) -> Result<Labelled, DataError> {
        let layout = self.layout(text)?;
        if layout.label.is_none() {
            if let Some(label) = &self.options.label {
                return Err(text.unknown_label(label, &layout.names));
            }
            return Err(DataError::NoLabels { file: text.file.clone(), features: self.schema.features() });
        }
        let Filled { values, labels, notes, division, .. } = fill(text, &layout, self.schema, self.classes)?;
        let notes = [self.notes(&layout), notes].concat();
        let (schema, classes) = (self.schema.clone(), self.classes.to_vec());
        Ok(Labelled { set: Dataset { schema, values, labels, classes }, division, notes })
    }

    /// Reads samples and leaves out their labels, if they have any.
    pub(super) fn unlabelled(&self, text: &Text) -> Result<Unlabelled, DataError> {
        let mut layout = self.layout(text)?;
        if let Some(label) = layout.label.take()
            && layout.matched == Matched::Places
            && self.options.label.is_none()
            && self.only_classes(text, layout.header, &[label])?.is_none()
        {
            // What is one too many could be any of them, such as an index that comes first.
            return Err(self.count_error(text, &layout.names));
        }
        let Filled { values, notes, ids, .. } = fill(text, &layout, self.schema, self.classes)?;
        let notes = [self.notes(&layout), notes].concat();
        let ids = layout.parting.id.map(|column| (layout.names[column].clone(), ids));
        Ok(Unlabelled { schema: self.schema.clone(), values, notes, ids })
    }

    /// What is said of columns that are not matched by their names.
    fn notes(&self, layout: &Layout) -> Vec<String> {
        const MOST: usize = 8;
        let pairs = self.columns().iter().zip(&layout.features);
        let place = |&feature: &usize| shown(&layout.names[feature]);
        let all: Vec<(&String, String)> =
            pairs.map(|(column, feature)| (&column.name, place(feature))).collect();
        match layout.matched {
            Matched::Names => return vec![],
            Matched::Letters => {
                return vec!["names of columns are compared without regard to capital letters".into()];
            }
            Matched::Places if all.is_empty() || !layout.header => return vec![],
            Matched::Places => {}
        }
        let mut list: Vec<String> =
            all.iter().map(|(name, place)| format!("{} is {place}", shown(name))).collect();
        let more = list.len().saturating_sub(MOST);
        list.truncate(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        vec![format!(
            "the model's names are not there, so columns are matched by place: {}{more}",
            list.join(", ")
        )]
    }

    fn layout(&self, text: &Text) -> Result<Layout, DataError> {
        let first = text.first()?;
        if let Schema::Table(columns) = self.schema
            && let Some(layout) = self.by_name(text, columns, &first)?
        {
            return Ok(layout);
        }
        self.by_place(text, &first)
    }

    /// The layout of a text whose header has all the model's names, if it has.
    fn by_name(
        &self,
        text: &Text,
        columns: &[Column],
        first: &StringRecord,
    ) -> Result<Option<Layout>, DataError> {
        // A text without a header has names too, those a model trained on such a text knows.
        let numbers = text.are_numbers(first.iter());
        for header in [true, false].into_iter().filter(|header| !(text.no_header && *header)) {
            let names = column_names(first, header);
            let place = |column: &Column| names.iter().position(|name| *name == column.name);
            let exact = columns.iter().map(place).collect::<Option<Vec<usize>>>();
            let found =
                exact.map(|features| (features, Matched::Names)).or_else(|| but_for_case(columns, &names));
            if let Some(found) = found
                && (header || numbers || text.no_header)
            {
                return self.named(text, header, names, found).map(Some);
            }
        }
        Ok(None)
    }

    fn named(
        &self,
        text: &Text,
        header: bool,
        names: Vec<String>,
        (features, matched): (Vec<usize>, Matched),
    ) -> Result<Layout, DataError> {
        let twice = |&&feature: &&usize| names.iter().filter(|name| **name == names[feature]).count() > 1;
        if let Some(&feature) = features.iter().find(twice) {
            let column = shown(&names[feature]);
            return Err(DataError::DuplicateColumn { file: text.file.clone(), column });
        }
        let parting = Parting::new(text, &names, &self.options.columns)?;
        let is_spare = |column: &usize| !features.contains(column) && !parting.contains(*column);
        let spare: Vec<usize> = (0..names.len()).filter(is_spare).collect();
        let label = match (self.label(&names), spare.as_slice()) {
            (Some(label), _) => find_column(&names, &label),
            (None, &[only]) => Some(only),
            (None, _) => self.only_classes(text, header, &spare)?,
        };
        Ok(Layout { header, names, features, label, missing: self.options.missing, matched, parting })
    }

    /// The label's name, if the user or the model's run says one that is there.
    fn label(&self, names: &[String]) -> Option<String> {
        let trained = || self.options.trained_label.clone().filter(|label| names.contains(label));
        self.options.label.clone().or_else(trained)
    }

    /// The one of these columns that holds nothing but classes of the model, if it is one.
    fn only_classes(&self, text: &Text, header: bool, columns: &[usize]) -> Result<Option<usize>, DataError> {
        let mut left = columns.to_vec();
        text.rows(header, |_, row| {
            left.retain(|&column| {
                let cell = row.get(column).unwrap_or_default();
                let same = |class: &String| number(class).is_some() && number(class) == number(cell);
                self.classes.iter().any(|class| class == cell || same(class))
            });
            Ok(())
        })?;
        Ok(Some(left).filter(|left| left.len() == 1).map(|left| left[0]))
    }

    /// The layout of a text that has the right number of columns.
    fn by_place(&self, text: &Text, first: &StringRecord) -> Result<Layout, DataError> {
        let as_sample = self.placed(text, column_names(first, false), false);
        let is_sample = as_sample.as_ref().is_ok_and(|layout| self.is_sample(text, first, layout));
        if is_sample || text.no_header {
            return as_sample;
        }
        let layout = self.placed(text, column_names(first, true), true)?;
        self.in_place(text, &layout)?;
        Ok(layout)
    }

    fn placed(&self, text: &Text, names: Vec<String>, header: bool) -> Result<Layout, DataError> {
        let parting = Parting::new(text, &names, &self.options.columns)?;
        let usable: Vec<usize> = (0..names.len()).filter(|&column| !parting.contains(column)).collect();
        let (expected, found) = (self.schema.features(), usable.len());
        let wanted = self.label(&names);
        let named = wanted.as_ref().is_some_and(|label| names.contains(label));
        if found != expected + 1 && (found != expected || named) {
            return Err(self.count_error(text, &names));
        }
        let label = match &wanted {
            _ if found == expected => None,
            Some(label) => Some(find_column(&names, label).ok_or_else(|| text.unknown_label(label, &names))?),
            None => usable.last().copied(),
        };
        let features = usable.into_iter().filter(|&column| Some(column) != label).collect();
        Ok(Layout {
            header,
            names,
            features,
            label,
            missing: self.options.missing,
            matched: Matched::Places,
            parting,
        })
    }

    /// The error of a wrong number of columns, which names one that lacks if the header seems to be
    /// of the model.
    fn count_error(&self, text: &Text, names: &[String]) -> DataError {
        let file = text.file.clone();
        let (there, lacking): (Vec<_>, Vec<_>) =
            self.columns().iter().partition(|column| names.contains(&column.name));
        match lacking.first() {
            Some(column) if !there.is_empty() => {
                DataError::MissingColumn { file, missing: shown(&column.name) }
            }
            _ => DataError::ColumnCount { file, expected: self.schema.features(), found: names.len() },
        }
    }

    fn columns(&self) -> &[Column] {
        match self.schema {
            Schema::Table(columns) => columns,
            Schema::Image { .. } => &[],
        }
    }

    /// Whether a first line could be a sample of the model's.
    fn is_sample(&self, text: &Text, first: &StringRecord, layout: &Layout) -> bool {
        let cell = |column: usize| first.get(column).unwrap_or_default();
        let label = layout.label.map(cell).unwrap_or_default();
        let is_class = self.classes.iter().any(|class| class == label);
        if !(label.is_empty() || is_class || text.are_numbers([label].into_iter())) {
            return false;
        }
        let (mut numbers, mut named) = (Vec::new(), false);
        for (feature, &column) in layout.features.iter().enumerate() {
            match self.columns().get(feature) {
                Some(Column { kind: ColumnKind::Category(names), .. }) => {
                    named |= names.iter().any(|name| name == cell(column));
                }
                _ => numbers.push(cell(column)),
            }
        }
        if numbers.is_empty() { named } else { text.are_numbers(numbers.into_iter()) }
    }

    /// Checks that no name of the model heads another column than its own: matching such a header
    /// by place would read one feature for another.
    fn in_place(&self, text: &Text, layout: &Layout) -> Result<(), DataError> {
        let strays = self.columns().iter().zip(&layout.features).any(|(column, &feature)| {
            layout.names.iter().position(|name| *name == column.name).is_some_and(|place| place != feature)
        });
        match self.columns().iter().find(|column| !layout.names.contains(&column.name)) {
            Some(column) if strays => {
                let (file, missing) = (text.file.clone(), shown(&column.name));
                Err(DataError::MissingColumn { file, missing })
            }
            _ => Ok(()),
        }
    }
}

/// Where the columns of a model stand, capital letters or not; `None` unless each is there once.
fn but_for_case(columns: &[Column], names: &[String]) -> Option<(Vec<usize>, Matched)> {
    let place = |column: &Column| {
        let wanted = column.name.to_lowercase();
        let mut places = (0..names.len()).filter(|&place| names[place].to_lowercase() == wanted);
        places.next().filter(|_| places.next().is_none())
    };
    let mut features = columns.iter().map(place).collect::<Option<Vec<usize>>>()?;
    let found = (features.clone(), Matched::Letters);
    // Of two columns of the model that differ in capital letters alone, both would be read from one.
    features.sort_unstable();
    features.dedup();
    (features.len() == columns.len()).then_some(found)
}
