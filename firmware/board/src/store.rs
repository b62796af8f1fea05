//! The labelled samples that a board keeps.
//!
//! Every fourth sample that comes is *held back*: it never trains a network, it chooses between genomes and between answers. The others are for
//! training. Training samples lie in front, held-back ones behind them, all in one piece, so that a memory sees both.
//!
//! *Replacement.* While there is room a sample takes a new place. When its part is full, the class with the most samples in that part gives up
//! its oldest one (the lowest class among equals): classes stay balanced, and what is old makes way.

use evobit::evolve::landscape::Samples;

use crate::arena::Sizes;

/// Where a sample went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its index.
    pub index: usize,
    /// True where it took the place of another.
    pub replaced: bool,
    /// True where it is held back.
    pub held_back: bool,
}

/// Labelled samples in lent memory.
#[derive(Debug)]
pub struct Store<'a> {
    inputs: &'a mut [u32],
    labels: &'a mut [u8],
    /// When each came; wraps.
    ages: &'a mut [u16],
    words: usize,
    sizes: Sizes,
    training: usize,
    held_back: usize,
    arrived: u16,
}

impl<'a> Store<'a> {
    /// An empty store. The buffers must be of the sizes' lengths.
    #[must_use]
    pub fn new(
        inputs: &'a mut [u32],
        labels: &'a mut [u8],
        ages: &'a mut [u16],
        words: usize,
        sizes: Sizes,
    ) -> Self {
        Self { inputs, labels, ages, words, sizes, training: 0, held_back: 0, arrived: 0 }
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.training + self.held_back
    }

