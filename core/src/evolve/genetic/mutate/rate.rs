//! Flips by rate.
//!
//! They skip from one flip to the next: the number of genes left alone before a flip is
//! geometric, so two words a flip are drawn however many genes there are. The other way, to draw the
//! mask of a word by comparing random bits with the binary digits of the rate, takes about seven
//! words for 32 genes at any rate; skipping is cheaper below one flip in ten genes, and useful rates
//! are near one flip a genome. It also suits genes that lie anywhere.
//!
//! The geometric number needs a logarithm, and floats are not to decide anything. So it is inverted
//! in fixed point instead: with q the probability of no flip, it is the largest n for which q^n is
//! above a uniform number, and n is found bit by bit from the highest, by multiplying the powers
//! q^1, q^2, q^4, ... that keep the product above. All of them are fractions of 64 bits. A table of
//! them takes 32 squarings once, a flip takes at most 32 products. The flip of a gene is off its
//! probability by less than 2^-30 in genomes of up to a million genes, most by far less.

use super::super::genes::{Genes, mark};
use super::Mutate;
use core::ops::Range;
use rand_core::Rng;

/// Every gene flips with one probability, independently of the others; ready to skip from flip to flip: 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The probability that none of 2^i genes flips, in units of 2^-64; `None` when none ever does.
    unflipped: Option<[u64; 32]>,
}

impl Rate {
    /// The probability `rate / 2^32`.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        if rate == 0 {
            return Self { unflipped: None };
        }
        let mut power = u64::from(rate.wrapping_neg()) << 32;
        let unflipped = [(); 32].map(|()| {
            let this = power;
            power = product(power, power);
            this
        });
        Self { unflipped: Some(unflipped) }
    }

    /// How many of the next `limit` genes stay as they are before one flips; `limit` when all do.
    fn skip(&self, limit: u32, rng: &mut dyn Rng) -> u32 {
        let (Some(unflipped), Some(highest)) = (&self.unflipped, limit.checked_ilog2()) else {
            return limit;
        };
        let high = rng.next_u32();
        let low = rng.next_u32();
        let uniform = u64::from(high) << 32 | u64::from(low);
        let mut skipped = 0;
        let mut survival = u64::MAX;
        for (bit, &power) in unflipped[..=highest as usize].iter().enumerate().rev() {
            let longer = product(survival, power);
            if longer > uniform {
                survival = longer;
                skipped |= 1 << bit;
            }
        }
        limit.min(skipped)
    }
}

/// The product of two fractions in units of 2^-64.
#[inline]
pub(super) fn product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

impl Mutate for Rate {
    fn draw(&self, genes: &dyn Genes, mask: &mut [u32], _: &mut [u32], rng: &mut dyn Rng) {
        by_rate(genes, self, mask, rng);
    }
}

/// Overwrites `mask`, `[words]`, with genes that flip independently at `rate`. Draws two words a
/// flip and, unless the last gene flips, two more to find that there is no further one; none when the rate
/// is 0.
pub fn by_rate(genes: &dyn Genes, rate: &Rate, mask: &mut [u32], rng: &mut dyn Rng) {
    mask.fill(0);
    flip_in(genes, 0..genes.count(), rate, mask, rng);
}

/// Marks genes of `range` that flip independently at `rate`.
pub(super) fn flip_in(
    genes: &dyn Genes,
    range: Range<u32>,
    rate: &Rate,
    mask: &mut [u32],
    rng: &mut dyn Rng,
) {
    let Range { start: mut gene, end } = range;
    while gene < end {
        gene += rate.skip(end - gene, rng);
        if gene < end {
            mark(mask, genes.position(gene));
            gene += 1;
        }
    }
}

#[cfg(all(test, feature = "full"))]
impl Rate {
    /// The powers that [`skip`](Self::skip) multiplies.
    pub(super) fn unflipped(&self) -> Option<&[u64; 32]> {
        self.unflipped.as_ref()
    }
}
