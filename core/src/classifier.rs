//! From raw values to a class: a model and the memory that it needs, in one thing.
//!
//! [`Classifier`] has buffers of sizes that the compiler knows, as a board wants them; `evobit inspect --rust MODEL` prints the
//! type for a model. [`BufferClassifier`] borrows its buffers from the caller, as a program wants that reads models it does not
//! know. Both check the model when they are made, and each sample when it comes: no bytes and no sample make them panic.
//!
//! ```
//! # fn main() -> Result<(), evobit::ClassifierError> {
//! use evobit::{BufferClassifier, include_model};
//!
//! let model = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/iris.evb"));
//! let (mut words, mut scores) = ([0; 64], [0; 16]);
//! let mut iris = BufferClassifier::parse(model, &mut words, &mut scores)?;
//! assert_eq!(iris.classify(&[5.1_f32, 3.5, 1.4, 0.2])?, 0);
//! assert_eq!(iris.class_name(0), Some("setosa"));
//! // Centimetres are real numbers: integers are refused instead of compared with the wrong levels.
//! assert!(iris.classify(&[5, 3, 1, 0]).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Cost of a sample: encoding, one comparison for each bit of the input, and the forward pass, see [`network`](crate::network).

mod error;
mod value;

pub use error::ClassifierError;
pub use value::{RawValue, Value};

use crate::encode::{Code, Encoder};
use crate::image::Image;
use crate::network::best_class;

#[cfg(all(test, feature = "full"))]
mod tests;

/// A model with buffers of fixed size: `INPUT` words of a packed sample, `HIDDEN` words of activations, `CLASSES` scores. Larger
/// ones than the model needs are fine. `evobit inspect --rust MODEL` prints the sizes of a model.
#[derive(Clone, Debug)]
pub struct Classifier<'m, const INPUT: usize, const HIDDEN: usize, const CLASSES: usize> {
    image: Image<'m>,
    input: [u32; INPUT],
    hidden: [u32; HIDDEN],
    scores: [i32; CLASSES],
}

impl<'m, const INPUT: usize, const HIDDEN: usize, const CLASSES: usize>
    Classifier<'m, INPUT, HIDDEN, CLASSES>
{
    /// Checks a model, for example the bytes of [`include_model!`](crate::include_model), which must be aligned to 4 bytes.
    ///
    /// # Errors
    /// [`ClassifierError::Image`] where the bytes are no model, [`ClassifierError::Room`] where the model needs larger buffers.
    pub fn parse(model: &'m [u8]) -> Result<Self, ClassifierError> {
        let image = Image::parse(model).map_err(ClassifierError::Image)?;
        check_room(&image, [INPUT, HIDDEN, CLASSES])?;
        Ok(Self { image, input: [0; INPUT], hidden: [0; HIDDEN], scores: [0; CLASSES] })
    }

    /// The class of one raw sample, which has one value for each column of the model: for an image its pixels, channel after
    /// channel, row after row.
    ///
    /// # Errors
    /// [`ClassifierError::Features`] where there are more or fewer values, [`ClassifierError::Column`] where a value is of
    /// another kind than its column.
    pub fn classify<T: RawValue>(&mut self, raw: &[T]) -> Result<usize, ClassifierError> {
        answer(&self.image, raw, &mut self.input, &mut self.hidden, &mut self.scores)
    }

    /// The scores of the last sample, one for each class; the largest wins. Zeros before the first sample.
    #[must_use]
    pub fn scores(&self) -> &[i32] {
        &self.scores[..self.image.topology().classes()]
    }

    /// The name of a class, where the model carries names.
    #[must_use]
    pub fn class_name(&self, class: usize) -> Option<&'m str> {
        class_name(&self.image, class)
    }

    /// The model.
    #[must_use]
    pub const fn image(&self) -> &Image<'m> {
        &self.image
    }
}

/// A model with buffers of the caller.
#[derive(Debug)]
pub struct BufferClassifier<'m, 'b> {
    image: Image<'m>,
    input: &'b mut [u32],
    hidden: &'b mut [u32],
    scores: &'b mut [i32],
}

