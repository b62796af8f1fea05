//! A heavy-tailed number of flips.

use super::super::genes::Genes;
use super::{Mutate, exactly};
use crate::rng::Draw;
use rand_core::Rng;

/// The most flips of a child.
const MOST_FLIPS: usize = 256;

/// A number of genes that follows a power law flips: k of them with a probability proportional to k^-1.5.
///
/// Most children differ by one flip or two, yet many flips at once stay likely enough to leave a local optimum, and no
/// rate has to be tuned: Doerr, Le, Makhmara and Nguyen, *Fast Genetic Algorithms* (2017), who draw the rate so; here it is the number
/// itself. The law ends at half of the genes, at 256 at the latest. It is a table of integers: running totals of
/// 2^30 k^-1.5, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PowerLaw;

static TOTALS: [u32; MOST_FLIPS] = totals();

const fn totals() -> [u32; MOST_FLIPS] {
    let (mut totals, mut total, mut index) = ([0; MOST_FLIPS], 0, 0);
    while index < MOST_FLIPS {
        let flips = index as u64 + 1;
        // The sum of all k^-1.5 is 2.62: the total fits.
        total += ((1 << 60) / (flips * flips * flips)).isqrt() as u32;
        totals[index] = total;
        index += 1;
    }
    totals
}

impl Mutate for PowerLaw {
    fn draw(&self, genes: &dyn Genes, mask: &mut [u32], _: &mut [u32], rng: &mut dyn Rng) {
        let most = (genes.count() as usize / 2).clamp(1, MOST_FLIPS);
        let drawn = rng.below(TOTALS[most - 1]);
        let shorter = TOTALS[..most - 1].partition_point(|&total| total <= drawn);
        exactly(genes, shorter as u32 + 1, mask, rng);
    }
}
