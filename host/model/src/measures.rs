//! What is asked of a classifier beside its accuracy, above all where some classes are rare.
//!
//! The definitions are those of scikit-learn: recall is the share of a class's samples that were taken for it, precision the share of
//! what was taken for a class that is of it, F1 their harmonic mean, balanced accuracy the mean recall of the classes that have
//! samples. AUROC, of two classes, is the share of pairs of one sample of each in which the second class's sample has the higher
//! score for it, where equal ones count half (Mann and Whitney's U).

use serde::Serialize;

/// How a classifier does on one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMeasures {
    /// The class.
    pub class: String,
    /// Share of what was taken for it that is of it; 0 where nothing was.
    pub precision: f64,
    /// Share of its samples that were taken for it; 0 where it has none.
    pub recall: f64,
    /// Harmonic mean of both; 0 where both are.
    pub f1: f64,
    /// Its samples.
    pub support: u64,
}

/// How a classifier does on labelled samples. Shares are NaN without samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Share of samples classified correctly.
    pub accuracy: f64,
    /// Mean recall of the classes that have samples.
    pub balanced_accuracy: f64,
    /// The accuracy of always answering the most frequent class.
    pub majority_accuracy: f64,
    /// Each class, in order.
    pub per_class: Vec<ClassMeasures>,
    /// Of two classes that both have samples, where scores are known.
    pub auroc: Option<f64>,
}

impl Measures {
    /// By a confusion matrix, whose rows are the true classes.
    ///
    /// # Panics
    /// Where the matrix is not as wide and as high as there are classes.
    #[must_use]
    pub fn new(confusion: &[Vec<u32>], classes: &[String]) -> Self {
        let support: Vec<u64> =
            confusion.iter().map(|row| row.iter().map(|&count| u64::from(count)).sum()).collect();
        let samples = support.iter().sum::<u64>() as f64;
        let per_class: Vec<ClassMeasures> = (0..classes.len())
            .map(|class| {
                let right = f64::from(confusion[class][class]);
                let taken: u64 = confusion.iter().map(|row| u64::from(row[class])).sum();
                let share = |of: u64| if of == 0 { 0.0 } else { right / of as f64 };
                let (precision, recall) = (share(taken), share(support[class]));
                let f1 = if right == 0.0 { 0.0 } else { 2.0 * right / (taken + support[class]) as f64 };
                ClassMeasures {
                    class: classes[class].clone(),
                    precision,
                    recall,
                    f1,
                    support: support[class],
                }
            })
            .collect();
        let there = per_class.iter().filter(|class| class.support > 0);
        let right: u64 = (0..classes.len()).map(|class| u64::from(confusion[class][class])).sum();
        Self {
            accuracy: right as f64 / samples,
            balanced_accuracy: there.clone().map(|class| class.recall).sum::<f64>() / there.count() as f64,
            majority_accuracy: support.iter().max().map_or(f64::NAN, |&most| most as f64 / samples),
            per_class,
            auroc: None,
        }
    }

    /// With what only scores tell, `[samples][classes]`.
    #[must_use]
    pub fn with_scores(self, scores: &[i32], labels: &[u8]) -> Self {
        let auroc = if self.per_class.len() == 2 { auroc(scores, labels) } else { None };
        Self { auroc, ..self }
    }
}

/// Of two classes by their scores, `[samples][2]`.
fn auroc(scores: &[i32], labels: &[u8]) -> Option<f64> {
    let mut samples: Vec<(i64, u8)> = scores
        .chunks_exact(2)
        .zip(labels)
        .map(|(scores, &label)| (i64::from(scores[1]) - i64::from(scores[0]), label))
        .collect();
    samples.sort_unstable();
    // Twice the pairs in the right order, so that equal ones count 1.
    let (mut below, mut pairs) = (0u64, 0u64);
    for equal in samples.chunk_by(|one, other| one.0 == other.0) {
        let second = equal.iter().filter(|sample| sample.1 == 1).count() as u64;
        let first = equal.len() as u64 - second;
        pairs += second * (2 * below + first);
        below += first;
    }
    let all = 2 * below * (samples.len() as u64 - below);
    (all > 0).then(|| pairs as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    #[test]
    fn a_case_by_hand() {
        // Of 90 samples of class 0 80 are right, of 10 of class 1 only 4; class 2 has none.
        let matrix = [vec![80, 10, 0], vec![5, 4, 1], vec![0, 0, 0]];
        let measures = Measures::new(&matrix, &names(3));
        assert_eq!((measures.accuracy, measures.majority_accuracy), (0.84, 0.9));
        assert!((measures.balanced_accuracy - (80.0 / 90.0 + 0.4) / 2.0).abs() < 1e-12);
        let [first, second, third] = &measures.per_class[..] else { panic!("{measures:?}") };
        assert_eq!((first.precision, first.support), (80.0 / 85.0, 90));
        assert_eq!((second.precision, second.recall, second.f1), (4.0 / 14.0, 0.4, 8.0 / 24.0));
        assert_eq!((third.precision, third.recall, third.f1, third.support), (0.0, 0.0, 0.0, 0));
        assert!(Measures::new(&[vec![0, 0], vec![0, 0]], &names(2)).accuracy.is_nan());
    }

    #[test]
    fn what_always_answers_the_larger_class_is_half_right() {
        let measures = Measures::new(&[vec![99, 0], vec![1, 0]], &names(2));
        assert_eq!(
            (measures.accuracy, measures.majority_accuracy, measures.balanced_accuracy),
            (0.99, 0.99, 0.5)
        );
    }

    #[test]
    fn auroc_needs_both_classes() {
        assert_eq!(auroc(&[0, 1, 0, 2], &[1, 1]), None);
        assert_eq!(auroc(&[], &[]), None);
        assert_eq!(auroc(&[0, 1, 0, 2], &[0, 1]), Some(1.0));
        assert_eq!(auroc(&[i32::MIN, i32::MAX, i32::MAX, i32::MIN], &[0, 1]), Some(0.0));
    }

    proptest! {
        #[test]
        fn auroc_is_the_share_of_pairs(samples in prop::collection::vec((-5..5i32, -5..5i32, 0..2u8), 0..40)) {
            let scores: Vec<i32> = samples.iter().flat_map(|sample| [sample.0, sample.1]).collect();
            let labels: Vec<u8> = samples.iter().map(|sample| sample.2).collect();
            let of = |class: u8| samples.iter().filter(move |sample| sample.2 == class);
            let mut pairs = vec![];
            for first in of(0) {
                for second in of(1) {
                    let order = (second.1 - second.0).cmp(&(first.1 - first.0)) as i32;
                    pairs.push(f64::from(order + 1) / 2.0);
                }
            }
            let expected = (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64);
            match (auroc(&scores, &labels), expected) {
                (Some(one), Some(other)) => prop_assert!((one - other).abs() < 1e-12),
                (one, other) => prop_assert_eq!(one, other),
            }
        }
    }
}
