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
    check_shares(validation, test)?;
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

/// What says which part a sample goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Division {
    /// Shares, as [`stratified`] parts them.
    #[default]
    Shares,
    /// All samples of one group go to one part: the group of each sample, counted from 0.
    Groups(Vec<u32>),
    /// The part of each sample is given.
    Parts(Vec<Part>),
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a model learns from.
    Train,
    /// What chooses between models.
    Validation,
    /// What the chosen one is measured on.
    Test,
}

impl Part {
    /// The part that a cell names.
    pub(super) fn named(cell: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| cell.eq_ignore_ascii_case(name));
        match cell {
            _ if is(&["train", "training"]) => Some(Self::Train),
            _ if is(&["validation", "valid", "val", "dev"]) => Some(Self::Validation),
            _ if is(&["test", "testing"]) => Some(Self::Test),
            _ => None,
        }
    }
}

impl Division {
    /// Parts the samples of these `labels`; shares are as for [`stratified`].
    ///
    /// Where parts are given but none for validation, that is taken from training by its share.
    ///
    /// # Errors
    /// As for [`stratified`], and [`DataError::Groups`] where there are fewer groups than parts.
    pub fn split(
        &self,
        labels: &[u8],
        classes: usize,
        validation: f64,
        test: f64,
        stream: &mut Stream,
    ) -> Result<Split, DataError> {
        match self {
            Self::Shares => stratified(labels, classes, validation, test, stream),
            Self::Groups(groups) => grouped(labels, groups, classes, [validation, test], stream),
            Self::Parts(parts) => {
                let of = |part: Part| -> Vec<u32> {
                    (0u32..)
                        .zip(parts)
                        .filter(|(_, other)| **other == part)
                        .map(|(sample, _)| sample)
                        .collect()
                };
                let [train, chosen, test] = [Part::Train, Part::Validation, Part::Test].map(of);
                if !chosen.is_empty() {
                    return Ok(Split { train, validation: chosen, test });
                }
                let rest: Vec<u8> = train.iter().map(|&sample| labels[sample as usize]).collect();
                let split = stratified(&rest, classes, validation, 0.0, stream)?;
                let picked = |part: &[u32]| part.iter().map(|&place| train[place as usize]).collect();
                Ok(Split { train: picked(&split.train), validation: picked(&split.validation), test })
            }
        }
    }

    /// Deals all samples into `count` folds for cross-validation: each sample is in one, no group in two, and classes are spread evenly.
    ///
    /// # Errors
    /// [`DataError::Groups`] where there are fewer groups than folds, [`DataError::Folds`] where there are fewer samples or the parts
    /// are given.
    pub fn folds(
        &self,
        labels: &[u8],
        classes: usize,
        count: usize,
        stream: &mut Stream,
    ) -> Result<Vec<Vec<u32>>, DataError> {
        let samples = labels.len();
        if !(2..=samples).contains(&count) || matches!(self, Self::Parts(_)) {
            return Err(DataError::Folds { folds: count, samples });
        }
        let mut folds = vec![vec![]; count];
        let Self::Groups(groups) = self else {
            let mut order: Vec<u32> = (0..samples as u32).collect();
            stream.shuffle(&mut order);
            // Class after class, so that the samples of each are dealt evenly, and so are all.
            order.sort_by_key(|&sample| labels[sample as usize]);
            order.into_iter().enumerate().for_each(|(place, sample)| folds[place % count].push(sample));
            folds.iter_mut().for_each(|fold| fold.sort_unstable());
            return Ok(folds);
        };
        let members = shuffled_groups(groups, stream);
        if members.len() < count {
            return Err(DataError::Groups { groups: members.len(), parts: count });
        }
        let mut has = vec![vec![0u64; classes]; count];
        for (place, group) in members.into_iter().enumerate() {
            let mut brings = vec![0u64; classes];
            group.iter().for_each(|&sample| brings[usize::from(labels[sample as usize])] += 1);
            let full = |fold: usize| {
                let of_class = brings.iter().zip(&has[fold]).map(|(brings, has)| brings * has).sum::<u64>();
                (of_class, has[fold].iter().sum::<u64>())
            };
            // The first ones open the folds.
            let fold =
                if place < count { place } else { (0..count).min_by_key(|&fold| full(fold)).unwrap_or(0) };
            has[fold].iter_mut().zip(&brings).for_each(|(has, brings)| *has += brings);
            folds[fold].extend(group);
        }
        folds.iter_mut().for_each(|fold| fold.sort_unstable());
        Ok(folds)
    }
}

