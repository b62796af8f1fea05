//! The inner loops of the vector landscape, one trait over instruction sets.
//!
//! Each is defined by its portable form; the others must give the same integers, which the property suite and the tests
//! here check on every machine that has them. An instruction set brings a few functions on 64 samples or 16 classes;
//! [`vector_kernels`](super::loops) puts them into the loops, which all share.

use std::ops::Range;

use super::loops;

mod portable;
#[cfg(test)]
mod tests;

pub use portable::Portable;
pub(super) use portable::change_of;

/// Classes of a block.
pub(super) const LANES: usize = 16;

/// Samples of a chunk, one bit each in a word.
pub(super) const CHUNK: usize = 64;

/// How far 16 classes of one sample are ahead of its right class; 0 for that class itself and where there is no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(32))]
pub struct Ahead(pub [i16; LANES]);

// SAFETY: 16 integers; all zeros are 16 zeros.
unsafe impl bytemuck::Zeroable for Ahead {}
// SAFETY: 16 integers of 2 bytes and an alignment of 32, so there is no padding, and any bits are integers.
unsafe impl bytemuck::Pod for Ahead {}

/// A value of each of 64 samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Chunk<C>(pub [C; CHUNK]);

impl<C: Copy + Default> Default for Chunk<C> {
    fn default() -> Self {
        Self([C::default(); CHUNK])
    }
}

/// An integer that holds the pre-activations of a layer.
pub trait Cell: Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// The lowest bits of a value.
    fn from_wide(value: i16) -> Self;
    /// Its value.
    fn wide(self) -> i16;
    /// This type's chunk, for code that differs by type.
    fn view(chunk: &Chunk<Self>) -> View<'_>;
    /// The same to write.
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_>;
}

/// A chunk of either type.
#[derive(Debug)]
pub enum View<'a> {
    /// Of 8 bits.
    Narrow(&'a Chunk<i8>),
    /// Of 16 bits.
    Wide(&'a Chunk<i16>),
}

/// A chunk of either type, to write.
#[derive(Debug)]
pub enum ViewMut<'a> {
    /// Of 8 bits.
    Narrow(&'a mut Chunk<i8>),
    /// Of 16 bits.
    Wide(&'a mut Chunk<i16>),
}

impl Cell for i8 {
    #[inline(always)]
    fn from_wide(value: i16) -> Self {
        value as i8
    }

    #[inline(always)]
    fn wide(self) -> i16 {
        self.into()
    }

    #[inline(always)]
    fn view(chunk: &Chunk<Self>) -> View<'_> {
        View::Narrow(chunk)
    }

    #[inline(always)]
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_> {
        ViewMut::Narrow(chunk)
    }
}

impl Cell for i16 {
    #[inline(always)]
    fn from_wide(value: i16) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> i16 {
        self
    }

    #[inline(always)]
    fn view(chunk: &Chunk<Self>) -> View<'_> {
        View::Wide(chunk)
    }

    #[inline(always)]
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_> {
        ViewMut::Wide(chunk)
    }
}

/// By how much the loss of a wrong class rises if it gains 2 on the right one.
#[derive(Clone, Debug)]
pub struct Rises {
    /// By the place of the difference in the table: nothing, then the rise at every difference from `low` on, the last one at
    /// least twice, so often that the length is a multiple of 64. Places before it stand for the first, places behind it
    /// for the last.
    pub rises: Vec<i16>,
    /// The same where bytes hold it, else empty.
    pub bytes: Vec<u8>,
    /// The difference of the second entry.
    pub low: i16,
    /// The least difference that rises; nothing rises below it.
    pub least: i16,
}

impl Rises {
    /// The table of the rises at the differences from `low` on.
    pub fn new(rises: &[i16], low: i16) -> Self {
        let last = rises.last().copied().unwrap_or(0);
        let least = (low..).zip(rises).find(|&(_, &rise)| rise != 0).map_or(i16::MAX, |(difference, _)| difference);
        let mut rises = [&[0], rises].concat();
        rises.resize((rises.len() + 1).next_multiple_of(64), last);
        let bytes = rises.iter().map(|&rise| u8::try_from(rise).ok()).collect::<Option<Vec<u8>>>();
        let bytes = bytes.filter(|bytes| bytes.len() <= 256).unwrap_or_default();
        Self { rises, bytes, low, least }
    }

    /// What to take from a difference to have its place, which must be at least 0 for the classes that count.
    #[inline(always)]
    pub fn shift(&self) -> i16 {
        self.low - 1
    }

    /// The rise at a place.
    #[inline(always)]
    pub fn at(&self, place: i16) -> i16 {
        self.rises[(place.max(0) as usize).min(self.rises.len() - 1)]
    }
}

/// A shift that moves every difference before the table, so that nothing rises.
pub(super) const AWAY: i16 = i16::MAX;

/// The classes of the samples, with room behind them for reading four at a time.
#[derive(Clone, Debug)]
pub struct Labels {
    padded: Vec<u8>,
    len: usize,
    most: u8,
    /// Where the samples of each class begin, and where the last ones end, if they are sorted.
    starts: Vec<u32>,
}

