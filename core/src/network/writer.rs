//! Packed rows, bit by bit.

/// Writes bits one after the other, in rows padded to whole words.
#[derive(Debug)]
pub struct Writer<'a> {
    words: &'a mut [u32],
    row_bits: u32,
    word: u32,
    index: usize,
    column: u32,
}

impl<'a> Writer<'a> {
    /// Writes into `words`, rows of `row_bits` bits.
    #[must_use]
    pub const fn new(words: &'a mut [u32], row_bits: u32) -> Self {
        Self { words, row_bits, word: 0, index: 0, column: 0 }
    }

    /// Appends a bit.
    ///
    /// # Panics
    /// When the words are full.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        self.word |= u32::from(bit) << (self.column % 32);
        self.column += 1;
        if self.column.is_multiple_of(32) || self.column == self.row_bits {
            self.flush();
        }
        if self.column == self.row_bits {
            self.column = 0;
        }
    }

    /// Writes what is left of the last word.
    pub fn finish(mut self) {
        if !self.column.is_multiple_of(32) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.words[self.index] = self.word;
        self.index += 1;
        self.word = 0;
    }
}
