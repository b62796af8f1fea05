//! Which bits of a child flip: a mask over the packed genome, one for every bit to flip.
//!
//! **Exactly k flips** are drawn by Floyd's sampling (Bentley and Floyd, 1987): k bounded draws,
//! whatever the number of genes, and the mask itself remembers what is already drawn.
//!
//! **Flips by rate** skip from one flip to the next: the number of genes left alone before a flip is
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

use super::genes::{Genes, is_marked, mark};
use crate::rng::Draw;
use rand_core::Rng;

/// How children mutate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Exactly so many distinct genes flip.
    Flips(u32),
    /// Every gene flips with probability `p / 2^32`, independently of the others.
    Rate(u32),
}

/// A [`Mutation`] with its table of powers, made once for many children.
#[derive(Clone, Debug)]
pub struct Mutator {
    mutation: Mutation,
    rate: Rate,
}

impl Mutator {
    /// Prepares `mutation`.
    #[must_use]
    pub fn new(mutation: Mutation) -> Self {
        let rate = match mutation {
            Mutation::Flips(_) => 0,
            Mutation::Rate(rate) => rate,
        };
        Self { mutation, rate: Rate::new(rate) }
    }

    /// Overwrites `mask`, `[words]`, with the bits to flip.
    pub fn draw<R: Rng + ?Sized>(&self, genes: &impl Genes, mask: &mut [u32], rng: &mut R) {
        match self.mutation {
            Mutation::Flips(flips) => exactly(genes, flips, mask, rng),
            Mutation::Rate(_) => by_rate(genes, &self.rate, mask, rng),
        }
    }
}

/// Overwrites `mask`, `[words]`, with exactly `flips` distinct genes, each set of them equally
/// likely; with all genes when `flips` is more. Draws `flips` bounded numbers.
pub fn exactly<R: Rng + ?Sized>(genes: &impl Genes, flips: u32, mask: &mut [u32], rng: &mut R) {
    mask.fill(0);
    let count = genes.count();
    for last in count.saturating_sub(flips)..count {
        // Gene `last` comes into reach in this round, so it cannot be taken yet.
        let drawn = genes.position(rng.below(last.saturating_add(1)));
        let taken = is_marked(mask, drawn);
        mark(mask, if taken { genes.position(last) } else { drawn });
    }
}

/// Overwrites `mask`, `[words]`, with genes that flip independently at `rate`. Draws two words a
/// flip and, unless the last gene flips, two more to find that there is no further one; none when the rate
/// is 0.
pub fn by_rate<R: Rng + ?Sized>(genes: &impl Genes, rate: &Rate, mask: &mut [u32], rng: &mut R) {
    mask.fill(0);
    let count = genes.count();
    let mut gene = 0;
    while gene < count {
        gene += rate.skip(count - gene, rng);
        if gene < count {
            mark(mask, genes.position(gene));
            gene += 1;
        }
    }
}

