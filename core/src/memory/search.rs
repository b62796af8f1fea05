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

/// The distances from a sample to the nearest prototype of its own class and to the nearest of any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    own: u16,
    other: u16,
}

impl Margins {
    const NONE: Self = Self { own: u16::MAX, other: u16::MAX };

    /// With one more prototype, of the sample's class or not, at this distance.
    fn with(self, own: bool, distance: u16) -> Self {
        match (own, distance) {
            (_, 0) => self,
            (true, _) => Self { own: self.own.min(distance), ..self },
            (false, _) => Self { other: self.other.min(distance), ..self },
        }
    }

    /// True where a prototype at this distance may be the nearest of its side.
    fn rests_on(self, own: bool, distance: u16) -> bool {
        distance != 0 && distance == if own { self.own } else { self.other }
    }
}

/// What a step of a [`MemorySearch`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Memory::new(reference, memory.words)?;
        let margins = margins.get_mut(..reference.len())?;
        let mask = mask.get_mut(..memory.words)?;
        let mut search = Self { memory, reference, margins, mask, target, total: 0 };
        for sample in 0..reference.len() {
            search.margins[sample] = search.scan(sample, None);
            search.total += search.shortfall(search.margins[sample]);
        }
        Some(search)
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
        let words = self.memory.words;
        let mut change = 0;
        for sample in 0..self.reference.len() {
            let label = self.reference.labels[sample];
            let before = self.margins[sample];
            let mut after = before;
            if let Some(index) = changed {
                let own = self.memory.labels[index] == label;
                if before.rests_on(own, self.distance(index, sample)) {
                    after = self.scan(sample, changed);
                }
            }
            if let Some((own, distance)) = self.new_neighbour(mutant, sample, words) {
                after = after.with(own, distance);
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

    /// Whether the prototype that a mutant makes is of the sample's class, and how far away.
    fn new_neighbour(&self, mutant: Mutant, sample: usize, words: usize) -> Option<(bool, u16)> {
        let (input, label) = (self.reference.input(sample, words), self.reference.labels[sample]);
        Some(match mutant {
            Mutant::Delete(_) => return None,
            Mutant::Insert(other) | Mutant::Replace(_, other) => {
                let distance = bits::mismatches(input, self.reference.input(other, words));
                (self.reference.labels[other] == label, distance as u16)
            }
            Mutant::Relabel(index, new) => (new == label, self.distance(index, sample)),
            Mutant::Perturb(index) => {
                let row = &self.memory.inputs[index * words..(index + 1) * words];
                let pairs = row.iter().zip(input).zip(&*self.mask);
                let distance: u32 = pairs.map(|((row, input), mask)| (row ^ input ^ mask).count_ones()).sum();
                (self.memory.labels[index] == label, distance as u16)
            }
        })
    }

    fn change_memory(&mut self, mutant: Mutant) {
        let words = self.memory.words;
        match mutant {
            Mutant::Insert(sample) => {
                self.memory.insert(self.reference.input(sample, words), self.reference.labels[sample]);
            }
            Mutant::Delete(index) => {
                self.memory.delete(index);
            }
            Mutant::Replace(index, sample) => {
                self.memory.set(index, self.reference.input(sample, words), self.reference.labels[sample]);
            }
            Mutant::Perturb(index) => {
                self.memory.perturb(index, self.mask);
            }
            Mutant::Relabel(index, label) => {
                self.memory.relabel(index, label);
            }
        }
    }

    fn distance(&self, index: usize, sample: usize) -> u16 {
        let words = self.memory.words;
        let row = &self.memory.inputs[index * words..(index + 1) * words];
        bits::mismatches(row, self.reference.input(sample, words)) as u16
    }

    /// The margins of a sample from all prototypes but one.
    fn scan(&self, sample: usize, except: Option<usize>) -> Margins {
        let label = self.reference.labels[sample];
        let others = (0..self.memory.len()).filter(|&index| Some(index) != except);
        others.fold(Margins::NONE, |margins, index| {
            margins.with(self.memory.labels[index] == label, self.distance(index, sample))
        })
    }

    fn shortfall(&self, margins: Margins) -> i64 {
        let target = i64::from(self.target);
        if margins.own == u16::MAX {
            return 2 * target;
        }
        (target - (i64::from(margins.other) - i64::from(margins.own))).clamp(0, 2 * target)
    }
}
