//! From raw values to bits: the encoder that a model carries, so that a board takes raw sensor values.
//!
//! A raw sample is one `i32` *key* per feature: an integer itself, the [`real_key`] of a real number, the index of a
//! category. Encoding compares keys and nothing else, so it is exact on every machine, floats included.
//!
//! - *thermometer*: one bit per level, set where the key is greater than the level; one level is a plain
//!   threshold;
//! - *one-hot*: one bit per category, set where the key equals it; a category never seen sets none.
//!
//! A value that is *missing* has the key [`MISSING`], which lies above no level. A column of which values may be missing has
//! [`MISSING`] as its first level: this bit is set exactly where there is a value. In other columns a missing value is like one
//! below all levels.
//!
//! A *uniform* encoder has one list of levels for all features, as images want it: bit `level * features + feature`,
//! so that each level is a plane. A *table* has levels or categories for each feature, and its bits follow
//! each other feature by feature.
//!
//! Packed form, in words: kind (0 uniform, 1 table), number of features, number of values; for a table one
//! descriptor per feature (its [`Code`] in bits 0 to 7, its number of values above); then the values as `i32`,
//! levels ascending.

mod rows;
mod write;

pub use write::{write_table, write_uniform};

use crate::bits::Words;
use crate::network::Writer;
use crate::topology::Packing;

/// Words before descriptors and values.
const HEADER: usize = 3;
/// Most features of an encoder.
pub const MAX_FEATURES: u32 = 1 << 20;
/// Most bits that an encoder makes of one sample.
pub const MAX_BITS: u64 = 1 << 20;

/// The key of a value that is missing: the least of all keys.
pub const MISSING: i32 = i32::MIN;

/// How one feature becomes bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Code {
    /// Levels of an integer.
    Integer = 0,
    /// Levels of a real number, compared by [`real_key`].
    Real = 1,
    /// Categories.
    OneHot = 2,
}

/// The integer that orders as a float does: `a < b` exactly where `real_key(a) < real_key(b)`; both zeros have one key. NaN of
/// either sign is [`MISSING`].
#[must_use]
pub const fn real_key(value: f32) -> i32 {
    if value.is_nan() {
        return MISSING;
    }
    let bits = value.to_bits() as i32;
    if bits == i32::MIN { 0 } else { bits ^ ((bits >> 31) as u32 >> 1) as i32 }
}

/// The float of a [`real_key`], for reports; NaN of [`MISSING`].
#[must_use]
pub const fn key_real(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31) as u32 >> 1) as i32) as u32)
}

/// Why words are not an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncoderError {
    /// The words are fewer or more than the counts say.
    Length,
    /// An unknown kind of encoder or feature.
    Kind,
    /// No features, or more than [`MAX_FEATURES`].
    Features,
    /// A feature has no values, levels do not ascend, or there are more than [`MAX_BITS`] bits.
    Values,
}

impl core::fmt::Display for EncoderError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Length => "encoder: the length does not fit the counts",
            Self::Kind => "encoder: unknown kind",
            Self::Features => "encoder: the number of features is out of range",
            Self::Values => "encoder: levels must ascend and bits number 1 to 1048576",
        })
    }
}

impl core::error::Error for EncoderError {}

/// A checked encoder over its packed words.
#[derive(Clone, Copy, Debug)]
pub struct Encoder<W> {
    words: W,
    uniform: bool,
    features: u32,
    bits: u32,
}

/// One feature of an encoder.
#[derive(Clone, Copy, Debug)]
pub struct Feature<W> {
    /// How it becomes bits.
    pub code: Code,
    values: W,
}

impl<W: Words> Feature<W> {
    /// Number of its values, which is its number of bits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when it makes no bits; no feature of a checked encoder does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Its level or category at `index`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn value(&self, index: usize) -> i32 {
        self.values.word(index) as i32
    }

    /// Bit `index` of a key.
    ///
    /// # Panics
    /// When there is no such value.
    #[must_use]
    #[inline]
    pub fn bit(&self, index: usize, key: i32) -> bool {
        match self.code {
            Code::OneHot => key == self.value(index),
            Code::Integer | Code::Real => key > self.value(index),
        }
    }

    /// Whether it has a bit for values that are [`MISSING`]: the first, which is set where there is a value.
    #[must_use]
    pub fn tells_missing(&self) -> bool {
        self.code != Code::OneHot && self.value(0) == MISSING
    }

    fn ascends(&self) -> bool {
        (1..self.len()).all(|index| self.value(index - 1) < self.value(index))
    }
}

