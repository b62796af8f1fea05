//! Seeded random streams: the same numbers on every machine.
//!
//! All randomness comes from xoshiro128++ (Blackman and Vigna, 2018). A run has one seed; every
//! purpose (splitting data, starting weights, the search, ...) and every island draws from a stream
//! of its own, so that adding draws in one place changes nothing elsewhere. Bounded draws are made
//! from `u32`, never `usize`, so that 32-bit boards and 64-bit hosts agree.

use rand_core::{Rng, SeedableRng, TryRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// What a stream of random numbers is for. The numbers are part of the reproducibility promise:
/// never renumber them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Purpose {
    /// Splitting samples into training, validation and test parts.
    Split = 1,
    /// The random genome a search starts from.
    Start = 2,
    /// The search itself.
    Search = 3,
    /// Choosing and changing training samples.
    Samples = 4,
    /// Tests and benchmarks.
    Test = 5,
    /// Who sends migrants to whom.
    Migration = 6,
}

/// A xoshiro128++ generator that belongs to one seed, purpose and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Xoshiro128PlusPlus);

impl Stream {
    /// The stream of `seed` for `purpose`; `index` separates islands, members, epochs.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, index: u32) -> Self {
        let label = (u64::from(index) << 32) | purpose as u64;
        Self(Xoshiro128PlusPlus::seed_from_u64(mix(seed) ^ mix(label ^ 0x6576_6f62_6974_2121)))
    }

    /// Where the stream is: the generator's four words, little-endian.
    #[must_use]
    pub fn state(&self) -> [u8; 16] {
        self.0.state()
    }

    /// The stream that goes on from a [`state`](Self::state). `None` for zeros, a state that no stream comes to.
    #[must_use]
    pub fn from_state(state: [u8; 16]) -> Option<Self> {
        (state != [0; 16]).then(|| Self(Xoshiro128PlusPlus::from_seed(state)))
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): spreads nearby inputs over all of `u64`.
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl TryRng for Stream {
    type Error = core::convert::Infallible;

    #[cfg_attr(not(feature = "full"), inline(never))]
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Self::Error> {
        self.0.try_fill_bytes(dest)
    }
}

/// Draws that evolution needs, over any generator of `rand_core`.
pub trait Draw: Rng {
    /// A number in `0..bound`, each equally likely (Lemire, 2019); 0 when `bound` is 0 or 1.
    fn below(&mut self, bound: u32) -> u32 {
        if bound < 2 {
            return 0;
        }
        let reject_under = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= reject_under {
                return (product >> 32) as u32;
            }
        }
    }

    /// True with probability `share / 2^32`; `u32::MAX` stands for certainty.
    fn chance(&mut self, share: u32) -> bool {
        let draw = self.next_u32();
        share == u32::MAX || draw < share
    }

    /// Puts `items` in random order (Fisher and Yates). Only the first `u32::MAX` items move.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        let mut end = u32::try_from(items.len()).unwrap_or(u32::MAX);
        while end > 1 {
            let chosen = self.below(end) as usize;
            end -= 1;
            items.swap(chosen, end as usize);
        }
    }
}

impl<R: Rng + ?Sized> Draw for R {}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    #[test]
    fn streams_give_the_known_answers() {
        let mut search = Stream::new(1, Purpose::Search, 0);
        let drawn = [search.next_u32(), search.next_u32(), search.below(10), search.below(1000)];
        assert_eq!(drawn, KNOWN_ANSWERS);
    }

    const KNOWN_ANSWERS: [u32; 4] = [4_233_784_348, 3_000_521_513, 5, 834];

    #[test]
    fn a_stream_goes_on_from_its_state() {
        let mut stream = Stream::new(1, Purpose::Search, 0);
        stream.next_u64();
        let mut other = Stream::from_state(stream.state()).unwrap();
        assert_eq!((stream.next_u64(), stream.below(9)), (other.next_u64(), other.below(9)));
        assert_eq!(Stream::from_state([0; 16]), None);
    }

    #[test]
    fn purposes_and_indices_are_separate_streams() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).next_u64();
        let draws = [
            first(1, Purpose::Search, 0),
            first(1, Purpose::Search, 1),
            first(1, Purpose::Start, 0),
            first(2, Purpose::Search, 0),
        ];
        for (i, a) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn bounded_draws_are_in_range_and_even() {
        let mut stream = Stream::new(7, Purpose::Test, 0);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[stream.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (9_500..10_500).contains(&count)), "{seen:?}");
        assert_eq!(stream.below(0), 0);
    }

    #[test]
    fn chances_are_kept_at_both_ends() {
        let mut stream = Stream::new(7, Purpose::Test, 2);
        let mut hits = |share| (0..10_000).filter(|_| stream.chance(share)).count();
        assert_eq!((hits(0), hits(u32::MAX)), (0, 10_000));
        assert!((2_300..2_700).contains(&hits(1 << 30)));
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut stream = Stream::new(7, Purpose::Test, 1);
        let mut items = [0u8, 1, 2, 3, 4, 5, 6, 7];
        stream.shuffle(&mut items);
        let mut sorted = items;
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_ne!(items, sorted);
    }
}
