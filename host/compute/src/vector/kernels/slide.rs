//! What a small window shows of each sample at every position that it slides to.

use super::window::{SIDE, Window};

/// Lines and columns of a strip: a window with all that it slides over lies in so many.
pub(in super::super) const FIELD: usize = 16;

/// A window that slides. What it shows at one position are the bytes of a word: a line each, the first one lowest.
#[derive(Clone, Copy, Debug)]
pub struct Slide<'a> {
    /// The window at its first position; [`FIELD`] numbers can be read from every line of it on.
    pub window: Window<'a>,
    /// Lines and columns by which it slides.
    pub by: usize,
}

impl Slide<'_> {
    /// The bits of a word that belong to a window.
    pub fn mask(&self) -> u64 {
        let line = (1 << self.window.width) - 1;
        (0..self.window.height).fold(0, |mask, at| mask | line << (8 * at))
    }

    /// Packed weights, as they are compared with what it shows.
    pub fn spread(&self, weights: &[u32]) -> u64 {
        let width = self.window.width as usize;
        let packed = weights.iter().rev().fold(0, |packed, &word| packed << 32 | u64::from(word));
        let line = |at: usize| packed.checked_shr((at * width) as u32).unwrap_or(0) & ((1 << width) - 1);
        (0..self.window.height).fold(0, |word, at| word | line(at) << (8 * at))
    }

    /// Moves what belongs to the bits of words to where those of packed weights are.
    pub fn close_gaps(&self, lanes: &mut [i32]) {
        let width = self.window.width as usize;
        for line in 1..self.window.height {
            lanes.copy_within(8 * line..8 * line + width, width * line);
        }
    }

    /// Hands what it shows of a sample at each position to `each`.
    #[inline(always)]
    pub fn each(&self, sample: usize, mut each: impl FnMut(u64)) {
        let first = sample * self.window.lines + self.window.line;
        let lines = &self.window.columns[first..first + self.window.height + self.by];
        let mask = self.mask();
        for column in 0..=self.by {
            let mut bytes = 0u128;
            for (line, &columns) in lines.iter().enumerate() {
                bytes |= u128::from((columns >> (self.window.shift as usize + column)) as u8) << (8 * line);
            }
            for line in 0..=self.by {
                each((bytes >> (8 * line)) as u64 & mask);
            }
        }
    }

    /// How many bits differ from `weights` at the position where that are the fewest.
    #[inline(always)]
    pub fn fewest(&self, sample: usize, weights: u64) -> u32 {
        let mut fewest = u32::MAX;
        self.each(sample, |seen| fewest = fewest.min((seen ^ weights).count_ones()));
        fewest
    }

    /// The bits that differ from `weights` at any position where at most `most` do.
    #[inline(always)]
    pub fn differing(&self, sample: usize, weights: u64, most: u32) -> u64 {
        let mut all = 0;
        self.each(sample, |seen| {
            let differ = seen ^ weights;
            if differ.count_ones() <= most {
                all |= differ;
            }
        });
        all
    }
}

const _: () = assert!(SIDE + evobit::topology::MAX_SLIDE as usize <= FIELD, "a field holds every position");