impl<W: Words> Encoder<W> {
    /// Checks packed words.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(words: W) -> Result<Self, EncoderError> {
        if words.len() < HEADER {
            return Err(EncoderError::Length);
        }
        let (kind, features, values) = (words.word(0), words.word(1), words.word(2));
        if kind > 1 {
            return Err(EncoderError::Kind);
        }
        if features == 0 || features > MAX_FEATURES {
            return Err(EncoderError::Features);
        }
        let uniform = kind == 0;
        let descriptors = if uniform { 0 } else { features };
        if (words.len() - HEADER).checked_sub(descriptors as usize) != Some(values as usize) {
            return Err(EncoderError::Length);
        }
        let bits = values.checked_mul(if uniform { features } else { 1 });
        let Some(bits) = bits.filter(|&bits| bits > 0 && u64::from(bits) <= MAX_BITS) else {
            return Err(EncoderError::Values);
        };
        let encoder = Self { words, uniform, features, bits };
        if uniform {
            return if encoder.levels().ascends() { Ok(encoder) } else { Err(EncoderError::Values) };
        }
        encoder.check_table(values)?;
        Ok(encoder)
    }

    fn check_table(&self, values: u32) -> Result<(), EncoderError> {
        let mut total = 0u32;
        for index in 0..self.features as usize {
            let descriptor = self.words.word(HEADER + index);
            if descriptor & 0xff > Code::OneHot as u32 {
                return Err(EncoderError::Kind);
            }
            if descriptor >> 8 == 0 {
                return Err(EncoderError::Values);
            }
            total = total.saturating_add(descriptor >> 8);
        }
        // The words hold the values, so there are fewer than what a sum is cut to.
        if total != values {
            return Err(EncoderError::Length);
        }
        if self.table().all(|feature| feature.ascends()) { Ok(()) } else { Err(EncoderError::Values) }
    }

    /// Number of raw features.
    #[must_use]
    pub const fn features(&self) -> u32 {
        self.features
    }

    /// Number of bits of an encoded sample.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// The packed words.
    #[must_use]
    pub const fn words(&self) -> W {
        self.words
    }

    /// The levels that all features of a uniform encoder share; `None` for a table.
    #[must_use]
    pub fn uniform(&self) -> Option<Feature<W>> {
        self.uniform.then(|| self.levels())
    }

    fn levels(&self) -> Feature<W> {
        let values = self.words.slice(HEADER, self.words.len() - HEADER);
        Feature { code: Code::Integer, values }
    }

    /// The features of a table, in order; none for a uniform encoder.
    pub fn table(&self) -> impl Iterator<Item = Feature<W>> + '_ {
        let count = if self.uniform { 0 } else { self.features as usize };
        let mut start = HEADER + count;
        (0..count).map(move |index| {
            let descriptor = self.words.word(HEADER + index);
            let code = match descriptor & 0xff {
                0 => Code::Integer,
                1 => Code::Real,
                _ => Code::OneHot,
            };
            let values = self.words.slice(start, (descriptor >> 8) as usize);
            start += values.len();
            Feature { code, values }
        })
    }

    /// Encodes one sample: `key` gives the key of a feature, `output` receives [`Self::bits`] bits in `packing`.
    ///
    /// # Panics
    /// When `output` ends before the last bit does in this packing.
    pub fn encode(&self, key: impl Fn(u32) -> i32, packing: Packing, output: &mut [u32]) {
        if cfg!(feature = "full") && self.uniform && self.features.is_multiple_of(packing.row_bits) {
            return self.encode_rows(key, packing, output);
        }
        let mut writer = Writer::new(output, packing.row_bits);
        if self.uniform {
            let levels = self.levels();
            for level in 0..levels.len() {
                let level = levels.value(level);
                (0..self.features).for_each(|feature| writer.push(key(feature) > level));
            }
        } else {
            for (feature, index) in self.table().zip(0..) {
                let key = key(index);
                (0..feature.len()).for_each(|bit| writer.push(feature.bit(bit, key)));
            }
        }
        writer.finish();
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
