//! A vote in which the fitter count more.

use super::super::genes::Genes;
use super::{Kin, MOST_PARENTS, Mate};
use crate::bits::WORD_BITS;
use rand_core::Rng;

/// So many parents, 1 to [`MOST_PARENTS`], the flips that have more than half of the votes. A parent's vote weighs as much as
/// it is fitter than the least fit of them, and 1: the window of Grefenstette (1986). A parent that outweighs the others
/// together decides alone; equals make it the majority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WeightedVote(pub u8);

impl Mate for WeightedVote {
    fn parents(&self) -> usize {
        usize::from(self.0).clamp(1, MOST_PARENTS)
    }

    fn mate(&self, _: &dyn Genes, kin: Kin<'_>, child: &mut [u32], _: &mut dyn Rng) {
        let least = kin.fitness.iter().min().copied().unwrap_or(0);
        // Below 2^64 and the sum of five below 2^67.
        let weight = |fitness: i64| u128::from(fitness.abs_diff(least)) + 1;
        let total: u128 = kin.fitness.iter().map(|&fitness| weight(fitness)).sum();
        for (index, (child, base)) in child.iter_mut().zip(kin.base).enumerate() {
            let words = || kin.parents.iter().map(|parent| parent.get(index).map_or(0, |word| word ^ base));
            // Where all agree there is nothing to count.
            let (mut flips, differ) = words().fold((!0, 0), |(all, any), word| (all & word, any | word));
            let open = differ & !flips;
            for bit in (0..WORD_BITS).filter(|bit| open >> bit & 1 != 0) {
                let votes: u128 = words()
                    .zip(kin.fitness)
                    .filter(|(word, _)| word >> bit & 1 != 0)
                    .map(|(_, &f)| weight(f))
                    .sum();
                if votes * 2 > total {
                    flips |= 1 << bit;
                }
            }
            *child ^= base ^ flips;
        }
    }
}
