//! The loss laid out for look-ups.

use evobit::loss::LossTable;
use evobit::topology::Topology;

/// The loss of every difference that a topology can show.
#[derive(Clone)]
pub(super) struct Terms {
    /// From `-zero` on.
    terms: Vec<i32>,
    zero: i32,
}

impl Terms {
    /// `None` where 16 bits do not hold how far classes can be apart, or 23 bits not how much one step of a score can change the
    /// loss of a sample.
    pub(super) fn new(topology: &Topology, loss: &LossTable<&[u32]>) -> Option<Self> {
        let inputs = topology.layer(topology.depth() - 1).inputs as i32;
        // Scores lie in -inputs..inputs, so differences within twice that, and some more for a step.
        let zero = 2 * inputs + 4;
        let largest = 2 * i64::from(loss.steepest()) * topology.classes() as i64;
        let fits = zero <= i32::from(i16::MAX) - 2 && largest < 1 << 23;
        let terms = (-zero..=zero).map(|difference| loss.term(difference)).collect();
        fits.then_some(Self { terms, zero })
    }

    /// The lowest difference.
    pub(super) const fn lowest(&self) -> i32 {
        -self.zero
    }

    /// The losses of all differences, from the lowest on.
    pub(super) fn as_slice(&self) -> &[i32] {
        &self.terms
    }

    /// The loss of a difference.
    #[inline(always)]
    pub(super) fn term(&self, difference: i32) -> i32 {
        self.terms[(difference + self.zero) as usize]
    }

    /// The loss of a sample whose classes are so far ahead of the right one, itself among them.
    #[inline(always)]
    pub(super) fn sample_loss(&self, ahead: &[i16]) -> i32 {
        let mut sum = -self.term(0);
        for &ahead in ahead {
            sum += self.term(ahead.into());
        }
        sum
    }

    /// The change of a sample's loss if the score of `class` moved by `step`.
    pub(super) fn score_change(&self, ahead: &[i16], label: usize, class: usize, step: i32) -> i32 {
        let change = |ahead: i16, step: i32| {
            let difference = i32::from(ahead);
            self.term(difference + step) - self.term(difference)
        };
        if class != label {
            return change(ahead[class], step);
        }
        let all: i32 = ahead.iter().map(|&ahead| change(ahead, -step)).sum();
        all - (self.term(-step) - self.term(0))
    }
}
