//! Every flip of both parents.

use super::super::genes::Genes;
use super::{Kin, Mate};
use rand_core::Rng;

/// Two parents, every flip of both: [`union`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Union;

impl Mate for Union {
    fn parents(&self) -> usize {
        2
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], _: &mut dyn Rng) {
        if let [a, b] = kin.parents {
            union(child, kin.base, a, b);
        }
    }
}

/// The flips of both parents against `base`: `base ^ ((a ^ base) | (b ^ base))`.
pub fn union(child: &mut [u32], base: &[u32], a: &[u32], b: &[u32]) {
    for ((child, base), (a, b)) in child.iter_mut().zip(base).zip(a.iter().zip(b)) {
        *child ^= base ^ ((a ^ base) | (b ^ base));
    }
}
