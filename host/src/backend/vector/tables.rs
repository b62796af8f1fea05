//! The loss laid out for look-ups without branches.

use evobit::loss::LossTable;
use evobit::topology::Topology;

use super::kernels::Rises;

/// The loss of every difference that a topology can show, and how it changes when the difference moves by 2.
pub(super) struct Tables {
    /// Loss of each difference, from `-zero` on.
    terms: Vec<i32>,
    zero: i32,
    /// How it rises.
    pub(super) rises: Rises,
}

impl Tables {
    /// `None` where 16 bits do not hold how much one flip of a hidden neuron can change the loss of a sample, or how far
    /// classes can be apart.
    pub(super) fn new(topology: &Topology, loss: &LossTable<&[u32]>) -> Option<Self> {
        let inputs = topology.layer(topology.depth() - 1).inputs as i32;
        // Scores lie in -inputs..inputs, so differences within twice that, and 2 more for a step.
        let zero = 2 * inputs + 4;
        let terms: Vec<i32> = (-zero..=zero).map(|difference| loss.term(difference)).collect();
        let rises: Option<Vec<i16>> =
            terms.windows(3).map(|terms| i16::try_from(terms[2] - terms[0]).ok()).collect();
        let rises = rises?;
        let largest = rises.iter().map(|rise| i64::from(rise.unsigned_abs())).max()?;
        if largest * (topology.classes() as i64 - 1) > i64::from(i16::MAX) || zero > i32::from(i16::MAX) - 2 {
            return None;
        }
        Some(Self { terms, zero, rises: trim(&rises, -zero as i16) })
    }

    /// The loss of a difference.
    #[inline]
    pub(super) fn term(&self, difference: i32) -> i32 {
        self.terms[(difference + self.zero) as usize]
    }

    /// The loss of a sample whose classes are so far ahead of the right one, itself among them.
    pub(super) fn sample_loss(&self, ahead: &[i16]) -> i64 {
        let all: i64 = ahead.iter().map(|&ahead| i64::from(self.term(ahead.into()))).sum();
        all - i64::from(self.term(0))
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

/// The rises without those at the ends that are all the same.
fn trim(rises: &[i16], low: i16) -> Rises {
    let differs_from = |end: i16| move |&rise: &i16| rise != end;
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    let from = rises.iter().position(differs_from(first)).unwrap_or(1).max(1) - 1;
    let to = rises.iter().rposition(differs_from(last)).unwrap_or(from) + 1;
    Rises::new(&rises[from..=to.min(rises.len() - 1).max(from)], low + from as i16)
}
