//! Exactly k flips.

use super::super::Error;
use super::super::genes::{Genes, is_marked, mark};
use super::Mutate;
use crate::rng::Draw;
use rand_core::Rng;

/// Exactly so many distinct genes flip, each set of them equally likely.
///
/// Floyd's sampling (Bentley and Floyd, 1987): k bounded draws, whatever the number of genes, and the mask itself remembers
/// what is already drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Flips(pub u32);

impl Mutate for Flips {
    fn draw(&self, genes: &dyn Genes, mask: &mut [u32], _: &mut [u32], rng: &mut dyn Rng) {
        exactly(genes, self.0, mask, rng);
    }

    fn check(&self, genes: &dyn Genes) -> Result<(), Error> {
        if self.0 > genes.count() { Err(Error::TooManyFlips) } else { Ok(()) }
    }
}

/// Overwrites `mask`, `[words]`, with exactly `flips` distinct genes, each set of them equally
/// likely; with all genes when `flips` is more. Draws `flips` bounded numbers.
pub fn exactly(genes: &dyn Genes, flips: u32, mask: &mut [u32], rng: &mut dyn Rng) {
    mask.fill(0);
    let count = genes.count();
    for last in count.saturating_sub(flips)..count {
        // Gene `last` comes into reach in this round, so it cannot be taken yet.
        let drawn = genes.position(rng.below(last.saturating_add(1)));
        let taken = is_marked(mask, drawn);
        mark(mask, if taken { genes.position(last) } else { drawn });
    }
}
