//! Every way to mate takes each bit from where it says.

use super::super::PlainBits;
use super::super::genes::tests::PaddedRows;
use super::*;
use crate::bits::get;
use crate::rng::{Purpose, Stream};
use proptest::prelude::*;
use std::vec::Vec;

/// Six rows of a few words, the bits of the last words zero as padding is.
fn rows() -> impl Strategy<Value = [Vec<u32>; 6]> {
    (0usize..4, 1u32..33).prop_flat_map(|(words, tail)| {
        prop::array::uniform6(prop::collection::vec(any::<u32>(), words).prop_map(move |mut row| {
            if let Some(last) = row.last_mut() {
                *last &= u32::MAX >> (32 - tail);
            }
            row
        }))
    })
}

/// A way to mate, for the child given.
type Way<'a> = &'a dyn Fn(&mut [u32]);

fn bits(row: &[u32]) -> impl Iterator<Item = bool> + '_ {
    (0..row.len() as u32 * 32).map(move |index| get(row, index))
}

proptest! {
    #[test]
    fn uniform_children_take_each_bit_from_a_parent([a, b, ..] in rows(), seed: u64) {
        let mut child = std::vec![0; a.len()];
        uniform(&mut child, &a, &b, &mut Stream::new(seed, Purpose::Test, 0));
        for ((child, a), b) in bits(&child).zip(bits(&a)).zip(bits(&b)) {
            prop_assert!(child == a || child == b);
        }
    }

    #[test]
    fn masks_combine_as_bit_by_bit([base, a, b, c, d, e] in rows()) {
        let mut united = std::vec![0; a.len()];
        let (mut three, mut five) = (united.clone(), united.clone());
        union(&mut united, &base, &a, &b);
        majority_of_three(&mut three, [&a, &b, &c]);
        majority_of_five(&mut five, [&a, &b, &c, &d, &e]);
        for index in 0..a.len() as u32 * 32 {
            let base = get(&base[..], index);
            let flips = [&a, &b, &c, &d, &e].map(|row| get(&row[..], index) != base);
            let count = |parents: usize| flips[..parents].iter().filter(|&&flip| flip).count();
            prop_assert_eq!(get(&united[..], index), base ^ (count(2) > 0));
            prop_assert_eq!(get(&three[..], index), base ^ (count(3) > 1));
            prop_assert_eq!(get(&five[..], index), base ^ (count(5) > 2));
        }
    }

    #[test]
    fn mating_keeps_the_flips_already_in_the_child([base, a, b, flips, d, e] in rows()) {
        let mated = |start: &[u32], mate: Way<'_>| {
            let mut child = start.to_vec();
            mate(&mut child);
            child
        };
        let zeros = std::vec![0; a.len()];
        let mates: [Way<'_>; 5] = [
            &|child| copy(child, &a),
            &|child| uniform(child, &a, &b, &mut Stream::new(1, Purpose::Test, 0)),
            &|child| union(child, &base, &a, &b),
            &|child| majority_of_three(child, [&a, &b, &d]),
            &|child| majority_of_five(child, [&a, &b, &base, &d, &e]),
        ];
        for mate in mates {
            let plain = mated(&zeros, mate);
            let mutated = mated(&flips, mate);
            prop_assert!(plain.iter().zip(&mutated).zip(&flips).all(|((p, m), f)| p ^ m == *f));
        }
    }
}

#[test]
fn uniform_takes_half_from_each() {
    let (a, b) = ([u32::MAX; 1000], [0; 1000]);
    let mut child = [0; 1000];
    uniform(&mut child, &a, &b, &mut Stream::new(2, Purpose::Test, 0));
    let from_a: u32 = child.iter().map(|word| word.count_ones()).sum();
    assert!((15_500..16_500).contains(&from_a));
}

