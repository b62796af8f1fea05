//! Encoding where the rows of a level are rows of the packing, as in images.

use super::Encoder;
use crate::bits::Words;
use crate::topology::Packing;

impl<W: Words> Encoder<W> {
    /// [`encode`](Self::encode) where the keys are bytes, as in images: faster where the rows of a level are rows of the packing.
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
            for row in raw.chunks(packing.row_bits as usize) {
                for bytes in row.chunks(32) {
                    words.next().into_iter().for_each(|word| *word = greater(bytes, level));
                }
            }
        }
    }

    /// [`encode`](Self::encode) where the rows of a level are rows of the packing: word by word.
    pub(super) fn encode_rows(&self, key: impl Fn(u32) -> i32, packing: Packing, output: &mut [u32]) {
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
#[inline(never)]
pub(super) fn greater(bytes: &[u8], level: i32) -> u32 {
    // Then the sign of a difference is the bit; it enters from the top.
    let level = level.clamp(-1, 255);
    let enter = |word: u32, &byte: &u8| word >> 1 | (level - i32::from(byte)).cast_unsigned() & 1 << 31;
    let (fours, rest) = bytes.as_chunks::<4>();
    let word = fours.iter().fold(0, |word, four| four.iter().fold(word, enter));
    rest.iter().fold(word, enter).unbounded_shr(32 - bytes.len() as u32)
}
