//! From raw values to bits: the encoder that a model carries, so that a board takes raw sensor values.
//!
//! A raw sample is one `i32` *key* per feature: an integer itself, the [`real_key`] of a real number, the index of a
//! category. Encoding compares keys and nothing else, so it is exact on every machine, floats included.
//!
//! - *thermometer*: one bit per level, set where the key is greater than the level; one level is a plain
//!   threshold;
//! - *one-hot*: one bit per category, set where the key equals it; a category never seen sets none.
//!
//! A *uniform* encoder has one list of levels for all features, as images want it: bit `level * features + feature`,
//! so that each level is a plane. A *table* has levels or categories for each feature, and its bits follow
//! each other feature by feature.
//!
//! Packed form, in words: kind (0 uniform, 1 table), number of features, number of values; for a table one
//! descriptor per feature (its [`Code`] in bits 0 to 7, its number of values above); then the values as `i32`,
//! levels ascending.

use crate::bits::{Words, tail_mask};
use crate::network::Writer;
use crate::topology::Packing;

/// Words before descriptors and values.
const HEADER: usize = 3;
/// Most features of an encoder.
pub const MAX_FEATURES: u32 = 1 << 20;
/// Most bits that an encoder makes of one sample.
pub const MAX_BITS: u64 = 1 << 20;

/// How one feature becomes bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Levels of an integer.
    Integer = 0,
    /// Levels of a real number, compared by [`real_key`].
    Real = 1,
    /// Categories.
    OneHot = 2,
}

/// The integer that orders as a float does: `a < b` exactly where `real_key(a) < real_key(b)`; both zeros have one key. NaN
/// of either sign lies outside of the infinities.
#[must_use]
pub const fn real_key(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    if bits == i32::MIN { 0 } else { bits ^ ((bits >> 31) as u32 >> 1) as i32 }
}

/// The float of a [`real_key`], for reports.
#[must_use]
pub const fn key_real(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31) as u32 >> 1) as i32) as u32)
}

