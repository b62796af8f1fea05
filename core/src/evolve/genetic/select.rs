//! Who becomes a parent.
//!
//! A way to select is a type with [`Select`]. A parent is drawn as a *rank* among the individuals ordered by fitness, 0 the best. That makes a
//! tournament the lowest of a few random ranks: no fitness is looked up, and ties are already decided.

use super::Batch;
use crate::rng::Draw;
use rand_core::Rng;

/// A generation in its order.
#[derive(Clone, Copy, Debug)]
pub struct Ranked<'a> {
    pub(super) words: usize,
    pub(super) genomes: &'a [u32],
    pub(super) fitness: &'a [i64],
    pub(super) order: &'a [u32],
}

impl<'a> Ranked<'a> {
    /// Number of individuals.
    #[must_use]
    pub fn count(self) -> u32 {
        self.order.len() as u32
    }

    /// Their rows, by index: genomes, each with its strategy behind it.
    #[must_use]
    pub fn rows(self) -> Batch<'a> {
        Batch::of(self.genomes, self.words)
    }

    /// Their fitness, by index.
    #[must_use]
    pub fn fitness(self) -> &'a [i64] {
        self.fitness
    }

    /// Their indices, the best first.
    #[must_use]
    pub fn order(self) -> &'a [u32] {
        self.order
    }
}

/// How parents are selected.
pub trait Select {
    /// The rank of a parent, below the number of individuals, or 0 when there are none.
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32;

    /// Generation `number` was ranked, and parents will be picked from it. What an operator finds out here must follow from the
    /// two alone, for a search may go on from any generation. Nothing is done by default.
    fn ranked(&self, generation: Ranked<'_>, number: u32) {
        let _ = (generation, number);
    }

    /// True where the individual at `rank` moves on to the next generation unchanged; by default the best `elites` do. Where
    /// all would, the last makes room for a child.
    fn survives(&self, rank: u32, elites: u32) -> bool {
        rank < elites
    }

    /// The number of individuals it selects among, which must be at least 1 and at most the population; 1 where that cannot be wrong.
    fn among(&self) -> u32 {
        1
    }
}

/// Any of the best so many individuals, each equally likely (Mühlenbein and Schlierkamp-Voosen,
/// 1993). One draw a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Truncation(pub u32);

impl Select for Truncation {
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        rng.below(self.0.min(generation.count()))
    }

    fn among(&self) -> u32 {
        self.0
    }
}

/// The best of so many individuals drawn with replacement (Brindle, 1981; Goldberg and Deb,
/// 1991). As many draws a parent; no more than there are individuals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tournament(pub u32);

impl Select for Tournament {
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        let count = generation.count();
        (0..self.0.min(count)).map(|_| rng.below(count)).min().unwrap_or(0)
    }

    fn among(&self) -> u32 {
        self.0
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use proptest::prelude::*;

    fn pick(selection: &dyn Select, count: u32, rng: &mut Stream) -> u32 {
        let genomes = std::vec![0; count as usize];
        let fitness = std::vec![0; count as usize];
        let order: std::vec::Vec<u32> = (0..count).collect();
        selection.pick(Ranked { words: 1, genomes: &genomes, fitness: &fitness, order: &order }, rng)
    }

    proptest! {
        #[test]
        fn no_rank_is_out_of_range(size in 0u32..200, count in 0u32..100, seed: u64) {
            let mut rng = Stream::new(seed, Purpose::Test, 0);
            for _ in 0..50 {
                let truncated = pick(&Truncation(size), count, &mut rng);
                prop_assert!(truncated < size.min(count).max(1));
                prop_assert!(pick(&Tournament(size), count, &mut rng) < count.max(1));
            }
        }
    }

    #[test]
    fn a_larger_tournament_prefers_better_ranks() {
        let mut rng = Stream::new(5, Purpose::Test, 0);
        let mut total = |size| (0..10_000).map(|_| pick(&Tournament(size), 100, &mut rng)).sum::<u32>();
        // The lowest of n ranks out of 100 is near 100 / (n + 1).
        assert!((480_000..510_000).contains(&total(1)));
        assert!((320_000..345_000).contains(&total(2)));
        assert!((190_000..210_000).contains(&total(4)));
    }

    #[test]
    fn truncation_reaches_each_of_the_best() {
        let mut rng = Stream::new(5, Purpose::Test, 1);
        let mut seen = [0u32; 4];
        (0..4_000).for_each(|_| seen[pick(&Truncation(4), 100, &mut rng) as usize] += 1);
        assert!(seen.iter().all(|&count| (850..1_150).contains(&count)), "{seen:?}");
    }
}
