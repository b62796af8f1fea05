//! Bounded draws held against their definition, with a generator whose numbers the test chooses.

use core::convert::Infallible;
use evobit::rng::{Draw, Purpose, Stream};
use rand_core::TryRng;

/// Gives these numbers, one after the other, and counts them.
struct Script<'a> {
    numbers: &'a [u32],
    drawn: usize,
}

impl<'a> Script<'a> {
    fn new(numbers: &'a [u32]) -> Self {
        Self { numbers, drawn: 0 }
    }
}

impl TryRng for Script<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.drawn += 1;
        Ok(self.numbers[self.drawn - 1])
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

/// The largest 32-bit number is never rejected: a draw after a rejected one ends with it.
const TAKEN: u32 = u32::MAX;

/// What a draw below `bound` makes of the 32-bit number `number`; `None` where it rejects it and draws again.
fn below(bound: u32, number: u32) -> Option<u32> {
    let numbers = [number, TAKEN];
    let mut script = Script::new(&numbers);
    let drawn = script.below(bound);
    (script.drawn == 1).then_some(drawn)
}

/// Every result stands for as many 32-bit numbers as every other: the whole part of `2^32 / bound`. The numbers that could give `result` are
/// those from `result * 2^32 / bound` on, so all of them are tried.
#[test]
fn every_bounded_result_stands_for_equally_many_numbers() {
    const ALL: u64 = 1 << 32;
    for bound in
        [3 << 30, (3 << 30) + 1, (1 << 31) + 1, 1 << 31, u32::MAX, u32::MAX - 1, 1_000_000_007, 65_537]
    {
        let wide = u64::from(bound);
        let results = [0, 1, 2, 3, 1000, bound / 3, bound / 2, bound - 4, bound - 3, bound - 2, bound - 1];
        for result in results {
            let from = (u64::from(result) * ALL).div_ceil(wide).saturating_sub(2);
            let to = ((u64::from(result) + 1) * ALL).div_ceil(wide).saturating_add(2).min(ALL);
            let standing = (from..to).filter(|&number| below(bound, number as u32) == Some(result)).count();
            assert_eq!(standing as u64, ALL / wide, "{result} below {bound}");
        }
    }
}

#[test]
fn bounds_without_a_choice_draw_nothing() {
    for bound in [0, 1] {
        let mut script = Script::new(&[]);
        assert_eq!((script.below(bound), script.drawn), (0, 0));
    }
    // Below 2 there is a choice: the upper half of all numbers.
    assert_eq!([below(2, (1 << 31) - 1), below(2, 1 << 31)], [Some(0), Some(1)]);
}

#[test]
fn a_chance_is_a_share_of_all_numbers() {
    let chance = |share, number| Script::new(&[number]).chance(share);
    for share in [0, 1, 2, 1 << 31, u32::MAX - 1] {
        assert!(!chance(share, share), "{share}");
        assert!(share == 0 || chance(share, share - 1), "{share}");
    }
    assert!(chance(u32::MAX, u32::MAX));
}

/// All 24 orders of four items come up alike: 1,000 times each, give or take 6 standard deviations.
#[test]
fn a_shuffle_gives_every_order_alike() {
    let mut stream = Stream::new(3, Purpose::Test, 0);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let mut items = [0, 1, 2, 3];
        stream.shuffle(&mut items);
        *counts.entry(items).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    assert!(counts.values().all(|count| (810..=1190).contains(count)), "{counts:?}");
}

/// A stream's numbers are those of its generator, in every width.
#[test]
fn a_stream_gives_its_generators_numbers() {
    let (mut words, mut wide, mut bytes) = (
        Stream::new(5, Purpose::Test, 1),
        Stream::new(5, Purpose::Test, 1),
        Stream::new(5, Purpose::Test, 1),
    );
    let mut filled = [0; 16];
    rand_core::Rng::fill_bytes(&mut bytes, &mut filled);
    for quarter in filled.as_chunks::<8>().0 {
        let (low, high) = (rand_core::Rng::next_u32(&mut words), rand_core::Rng::next_u32(&mut words));
        assert_eq!(rand_core::Rng::next_u64(&mut wide), u64::from(high) << 32 | u64::from(low));
        assert_eq!(u64::from_le_bytes(*quarter), u64::from(high) << 32 | u64::from(low));
    }
}
