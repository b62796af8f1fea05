//! Memory networks: labelled prototypes, and the class of those nearest to an input.
//!
//! A prototype is a packed input with a label. A sample gets the class that most of its nearest few prototypes carry, by Hamming
//! distance (nearest neighbours: Cover and Hart, 1967); where classes draw, the one whose prototype is nearest wins. Nothing has to be trained:
//! a memory of a handful of samples answers at once, where a network needs many. It pays with bytes and with time, one distance
//! for each prototype.
//!
//! [`Memory`] reads prototypes wherever they lie, so that a board answers from the samples it keeps anyway. [`MemoryMut`] changes
//! them, within a fixed capacity, and [`MemorySearch`] evolves them: insert, delete, perturb, relabel, kept where the samples
//! it is to be right on are no worse off. So a memory that is full is compressed instead of cut.

mod search;

pub use search::{Margins, MemorySearch, MemoryStep};

use crate::bits;
use crate::evolve::landscape::Samples;

/// Most neighbours that vote.
pub const MAX_NEIGHBOURS: usize = 8;

/// A memory network over prototypes that lie anywhere.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    prototypes: Samples<'a>,
    words: usize,
}

impl<'a> Memory<'a> {
    /// A memory of these prototypes, `words` words each. `None` where inputs and labels are of different numbers, or there
    /// are no words.
    #[must_use]
    pub fn new(prototypes: Samples<'a>, words: usize) -> Option<Self> {
        let fits = words > 0 && prototypes.len().checked_mul(words) == Some(prototypes.inputs.len());
        fits.then_some(Self { prototypes, words })
    }

    /// Number of prototypes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.prototypes.len()
    }

    /// True when nothing is remembered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.prototypes.is_empty()
    }

    /// The prototypes.
    #[must_use]
    pub const fn prototypes(&self) -> Samples<'a> {
        self.prototypes
    }

    /// Words of a prototype.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.words
    }

    /// The class of `input` by a vote of its `neighbours` nearest prototypes (1 to [`MAX_NEIGHBOURS`], brought into that range);
    /// `None` where nothing is remembered. Costs one distance for each prototype.
    #[must_use]
    pub fn classify(&self, input: &[u32], neighbours: usize) -> Option<u8> {
        self.vote(input, neighbours, None)
    }

    /// The class that prototype `sample` would get if it were not remembered; `None` where it is the only one, or there is
    /// none such.
    #[must_use]
    pub fn classify_left_out(&self, sample: usize, neighbours: usize) -> Option<u8> {
        let inside = sample < self.len();
        inside
            .then(|| self.prototypes.input(sample, self.words))
            .and_then(|input| self.vote(input, neighbours, Some(sample)))
    }

    fn vote(&self, input: &[u32], neighbours: usize, except: Option<usize>) -> Option<u8> {
        let neighbours = neighbours.clamp(1, MAX_NEIGHBOURS);
        // Nearest first; among equals the one remembered first.
        let mut nearest = [(u32::MAX, 0u8); MAX_NEIGHBOURS];
        let mut found = 0;
        let rows = self.prototypes.inputs.chunks_exact(self.words).zip(self.prototypes.labels);
        for (index, (row, &label)) in rows.enumerate() {
            if except == Some(index) {
                continue;
            }
            let distance = bits::mismatches(row, input);
            if distance >= nearest[neighbours - 1].0 {
                continue;
            }
            let mut at = neighbours - 1;
            while at > 0 && nearest[at - 1].0 > distance {
                nearest[at] = nearest[at - 1];
                at -= 1;
            }
            nearest[at] = (distance, label);
            found = (found + 1).min(neighbours);
        }
        let voters = &nearest[..found];
        let votes = |label: u8| voters.iter().filter(|voter| voter.1 == label).count();
        let mut best = *voters.first()?;
        for &voter in voters {
            if votes(voter.1) > votes(best.1) {
                best = voter;
            }
        }
        Some(best.1)
    }
}

/// A memory that can be changed, of a fixed capacity. The order of its prototypes does not last.
#[derive(Debug)]
pub struct MemoryMut<'a> {
    inputs: &'a mut [u32],
    labels: &'a mut [u8],
    words: usize,
    len: usize,
}

impl<'a> MemoryMut<'a> {
    /// A memory in lent storage, `[capacity][words]` and `[capacity]`, of which the first `len` prototypes are there already.
    /// `None` where these do not fit each other.
    #[must_use]
    pub fn new(inputs: &'a mut [u32], labels: &'a mut [u8], words: usize, len: usize) -> Option<Self> {
        let fits = words > 0 && labels.len().checked_mul(words) == Some(inputs.len()) && len <= labels.len();
        fits.then_some(Self { inputs, labels, words, len })
    }

    /// The memory, to ask.
    #[must_use]
    pub fn view(&self) -> Memory<'_> {
        let prototypes =
            Samples { inputs: &self.inputs[..self.len * self.words], labels: &self.labels[..self.len] };
        Memory { prototypes, words: self.words }
    }

    /// Number of prototypes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True when nothing is remembered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most prototypes.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.labels.len()
    }

    /// Remembers one more. False, and nothing changed, where the memory is full or the input of another width.
    pub fn insert(&mut self, input: &[u32], label: u8) -> bool {
        self.len < self.capacity() && {
            self.len += 1;
            let set = self.set(self.len - 1, input, label);
            self.len -= usize::from(!set);
            set
        }
    }

    /// Forgets a prototype; the last takes its place. False where there is none such.
    pub fn delete(&mut self, index: usize) -> bool {
        let inside = index < self.len;
        if inside {
            self.len -= 1;
            for word in 0..self.words {
                self.inputs[index * self.words + word] = self.inputs[self.len * self.words + word];
            }
            self.labels[index] = self.labels[self.len];
        }
        inside
    }

    /// Puts another prototype in the place of one. False, and nothing changed, where there is none such or the input is of
    /// another width.
    pub fn set(&mut self, index: usize, input: &[u32], label: u8) -> bool {
        let fits = index < self.len && input.len() == self.words;
        if fits {
            self.inputs[index * self.words..(index + 1) * self.words].copy_from_slice(input);
            self.labels[index] = label;
        }
        fits
    }

    /// Perturbs a prototype: the bits of `mask` flip. False, and nothing changed, where there is none such or the mask is of another width.
    pub fn perturb(&mut self, index: usize, mask: &[u32]) -> bool {
        let fits = index < self.len && mask.len() == self.words;
        if fits {
            let row = &mut self.inputs[index * self.words..(index + 1) * self.words];
            row.iter_mut().zip(mask).for_each(|(word, flipped)| *word ^= flipped);
        }
        fits
    }

    /// Gives a prototype another label. False where there is none such.
    pub fn relabel(&mut self, index: usize, label: u8) -> bool {
        let inside = index < self.len;
        if inside {
            self.labels[index] = label;
        }
        inside
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
