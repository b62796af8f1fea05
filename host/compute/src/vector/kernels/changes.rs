//! What flipping a neuron changes, by the class of a sample and how far the others are ahead.

use std::ops::Range;

use super::Ahead;

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
        let least =
            (low..).zip(rises).find(|&(_, &rise)| rise != 0).map_or(i16::MAX, |(difference, _)| difference);
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
pub(in super::super) const AWAY: i16 = i16::MAX;

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
        let starts =
            if labels.is_sorted() { (0..usize::from(most) + 2).map(start).collect() } else { vec![] };
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
