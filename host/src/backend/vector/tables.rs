//! The loss laid out for look-ups without branches.

use evobit::loss::LossTable;
use evobit::topology::Topology;

use super::kernels::{Kernels, LANES, Scores, Steps, Terms};

/// The loss of every difference that a topology can show, and how it changes when the difference moves by 2.
pub(super) struct Tables {
    /// Loss of each difference, from `-steps.zero` on.
    term: Vec<i32>,
    /// How it changes.
    steps: Steps,
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
        let steps = Steps { changes: steps?, zero };
        let largest = steps.changes.iter().flatten().map(|step| i64::from(step.unsigned_abs())).max()?;
        let most = largest * (topology.classes() as i64 - 1);
        Some(Self { term, steps, most })
    }

    /// The loss of a difference.
    #[inline]
    pub(super) fn term(&self, difference: i32) -> i32 {
        self.term[(difference + self.steps.zero) as usize]
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

    /// Writes the terms of a sample: 0 for the right class, whatever for lanes without a class, which no mask selects.
    pub(super) fn write_terms(
        &self,
        kernels: impl Kernels,
        scores: &[Scores],
        label: usize,
        terms: &mut [Terms],
    ) {
        let right = scores[label / LANES].0[label % LANES];
        for (scores, terms) in scores.iter().zip(terms.iter_mut()) {
            kernels.write_terms(scores, right, &self.steps, terms);
        }
        let Terms([up, down]) = &mut terms[label / LANES];
        (up[label % LANES], down[label % LANES]) = (0, 0);
    }
}