/// Why words are not an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        if words.len() as u64 != HEADER as u64 + u64::from(descriptors) + u64::from(values) {
            return Err(EncoderError::Length);
        }
        let bits = u64::from(values) * if uniform { u64::from(features) } else { 1 };
        if bits == 0 || bits > MAX_BITS {
            return Err(EncoderError::Values);
        }
        let encoder = Self { words, uniform, features, bits: bits as u32 };
        if uniform {
            return if encoder.levels().ascends() { Ok(encoder) } else { Err(EncoderError::Values) };
        }
        encoder.check_table(values)?;
        Ok(encoder)
    }

    fn check_table(&self, values: u32) -> Result<(), EncoderError> {
        let mut total = 0u64;
        for index in 0..self.features as usize {
            let descriptor = self.words.word(HEADER + index);
            if descriptor & 0xff > Code::OneHot as u32 {
                return Err(EncoderError::Kind);
            }
            if descriptor >> 8 == 0 {
                return Err(EncoderError::Values);
            }
            total += u64::from(descriptor >> 8);
        }
        if total != u64::from(values) {
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
        if self.uniform && self.features.is_multiple_of(packing.row_bits) {
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

impl<W: Words> Encoder<W> {
    /// [`encode`](Self::encode) where the keys are bytes, as in images: four at a time where the rows of a level are rows of the packing.
    ///
    /// # Panics
    /// When there are fewer bytes than features, or `output` ends before the last bit does in this packing.
    pub fn encode_bytes(&self, raw: &[u8], packing: Packing, output: &mut [u32]) {
        if !self.uniform || !self.features.is_multiple_of(packing.row_bits) {
            return self.encode(|feature| raw[feature as usize].into(), packing, output);
        }
        let raw = &raw[..self.features as usize];
        let levels = self.levels();
        let mut words = output[..packing.words()].iter_mut();
        for level in 0..levels.len() {
            let level = levels.value(level);
            for bytes in raw.chunks(packing.row_bits as usize).flat_map(|row| row.chunks(32)) {
                words.next().into_iter().for_each(|word| *word = greater(bytes, level));
            }
        }
    }

    /// [`encode`](Self::encode) where the rows of a level are rows of the packing: word by word.
    fn encode_rows(&self, key: impl Fn(u32) -> i32, packing: Packing, output: &mut [u32]) {
        let levels = self.levels();
        let mut words = output[..packing.words()].iter_mut();
        for level in 0..levels.len() {
            let level = levels.value(level);
            for row in 0..self.features / packing.row_bits {
                let end = (row + 1) * packing.row_bits;
                for start in (row * packing.row_bits..end).step_by(32) {
                    // The last feature first, so that each moves up to its place.
                    let features = (start..end.min(start + 32)).rev();
                    let word = features.fold(0, |word, feature| word << 1 | u32::from(key(feature) > level));
                    words.next().into_iter().for_each(|target| *target = word);
                }
            }
        }
    }
}

/// Bit i is set where byte i, of at most 32, is greater than a level.
#[inline]
fn greater(bytes: &[u8], level: i32) -> u32 {
    let all = tail_mask(bytes.len() as u32);
    let Ok(level) = u8::try_from(level) else { return if level < 0 { all } else { 0 } };
    // A byte is greater where adding 255 less the level carries out of it: both top bits are set, or one of them and a carry comes from below.
    let add = u32::from(u8::MAX - level) * 0x0101_0101;
    let (below, any) = (add & 0x7f7f_7f7f, add & 0x80 != 0);
    let (fours, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let mut word = 0;
    for (four, position) in fours.iter().chain([&last]).zip((0..32).step_by(4)) {
        let four = u32::from_le_bytes(*four);
        let carried = (four & 0x7f7f_7f7f) + below;
        let greater = if any { four | carried } else { four & carried };
        // The product gathers the top bits of four bytes in its top four.
        word |= ((greater >> 7 & 0x0101_0101).wrapping_mul(0x1020_4080) >> 28) << position;
    }
    word & all
}

/// Writes a uniform encoder into `words` and returns its length; `levels` must ascend.
///
/// # Errors
/// What [`Encoder::new`] would say, or [`EncoderError::Length`] when `words` is shorter than `3 + levels`.
pub fn write_uniform(features: u32, levels: &[i32], words: &mut [u32]) -> Result<usize, EncoderError> {
    let len = HEADER + levels.len();
    let words = words.get_mut(..len).ok_or(EncoderError::Length)?;
    words[..HEADER].copy_from_slice(&[0, features, levels.len() as u32]);
    words[HEADER..].iter_mut().zip(levels).for_each(|(word, &level)| *word = level as u32);
    Encoder::new(&*words)?;
    Ok(len)
}

/// Writes a table into `words` and returns its length: for each feature its code and its ascending values.
///
/// # Errors
/// What [`Encoder::new`] would say, or [`EncoderError::Length`] when `words` is too short.
pub fn write_table(features: &[(Code, &[i32])], words: &mut [u32]) -> Result<usize, EncoderError> {
    let values: usize = features.iter().map(|(_, values)| values.len()).sum();
    let len = HEADER + features.len() + values;
    let words = words.get_mut(..len).ok_or(EncoderError::Length)?;
    words[..HEADER].copy_from_slice(&[1, features.len() as u32, values as u32]);
    let mut rest = words[HEADER..].iter_mut();
    for ((code, values), word) in features.iter().zip(&mut rest) {
        *word = *code as u32 | (values.len() as u32) << 8;
    }
    for (&value, word) in features.iter().flat_map(|(_, values)| *values).zip(&mut rest) {
        *word = value as u32;
    }
    Encoder::new(&*words)?;
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Layer, Shape, Topology};
    use proptest::prelude::*;

    fn packing(shape: Shape, layer: Layer) -> Packing {
        Topology::new(shape, &[layer, Layer::dense(2)]).unwrap().layer(0).packing
    }

    #[test]
    fn an_image_becomes_one_plane_per_level() {
        let mut words = [0; 8];
        let len = write_uniform(4, &[3, 9], &mut words).unwrap();
        let encoder = Encoder::new(&words[..len]).unwrap();
        assert_eq!((encoder.bits(), encoder.features()), (8, 4));
        let pixels = [0, 4, 10, 3];
        let shape = Shape { planes: 2, height: 2, width: 2 };
        let mut rows = [9; 4];
        encoder.encode(|f| pixels[f as usize], packing(shape, Layer::windows(1, 1, 1, 1)), &mut rows);
        assert_eq!(rows, [0b10, 0b01, 0b00, 0b01]);
        let mut flat = [9; 1];
        encoder.encode(|f| pixels[f as usize], packing(shape, Layer::dense(1)), &mut flat);
        assert_eq!(flat, [0b0100_0110]);
    }

    #[test]
    fn a_table_mixes_thermometers_and_categories() {
        let mut words = [0; 16];
        let reals = [real_key(-0.5), real_key(2.25)];
        let features: [(Code, &[i32]); 3] =
            [(Code::Real, &reals), (Code::OneHot, &[0, 1, 2]), (Code::Integer, &[-7])];
        let len = write_table(&features, &mut words).unwrap();
        let encoder = Encoder::new(&words[..len]).unwrap();
        assert_eq!(encoder.bits(), 6);
        let encode = |keys: [i32; 3]| {
            let mut out = [0];
            encoder.encode(|f| keys[f as usize], packing(Shape::flat(6), Layer::dense(1)), &mut out);
            out[0]
        };
        assert_eq!(encode([real_key(0.0), 2, -6]), 0b110_001);
        assert_eq!(encode([real_key(3.0), -1, -7]), 0b000_011);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut words = [0; 16];
        assert_eq!(write_uniform(4, &[3, 3], &mut words), Err(EncoderError::Values));
        assert_eq!(write_uniform(0, &[3], &mut words), Err(EncoderError::Features));
        assert_eq!(write_uniform(u32::MAX, &[3], &mut words), Err(EncoderError::Features));
        assert_eq!(write_uniform(4, &[3; 20], &mut words), Err(EncoderError::Length));
        assert_eq!(write_table(&[(Code::Integer, &[])], &mut words), Err(EncoderError::Values));
        assert_eq!(write_table(&[(Code::Real, &[3, 3])], &mut words), Err(EncoderError::Values));
        assert_eq!(write_table(&[(Code::OneHot, &[1, 0])], &mut words), Err(EncoderError::Values));
        assert!(write_uniform(MAX_FEATURES, &[3], &mut words).is_ok());
        assert_eq!(write_uniform(MAX_FEATURES, &[3, 4], &mut words), Err(EncoderError::Values));
        assert_eq!(Encoder::new(&[1u32, 1, 2, 1 << 8, 5, 6][..]).err(), Some(EncoderError::Length));
        assert_eq!(Encoder::new(&[2u32, 1, 1, 5][..]).err(), Some(EncoderError::Kind));
        assert_eq!(Encoder::new(&[1u32, 1, 1, 3, 5][..]).err(), Some(EncoderError::Kind));
        assert_eq!(Encoder::new(&[1u32, 1, 1, 2 << 8, 5][..]).err(), Some(EncoderError::Length));
        assert_eq!(Encoder::new(&[0u32, 1][..]).err(), Some(EncoderError::Length));
        assert_eq!(Encoder::new(&[0u32, 1, u32::MAX][..]).err(), Some(EncoderError::Length));
    }

    #[test]
    fn bytes_are_compared_four_at_a_time_as_one_by_one() {
        let bytes: [u8; 256] = core::array::from_fn(|index| index as u8);
        for level in -2..258 {
            for part in bytes.chunks(27).chain(bytes.chunks(32)) {
                let expected =
                    part.iter().rev().fold(0, |word, &byte| word << 1 | u32::from(i32::from(byte) > level));
                assert_eq!(greater(part, level), expected, "{level}");
            }
        }
        let mut words = [0; 8];
        let len = write_uniform(56, &[3, 99], &mut words).unwrap();
        let encoder = Encoder::new(&words[..len]).unwrap();
        let shape = Shape { planes: 2, height: 2, width: 28 };
        for layer in [Layer::windows(1, 1, 1, 1), Layer::dense(1)] {
            let (mut one, mut other) = ([9; 4], [9; 4]);
            encoder.encode(|feature| (feature * 2).cast_signed(), packing(shape, layer), &mut one);
            let raw: [u8; 56] = core::array::from_fn(|feature| feature as u8 * 2);
            encoder.encode_bytes(&raw, packing(shape, layer), &mut other);
            assert_eq!(one, other);
        }
    }

    proptest! {
        #[test]
        fn real_keys_order_as_floats(a: f32, b: f32) {
            if !a.is_nan() && !b.is_nan() {
                prop_assert_eq!(a.partial_cmp(&b), real_key(a).partial_cmp(&real_key(b)));
                prop_assert_eq!(key_real(real_key(a)), a);
            }
        }

        #[test]
        fn any_words_are_read_or_refused(mut words in prop::collection::vec(any::<u32>(), 0..20), kind in 0..3u32) {
            if let Some(first) = words.first_mut() {
                *first = kind;
            }
            if let Ok(encoder) = Encoder::new(&words[..]) {
                prop_assert!(encoder.bits() > 0);
            }
        }
    }
}
