//! Individuals as a base image and lists of flips: a few bytes instead of a network, and a record of how it came to be.

use evobit::image::genome_checksum;
use evobit_link::{apply_flips, write_flips};
use serde::{Deserialize, Serialize};

use evobit_search::words;

/// The flips that turn `base` into `genome`, as [`evobit_link`] writes them.
#[must_use]
pub fn flips_between(base: &[u32], genome: &[u32]) -> Vec<u8> {
    let mut buffer = vec![0; 5 * count(base, genome) as usize];
    let (len, _) = write_flips(base, genome, 0, &mut buffer);
    buffer.truncate(len);
    buffer
}

/// `base` with `flips`; none where they are not flips of such a genome.
#[must_use]
pub fn with_flips(base: &[u32], flips: &[u8]) -> Option<Vec<u32>> {
    let mut genome = base.to_vec();
    apply_flips(flips, 0, &mut genome).ok().map(|_| genome)
}

/// What turns one genome into another, as it is sent: whichever is shorter. Flips take a byte or two each, so that where an eighth of the
/// bits differ the genome itself is no longer than they.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Flips, as [`evobit_link`] writes them.
    Flips(#[serde(with = "words::bytes")] Vec<u8>),
    /// The words of the genome.
    Whole(#[serde(with = "words")] Vec<u32>),
}

impl Change {
    /// What turns `base` into `genome`.
    #[must_use]
    pub fn between(base: &[u32], genome: &[u32]) -> Self {
        let flips = flips_between(base, genome);
        if flips.len() < size_of_val(genome) { Self::Flips(flips) } else { Self::Whole(genome.to_vec()) }
    }

    /// `base`, changed; none where flips are not flips of such a genome.
    #[must_use]
    pub fn of(&self, base: &[u32]) -> Option<Vec<u32>> {
        match self {
            Self::Flips(flips) => with_flips(base, flips),
            Self::Whole(genome) => Some(genome.clone()),
        }
    }
}

/// Bits in which two genomes differ.
#[must_use]
pub fn count(one: &[u32], other: &[u32]) -> u32 {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
}

/// Whom flips are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The island's own search.
    Search,
    /// Mating with what this island sent at the end of this epoch.
    Migrant {
        /// The island.
        from: u16,
        /// The epoch.
        epoch: u32,
    },
}

/// Flips that became part of a genome together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Sweeps, or epochs of generations, that the island had made then.
    pub sweep: u32,
    /// Whom they are from.
    pub cause: Cause,
    /// The flips.
    #[serde(with = "words::bytes")]
    pub flips: Vec<u8>,
}

/// A genome as the one it began with and all that changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestry {
    #[serde(with = "words")]
    base: Vec<u32>,
    steps: Vec<Step>,
}

impl Ancestry {
    /// A genome that nothing changed yet.
    #[must_use]
    pub fn new(base: Vec<u32>) -> Self {
        Self { base, steps: vec![] }
    }

    /// One of which all is known: the genome it began with, and what changed it, in order.
    #[must_use]
    pub fn of(base: Vec<u32>, steps: Vec<Step>) -> Self {
        Self { base, steps }
    }

    /// The genome it began with.
    #[must_use]
    pub fn base(&self) -> &[u32] {
        &self.base
    }

    /// What changed it, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Records that `before`, the genome so far, became `after`; nothing where they are equal.
    pub fn push(&mut self, sweep: u32, cause: Cause, before: &[u32], after: &[u32]) {
        if before != after {
            self.steps.push(Step { sweep, cause, flips: flips_between(before, after) });
        }
    }

    /// The genome; none where steps are not flips of it. It takes as long as there are flips.
    #[must_use]
    pub fn genome(&self) -> Option<Vec<u32>> {
        let mut genome = self.base.clone();
        for step in &self.steps {
            apply_flips(&step.flips, 0, &mut genome).ok()?;
        }
        Some(genome)
    }

    /// Forgets all steps after `sweep`.
    pub fn cut(&mut self, sweep: u32) {
        self.steps.retain(|step| step.sweep <= sweep);
    }

    /// Makes the genome after the first `steps` the base, so that what is left takes no longer than its own flips. False, and nothing
    /// changed, where these are not flips of it.
    pub fn rebase(&mut self, steps: usize) -> bool {
        let rest = self.steps.split_off(steps.min(self.steps.len()));
        let Some(base) = self.genome() else {
            self.steps.extend(rest);
            return false;
        };
        *self = Self { base, steps: rest };
        true
    }

    /// A checksum of the base, by which others know it.
    #[must_use]
    pub fn base_checksum(&self) -> u32 {
        genome_checksum(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::rng::{Draw, Purpose, Stream};

    #[test]
    fn a_long_ancestry_gives_the_genome_back_to_the_bit() {
        let mut rng = Stream::new(3, Purpose::Test, 0);
        let mut genome: Vec<u32> = (0..500).map(|_| rng.below(u32::MAX)).collect();
        let mut ancestry = Ancestry::new(genome.clone());
        for sweep in 0..3_000 {
            let before = genome.clone();
            for _ in 0..rng.below(40) {
                genome[rng.below(500) as usize] ^= 1 << rng.below(32);
            }
            let cause = if sweep % 3 == 0 { Cause::Migrant { from: 1, epoch: sweep } } else { Cause::Search };
            ancestry.push(sweep, cause, &before, &genome);
        }
        assert_eq!(ancestry.genome().as_ref(), Some(&genome));
        let bytes = postcard::to_stdvec(&ancestry).unwrap();
        assert_eq!(postcard::from_bytes::<Ancestry>(&bytes).unwrap(), ancestry);
        let (steps, base) = (ancestry.steps().len(), ancestry.base_checksum());
        assert!(ancestry.rebase(steps - 10));
        assert_eq!((ancestry.steps().len(), ancestry.genome().as_ref()), (10, Some(&genome)));
        assert_ne!(ancestry.base_checksum(), base);
        ancestry.cut(0);
        assert_eq!(ancestry.genome().as_deref(), Some(ancestry.base()));
    }

    #[test]
    fn a_change_is_never_longer_than_the_genome() {
        let base = vec![0u32; 40];
        for every in [1, 3, 7, 9, 30] {
            let mut genome = base.clone();
            (0..40 * 32).step_by(every).for_each(|bit| genome[bit / 32] |= 1 << (bit % 32));
            let change = Change::between(&base, &genome);
            assert_eq!(change.of(&base).as_ref(), Some(&genome));
            assert_eq!(matches!(change, Change::Whole(_)), every < 9, "{every}");
            assert!(postcard::to_stdvec(&change).unwrap().len() <= 40 * 4 + 3);
        }
    }

    #[test]
    fn flips_that_are_none_are_refused() {
        let base = [0; 4];
        let flips = flips_between(&base, &[1, 0, 0, 1 << 31]);
        assert_eq!(with_flips(&base, &flips), Some(vec![1, 0, 0, 1 << 31]));
        assert_eq!(with_flips(&base[..3], &flips), None);
        assert_eq!(with_flips(&base, &[0x80]), None);
    }
}
