//! Every way to mutate keeps its probabilities and flips no padding.

use super::super::genes::tests::{evolvable, ones, padded_rows, within};
use super::super::genes::{PlainBits, mark};
use super::rate::product;
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
        let rated = Rate::new(rate);
        let unflipped = rated.unflipped().unwrap();
        let survival = |n: u32| {
            (0..32).rev().filter(|bit| n >> bit & 1 != 0).fold(u64::MAX, |s, bit| product(s, unflipped[bit]))
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

#[test]
fn a_power_law_has_its_shares_and_its_tail() {
    let mut rng = Stream::new(9, Purpose::Test, 0);
    let mut seen = [0u32; 600];
    let mut mask = vec![0; PlainBits(1100).words()];
    for _ in 0..100_000 {
        PowerLaw.draw(&PlainBits(1100), &mut mask, &mut [], &mut rng);
        seen[ones(&mask) as usize] += 1;
    }
    // k^-1.5 over the sum of 1 to 256, 2.4875.
    for (flips, share) in [(1, 0.4020), (2, 0.1421), (4, 0.0503), (16, 0.00628)] {
        let expected = share * 100_000.0;
        let off = (f64::from(seen[flips]) - expected).abs();
        assert!(off < 5.0 * f64::sqrt(expected), "{flips}: {} for {expected}", seen[flips]);
    }
    assert_eq!((seen[0], seen[257..].iter().sum::<u32>()), (0, 0));
    assert!(seen[100..].iter().sum::<u32>() > 1_000);
}

#[test]
fn a_power_law_ends_at_half_of_the_genes() {
    let mut rng = Stream::new(9, Purpose::Test, 0);
    for (genes, most) in [(1, 1), (2, 1), (3, 1), (7, 3)] {
        for _ in 0..200 {
            let mut mask = [0];
            PowerLaw.draw(&PlainBits(genes), &mut mask, &mut [], &mut rng);
            assert!((1..=most).contains(&ones(&mask)));
        }
    }
}

#[test]
fn rates_move_by_steps_and_stay_in_range() {
    let (genes, mut rng) = (PlainBits(640), Stream::new(2, Purpose::Test, 0));
    let operator = SelfAdaptive { per_layer: true, begin: 1024 };
    let (mut mask, mut strategy) = (vec![0; 20], vec![7; operator.strategy_words(&genes)]);
    operator.begin(&genes, &mut strategy);
    assert_eq!(strategy, [1024]);
    let (mut flips, mut expected, mut seen) = (0, 0, std::collections::BTreeSet::new());
    for _ in 0..4_000 {
        let before = strategy[0];
        operator.draw(&genes, &mut mask, &mut strategy, &mut rng);
        assert!((16..=640 * 128).contains(&strategy[0]) && strategy[0] <= before * 3 / 2);
        flips += u64::from(ones(&mask)) * 256;
        expected += u64::from(strategy[0]);
        seen.insert(strategy[0]);
    }
    assert!(seen.len() > 10);
    assert!(flips > expected * 9 / 10 && flips < expected * 11 / 10, "{flips} for {expected}");
}
