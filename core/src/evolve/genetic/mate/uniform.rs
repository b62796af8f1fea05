//! Each bit from either parent.

use super::super::genes::Genes;
use super::{Kin, Mate};
use rand_core::Rng;

/// Two parents, each bit from either: [`uniform`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Uniform;

impl Mate for Uniform {
    fn parents(&self) -> usize {
        2
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], rng: &mut dyn Rng) {
        if let [a, b] = kin.parents {
            uniform(child, a, b, rng);
        }
    }
}

/// Uniform crossover (Ackley, 1987; Syswerda, 1989): each bit from `a` or `b`, equally likely.
/// Draws one word for every word.
pub fn uniform(child: &mut [u32], a: &[u32], b: &[u32], rng: &mut dyn Rng) {
    for (child, (a, b)) in child.iter_mut().zip(a.iter().zip(b)) {
        *child ^= a ^ (a ^ b) & rng.next_u32();
    }
}
