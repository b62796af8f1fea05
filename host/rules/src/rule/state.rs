//! Where an evolution of a rule is, and its first generation.

use evobit::evolve::genetic::Genes;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::{GENOME_WORDS, RuleGenes};
use evobit_search::{Saved, words};
use serde::{Deserialize, Serialize};

use super::meta::{ChapterRow, MetaSettings};

/// Mutation rates, in flips a genome times 16: first, lowest, highest.
pub(super) const FLIPS: [u32; 3] = [20, 10, 48];
/// Flips of a mutant in the first generation, at most.
const FIRST_FLIPS: u32 = 3;

/// Where an evolution of a rule is: all that the rest of it depends on, beside settings and lives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// The best rule so far, and its fitness on the lives that choose; none before that was measured.
    #[serde(with = "words")]
    pub(super) genome: Vec<u32>,
    pub(super) best: Option<i64>,
    /// Chapters since it was found.
    pub(super) since: u32,
    /// Generations bred, those of this chapter, and how many of these brought progress.
    pub(super) generations: u32,
    pub(super) in_chapter: u32,
    pub(super) progress: u32,
    /// The chapter, and whether its individuals were scored on its lives.
    pub(super) chapter: u32,
    pub(super) is_scored: bool,
    /// Flips a genome, times 16.
    pub(super) flips: u32,
    pub(super) rows: Vec<ChapterRow>,
    /// The best rules of all chapters, one after the other.
    #[serde(with = "words")]
    pub(super) chapters: Vec<u32>,
    pub(super) population: Saved,
    /// What the best rule of the chapter before left of each batch: value and state of every weight in all lanes.
    pub(super) pool: Vec<Vec<i16>>,
}

impl RuleState {
    /// The start.
    pub(super) fn new(settings: &MetaSettings) -> Self {
        let mut rng = Stream::new(settings.seed, Purpose::Search, 0);
        let genomes = first(settings, &mut rng);
        let fitness = vec![0; settings.population as usize];
        let base = settings.from.to_vec();
        Self {
            genome: settings.from.to_vec(),
            best: None,
            since: 0,
            generations: 0,
            in_chapter: 0,
            progress: 0,
            chapter: 0,
            is_scored: false,
            flips: FLIPS[0],
            rows: vec![],
            chapters: vec![],
            population: Saved { genomes, fitness, base, number: 0, rng: rng.state() },
            pool: vec![],
        }
    }

    /// Reads what [`Searcher::state`](evobit_search::Searcher::state) wrote. None for bytes that are of no evolution of these settings.
    #[must_use]
    pub fn read(bytes: &[u8], settings: &MetaSettings) -> Option<Self> {
        let (state, []) = postcard::take_from_bytes::<Self>(bytes).ok()? else { return None };
        let Self { genome, chapters, population, flips, chapter, generations, .. } = &state;
        let individuals = settings.population as usize;
        let fits = genome.len() == GENOME_WORDS
            && chapters.len().is_multiple_of(GENOME_WORDS)
            && population.genomes.len() == individuals * GENOME_WORDS
            && population.fitness.len() == individuals
            && population.base.len() == GENOME_WORDS
            && Stream::from_state(population.rng).is_some()
            && (FLIPS[1]..=FLIPS[2]).contains(flips)
            && *chapter < u32::MAX
            && *generations <= settings.generations;
        fits.then_some(state)
    }

    /// Generations so far.
    #[must_use]
    pub fn generations(&self) -> u32 {
        self.generations
    }
}

/// The first generation: the genome to begin with, all that are a flip away from it in what concerns every weight alike, its rates and its
/// fatigue, and mutants.
fn first(settings: &MetaSettings, rng: &mut Stream) -> Vec<u32> {
    let mut genomes = settings.from.repeat(settings.population as usize);
    let genes = RuleGenes.count();
    for (index, genome) in (0..).zip(genomes.chunks_exact_mut(GENOME_WORDS)).skip(1) {
        let mut flip = |gene: u32| genome[(gene / 32) as usize] ^= 1 << (gene % 32);
        if index <= RuleGenes::COMMON {
            flip(genes - index);
        } else {
            (0..=rng.below(FIRST_FLIPS)).for_each(|_| flip(rng.below(genes)));
        }
    }
    genomes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64) -> MetaSettings {
        let from = RuleGenes::delta(3);
        MetaSettings { population: 16, generations: 4, chapter: 2, from, seed, ..MetaSettings::default() }
    }

    #[test]
    fn the_first_generation_tries_every_flip_that_concerns_all_weights() {
        let settings = settings(1);
        let genomes = first(&settings, &mut Stream::new(1, Purpose::Search, 0));
        let flips: Vec<Vec<u32>> = genomes
            .chunks_exact(GENOME_WORDS)
            .map(|genome| {
                let turned = |gene: &u32| {
                    (genome[*gene as usize / 32] ^ settings.from[*gene as usize / 32]) >> (gene % 32) & 1 == 1
                };
                (0..RuleGenes.count()).filter(turned).collect()
            })
            .collect();
        assert_eq!((flips.len(), flips[0].len()), (16, 0));
        let common: Vec<Vec<u32>> =
            (1..=RuleGenes::COMMON).map(|back| vec![RuleGenes.count() - back]).collect();
        assert_eq!(flips[1..=common.len()], common);
        assert!(flips[common.len() + 1..].iter().all(|flips| flips.len() <= FIRST_FLIPS as usize));
    }
}
