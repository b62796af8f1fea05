//! Splits a data set into training, validation and test parts that each have the classes in the
//! same shares (a stratified split), the same way on every machine.
//!
//! Each class is shuffled by itself; its first samples go to the test part, the next to
//! validation, the rest to training. How many is settled by rounding the running total over the
//! classes, not each class alone, so that halves do not add up over many classes. The size of the
//! validation part does not change which samples are tested.

use evobit::rng::{Draw, Stream};

use super::DataError;

/// The samples of each part, ascending. Together they hold every sample once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What the model learns from: at least one sample of every class that has any.
    pub train: Vec<u32>,
    /// What chooses between models.
    pub validation: Vec<u32>,
    /// What the chosen model is measured on.
    pub test: Vec<u32>,
}

/// Splits the samples of these `labels` by the shares `validation` and `test`, the rest being for
/// training. `classes` is how many classes there are; a label beyond it counts as a class too.
///
/// Each class gives each part its share to within one sample, and so does the whole set, unless a
/// class is so small that its only sample goes to training.
///
/// # Errors
/// [`DataError::Shares`] when a share is negative or not a number, or the two leave no training
/// share.
pub fn stratified(
    labels: &[u8],
    classes: usize,
    validation: f64,
    test: f64,
    stream: &mut Stream,
) -> Result<Split, DataError> {
    if !(validation >= 0.0 && test >= 0.0 && validation + test < 1.0) {
        return Err(DataError::Shares { validation, test });
    }
    let mut groups = vec![Vec::new(); classes];
    for (sample, &label) in (0u32..).zip(labels) {
        let class = usize::from(label);
        if class >= groups.len() {
            groups.resize(class + 1, Vec::new());
        }
        groups[class].push(sample);
    }
    let mut split = Split { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
    let mut seen = 0;
    for mut group in groups {
        stream.shuffle(&mut group);
        let most = group.len().saturating_sub(1);
        let before = seen;
        seen += group.len();
        let tested = due(before, seen, test).min(most);
        let validated = due(before, seen, validation).min(most - tested);
        split.test.extend_from_slice(&group[..tested]);
        split.validation.extend_from_slice(&group[tested..tested + validated]);
        split.train.extend_from_slice(&group[tested + validated..]);
    }
    split.train.sort_unstable();
    split.validation.sort_unstable();
    split.test.sort_unstable();
    Ok(split)
}

/// How many of the samples `from..to`, counted over all classes, a part with this share gets.
fn due(from: usize, to: usize, share: f64) -> usize {
    // Both are far below 2^53, so the products are exact enough to be the same everywhere.
    let rounded = |count: usize| (count as f64 * share).round() as usize;
    rounded(to) - rounded(from)
}

#[cfg(test)]
mod tests {
    use evobit::rng::Purpose;
    use proptest::prelude::*;

    use super::*;

    fn split(labels: &[u8], validation: f64, test: f64, seed: u64) -> Split {
        stratified(labels, 10, validation, test, &mut Stream::new(seed, Purpose::Split, 0)).unwrap()
    }

    fn of_class(part: &[u32], labels: &[u8], class: u8) -> usize {
        part.iter().filter(|&&sample| labels[sample as usize] == class).count()
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_part_and_every_class_in_training(
            labels in prop::collection::vec(0u8..12, 0..400),
            validation in 0.0..0.6f64,
            test in 0.0..0.4f64,
            seed in any::<u64>(),
        ) {
            let parts = split(&labels, validation, test, seed);
            let mut all = Vec::new();
            for part in [&parts.train, &parts.validation, &parts.test] {
                prop_assert!(part.is_sorted());
                all.extend_from_slice(part);
            }
            all.sort_unstable();
            prop_assert!(all.iter().copied().eq(0..labels.len() as u32));
            for &class in &labels {
                prop_assert!(of_class(&parts.train, &labels, class) > 0);
            }
            prop_assert_eq!(parts, split(&labels, validation, test, seed));
        }

        #[test]
        fn shares_hold_to_within_one_sample(
            sizes in prop::collection::vec(20usize..60, 1..10),
            validation in 0.0..0.4f64,
            test in 0.0..0.4f64,
            seed in any::<u64>(),
        ) {
            let mut labels = Vec::new();
            for (class, &size) in (0u8..).zip(&sizes) {
                labels.extend(std::iter::repeat_n(class, size));
            }
            let parts = split(&labels, validation, test, seed);
            for (part, share) in [(&parts.validation, validation), (&parts.test, test)] {
                prop_assert!((part.len() as f64 - labels.len() as f64 * share).abs() <= 0.5);
                for (class, &size) in (0u8..).zip(&sizes) {
                    let got = of_class(part, &labels, class) as f64;
                    prop_assert!((got - size as f64 * share).abs() <= 1.0);
                }
            }
            prop_assert_eq!(parts.test, split(&labels, 0.0, test, seed).test);
        }
    }

    #[test]
    fn the_split_of_a_seed_never_changes() {
        let labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
        let parts = split(&labels, 0.2, 0.2, 1);
        assert_eq!(
            (parts.train, parts.validation, parts.test),
            (vec![0, 1, 4, 6, 7, 9], vec![2, 5], vec![3, 8])
        );
    }

    #[test]
    fn different_seeds_split_differently() {
        let labels = [0; 100];
        assert_ne!(split(&labels, 0.2, 0.2, 1), split(&labels, 0.2, 0.2, 2));
    }

    #[test]
    fn shares_that_leave_nothing_to_train_on_are_refused() {
        let mut stream = Stream::new(1, Purpose::Split, 0);
        for (validation, test) in [(0.5, 0.5), (-0.1, 0.2), (f64::NAN, 0.1), (0.1, f64::INFINITY)] {
            let refused = stratified(&[0, 1], 2, validation, test, &mut stream);
            assert!(matches!(refused, Err(DataError::Shares { .. })));
        }
    }
}
