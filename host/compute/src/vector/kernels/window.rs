//! What a small window shows of each sample.

/// Most lines and columns of a [`Window`].
pub(in super::super) const SIDE: usize = 8;

/// A window over all samples. What it shows of one is two words of 32 bits: four lines, then the others, line after line.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// `[samples][lines]` of 16 columns of an image, the first one lowest; then [`SIDE`] more numbers, so that so many can
    /// be read from every line on.
    pub columns: &'a [u16],
    /// Lines of a sample.
    pub lines: usize,
    /// The first line of the window.
    pub line: usize,
    /// Its lines, at most [`SIDE`].
    pub height: usize,
    /// Its first column.
    pub shift: u32,
    /// Its columns, at most [`SIDE`].
    pub width: u32,
}

impl Window<'_> {
    /// Moves what belongs to the bits of the second word behind what belongs to those of the first.
    pub fn close_gaps(&self, lanes: &mut [i32]) {
        let first = 4 * self.width as usize;
        if first < 32 {
            lanes.copy_within(32..32 + first, first);
        }
    }

    /// Which bits of four lines, then of the other four, belong to it.
    pub fn masks(&self) -> [u64; 2] {
        let line = |line: usize| if line < self.height { ((1 << self.width) - 1) << self.shift } else { 0 };
        let four = |first: usize| (0..4).fold(0, |mask, at| mask | line(first + at) << (16 * at));
        [four(0), four(4)]
    }

    /// What it shows of a sample.
    #[inline(always)]
    pub fn of(&self, sample: usize) -> [u32; 2] {
        let first = sample * self.lines + self.line;
        let mut seen = [0; 2];
        for (line, &columns) in self.columns[first..first + self.height].iter().enumerate() {
            let bits = u32::from(columns) >> self.shift & ((1 << self.width) - 1);
            seen[line / 4] |= bits << (line % 4 * self.width as usize);
        }
        seen
    }
}
