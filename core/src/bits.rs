//! Packed -1/+1 values: one bit each, set for +1.
//!
//! The packed form, the same in memory, in a model image and on every backend: 32-bit words, element
//! `i` in bit `i % 32` of word `i / 32`, a row padded with zero bits to whole words. In a model image
//! a word is four bytes, little-endian.
//!
//! The product of two such rows is `n - 2 * mismatches`, and mismatches are an exclusive or and a
//! population count: [`mismatches`] is the inner loop of everything. It costs one instruction or
//! two a word where the processor counts bits, and about a dozen where it does not.

/// Bits in a word.
pub const WORD_BITS: u32 = 32;

/// Words that hold `bits` bits.
#[must_use]
pub const fn words_for(bits: u32) -> u32 {
    bits.div_ceil(WORD_BITS)
}

/// The bits of the last word of a row of `bits` bits that carry elements.
#[must_use]
pub const fn tail_mask(bits: u32) -> u32 {
    match bits % WORD_BITS {
        0 => u32::MAX,
        used => (1 << used) - 1,
    }
}

/// Words read by index: an array in memory, or the checked bytes of a model image.
pub trait Words: Copy {
    /// Number of words.
    fn len(self) -> usize;

    /// The word at `index`.
    ///
    /// # Panics
    /// When `index` is out of range.
    fn word(self, index: usize) -> u32;

    /// `len` words from `start` on.
    ///
    /// # Panics
    /// When the range does not lie inside.
    #[must_use]
    fn slice(self, start: usize, len: usize) -> Self;

    /// The words as they lie in memory, where they lie there as this machine has them: for inner loops that are not to be generic.
    fn native<'s>(self) -> Option<&'s [u32]>
    where
        Self: 's;

    /// True when there are no words.
    fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl Words for &[u32] {
    #[inline]
    fn len(self) -> usize {
        <[u32]>::len(self)
    }

    #[inline]
    fn word(self, index: usize) -> u32 {
        self[index]
    }

    #[inline]
    fn slice(self, start: usize, len: usize) -> Self {
        &self[start..start + len]
    }

    #[inline]
    fn native<'s>(self) -> Option<&'s [u32]>
    where
        Self: 's,
    {
        Some(self)
    }
}

/// Words as a model image holds them: little-endian, whatever the machine.
#[derive(Clone, Copy, Debug)]
pub struct LittleEndian<'a>(&'a [u32]);

impl<'a> LittleEndian<'a> {
    /// Views `bytes` as words, or `None` when they are not aligned to 4 bytes or not whole words.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        bytemuck::try_cast_slice(bytes).ok().map(Self)
    }
}

impl Words for LittleEndian<'_> {
    #[inline]
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline]
    fn word(self, index: usize) -> u32 {
        u32::from_le(self.0[index])
    }

    #[inline]
    fn slice(self, start: usize, len: usize) -> Self {
        Self(&self.0[start..start + len])
    }

    #[inline]
    fn native<'s>(self) -> Option<&'s [u32]>
    where
        Self: 's,
    {
        cfg!(target_endian = "little").then_some(self.0)
    }
}

/// Bit `index` of a packed row.
#[must_use]
#[inline]
pub fn get(words: impl Words, index: u32) -> bool {
    words.word((index / WORD_BITS) as usize) >> (index % WORD_BITS) & 1 != 0
}

/// Sets bit `index` of a packed row to `value`.
#[inline]
pub fn set(words: &mut [u32], index: u32, value: bool) {
    let word = &mut words[(index / WORD_BITS) as usize];
    let mask = 1 << (index % WORD_BITS);
    *word = if value { *word | mask } else { *word & !mask };
}

/// Flips bit `index` of a packed row.
#[inline]
pub fn flip(words: &mut [u32], index: u32) {
    words[(index / WORD_BITS) as usize] ^= 1 << (index % WORD_BITS);
}

/// Number of places in which two packed rows differ: their Hamming distance. Rows of different
/// length are compared as far as both reach.
#[must_use]
#[inline]
pub fn mismatches(a: &[u32], b: impl Words) -> u32 {
    if COUNTS_BITS {
        let len = a.len().min(b.len());
        let (a, b) = (&a[..len], b.slice(0, len));
        (0..len).map(|i| (a[i] ^ b.word(i)).count_ones()).sum()
    } else if let Some(b) = b.native() {
        count_pairs(a, b)
    } else {
        let len = a.len().min(b.len());
        count_carry_save((0..len).map(|i| a[i] ^ b.word(i)))
    }
}

/// [`mismatches`] of two rows of 64 bits, for loops over many of them.
#[inline]
pub(crate) const fn mismatches_of_two(a: [u32; 2], b: [u32; 2]) -> u32 {
    let (low, high) = (a[0] ^ b[0], a[1] ^ b[1]);
    if COUNTS_BITS {
        return low.count_ones() + high.count_ones();
    }
    // At most 8 in a nibble, 16 in a byte, 64 in all.
    let nibbles = in_nibbles(low) + in_nibbles(high);
    let bytes = (nibbles & 0x0f0f_0f0f) + (nibbles >> 4 & 0x0f0f_0f0f);
    bytes.wrapping_mul(0x0101_0101) >> 24
}

/// [`mismatches`] of words as they lie in memory. Not generic, so that a board's firmware, built for size, has this loop built for speed.
#[inline(never)]
fn count_pairs(a: &[u32], b: &[u32]) -> u32 {
    count_carry_save(a.iter().zip(b).map(|(a, b)| a ^ b))
}

