//! Offspring of parents, word by word.
//!
//! Every function *exclusive-ors* the offspring into `child`: into a row of zeros that writes it,
//! into a mask of flips it writes the offspring mutated. Bits that are zero in all parents, padding
//! among them, are zero in the offspring. Rows of different length are mated as far as all reach.

use crate::bits::add;
use rand_core::Rng;

/// How children come from their parents.
///
/// Parents are selected independently, so the same individual may be drawn more than once.
///
/// The union and the majority read parents as *flip masks* against a base, the best individual of
/// the generation before theirs: what set a parent apart from where it came from. They recombine the
/// discoveries of near kin, and are for populations that start as mutants of one genome. A union also
/// gathers what harms, so it wants parents from the few best; between strangers it is mostly noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mating {
    /// One parent, copied.
    None,
    /// Two parents, each bit from either ([`uniform`]).
    Uniform,
    /// Two parents, every flip of both ([`union`]).
    Union,
    /// Three parents, the flips that two of them share ([`majority_of_three`]).
    MajorityOfThree,
    /// Five parents, the flips that three of them share ([`majority_of_five`]).
    MajorityOfFive,
}

/// The most parents that a mating takes.
pub(super) const MOST_PARENTS: usize = 5;

impl Mating {
    /// Number of parents that a child has.
    #[must_use]
    pub const fn parents(self) -> usize {
        match self {
            Self::None => 1,
            Self::Uniform | Self::Union => 2,
            Self::MajorityOfThree => 3,
            Self::MajorityOfFive => 5,
        }
    }
}

/// One parent as it is.
pub fn copy(child: &mut [u32], parent: &[u32]) {
    for (child, parent) in child.iter_mut().zip(parent) {
        *child ^= parent;
    }
}

/// Uniform crossover (Ackley, 1987; Syswerda, 1989): each bit from `a` or `b`, equally likely.
/// Draws one word for every word.
pub fn uniform<R: Rng + ?Sized>(child: &mut [u32], a: &[u32], b: &[u32], rng: &mut R) {
    for (child, (a, b)) in child.iter_mut().zip(a.iter().zip(b)) {
        *child ^= a ^ (a ^ b) & rng.next_u32();
    }
}

/// The flips of both parents against `base`: `base ^ ((a ^ base) | (b ^ base))`.
pub fn union(child: &mut [u32], base: &[u32], a: &[u32], b: &[u32]) {
    for ((child, base), (a, b)) in child.iter_mut().zip(base).zip(a.iter().zip(b)) {
        *child ^= base ^ ((a ^ base) | (b ^ base));
    }
}

/// The flips that at least two of three parents share. The majority of complements is the complement
/// of the majority, so the base cancels out: each bit is the one that most parents have.
pub fn majority_of_three(child: &mut [u32], parents: [&[u32]; 3]) {
    let [a, b, c] = parents;
    for ((child, a), (b, c)) in child.iter_mut().zip(a).zip(b.iter().zip(c)) {
        *child ^= a & b | (a | b) & c;
    }
}

/// The flips that at least three of five parents share; as with three, the base cancels out.
///
/// Two full adders count 32 columns at once: three or more are two carries, or one and the last sum.
pub fn majority_of_five(child: &mut [u32], parents: [&[u32]; 5]) {
    let [a, b, c, d, e] = parents;
    let rows = a.iter().zip(b).zip(c.iter().zip(d)).zip(e);
    for (child, (((a, b), (c, d)), e)) in child.iter_mut().zip(rows) {
        let (sum, carry) = add(*a, *b, *c);
        let (sum, other) = add(sum, *d, *e);
        *child ^= carry & other | (carry | other) & sum;
    }
}

#[cfg(all(test, not(feature = "small")))]
mod tests {
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
    type Mate<'a> = &'a dyn Fn(&mut [u32]);

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
            let mated = |start: &[u32], mate: Mate<'_>| {
                let mut child = start.to_vec();
                mate(&mut child);
                child
            };
            let zeros = std::vec![0; a.len()];
            let mates: [Mate<'_>; 5] = [
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
}
