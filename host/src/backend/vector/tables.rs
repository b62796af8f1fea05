//! The loss laid out for look-ups without branches.

use evobit::loss::LossTable;
use evobit::topology::Topology;

use super::kernels::{LANES, Terms};

/// The loss of every difference that a topology can show, and how it changes when the difference moves by 2.
pub(super) struct Tables {
    /// Index of difference 0.
    zero: i32,
    /// Loss of each difference.
    term: Vec<i32>,
    /// Change of loss if the difference rises by 2, falls by 2.
    steps: Vec<[i16; 2]>,
    /// The greatest change of a sample's loss by one flip of a hidden neuron.
    pub(super) most: i64,
}

impl Tables {
    /// `None` where a step of the loss is too large for 16 bits.
    pub(super) fn new(topology: &Topology, loss: &LossTable<&[u32]>) -> Option<Self> {
        let inputs = topology.layer(topology.depth() - 1).inputs as i32;
        // Scores lie in -inputs..inputs, so differences within twice that, and 2 more for a step.
        let zero = 2 * inputs + 4;
        let term: Vec<i32> = (-zero..=zero).map(|difference| loss.term(difference)).collect();
        let step = |index: usize, by: isize| {
            let moved = index.saturating_add_signed(by).min(term.len() - 1);
            i16::try_from(term[moved] - term[index]).ok()
        };
        let steps: Option<Vec<[i16; 2]>> =
            (0..term.len()).map(|index| Some([step(index, 2)?, step(index, -2)?])).collect();
        let steps = steps?;
        let largest = steps.iter().flatten().map(|step| i64::from(step.unsigned_abs())).max()?;
        let most = largest * (topology.classes() as i64 - 1);
        Some(Self { zero, term, steps, most })
    }

    /// The loss of a difference.
    #[inline]
    pub(super) fn term(&self, difference: i32) -> i32 {
        self.term[(difference + self.zero) as usize]
    }

    /// The loss of a sample.
    pub(super) fn sample_loss(&self, scores: &[i16], label: usize) -> i64 {
        let right = i32::from(scores[label]);
        let all: i64 = scores.iter().map(|&score| i64::from(self.term(i32::from(score) - right))).sum();
        all - i64::from(self.term(0))
    }

    /// The change of a sample's loss if the score of `class` moved by `step`.
    pub(super) fn score_change(&self, scores: &[i16], label: usize, class: usize, step: i32) -> i32 {
        let right = i32::from(scores[label]);
        let change = |score: i16, step: i32| {
            let difference = i32::from(score) - right;
            self.term(difference + step) - self.term(difference)
        };
        if class != label {
            return change(scores[class], step);
        }
        let all: i32 = scores.iter().map(|&score| change(score, -step)).sum();
        all - (self.term(-step) - self.term(0))
    }

    /// Writes the terms of a sample: 0 for the right class and for lanes without a class.
    pub(super) fn write_terms(&self, scores: &[i16], label: usize, terms: &mut [Terms]) {
        let right = i32::from(scores[label]);
        for (scores, [up, down]) in scores.chunks(LANES).zip(terms.iter_mut()) {
            for ((&score, up), down) in scores.iter().zip(up).zip(down) {
                [*up, *down] = self.steps[(i32::from(score) - right + self.zero) as usize];
            }
        }
        let [up, down] = &mut terms[label / LANES];
        (up[label % LANES], down[label % LANES]) = (0, 0);
    }
}