/// The product of two packed rows of `n` values -1/+1.
#[must_use]
#[inline]
pub fn dot(a: &[u32], b: impl Words, n: u32) -> i32 {
    n as i32 - 2 * mismatches(a, b) as i32
}

/// True where `count_ones` is an instruction: the one place that chooses.
const COUNTS_BITS: bool = cfg!(any(
    target_feature = "popcnt",
    target_feature = "zbb",
    target_arch = "aarch64",
    target_arch = "wasm32"
));

/// Counts the set bits of words without a population count instruction.
///
/// Carry-save adders (Harley and Seal; see Warren, *Hacker's Delight*, 2nd edition, 2012, chapter 5) turn three words into two, of weights 1
/// and 2, which are counted nibble by nibble and byte by byte.
#[inline]
fn count_carry_save(mut words: impl Iterator<Item = u32>) -> u32 {
    let mut count = 0;
    loop {
        // A byte grows by at most 24 with every three words: nine times fit.
        let mut bytes = 0;
        for _ in 0..9 {
            let Some(a) = words.next() else {
                return count + sum_bytes(bytes);
            };
            let Some(b) = words.next() else {
                return count + sum_bytes(bytes + in_bytes(a));
            };
            let Some(c) = words.next() else {
                let nibbles = in_nibbles(a) + in_nibbles(b);
                return count + sum_bytes(bytes + (nibbles & 0x0f0f_0f0f) + (nibbles >> 4 & 0x0f0f_0f0f));
            };
            let (ones, twos) = add(a, b, c);
            // At most 4 + 2 * 4 in a nibble.
            let nibbles = in_nibbles(ones) + 2 * in_nibbles(twos);
            bytes += (nibbles & 0x0f0f_0f0f) + (nibbles >> 4 & 0x0f0f_0f0f);
        }
        count += sum_bytes(bytes);
    }
}

/// The sum of the four bytes of a word.
#[inline]
const fn sum_bytes(bytes: u32) -> u32 {
    let pairs = (bytes & 0x00ff_00ff) + (bytes >> 8 & 0x00ff_00ff);
    (pairs + (pairs >> 16)) & 0xffff
}

/// A full adder on 32 lanes: (sum, carry).
#[inline]
pub(crate) const fn add(a: u32, b: u32, c: u32) -> (u32, u32) {
    let half = a ^ b;
    (half ^ c, a & b | half & c)
}

/// The set bits of each nibble, in that nibble.
#[inline]
const fn in_nibbles(x: u32) -> u32 {
    let pairs = x - (x >> 1 & 0x5555_5555);
    (pairs & 0x3333_3333) + (pairs >> 2 & 0x3333_3333)
}

/// The set bits of each byte, in that byte.
#[inline]
const fn in_bytes(x: u32) -> u32 {
    let nibbles = in_nibbles(x);
    (nibbles + (nibbles >> 4)) & 0x0f0f_0f0f
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Words that do not lie in memory as this machine has them.
    #[derive(Clone, Copy)]
    struct Swapped<'a>(&'a [u32]);

    impl Words for Swapped<'_> {
        fn len(self) -> usize {
            self.0.len()
        }

        fn word(self, index: usize) -> u32 {
            self.0[index]
        }

        fn slice(self, start: usize, len: usize) -> Self {
            Self(&self.0[start..start + len])
        }

        fn native<'s>(self) -> Option<&'s [u32]>
        where
            Self: 's,
        {
            None
        }
    }

    proptest! {
        #[test]
        fn both_counts_equal_bit_by_bit(rows in prop::collection::vec(any::<(u32, u32)>(), 0..70)) {
            let (a, b): (Vec<u32>, Vec<u32>) = rows.into_iter().unzip();
            let naive = (0..a.len() as u32 * 32).filter(|&i| get(&a[..], i) != get(&b[..], i)).count() as u32;
            prop_assert_eq!(mismatches(&a, &b[..]), naive);
            prop_assert_eq!(count_pairs(&a, &b), naive);
            prop_assert_eq!(mismatches(&a, Swapped(&b)), naive);
        }

        #[test]
        fn set_and_flip_touch_one_bit(mut row in prop::collection::vec(any::<u32>(), 1..5), index: u32, value: bool) {
            let index = index % (row.len() as u32 * 32);
            let before = row.clone();
            set(&mut row, index, value);
            prop_assert_eq!(get(&row[..], index), value);
            set(&mut row, index, get(&before[..], index));
            prop_assert_eq!(&row, &before);
            flip(&mut row, index);
            prop_assert_eq!(mismatches(&row, &before[..]), 1);
        }
    }

    #[test]
    fn a_full_row_counts_every_bit() {
        for len in 0..100 {
            assert_eq!(count_carry_save((0..len).map(|_| u32::MAX)), 32 * len as u32);
        }
    }

    #[test]
    fn image_words_are_little_endian_on_every_machine() {
        #[repr(align(4))]
        struct Aligned([u8; 8]);
        let bytes = Aligned([1, 2, 3, 4, 0xff, 0, 0, 0x80]);
        let words = LittleEndian::new(&bytes.0).unwrap();
        assert_eq!((words.word(0), words.word(1)), (0x0403_0201, 0x8000_00ff));
        assert!(LittleEndian::new(&bytes.0[1..5]).is_none());
        assert!(LittleEndian::new(&bytes.0[..6]).is_none());
    }

    #[test]
    fn dot_is_the_sum_of_products() {
        let (a, b) = ([0b1011u32], [0b0010u32]);
        assert_eq!(dot(&a, &b[..], 4), 0);
        assert_eq!(dot(&a, &a[..], 4), 4);
    }
}