    /// True when there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples, those for training first.
    #[must_use]
    pub fn all(&self) -> Samples<'_> {
        let len = self.len();
        Samples { inputs: &self.inputs[..len * self.words], labels: &self.labels[..len] }
    }

    /// The samples for training.
    #[must_use]
    pub fn training(&self) -> Samples<'_> {
        let len = self.training;
        Samples { inputs: &self.inputs[..len * self.words], labels: &self.labels[..len] }
    }

    /// Where the held-back samples lie among all.
    #[must_use]
    pub const fn held_back(&self) -> core::ops::Range<usize> {
        self.training..self.len()
    }

    /// True where the next sample will be held back.
    const fn next_is_held_back(&self) -> bool {
        self.arrived % 4 == 3 && self.sizes.samples >= 4
    }

    /// Where the next sample of class `label` will go, and whether a training sample there will be overwritten.
    #[must_use]
    pub fn place(&self) -> Placed {
        let held_back = self.next_is_held_back();
        let (part, most) = if held_back {
            (self.held_back(), self.sizes.samples - self.sizes.training())
        } else {
            (0..self.training, self.sizes.training())
        };
        if part.len() < most {
            return Placed { index: part.end, replaced: false, held_back };
        }
        Placed { index: self.oldest_of_largest_class(part), replaced: true, held_back }
    }

    fn oldest_of_largest_class(&self, part: core::ops::Range<usize>) -> usize {
        let count = |label: u8| self.labels[part.clone()].iter().filter(|&&other| other == label).count();
        let mut best = (0, 0, part.start);
        for index in part.clone() {
            let label = self.labels[index];
            let age = self.arrived.wrapping_sub(self.ages[index]);
            // More of its class, then the lower class, then older.
            let key = (count(label) << 8 | usize::from(u8::MAX - label), age, index);
            if (key.0, key.1) > (best.0, best.1) {
                best = key;
            }
        }
        best.2
    }

    /// Puts a sample where [`place`](Self::place) said.
    pub fn put(&mut self, placed: Placed, input: &[u32], label: u8) {
        if !placed.replaced {
            if placed.held_back {
                self.held_back += 1;
            } else {
                // The first held-back sample makes way: it goes behind the last.
                if self.held_back > 0 {
                    self.copy(self.training, self.len());
                }
                self.training += 1;
            }
        }
        let index = placed.index;
        self.inputs[index * self.words..(index + 1) * self.words].copy_from_slice(input);
        self.labels[index] = label;
        self.ages[index] = self.arrived;
        self.arrived = self.arrived.wrapping_add(1);
    }

    fn copy(&mut self, from: usize, to: usize) {
        let words = self.words;
        // Not `copy_within`: moving memory in general takes more than a kilobyte of code.
        for word in 0..words {
            self.inputs[to * words + word] = self.inputs[from * words + word];
        }
        self.labels[to] = self.labels[from];
        self.ages[to] = self.ages[from];
    }

    /// Forgets the samples of the classes of which `doubtful` says so, but for those among the last `most` that came.
    pub fn forget_old(&mut self, most: u16, doubtful: impl Fn(u8) -> bool) {
        let (training, held_back) = (0..self.training, self.held_back());
        let kept = |store: &Self, index: usize| {
            store.arrived.wrapping_sub(store.ages[index]) <= most || !doubtful(store.labels[index])
        };
        let mut next = 0;
        for index in training {
            if kept(self, index) {
                self.copy(index, next);
                next += 1;
            }
        }
        self.training = next;
        for index in held_back {
            if kept(self, index) {
                self.copy(index, next);
                next += 1;
            }
        }
        self.held_back = next - self.training;
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        (self.training, self.held_back) = (0, 0);
    }

    /// A sample as it is saved: its words, its label, and whether it is held back.
    #[must_use]
    pub fn entry(&self, index: usize) -> Option<(&[u32], u8, bool)> {
        let inside = index < self.len();
        inside.then(|| {
            (
                &self.inputs[index * self.words..(index + 1) * self.words],
                self.labels[index],
                index >= self.training,
            )
        })
    }

    /// Puts back a sample that was saved, those for training first. False, and nothing changed, where there is no room.
    pub fn restore(&mut self, input: &[u32], label: u8, held_back: bool) -> bool {
        let room = if held_back {
            self.held_back < self.sizes.samples - self.sizes.training()
        } else {
            self.training < self.sizes.training()
        };
        if room && input.len() == self.words {
            let index = if held_back { self.len() } else { self.training };
            self.put(Placed { index, replaced: false, held_back }, input, label);
        }
        room && input.len() == self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn with_store(samples: usize, work: impl FnOnce(&mut Store<'_>)) {
        let sizes = Sizes { samples, prototypes: 0 };
        let (mut inputs, mut labels, mut ages) = (vec![0; samples], vec![0; samples], vec![0; samples]);
        work(&mut Store::new(&mut inputs, &mut labels, &mut ages, 1, sizes));
    }

    fn add(store: &mut Store<'_>, value: u32, label: u8) -> Placed {
        let placed = store.place();
        store.put(placed, &[value], label);
        placed
    }

    #[test]
    fn every_fourth_is_held_back_and_parts_stay_apart() {
        with_store(8, |store| {
            (0..8).for_each(|value| assert!(!add(store, value, 0).replaced));
            let mut training: Vec<u32> = store.training().inputs.to_vec();
            training.sort_unstable();
            assert_eq!(training, [0, 1, 2, 4, 5, 6]);
            assert_eq!(store.held_back(), 6..8);
            let mut held_back = store.all().inputs[6..].to_vec();
            held_back.sort_unstable();
            assert_eq!(held_back, [3, 7]);
        });
    }

    #[test]
    fn the_largest_class_gives_up_its_oldest() {
        with_store(8, |store| {
            for (value, label) in [(0, 1), (1, 2), (2, 2), (3, 0), (4, 1), (5, 2), (6, 0), (7, 0)] {
                add(store, value, label);
            }
            // Training: 0:1, 1:2, 2:2, 4:1, 5:2, 6:0. Class 2 has three, 1 is its oldest.
            assert!(add(store, 8, 0).replaced);
            assert!(!store.training().inputs.contains(&1) && store.training().inputs.contains(&8));
            // Now all have two: the lowest class, whose oldest is 6.
            add(store, 9, 3);
            assert!(!store.training().inputs.contains(&6));
        });
    }

    #[test]
    fn only_the_latest_stay() {
        with_store(12, |store| {
            (0..10).for_each(|value| {
                add(store, value, 0);
            });
            store.forget_old(4, |_| false);
            assert_eq!(store.len(), 10);
            store.forget_old(4, |label| label == 0);
            let mut left = store.all().inputs.to_vec();
            left.sort_unstable();
            assert_eq!((left, store.held_back().len()), (vec![6, 7, 8, 9], 1));
            store.forget_old(0, |_| true);
            assert!(store.is_empty());
            assert!(!add(store, 1, 0).replaced);
        });
    }

    #[test]
    fn what_was_saved_comes_back() {
        with_store(8, |store| {
            (0..8).for_each(|value| {
                add(store, value, value as u8);
            });
            let saved: Vec<(u32, u8, bool)> = (0..8)
                .map(|index| store.entry(index).map(|(row, label, held)| (row[0], label, held)).unwrap())
                .collect();
            assert_eq!(store.entry(8), None);
            store.clear();
            for &(value, label, held) in &saved {
                assert!(store.restore(&[value], label, held));
            }
            assert!(!store.restore(&[9], 0, false) && !store.restore(&[9], 0, true));
            let again: Vec<_> = (0..8)
                .map(|index| store.entry(index).map(|(row, label, held)| (row[0], label, held)).unwrap())
                .collect();
            assert_eq!(saved, again);
        });
    }
}