proptest! {
    #[test]
    fn votes_weigh_by_fitness([base, a, b, c, d, e] in rows(), fitness in prop::array::uniform5(-4i64..4)) {
        let parents = [&a[..], &b, &c, &d, &e];
        let mut child = std::vec![0; a.len()];
        let kin = Kin { parents: &parents, fitness: &fitness, base: &base };
        let genes = PlainBits(a.len() as u32 * 32);
        let mut rng = Stream::new(1, Purpose::Test, 0);
        WeightedVote(5).mate(&genes, kin, &mut child, &mut rng);
        let least = fitness.iter().min().unwrap();
        for index in 0..a.len() as u32 * 32 {
            let base = get(&base[..], index);
            let weigh = |flipped: bool| -> i64 {
                let of = parents.iter().zip(fitness).filter(|(row, _)| (get(**row, index) != base) == flipped);
                of.map(|(_, fitness)| fitness - least + 1).sum()
            };
            prop_assert_eq!(get(&child[..], index) != base, weigh(true) > weigh(false));
        }
        // Equals make it the majority.
        let mut five = std::vec![0; a.len()];
        majority_of_five(&mut five, parents);
        let mut equals = std::vec![0; a.len()];
        WeightedVote(5).mate(&genes, Kin { fitness: &[3; 5], ..kin }, &mut equals, &mut rng);
        prop_assert_eq!(equals, five);
    }
}

#[test]
fn extreme_votes_do_not_overflow() {
    let (ones, zeros) = ([u32::MAX], [0]);
    let mut child = [0];
    let kin = Kin {
        parents: &[&ones, &zeros, &zeros, &zeros, &zeros],
        fitness: &[i64::MAX, i64::MIN, i64::MIN, i64::MIN, i64::MIN],
        base: &zeros,
    };
    WeightedVote(5).mate(&PlainBits(32), kin, &mut child, &mut Stream::new(1, Purpose::Test, 0));
    assert_eq!(child, ones);
}

/// Three rows of 40 bits, each a unit.
#[derive(Debug)]
struct Rows;

impl Genes for Rows {
    fn count(&self) -> u32 {
        120
    }

    fn position(&self, gene: u32) -> u32 {
        PaddedRows { rows: 3, bits: 40 }.position(gene)
    }

    fn words(&self) -> usize {
        6
    }

    fn units(&self) -> u32 {
        3
    }

    fn fields(&self, unit: u32) -> [core::ops::Range<u32>; 3] {
        // The second word is the threshold's, to have both.
        let start = unit * 64;
        [start..start + 32, start + 32..start + 40, 0..0]
    }
}

#[test]
fn whole_units_come_from_one_parent_and_every_mixture_comes_up() {
    let (a, b) = ([0u32; 6], [u32::MAX, 0xff, u32::MAX, 0xff, u32::MAX, 0xff]);
    let kin = Kin { parents: &[&a, &b], fitness: &[0, 0], base: &a };
    let mut rng = Stream::new(3, Purpose::Test, 0);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let mut child = [0; 6];
        WholeUnits.mate(&Rows, kin, &mut child, &mut rng);
        assert!(child.chunks(2).all(|row| row == [0, 0] || row == [u32::MAX, 0xff]), "{child:x?}");
        seen.insert(child);
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn mating_within_units_leaves_the_others_alone() {
    let (a, b) = ([0u32; 6], [u32::MAX, 0xff, u32::MAX, 0xff, u32::MAX, 0xff]);
    let kin = Kin { parents: &[&a, &b], fitness: &[0, 0], base: &a };
    let mut rng = Stream::new(3, Purpose::Test, 0);
    for _ in 0..50 {
        let mut child = [0; 6];
        WithinUnits(1).mate(&Rows, kin, &mut child, &mut rng);
        let mixed = child.chunks(2).filter(|row| row[0] != 0).count();
        assert!(mixed == 1 && child.iter().all(|&word| word != u32::MAX), "{child:x?}");
        assert!(child.iter().zip(b).all(|(child, b)| child & !b == 0));
    }
}
