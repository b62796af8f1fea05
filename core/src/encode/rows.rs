//! Encoding where the rows of a level are rows of the packing, as in images.

use super::Encoder;
use crate::bits::{Words, tail_mask};
use crate::topology::Packing;

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
#[inline]
pub(super) fn greater(bytes: &[u8], level: i32) -> u32 {
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
