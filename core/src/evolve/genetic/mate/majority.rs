//! The flips that most parents share.

use super::super::genes::Genes;
use super::{Kin, Mate};
use crate::bits::add;
use rand_core::Rng;

/// Three parents, the flips that two of them share: [`majority_of_three`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MajorityOfThree;

impl Mate for MajorityOfThree {
    fn parents(&self) -> usize {
        3
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], _: &mut dyn Rng) {
        if let &[a, b, c] = kin.parents {
            majority_of_three(child, [a, b, c]);
        }
    }
}

/// Five parents, the flips that three of them share: [`majority_of_five`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MajorityOfFive;

impl Mate for MajorityOfFive {
    fn parents(&self) -> usize {
        5
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], _: &mut dyn Rng) {
        if let &[a, b, c, d, e] = kin.parents {
            majority_of_five(child, [a, b, c, d, e]);
        }
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
