//! Offspring of parents, most of it word by word.
//!
//! Every function *exclusive-ors* the offspring into `child`: into a row of zeros that writes it,
//! into a mask of flips it writes the offspring mutated. Bits that are zero in all parents, padding
//! among them, are zero in the offspring. Rows of different length are mated as far as all reach.
//!
//! A way to mate is a type with [`Mate`]; each has a file of its own, or shares one with its kin:
//!
//! - [`OneParent`]: a copy;
//! - [`Uniform`]: each bit from either parent;
//! - [`Union`], [`MajorityOfThree`], [`MajorityOfFive`], [`WeightedVote`]: what parents changed against a common base;
//! - [`WholeUnits`], [`WithinUnits`]: neurons and their windows stay together.

mod majority;
mod uniform;
mod union;
mod units;
mod vote;

pub use majority::{MajorityOfFive, MajorityOfThree, majority_of_five, majority_of_three};
pub use uniform::{Uniform, uniform};
pub use union::{Union, union};
pub use units::{WholeUnits, WithinUnits};
pub use vote::WeightedVote;

use super::genes::Genes;
use rand_core::Rng;

/// The most parents of a child.
pub const MOST_PARENTS: usize = 5;

/// Whom a child comes from.
#[derive(Clone, Copy, Debug)]
pub struct Kin<'a> {
    /// The parents' genomes, as many as the mating asked for, each `[words]`. Parents are selected independently, so the
    /// same individual may be among them more than once.
    pub parents: &'a [&'a [u32]],
    /// Their fitness.
    pub fitness: &'a [i64],
    /// What flip masks are read against, `[words]`: the best individual of the generation before theirs. What differs from
    /// it is what set a parent apart from where it came from.
    pub base: &'a [u32],
}

/// How children come from their parents.
///
/// The union and the votes read parents as *flip masks* against a base. They recombine the
/// discoveries of near kin, and are for populations that start as mutants of one genome. A union also
/// gathers what harms, so it wants parents from the few best; between strangers it is mostly noise.
pub trait Mate {
    /// Number of parents that a child has: 1 to [`MOST_PARENTS`].
    fn parents(&self) -> usize;

    /// Exclusive-ors the offspring into `child`, `[words]`.
    fn mate(&self, genes: &dyn Genes, kin: Kin<'_>, child: &mut [u32], rng: &mut dyn Rng);
}

/// One parent, copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OneParent;

impl Mate for OneParent {
    fn parents(&self) -> usize {
        1
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], _: &mut dyn Rng) {
        kin.parents.iter().take(1).for_each(|parent| copy(child, parent));
    }
}

/// One parent as it is.
pub fn copy(child: &mut [u32], parent: &[u32]) {
    for (child, parent) in child.iter_mut().zip(parent) {
        *child ^= parent;
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
