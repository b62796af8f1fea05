//! Chooses how to read a source: a built-in set, a folder of IDX files, or a CSV file.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use super::error::{listed, one_line, shown};
use super::folder::{Pair, pairs};
use super::idx::{self, Images};
use super::infer::{Inferred, infer};
use super::input::Input;
use super::known::{Known, Labelled};
use super::options::{LoadOptions, Writing};
use super::text::Text;
use super::{DataError, Dataset, Division, Schema, Unlabelled, builtin, memorize};

/// A loaded source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// A short name: of the built-in set, the folder, or the file without its ending.
    pub name: String,
    /// The samples, or the training samples where the source keeps test samples apart.
    pub train: Dataset,
    /// The test samples of a source that keeps them apart.
    pub test: Option<Dataset>,
    /// What was found out of how a table is written, where it may be otherwise than meant: lines for the user.
    pub notes: Vec<String>,
    /// How the table was read; `None` of what is no table in a file.
    pub table: Option<TableFacts>,
    /// What says which part each sample of `train` goes to.
    pub division: Division,
}

/// How a table was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// What parts its cells, what stands before decimals, and whether it has a header: all of it is there.
    pub writing: Writing,
    /// The name of the label's column.
    pub label: String,
}

impl Loaded {
    /// What is no table in a file.
    fn new(name: String, train: Dataset, test: Option<Dataset>) -> Self {
        Self { name, train, test, notes: vec![], table: None, division: Division::Shares }
    }
}

/// Loads `source`: `digits` or `iris`, which are built in (write `./iris` for a file of that name);
/// `memorize:512`, random images with random labels, see [`is_memorize`];
/// a folder with IDX files; or a CSV file. Files may be compressed by gzip.
///
/// A CSV file is read as by [`read_csv`](crate::read_csv). The classes of IDX files are the numbers that label a
/// training image.
///
/// # Errors
/// A [`DataError`] that says what is wrong and what to do.
pub fn load(source: &str, options: &LoadOptions) -> Result<Loaded, DataError> {
    let path = Path::new(source);
    if memorize::is(source) {
        return Ok(Loaded::new(memorize::name(source), memorize::images(source)?, None));
    }
    if let Some(builtin) = builtin::find(source) {
        let options = LoadOptions { shape: options.shape.or(builtin.shape), ..options.clone() };
        let text = Text::read(Input::new(source, builtin.text.as_bytes())?, Writing::default())?;
        let inferred = infer(&text, &options)?;
        return Ok(Loaded::new(source.to_owned(), inferred.dataset, None));
    }
    if path.is_dir() {
        let found = pairs(path)?;
        let Some(train) = found.train else {
            let present = found.test.map_or_else(String::new, |pair| file_name(&pair.images));
            return Err(DataError::NoTraining { folder: one_line(source), present });
        };
        let (train, note) = training_pair(&train, options)?;
        let test = found.test.map(|pair| known_pair(&pair, &train.schema, &train.classes)).transpose()?;
        let notes = note.into_iter().collect();
        return Ok(Loaded { notes, ..Loaded::new(short_name(path), train, test) });
    }
    let input = Input::open(path)?;
    if input.is_idx() {
        return Err(DataError::LoneIdx { file: input.file });
    }
    let Inferred { dataset, notes, facts, division } = infer(&Text::read(input, options.writing)?, options)?;
    Ok(Loaded { notes, table: Some(facts), division, ..Loaded::new(short_name(path), dataset, None) })
}

/// Loads `source`, as [`load`] does, to test a model on: its schema and classes are those given.
/// Every label must be among the classes; a value of a category that the schema does not have gets
/// the key -1. A folder with nothing but a test pair gives that pair as `train`.
///
/// The columns of a CSV file are matched by the names of its header if all of the schema's are
/// there, else by place. Of `options`, only the label counts.
///
/// # Errors
/// A [`DataError`] that says what is wrong and what to do.
pub fn load_known(
    source: &str,
    schema: &Schema,
    classes: &[String],
    options: &LoadOptions,
) -> Result<Loaded, DataError> {
    let known = Known { schema, classes, options };
    let path = Path::new(source);
    if memorize::is(source) {
        let train = memorize::images(source)?;
        let Schema::Image { channels, height, width } = train.schema else { unreachable!() };
        same_shape(source, (channels, height, width), schema)?;
        return Ok(Loaded::new(memorize::name(source), train, None));
    }
    if let Some(builtin) = builtin::find(source) {
        let text = Text::read(Input::new(source, builtin.text.as_bytes())?, Writing::default())?;
        let train = known.labelled(&text)?.set;
        return Ok(Loaded::new(source.to_owned(), train, None));
    }
    if path.is_dir() {
        let found = pairs(path)?;
        let mut parts = Vec::new();
        for pair in [found.train, found.test].into_iter().flatten() {
            parts.push(known_pair(&pair, schema, classes)?);
        }
        let mut parts = parts.into_iter();
        let Some(train) = parts.next() else {
            return Err(DataError::NoPairs { folder: one_line(source) });
        };
        return Ok(Loaded::new(short_name(path), train, parts.next()));
    }
    let input = Input::open(path)?;
    if input.is_idx() {
        return Err(DataError::LoneIdx { file: input.file });
    }
    let Labelled { set, division, notes } = known.labelled(&Text::read(input, options.writing)?)?;
    Ok(Loaded { notes, division, ..Loaded::new(short_name(path), set, None) })
}

