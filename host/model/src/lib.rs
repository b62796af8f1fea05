//! A model in memory: the bytes of its image, checked, and what a host needs to read data for it.

pub mod evaluate;
pub mod forward;
mod mark;
pub mod measures;
pub mod prototypes;
mod sections;

use std::path::{Path, PathBuf};

use evobit::bits::Words;
use evobit::encode::Code;
use evobit::image::{self, Image, ImageError, Parts};
use evobit::topology::{Shape, Topology};

use evobit_data::{Column, ColumnKind, Schema};

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({source}): give the path of a model such as runs/digits-1/model.evb", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a model.
    #[error("{}: {source}: train a model with `evobit train`", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ImageError,
    },
    /// The file goes on after the image.
    #[error("{}: {extra} bytes follow the model image: it is damaged or not a model file", path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes too many.
        extra: usize,
    },
}

/// A checked model image, owned.
#[derive(Clone, Debug)]
pub struct Model {
    /// The image, in words so that it is aligned.
    words: Vec<u32>,
}

/// What a model is made of.
#[derive(Clone, Copy, Debug)]
pub struct Ingredients<'a> {
    /// The network's shape.
    pub topology: &'a Topology,
    /// Packed encoder.
    pub encoder: &'a [u32],
    /// Packed loss table.
    pub loss: &'a [u32],
    /// Genome.
    pub genome: &'a [u32],
    /// What the features are.
    pub schema: &'a Schema,
    /// Class names.
    pub classes: &'a [String],
}

impl Model {
    /// Builds the image.
    ///
    /// # Errors
    /// Parts that do not fit each other.
    pub fn new(from: &Ingredients<'_>) -> Result<Self, ImageError> {
        let classes: Vec<&str> = from.classes.iter().map(String::as_str).collect();
        let (columns, names) = from.schema.names();
        let parts = Parts {
            topology: from.topology,
            encoder: from.encoder,
            loss: from.loss,
            genome: from.genome,
            classes: &classes,
            columns,
            column_names: &names,
        };
        let mut words = vec![0; image::image_len(&parts).div_ceil(4)];
        image::write(&parts, bytemuck::cast_slice_mut(&mut words))?;
        let model = Self { words };
        Image::parse(model.bytes())?;
        Ok(model)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// A file that cannot be read or is not a model image.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let path = path.to_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ModelError::Read { path, source }),
        };
        match Self::parse(&bytes) {
            Err(source) => Err(ModelError::Image { path, source }),
            Ok((_, extra)) if extra > 0 => Err(ModelError::Trailing { path, extra }),
            Ok((model, _)) => Ok(model),
        }
    }

    /// The model at the start of some bytes, and how many follow it.
    ///
    /// # Errors
    /// Bytes that are no model image.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), ImageError> {
        let mut words = vec![0u32; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        let len = Image::parse_any(&bytemuck::cast_slice(&words)[..bytes.len()])?.len();
        words.truncate(len / 4);
        Ok((Self { words }, bytes.len() - len))
    }

    /// The bytes of the image.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// The image.
    ///
    /// # Panics
    /// Never: it was checked when the model was made.
    #[must_use]
    pub fn image(&self) -> Image<'_> {
        Image::parse_any(self.bytes()).expect("the image was checked when the model was made")
    }

    /// The genome's words.
    #[must_use]
    pub fn genome(&self) -> Vec<u32> {
        let genome = self.image().genome();
        (0..genome.len()).map(|index| genome.word(index)).collect()
    }

    /// Class names; numbers where the image carries none.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        let image = self.image();
        match image.names() {
            Some(names) => names.classes().map(str::to_owned).collect(),
            None => (0..image.topology().classes()).map(|class| class.to_string()).collect(),
        }
    }

    /// What the features of its samples are. Columns without names are `c1`, `c2` and so on.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let image = self.image();
        let encoder = image.encoder();
        if let Some(levels) = encoder.uniform() {
            let Shape { planes, height, width } = image.topology().input();
            return Schema::Image { channels: planes / levels.len() as u16, height, width };
        }
        let mut names = image.names().filter(|names| names.has_columns()).map(image::Names::columns);
        let mut next = |default: String| match &mut names {
            Some(names) => names.next().map_or(default, str::to_owned),
            None => default,
        };
        let column = |(index, feature): (usize, evobit::encode::Feature<_>)| {
            let name = next(format!("c{}", index + 1));
            let kind = match feature.code {
                Code::Integer => ColumnKind::Integer,
                Code::Real => ColumnKind::Real,
                Code::OneHot => ColumnKind::Category(
                    (0..feature.len()).map(|category| next(category.to_string())).collect(),
                ),
            };
            Column { name, kind, missing: feature.tells_missing() }
        };
        Schema::Table(encoder.table().enumerate().map(column).collect())
    }
}
