//! Who becomes a parent.
//!
//! A parent is drawn as a *rank* among the individuals ordered by fitness, 0 the best. That makes a
//! tournament the lowest of a few random ranks: no fitness is looked up, and ties are already decided.

use crate::rng::Draw;
use rand_core::Rng;

/// How parents are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Any of the best so many individuals, each equally likely (Mühlenbein and Schlierkamp-Voosen,
    /// 1993). One draw a parent.
    Truncation(u32),
    /// The best of so many individuals drawn with replacement (Brindle, 1981; Goldberg and Deb,
    /// 1991). As many draws a parent.
    Tournament(u32),
}

impl Selection {
    /// The rank of a parent among `count` individuals: below `count`, or 0 when there are none.
    ///
    /// A truncation to more than `count` takes all of them, and a tournament needs no more than
    /// `count` rounds; of size 0 either takes the best.
    pub fn pick<R: Rng + ?Sized>(self, count: u32, rng: &mut R) -> u32 {
        match self {
            Self::Truncation(best) => rng.below(best.min(count)),
            Self::Tournament(size) => (0..size.min(count)).map(|_| rng.below(count)).min().unwrap_or(0),
        }
    }

    /// The number of individuals it selects among.
    pub(super) fn size(self) -> u32 {
        match self {
            Self::Truncation(size) | Self::Tournament(size) => size,
        }
    }
}

#[cfg(all(test, not(feature = "small")))]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_rank_is_out_of_range(size in 0u32..200, count in 0u32..100, seed: u64) {
            let mut rng = Stream::new(seed, Purpose::Test, 0);
            for _ in 0..50 {
                let truncated = Selection::Truncation(size).pick(count, &mut rng);
                prop_assert!(truncated < size.min(count).max(1));
                prop_assert!(Selection::Tournament(size).pick(count, &mut rng) < count.max(1));
            }
        }
    }

    #[test]
    fn a_larger_tournament_prefers_better_ranks() {
        let mut rng = Stream::new(5, Purpose::Test, 0);
        let mut total =
            |size| (0..10_000).map(|_| Selection::Tournament(size).pick(100, &mut rng)).sum::<u32>();
        // The lowest of n ranks out of 100 is near 100 / (n + 1).
        assert!((480_000..510_000).contains(&total(1)));
        assert!((320_000..345_000).contains(&total(2)));
        assert!((190_000..210_000).contains(&total(4)));
    }

    #[test]
    fn truncation_reaches_each_of_the_best() {
        let mut rng = Stream::new(5, Purpose::Test, 1);
        let mut seen = [0u32; 4];
        (0..4_000).for_each(|_| seen[Selection::Truncation(4).pick(100, &mut rng) as usize] += 1);
        assert!(seen.iter().all(|&count| (850..1_150).contains(&count)), "{seen:?}");
    }
}