/// The samples of each group: groups in random order, large ones first.
fn shuffled_groups(groups: &[u32], stream: &mut Stream) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = vec![vec![]; groups.iter().max().map_or(0, |&most| most as usize + 1)];
    for (sample, &group) in (0u32..).zip(groups) {
        members[group as usize].push(sample);
    }
    stream.shuffle(&mut members);
    members.sort_by_key(|group| std::cmp::Reverse(group.len()));
    members
}

/// Parts samples so that no group is in two parts. Groups are drawn in random order, large ones first; each goes to the part that lacks
/// most of what it brings, class by class.
fn grouped(
    labels: &[u8],
    groups: &[u32],
    classes: usize,
    [validation, test]: [f64; 2],
    stream: &mut Stream,
) -> Result<Split, DataError> {
    check_shares(validation, test)?;
    let members = shuffled_groups(groups, stream);
    let shares = [1.0 - validation - test, validation, test];
    let needed = shares.iter().filter(|&&share| share > 0.0).count();
    if members.len() < needed {
        return Err(DataError::Groups { groups: members.len(), parts: needed });
    }
    let counts = |samples: &[u32]| {
        let mut counts = vec![0.0; classes];
        samples.iter().for_each(|&sample| counts[usize::from(labels[sample as usize])] += 1.0);
        counts
    };
    let all: Vec<u32> = (0..labels.len() as u32).collect();
    let totals: Vec<f64> = counts(&all);
    let mut lacks = shares.map(|share| totals.iter().map(|total| share * total).collect::<Vec<f64>>());
    let mut parts = [vec![], vec![], vec![]];
    let left = members.len();
    for (place, group) in members.into_iter().enumerate() {
        let brings = counts(&group);
        // Relative to a part's size, or training would always lack most.
        let need = |part: usize| {
            let lacking = brings.iter().zip(&lacks[part]).zip(&totals);
            lacking
                .map(|((brings, lacks), total)| brings * lacks / (total.max(1.0) * shares[part]))
                .sum::<f64>()
        };
        let open = |part: &usize| shares[*part] > 0.0;
        let empty = (0..3).filter(open).filter(|&part| parts[part].is_empty());
        // What is left is just enough for those that have none yet.
        let must: Vec<usize> = if left - place == empty.clone().count() { empty.collect() } else { vec![] };
        let candidates: Vec<usize> = if must.is_empty() { (0..3).filter(open).collect() } else { must };
        // The first of equals: training.
        let best =
            candidates.into_iter().reduce(|one, other| if need(other) > need(one) { other } else { one });
        let Some(part) = best else { break };
        lacks[part].iter_mut().zip(&brings).for_each(|(lacks, brings)| *lacks -= brings);
        parts[part].extend(group);
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    let [train, validation, test] = parts;
    Ok(Split { train, validation, test })
}

/// Refuses shares that are none, or leave nothing to train on.
fn check_shares(validation: f64, test: f64) -> Result<(), DataError> {
    if validation >= 0.0 && test >= 0.0 && validation + test < 1.0 {
        return Ok(());
    }
    Err(DataError::Shares { validation, test })
}

/// How many of the samples `from..to`, counted over all classes, a part with this share gets.
fn due(from: usize, to: usize, share: f64) -> usize {
    // Both are far below 2^53, so the products are exact enough to be the same everywhere.
    let rounded = |count: usize| (count as f64 * share).round() as usize;
    rounded(to) - rounded(from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    #[test]
    fn groups_stay_together_and_parts_are_near_their_shares() {
        // 60 recordings of 5 to 24 samples, each of one class of three.
        let sizes: Vec<usize> = (0..60).map(|group| 5 + group * 7 % 20).collect();
        let groups: Vec<u32> = (0u32..).zip(&sizes).flat_map(|(group, &size)| vec![group; size]).collect();
        let labels: Vec<u8> = groups.iter().map(|group| (group % 3) as u8).collect();
        for seed in 0..20 {
            let mut stream = Stream::new(seed, Purpose::Split, 0);
            let division = Division::Groups(groups.clone());
            let parts = division.split(&labels, 3, 0.1, 0.2, &mut stream).unwrap();
            let of =
                |part: &[u32]| part.iter().map(|&sample| groups[sample as usize]).collect::<BTreeSet<u32>>();
            let [train, validation, test] = [of(&parts.train), of(&parts.validation), of(&parts.test)];
            assert!(
                train.is_disjoint(&validation) && train.is_disjoint(&test) && test.is_disjoint(&validation)
            );
            let all = labels.len() as f64;
            for (part, share) in [(&parts.train, 0.7), (&parts.validation, 0.1), (&parts.test, 0.2)] {
                assert!((part.len() as f64 / all - share).abs() < 0.05, "{share}: {} of {all}", part.len());
                for class in 0..3 {
                    let expected = share * labels.iter().filter(|&&label| label == class).count() as f64;
                    let found = of_class(part, &labels, class) as f64;
                    assert!(
                        (found - expected).abs() <= 24.0,
                        "class {class} of {share}: {found}, {expected}"
                    );
                }
            }
            let again = division.split(&labels, 3, 0.1, 0.2, &mut Stream::new(seed, Purpose::Split, 0));
            assert_eq!(again.unwrap(), parts);
        }
    }

    #[test]
    fn a_group_for_each_part_is_needed() {
        let split = |groups: &[u32], validation: f64, test: f64| {
            let mut stream = Stream::new(1, Purpose::Split, 0);
            let labels = vec![0; groups.len()];
            Division::Groups(groups.to_vec()).split(&labels, 1, validation, test, &mut stream)
        };
        assert!(matches!(split(&[0, 0, 1, 1], 0.1, 0.2), Err(DataError::Groups { groups: 2, parts: 3 })));
        // Though one group is nearly all.
        let groups: Vec<u32> = (0..50).map(|sample| if sample < 48 { 0 } else { sample - 47 }).collect();
        let parts = split(&groups, 0.1, 0.2).unwrap();
        assert!(!parts.train.is_empty() && !parts.validation.is_empty() && !parts.test.is_empty());
        let two = split(&[0, 0, 1, 1], 0.0, 0.2).unwrap();
        assert!(two.validation.is_empty() && two.train.len() == 2 && two.test.len() == 2);
    }

    #[test]
    fn folds_hold_every_sample_once_and_classes_evenly() {
        let labels: Vec<u8> =
            (0..103).map(|sample| if sample < 30 { 0 } else { 1 + (sample % 2) as u8 }).collect();
        let deal = |division: &Division, count: usize, seed: u64| {
            division.folds(&labels, 3, count, &mut Stream::new(seed, Purpose::Split, 1))
        };
        let all = |folds: &[Vec<u32>]| {
            let mut all = folds.concat();
            all.sort_unstable();
            all.into_iter().eq(0..103)
        };
        for count in [2, 5, 10, 103] {
            let folds = deal(&Division::Shares, count, 3).unwrap();
            assert!(folds.len() == count && all(&folds));
            for class in 0..3 {
                let counts: Vec<usize> = folds.iter().map(|fold| of_class(fold, &labels, class)).collect();
                assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            }
            assert_ne!(folds, deal(&Division::Shares, count, 4).unwrap());
        }
        let groups: Vec<u32> = (0..103).map(|sample| sample / 5).collect();
        let folds = deal(&Division::Groups(groups.clone()), 4, 3).unwrap();
        assert!(all(&folds));
        for fold in &folds {
            assert!((20..=31).contains(&fold.len()), "{}", fold.len());
            let other = folds.iter().filter(|other| *other != fold).flatten();
            let mut other = other.map(|&sample| groups[sample as usize]);
            assert!(other.all(|group| fold.iter().all(|&sample| groups[sample as usize] != group)));
        }
        for count in [0, 1, 104] {
            assert!(matches!(deal(&Division::Shares, count, 1), Err(DataError::Folds { samples: 103, .. })));
        }
        let few = deal(&Division::Groups(vec![0; 103]), 2, 1);
        assert!(matches!(few, Err(DataError::Groups { groups: 1, parts: 2 })));
    }

    #[test]
    fn parts_may_be_given() {
        use Part::{Test, Train, Validation};
        let mut stream = Stream::new(1, Purpose::Split, 0);
        let given = Division::Parts(vec![Train, Test, Validation, Train, Test]);
        let parts = given.split(&[0, 1, 0, 1, 0], 2, 0.3, 0.5, &mut stream).unwrap();
        assert_eq!((parts.train, parts.validation, parts.test), (vec![0, 3], vec![2], vec![1, 4]));
        // Without validation samples, some of training are.
        let given = Division::Parts([vec![Test; 4], vec![Train; 20]].concat());
        let parts = given.split(&[0; 24], 1, 0.1, 0.5, &mut stream).unwrap();
        assert_eq!((parts.train.len(), parts.validation.len(), parts.test), (18, 2, vec![0, 1, 2, 3]));
        assert_eq!(
            ["Training", "val", "TEST", "x"].map(Part::named),
            [Some(Train), Some(Validation), Some(Test), None]
        );
    }
}