/// A probability of flipping a gene, ready to skip from flip to flip: 256 bytes.
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
    fn skip<R: Rng + ?Sized>(&self, limit: u32, rng: &mut R) -> u32 {
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
fn product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

#[cfg(all(test, not(feature = "small")))]
mod tests {
    use super::super::genes::tests::{evolvable, ones, padded_rows, within};
    use super::super::genes::{PlainBits, mark};
    use super::*;
    use crate::bits;
    use crate::rng::{Purpose, Stream};
    use proptest::prelude::*;
    use std::vec;

    proptest! {
        #[test]
        fn exactly_k_flips_k_genes_and_no_padding(genes in padded_rows(), flips in 0u32..400, seed: u64) {
            let mut mask = vec![u32::MAX; genes.words()];
            exactly(&genes, flips, &mut mask, &mut Stream::new(seed, Purpose::Test, 0));
            prop_assert_eq!(ones(&mask), flips.min(genes.count()));
            prop_assert!(within(&mask, &evolvable(&genes)));
        }

        #[test]
        fn a_rate_flips_no_padding(genes in padded_rows(), rate: u32, seed: u64) {
            let mut mask = vec![u32::MAX; genes.words()];
            by_rate(&genes, &Rate::new(rate), &mut mask, &mut Stream::new(seed, Purpose::Test, 0));
            prop_assert!(within(&mask, &evolvable(&genes)));
        }
    }

    #[test]
    fn every_set_of_genes_is_equally_likely() {
        let mut rng = Stream::new(11, Purpose::Test, 0);
        let mut seen = [0u32; 32];
        for _ in 0..100_000 {
            let mut mask = [0];
            exactly(&PlainBits(5), 2, &mut mask, &mut rng);
            seen[mask[0] as usize] += 1;
        }
        // Ten pairs, 10 000 expected of each, standard deviation 95.
        let pairs = seen.iter().filter(|&&count| count != 0);
        assert_eq!(pairs.clone().count(), 10);
        assert!(pairs.clone().all(|count| (9_500..10_500).contains(count)), "{seen:?}");
    }

    /// Flips in `rounds` genomes of `count` genes, and those of the first and the last gene.
    fn tally(rate: u32, count: u32, rounds: u32) -> (u64, u64, u64) {
        let mut rng = Stream::new(u64::from(rate), Purpose::Test, count);
        let rate = Rate::new(rate);
        let mut mask = vec![0; PlainBits(count).words()];
        let (mut all, mut first, mut last) = (0, 0, 0);
        for _ in 0..rounds {
            by_rate(&PlainBits(count), &rate, &mut mask, &mut rng);
            all += u64::from(ones(&mask));
            first += u64::from(bits::get(&mask[..], 0));
            last += u64::from(bits::get(&mask[..], count - 1));
        }
        (all, first, last)
    }

    /// True when `seen` of `trials` is within five standard deviations of `rate / 2^32`.
    fn matches(seen: u64, trials: u64, rate: u32) -> bool {
        let (trials, p) = (trials as f64, f64::from(rate) / 4_294_967_296.0);
        (seen as f64 - trials * p).abs() <= 5.0 * (trials * p * (1.0 - p)).sqrt() + 1.0
    }

    #[test]
    fn the_rate_is_kept_at_every_gene() {
        for rate in [1 << 12, 1 << 20, 1 << 24, 123_456_789, 1 << 31, 3_000_000_000, u32::MAX] {
            for count in [1, 31, 32, 77, 1000] {
                let rounds = 2_000_000 / count;
                let (all, first, last) = tally(rate, count, rounds);
                assert!(matches(all, u64::from(count * rounds), rate), "{rate} of {count}: {all}");
                assert!(matches(first, u64::from(rounds), rate), "{rate} of {count}: first {first}");
                assert!(matches(last, u64::from(rounds), rate), "{rate} of {count}: last {last}");
            }
        }
    }

    /// The exact chance of each gap, read off the powers, against q^n (1 - q): no sampling noise.
    #[test]
    fn gaps_have_their_probability_to_two_to_the_minus_forty() {
        for rate in [1u32, 1 << 8, 1 << 16, 123_456_789, 1 << 31, u32::MAX] {
            let Rate { unflipped: Some(unflipped) } = Rate::new(rate) else { unreachable!() };
            let survival = |n: u32| {
                (0..32)
                    .rev()
                    .filter(|bit| n >> bit & 1 != 0)
                    .fold(u64::MAX, |s, bit| product(s, unflipped[bit]))
            };
            for n in [1u32, 2, 3, 31, 32, 33, 1000, 65_535, 65_536, 1_000_000] {
                let seen = survival(n) as f64 / 18_446_744_073_709_551_616.0;
                // ln(1 - p) rather than powers of a rounded q: a double holds p, not q^n, to the last digit.
                let exact = (f64::from(n) * (-f64::from(rate) / 4_294_967_296.0).ln_1p()).exp();
                assert!((seen - exact).abs() < 9e-13, "{rate}, {n}: {seen} for {exact}");
                assert!(survival(n) <= survival(n - 1));
            }
        }
    }

    #[test]
    fn flips_of_neighbours_are_independent() {
        let mut rng = Stream::new(4, Purpose::Test, 0);
        let rate = Rate::new(1 << 31);
        let mut seen = [0u32; 8];
        for _ in 0..80_000 {
            let mut mask = [0];
            by_rate(&PlainBits(3), &rate, &mut mask, &mut rng);
            seen[mask[0] as usize] += 1;
        }
        assert!(seen.iter().all(|count| (9_500..10_500).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_rate_of_zero_draws_nothing() {
        let mut rng = Stream::new(4, Purpose::Test, 0);
        let mut mask = [u32::MAX; 3];
        by_rate(&PlainBits(77), &Rate::new(0), &mut mask, &mut rng);
        assert_eq!((mask, rng), ([0; 3], Stream::new(4, Purpose::Test, 0)));
    }

    /// Genes that break their promises.
    struct Astray(u32);

    impl Genes for Astray {
        fn count(&self) -> u32 {
            self.0
        }

        fn position(&self, gene: u32) -> u32 {
            u32::MAX - gene % 2
        }

        fn words(&self) -> usize {
            1
        }
    }

    #[test]
    fn genes_astray_do_not_panic() {
        let mut rng = Stream::new(4, Purpose::Test, 0);
        let mut mask = [0];
        exactly(&Astray(u32::MAX), 50, &mut mask, &mut rng);
        by_rate(&Astray(u32::MAX), &Rate::new(40), &mut mask, &mut rng);
        exactly(&Astray(0), 50, &mut mask, &mut rng);
        mark(&mut mask, u32::MAX);
        assert_eq!(mask, [0]);
    }
}
