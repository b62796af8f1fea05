//! Why a classifier cannot be made, or cannot answer.

use crate::encode::Code;
use crate::image::ImageError;

/// Why a classifier cannot be made, or cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClassifierError {
    /// The bytes are not a model that this library can run.
    Image(ImageError),
    /// The buffers are too short for the model: words of input, words of activations and scores.
    Room {
        /// What the model needs.
        needed: [usize; 3],
        /// What is there.
        there: [usize; 3],
    },
    /// The sample has another number of values than the model has columns.
    Features {
        /// Columns of the model.
        needed: usize,
        /// Values of the sample.
        given: usize,
    },
    /// A value is of another kind than its column.
    Column {
        /// The column, counted from 0.
        column: usize,
        /// What the column holds.
        needed: Code,
        /// What the sample has there.
        given: Code,
    },
}

/// What a user calls the values of a column.
const fn named(code: Code) -> &'static str {
    match code {
        Code::Integer => "integers",
        Code::Real => "real numbers (f32)",
        Code::OneHot => "categories",
    }
}

impl core::fmt::Display for ClassifierError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Room { needed: [input, hidden, classes], there } => write!(
                f,
                "the model needs {input} words of input, {hidden} of activations and {classes} scores, there are {}, {} and {}: `evobit inspect --rust MODEL` prints the sizes",
                there[0], there[1], there[2]
            ),
            Self::Features { needed, given } => {
                write!(
                    f,
                    "the sample has {given} values, the model has {needed} columns: give one value for each"
                )
            }
            Self::Column { column, needed, given } => write!(
                f,
                "column {column} holds {}, the sample has {} there: give what the model was trained on",
                named(*needed),
                named(*given)
            ),
        }
    }
}

impl core::error::Error for ClassifierError {}