/// Loads samples to predict by the schema of a model: a built-in set, one IDX file of images, or a
/// CSV file, where a label column may be there and is left out. The `classes` of the model only
/// help to tell a first line that is a sample from a header.
///
/// # Errors
/// A [`DataError`] that says what is wrong and what to do.
pub fn load_unlabelled(
    source: &str,
    schema: &Schema,
    classes: &[String],
    options: &LoadOptions,
) -> Result<Unlabelled, DataError> {
    let input = match builtin::find(source) {
        Some(builtin) => Input::new(source, builtin.text.as_bytes())?,
        None => Input::open(Path::new(source))?,
    };
    unlabelled(input, Known { schema, classes, options })
}

/// As [`load_unlabelled`], from a stream such as standard input; `name` is for messages.
///
/// # Errors
/// A [`DataError`] that says what is wrong and what to do.
pub fn read_unlabelled(
    reader: impl Read,
    name: &str,
    schema: &Schema,
    classes: &[String],
    options: &LoadOptions,
) -> Result<Unlabelled, DataError> {
    unlabelled(Input::new(name, reader)?, Known { schema, classes, options })
}

/// True of `memorize:512` and the like: random images, from which there is nothing to learn but themselves.
#[must_use]
pub fn is_memorize(source: &str) -> bool {
    memorize::is(source)
}

fn unlabelled(input: Input, known: Known) -> Result<Unlabelled, DataError> {
    if !input.is_idx() {
        return known.unlabelled(&Text::read(input, known.options.writing)?);
    }
    let file = input.file.clone();
    let images = idx::images(input)?;
    same_shape(&file, images.shape, known.schema)?;
    let notes = images.note.into_iter().collect();
    Ok(Unlabelled { schema: known.schema.clone(), values: images.pixels, notes, ids: None })
}

/// Reads both files of a pair and checks that they are of one length.
fn read_pair(pair: &Pair) -> Result<(Images, Vec<u8>), DataError> {
    let images = idx::images(Input::open(&pair.images)?)?;
    let labels = idx::labels(Input::open(&pair.labels)?)?;
    if images.samples() != labels.len() {
        return Err(DataError::LabelCount {
            images_file: path_name(&pair.images),
            images: images.samples() as u64,
            labels_file: file_name(&pair.labels),
            labels: labels.len() as u64,
        });
    }
    Ok((images, labels))
}

/// Reads a pair that settles the schema and the classes.
fn training_pair(pair: &Pair, options: &LoadOptions) -> Result<(Dataset, Option<String>), DataError> {
    let (images, mut labels) = read_pair(pair)?;
    let (channels, height, width) = options.shape.unwrap_or(images.shape);
    let schema = Schema::Image { channels, height, width };
    same_shape(&path_name(&pair.images), images.shape, &schema)?;
    let distinct: BTreeSet<u8> = labels.iter().copied().collect();
    let greatest = distinct.last().copied().unwrap_or_default();
    if distinct.len() < 2 {
        return Err(DataError::OneClass { file: path_name(&pair.labels), class: greatest.to_string() });
    }
    let mut index = [0; 1 << u8::BITS];
    for (class, &label) in (0..=u8::MAX).zip(&distinct) {
        index[usize::from(label)] = class;
    }
    labels.iter_mut().for_each(|label| *label = index[usize::from(*label)]);
    let classes = distinct.iter().map(u8::to_string).collect();
    Ok((Dataset { schema, values: images.pixels, labels, classes }, images.note))
}

/// Reads a pair of known schema and classes.
fn known_pair(pair: &Pair, schema: &Schema, classes: &[String]) -> Result<Dataset, DataError> {
    let (images, mut labels) = read_pair(pair)?;
    same_shape(&path_name(&pair.images), images.shape, schema)?;
    let class = |label: u8| (0..=u8::MAX).zip(classes).find(|(_, name)| **name == label.to_string());
    let known: Vec<Option<u8>> = (0..=u8::MAX).map(|label| class(label).map(|(class, _)| class)).collect();
    for (sample, label) in labels.iter_mut().enumerate() {
        *label = known[usize::from(*label)].ok_or_else(|| DataError::UnknownClass {
            file: path_name(&pair.labels),
            place: format!("sample {}", sample + 1),
            label: shown(&label.to_string()),
            classes: listed(classes.iter().map(String::as_str)),
        })?;
    }
    let (schema, classes) = (schema.clone(), classes.to_vec());
    Ok(Dataset { schema, values: images.pixels, labels, classes })
}

/// Checks that images are of the size asked for.
fn same_shape(file: &str, shape: (u16, u16, u16), schema: &Schema) -> Result<(), DataError> {
    let written = |(channels, height, width): (u16, u16, u16)| format!("{channels} x {height} x {width}");
    match *schema {
        Schema::Image { channels, height, width } if shape == (channels, height, width) => Ok(()),
        Schema::Image { channels, height, width } => Err(DataError::OtherShape {
            file: file.to_owned(),
            found: written(shape),
            expected: written((channels, height, width)),
        }),
        Schema::Table(_) => Err(DataError::ImagesForTable { file: file.to_owned() }),
    }
}

fn path_name(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// The last part of a path.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| one_line(&name.to_string_lossy()))
}

/// The last part of a path without `.gz` and `.csv`; `data` for a path without a name, such as `.`.
fn short_name(path: &Path) -> String {
    let name = file_name(path);
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = name.strip_suffix(".csv").unwrap_or(name);
    if name.is_empty() { "data".to_owned() } else { name.to_owned() }
}