impl Labels {
    /// The labels of samples.
    pub fn new(labels: &[u8]) -> Self {
        let mut padded = labels.to_vec();
        padded.extend([0; 3]);
        let most = labels.iter().copied().max().unwrap_or(0);
        let start = |class: usize| labels.partition_point(|&label| usize::from(label) < class) as u32;
        let starts = if labels.is_sorted() { (0..usize::from(most) + 2).map(start).collect() } else { vec![] };
        Self { padded, len: labels.len(), most, starts }
    }

    /// The label of a sample.
    #[inline(always)]
    pub fn of(&self, sample: usize) -> usize {
        self.padded[sample].into()
    }

    /// The samples of a class, if those of each class lie together; else none.
    pub fn of_class(&self, class: usize) -> Range<u32> {
        match self.starts.get(class..class + 2) {
            Some(&[start, end]) => start..end,
            _ => 0..0,
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The greatest of them.
    pub fn most(&self) -> usize {
        self.most.into()
    }

    /// The first of them; three more bytes can be read behind the last.
    pub fn as_ptr(&self) -> *const u8 {
        self.padded.as_ptr()
    }
}

/// A column that is added to pre-activations: `step` where its bit is set, `-step` where not.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Bit i belongs to sample i.
    pub bits: &'a [u64],
    /// What a set bit adds.
    pub step: i16,
}

/// What flipping one hidden neuron does to the classes of a sample, by the sample's label and whether the neuron is on.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// `[labels][off, on][blocks]`: what to take from how far each class is ahead to have the place of its rise, see
    /// [`Rises::shift`]; [`AWAY`] for the classes that do not move against the right one.
    pub shifts: Vec<Ahead>,
    /// One bit for `[labels][off, on]`: whether they fall behind the right one; else they gain on it.
    pub falls: [u32; 16],
    /// `[labels][off, on][blocks]`: how far they move.
    pub moves: Vec<Ahead>,
    /// Blocks of 16 classes.
    pub blocks: usize,
    /// The classes that the neuron votes against, and those that it votes for.
    pub votes: [Vec<u16>; 2],
}

impl Against {
    /// The classes that move against this one.
    pub fn rivals(&self, class: usize) -> &[u16] {
        let [against, votes] = &self.votes;
        if votes.contains(&(class as u16)) { against } else { votes }
    }

    /// Whether the classes fall behind the right one.
    #[inline(always)]
    pub fn falls(&self, entry: usize) -> bool {
        self.falls[entry / 32 % 16] >> (entry % 32) & 1 == 1
    }
}

/// Most lines and columns of a [`Window`].
pub(super) const SIDE: usize = 8;

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

/// Packed rows of bits, one for each sample.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `[rows][words]`.
    pub bits: &'a [u32],
    /// Words of a row.
    pub words: usize,
}

/// The changes of loss of found samples on either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Their sum where the neuron is off.
    pub off: i64,
    /// Where it is on.
    pub on: i64,
    /// The greatest either way.
    pub most: i16,
}

/// Inner loops over samples.
///
/// A *found* sample is `2 * sample + 1` where the neuron is on, `2 * sample` where it is off.
pub trait Kernels: super::Vectorize + Copy + Send + Sync + 'static {
    /// Writes pre-activations with `base` and all `columns` added, which must fit `C`: `new = old + base + columns`.
    fn add_columns<C: Cell>(self, old: &[Chunk<C>], columns: &[Column<'_>], base: i16, new: &mut [Chunk<C>]);

    /// Writes one bit a sample, set where the pre-activation is not negative.
    fn on_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]);

    /// Writes one bit a sample, set on the boundary: where the pre-activation is 0 (just on) or -1 (just off).
    fn boundary_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]);

    /// Writes which classes of which samples are at least so far ahead: `[classes, in whole blocks][samples]`, one bit each.
    fn ahead_bits(self, ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]);

    /// Appends the samples of the set bits of `mask`: ascending those that are off, then those that are on, whose bit of `on`
    /// is set. `first` is the number of the first chunk.
    fn found(self, mask: &[u64], on: &[u64], first: usize, found: &mut Vec<u32>);

    /// Appends the change of loss of each found sample if the neuron were flipped. `ahead` is `[samples][blocks]`. Sums must
    /// fit an `i16`.
    fn flip_changes(
        self,
        found: &[u32],
        labels: &Labels,
        ahead: &[Ahead],
        against: &Against,
        rises: &Rises,
        amounts: &mut Vec<i16>,
    );

    /// Sums the amounts of at most 2^15 found samples by side, then turns the sign of those where the neuron is off.
    fn sides(self, found: &[u32], amounts: &mut [i16]) -> Sides {
        loops::sides(found, amounts)
    }

    /// Moves the classes of the found samples: the neuron flips there.
    fn apply_moves(self, found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against);

    /// Adds to every lane i of `sums`, 32 for each word of a row, the sum of `amounts` over the found samples whose bit i is
    /// set in their row. No amount is greater than `most` either way; sums must fit an `i32`.
    fn sum_rows(self, rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]);

    /// The sum of `amounts`, each below 2^23, over the samples whose bit is set.
    fn sum_where_on(self, bits: &[u64], amounts: &[Chunk<i32>]) -> i64;

    /// [`Kernels::sum_rows`] of what a window shows, to 64 lanes.
    fn sum_window(self, window: &Window<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
        loops::sum_window(self, window, found, amounts, most, sums);
    }
}
