//! Evolving a memory: one mutant at a time, kept where the samples it is to be right on are no worse off.
//!
//! What is minimised is, over the reference samples, how far each one's *margin* falls short of a target: the distance to the nearest
//! prototype of another class less the distance to the nearest of its own. A prototype that equals the sample does not count for it, so
//! that a memory made of the samples themselves is judged as if each were left out. A shortfall counts at most twice the target,
//! so that a few hopeless samples do not lead the search; as much counts a sample without any prototype of its class.
//!
//! A mutant changes one prototype, so it costs two distances for each reference sample, and a look at all prototypes only for samples whose nearest one changed.
//! Nothing is kept but the two nearest distances of each sample.

use rand_core::Rng;

use super::{Memory, MemoryMut};
use crate::bits;
use crate::evolve::landscape::Samples;
use crate::rng::Draw;

/// The distances, in bits, from a sample to the nearest prototype of its own class and to the nearest of any other; the largest
/// number where there is none.
pub type Margins = [u16; 2];

const OWN: usize = 0;
const OTHER: usize = 1;
const NONE: Margins = [u16::MAX; 2];

/// Which of the margins a prototype of this label touches for a sample of that.
fn side(prototype: u8, sample: u8) -> usize {
    if prototype == sample { OWN } else { OTHER }
}

/// The margins with one more prototype of this side at this distance; one that equals the sample does not count.
fn with(mut margins: Margins, side: usize, distance: u16) -> Margins {
    if distance != 0 {
        margins[side] = margins[side].min(distance);
    }
    margins
}

/// A distance that is never [`NONE`].
fn distance(a: &[u32], b: &[u32]) -> u16 {
    u16::try_from(bits::mismatches(a, b)).unwrap_or(u16::MAX).min(u16::MAX - 1)
}

/// What a step of a [`MemorySearch`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemoryStep {
    /// Change of the total shortfall, 0 or negative.
    pub change: i64,
    /// True where the mutant was kept.
    pub kept: bool,
}

/// One mutant.
#[derive(Clone, Copy, Debug)]
enum Mutant {
    /// A reference sample is remembered as well.
    Insert(usize),
    /// A prototype is forgotten.
    Delete(usize),
    /// A reference sample takes the place of a prototype.
    Replace(usize, usize),
    /// Some bits of a prototype flip; the mask lies in the scratch.
    Perturb(usize),
    /// A prototype gets another label.
    Relabel(usize, u8),
}

/// A memory's evolution on reference samples.
#[derive(Debug)]
pub struct MemorySearch<'a> {
    memory: MemoryMut<'a>,
    reference: Samples<'a>,
    margins: &'a mut [Margins],
    mask: &'a mut [u32],
    target: u16,
    total: i64,
}

impl<'a> MemorySearch<'a> {
    /// Evolves `memory` on `reference`. `margins` takes one entry for each sample and `mask` a row of words; `target` is the
    /// margin, in bits, from which on a sample is content. `None` where a buffer is too short or the samples are of another width.
    #[must_use]
    pub fn new(
        memory: MemoryMut<'a>,
        reference: Samples<'a>,
        target: u16,
        margins: &'a mut [Margins],
        mask: &'a mut [u32],
    ) -> Option<Self> {
        let mut search = Self::resume(memory, reference, target, margins, mask, 0)?;
        for sample in 0..reference.len() {
            search.margins[sample] = search.scan(sample, None);
            search.total += search.shortfall(search.margins[sample]);
        }
        Some(search)
    }

    /// Goes on where another search of the same memory, samples and target was, with the margins that it left and its
    /// [`loss`](Self::loss). `None` as for [`new`](Self::new).
    #[must_use]
    pub fn resume(
        memory: MemoryMut<'a>,
        reference: Samples<'a>,
        target: u16,
        margins: &'a mut [Margins],
        mask: &'a mut [u32],
        total: i64,
    ) -> Option<Self> {
        Memory::new(reference, memory.words)?;
        let margins = margins.get_mut(..reference.len())?;
        let mask = mask.get_mut(..memory.words)?;
        Some(Self { memory, reference, margins, mask, target, total })
    }