impl<'m, 'b> BufferClassifier<'m, 'b> {
    /// Checks a model, whose bytes must be aligned to 4 bytes. `words` holds a packed sample and the activations
    /// ([`Topology::input_words`](crate::topology::Topology::input_words) and
    /// [`hidden_words`](crate::topology::Topology::hidden_words)), `scores` one score for each class.
    ///
    /// # Errors
    /// [`ClassifierError::Image`] where the bytes are no model, [`ClassifierError::Room`] where a buffer is too short.
    pub fn parse(
        model: &'m [u8],
        words: &'b mut [u32],
        scores: &'b mut [i32],
    ) -> Result<Self, ClassifierError> {
        let image = Image::parse(model).map_err(ClassifierError::Image)?;
        let input_words = image.topology().input_words();
        let there = words.len();
        let (input, hidden) = words.split_at_mut(input_words.min(there));
        check_room(&image, [input.len(), hidden.len(), scores.len()])?;
        Ok(Self { image, input, hidden, scores })
    }

    /// As [`Classifier::classify`].
    ///
    /// # Errors
    /// As for [`Classifier::classify`].
    pub fn classify<T: RawValue>(&mut self, raw: &[T]) -> Result<usize, ClassifierError> {
        answer(&self.image, raw, self.input, self.hidden, self.scores)
    }

    /// As [`Classifier::scores`].
    #[must_use]
    pub fn scores(&self) -> &[i32] {
        &self.scores[..self.image.topology().classes()]
    }

    /// The name of a class, where the model carries names.
    #[must_use]
    pub fn class_name(&self, class: usize) -> Option<&'m str> {
        class_name(&self.image, class)
    }

    /// The model.
    #[must_use]
    pub const fn image(&self) -> &Image<'m> {
        &self.image
    }
}

/// Compares what a model needs with what is there: words of input, words of activations, scores.
fn check_room(image: &Image<'_>, there: [usize; 3]) -> Result<(), ClassifierError> {
    let topology = image.topology();
    let needed = [topology.input_words(), topology.hidden_words(), topology.classes()];
    let fits = needed.iter().zip(there).all(|(&needed, there)| needed <= there);
    if fits { Ok(()) } else { Err(ClassifierError::Room { needed, there }) }
}

fn class_name<'m>(image: &Image<'m>, class: usize) -> Option<&'m str> {
    image.names().and_then(|names| names.classes().nth(class))
}

/// Checks a sample, encodes it and runs the network. The buffers are as [`check_room`] wants them.
fn answer<T: RawValue>(
    image: &Image<'_>,
    raw: &[T],
    input: &mut [u32],
    hidden: &mut [u32],
    scores: &mut [i32],
) -> Result<usize, ClassifierError> {
    let (topology, encoder) = (image.topology(), image.encoder());
    check_sample(encoder, raw)?;
    let packing = topology.layer(0).packing;
    match T::as_bytes(raw) {
        Some(bytes) => encoder.encode_bytes(bytes, packing, input),
        None => encoder.encode(|column| raw[column as usize].key(), packing, input),
    }
    image.network().run(input, hidden, scores);
    Ok(best_class(&scores[..topology.classes()]))
}

/// Compares a sample with the columns of an encoder.
fn check_sample<T: RawValue>(
    encoder: &Encoder<impl crate::bits::Words>,
    raw: &[T],
) -> Result<(), ClassifierError> {
    let needed = encoder.features() as usize;
    if raw.len() != needed {
        return Err(ClassifierError::Features { needed, given: raw.len() });
    }
    let fits = |(column, (needed, value)): (usize, (Code, &T))| {
        let Some(given) = value.code() else { return Ok(()) };
        // A category is an index, which may come as any integer.
        let fits = given == needed || (given == Code::Integer && needed == Code::OneHot);
        if fits { Ok(()) } else { Err(ClassifierError::Column { column, needed, given }) }
    };
    if encoder.uniform().is_some() {
        return core::iter::repeat(Code::Integer).zip(raw).enumerate().try_for_each(fits);
    }
    encoder.table().map(|feature| feature.code).zip(raw).enumerate().try_for_each(fits)
}

/// The bytes of a model file, aligned to 4 bytes as [`Image::parse`](crate::image::Image::parse) wants them: a
/// `&'static [u8]`, for a `static` or wherever an expression can stand. `include_bytes!` aligns to nothing.
///
/// The path is relative to the source file, as with `include_bytes!`.
///
/// ```
/// static MODEL: &[u8] = evobit::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits.evb"));
/// assert!(MODEL.as_ptr().addr().is_multiple_of(4));
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        #[repr(C, align(4))]
        struct Aligned<Bytes: ?Sized>(Bytes);
        static MODEL: &Aligned<[u8]> = &Aligned(*::core::include_bytes!($path));
        &MODEL.0
    }};
}