    /// The memory.
    #[must_use]
    pub fn memory(&self) -> Memory<'_> {
        self.memory.view()
    }

    /// The total shortfall.
    #[must_use]
    pub const fn loss(&self) -> i64 {
        self.total
    }

    /// Makes one mutant and keeps it where the total does not rise; inserting must lower it. Nothing happens without reference samples.
    pub fn step(&mut self, rng: &mut impl Rng) -> MemoryStep {
        let Some(mutant) = self.draw(rng) else { return MemoryStep { change: 0, kept: false } };
        let change = self.apply(mutant, false);
        let inserts = matches!(mutant, Mutant::Insert(_));
        let kept = change < 0 || (change == 0 && !inserts);
        if kept {
            self.apply(mutant, true);
            self.total += change;
        }
        MemoryStep { change: if kept { change } else { 0 }, kept }
    }

    /// Of sixteen mutants one relabels, one deletes, three replace (or insert, while there is room), six mate a prototype with a
    /// sample of its label, five flip one bit.
    fn draw(&mut self, rng: &mut impl Rng) -> Option<Mutant> {
        let samples = self.reference.len() as u32;
        if samples == 0 {
            return None;
        }
        let (kind, sample) = (rng.below(16), rng.below(samples) as usize);
        let room = self.memory.len() < self.memory.capacity();
        if self.memory.is_empty() || (room && (2..5).contains(&kind)) {
            return Some(Mutant::Insert(sample));
        }
        let index = rng.below(self.memory.len() as u32) as usize;
        Some(match kind {
            0 => Mutant::Relabel(index, self.reference.labels[sample]),
            1 => Mutant::Delete(index),
            2..5 => Mutant::Replace(index, sample),
            5..11 => {
                let index = self.next_of_label(index, self.reference.labels[sample]);
                self.draw_several(index, sample, rng);
                Mutant::Perturb(index)
            }
            _ => {
                self.draw_one(index, sample, rng);
                Mutant::Perturb(index)
            }
        })
    }

    /// The first prototype from `index` on, and from the start again, that has this label; `index` where there is none.
    fn next_of_label(&self, index: usize, label: u8) -> usize {
        let mut order = (index..self.memory.len()).chain(0..index);
        order.find(|&index| self.memory.labels[index] == label).unwrap_or(index)
    }

    /// A quarter of the bits in which a prototype and a sample differ.
    fn draw_several(&mut self, index: usize, sample: usize, rng: &mut impl Rng) {
        let words = self.memory.words;
        let row = &self.memory.inputs[index * words..(index + 1) * words];
        let input = self.reference.input(sample, words);
        for ((mask, row), input) in self.mask.iter_mut().zip(row).zip(input) {
            *mask = (row ^ input) & rng.next_u32() & rng.next_u32();
        }
    }

    /// One of the bits in which they differ, if any.
    fn draw_one(&mut self, index: usize, sample: usize, rng: &mut impl Rng) {
        let words = self.memory.words;
        let row = &self.memory.inputs[index * words..(index + 1) * words];
        let input = self.reference.input(sample, words);
        self.mask.fill(0);
        let mut nth = rng.below(bits::mismatches(row, input));
        for (mask, (row, input)) in self.mask.iter_mut().zip(row.iter().zip(input)) {
            let mut rest = row ^ input;
            let here = rest.count_ones();
            if nth < here {
                (0..nth).for_each(|_| rest &= rest - 1);
                *mask = rest & rest.wrapping_neg();
                break;
            }
            nth -= here;
        }
    }

    /// The change of the total that a mutant makes; with `keep` the mutant is made.
    fn apply(&mut self, mutant: Mutant, keep: bool) -> i64 {
        let changed = match mutant {
            Mutant::Insert(_) => None,
            Mutant::Delete(index)
            | Mutant::Replace(index, _)
            | Mutant::Perturb(index)
            | Mutant::Relabel(index, _) => Some(index),
        };
        let mut change = 0;
        for sample in 0..self.reference.len() {
            let before = self.margins[sample];
            let mut after = before;
            if let Some(index) = changed {
                let side = side(self.memory.labels[index], self.reference.labels[sample]);
                // Only where the prototype may have been the nearest does one have to look for another.
                if before[side] == self.distance(index, sample) {
                    after = self.scan(sample, changed);
                }
            }
            if let Some((side, distance)) = self.new_neighbour(mutant, sample) {
                after = with(after, side, distance);
            }
            if after != before {
                change += self.shortfall(after) - self.shortfall(before);
                if keep {
                    self.margins[sample] = after;
                }
            }
        }
        if keep {
            self.change_memory(mutant);
        }
        change
    }

    /// On which side of a sample the prototype that a mutant makes is, and how far away.
    fn new_neighbour(&self, mutant: Mutant, sample: usize) -> Option<(usize, u16)> {
        let words = self.memory.words;
        let (input, label) = (self.reference.input(sample, words), self.reference.labels[sample]);
        Some(match mutant {
            Mutant::Delete(_) => return None,
            Mutant::Insert(other) | Mutant::Replace(_, other) => {
                let away = distance(input, self.reference.input(other, words));
                (side(self.reference.labels[other], label), away)
            }
            Mutant::Relabel(index, new) => (side(new, label), self.distance(index, sample)),
            Mutant::Perturb(index) => {
                let pairs = self.row(index).iter().zip(input).zip(&*self.mask);
                let away: u32 = pairs.map(|((row, input), mask)| (row ^ input ^ mask).count_ones()).sum();
                (side(self.memory.labels[index], label), away.min(u32::from(u16::MAX - 1)) as u16)
            }
        })
    }

    fn change_memory(&mut self, mutant: Mutant) {
        let words = self.memory.words;
        let sample = |sample| (self.reference.input(sample, words), self.reference.labels[sample]);
        // All of them are in range: they were drawn so.
        let _ = match mutant {
            Mutant::Insert(other) => self.memory.insert(sample(other).0, sample(other).1),
            Mutant::Delete(index) => self.memory.delete(index),
            Mutant::Replace(index, other) => self.memory.set(index, sample(other).0, sample(other).1),
            Mutant::Perturb(index) => self.memory.perturb(index, self.mask),
            Mutant::Relabel(index, label) => self.memory.relabel(index, label),
        };
    }

    fn row(&self, index: usize) -> &[u32] {
        &self.memory.inputs[index * self.memory.words..(index + 1) * self.memory.words]
    }

    fn distance(&self, index: usize, sample: usize) -> u16 {
        distance(self.row(index), self.reference.input(sample, self.memory.words))
    }

    /// The margins of a sample from all prototypes but one.
    fn scan(&self, sample: usize, except: Option<usize>) -> Margins {
        let label = self.reference.labels[sample];
        let others = (0..self.memory.len()).filter(|&index| Some(index) != except);
        others.fold(NONE, |margins, index| {
            with(margins, side(self.memory.labels[index], label), self.distance(index, sample))
        })
    }

    fn shortfall(&self, [own, other]: Margins) -> i64 {
        let target = i64::from(self.target);
        if own == u16::MAX {
            return 2 * target;
        }
        (target - (i64::from(other) - i64::from(own))).clamp(0, 2 * target)
    }
}
