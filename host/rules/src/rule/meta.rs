//! The evolution of a rule.
//!
//! A generation is scored by lives that no other chapter sees: after every so many generations a new *chapter* begins, all
//! individuals are scored anew on new lives, and the chapter's best is tried on lives of samples kept for that. The rule
//! that is best there, the one it began with included, is the result. The rate of mutation rises while chapters bring progress and falls while they do not.

use evobit::evolve::genetic::{
    Batch as Genomes, Configuration, Error, Fitness, Genes, GeneticAlgorithm, Population, Rate, Snapshot,
    Tournament, Uniform,
};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::{EvolvedRule, GENOME_WORDS, LocalRule, RuleGenes, RuleNeeds, SourceSums, Weight};
use rayon::prelude::*;

use super::{Batch, LANES, Marks, Room, live};

/// Fitness that a coefficient costs: of two rules that are nearly as good the cheaper one wins.
const TERM: i64 = 24;
/// Mutation rates, in flips a genome times 16: first, lowest, highest.
const FLIPS: [u32; 3] = [20, 10, 48];

/// Flips of a mutant in the first generation, at most.
const FIRST_FLIPS: u32 = 3;

/// How to evolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaSettings {
    /// Individuals.
    pub population: u32,
    /// Generations at most.
    pub generations: u32,
    /// Generations that share their lives.
    pub chapter: u32,
    /// Chapters without a better result after which evolution stops.
    pub patience: u32,
    /// Whether task networks live on: half of the lanes of a chapter start with the weights that the best rule of the chapter
    /// before left.
    pub pool: bool,
    /// The genome that the first generation are mutants of; zeros for a rule that changes nothing.
    pub from: [u32; GENOME_WORDS],
    /// Seed of the search.
    pub seed: u64,
}

impl Default for MetaSettings {
    fn default() -> Self {
        Self {
            population: 48,
            generations: 60,
            chapter: 10,
            patience: 4,
            pool: false,
            from: [0; GENOME_WORDS],
            seed: 1,
        }
    }
}

/// A chapter's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChapterRow {
    /// Generations so far.
    pub generation: u32,
    /// Fitness of the best on the chapter's lives.
    pub best: i64,
    /// Mean fitness of the generation.
    pub mean: i64,
    /// Share of right answers of the best on the lives that choose.
    pub accuracy: f64,
    /// Its fitness there.
    pub validation: i64,
    /// Flips a genome, times 16.
    pub flips: u32,
    /// Its coefficients.
    pub terms: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct MetaOutcome {
    /// The genome of the best rule.
    pub genome: [u32; GENOME_WORDS],
    /// Generations bred.
    pub generations: u32,
    /// All chapters.
    pub rows: Vec<ChapterRow>,
}

/// Scores rules by their lives.
struct Lives<'a>(&'a [Batch]);

impl Fitness for Lives<'_> {
    fn score(&mut self, genomes: Genomes<'_>, fitness: &mut [i64]) {
        let words: Vec<&[u32]> = genomes.iter().collect();
        words.par_iter().zip(fitness.par_iter_mut()).for_each_init(Room::new, |room, (genome, fitness)| {
            *fitness = match EvolvedRule::new(genome) {
                Ok(rule) if self.0.iter().all(|batch| batch.gives(needs(&rule))) => {
                    assess(&rule, self.0, room).0
                }
                _ => i64::MIN,
            };
        });
    }
}

/// What a rule must be given.
fn needs(rule: &EvolvedRule) -> RuleNeeds {
    LocalRule::<LANES>::needs(rule)
}

/// Fitness and share of right answers of an evolved rule; its coefficients cost a little.
pub fn assess(rule: &EvolvedRule, batches: &[Batch], room: &mut Room<SourceSums<LANES>>) -> (i64, f64) {
    let (fitness, accuracy) = lives(rule, batches, room);
    (fitness - TERM * rule.terms() as i64, accuracy)
}

/// Fitness and share of right answers of any rule.
pub fn lives<R>(rule: &R, batches: &[Batch], room: &mut Room<R::Source>) -> (i64, f64)
where
    R: LocalRule<LANES>,
    R::Source: Default,
{
    let marks: Vec<Marks> =
        batches.iter().flat_map(|batch| live(rule, batch, room).unwrap_or_default()).collect();
    let weight: i64 = marks.iter().map(|marks| marks.weight.abs()).sum::<i64>().max(1);
    let fitness = marks.iter().map(|marks| marks.fitness() * marks.weight).sum::<i64>() / weight;
    let accuracy =
        marks.iter().map(|marks| marks.accuracy() * marks.weight as f64).sum::<f64>() / weight as f64;
    (fitness, accuracy)
}

/// Evolves a rule for the lives that `lives` makes for each chapter, and chooses by `validation`; `watch` sees every
/// chapter and may stop the search by returning false. Random draws come from the seed alone, and nothing depends on
/// the number of threads.
///
/// # Errors
/// Settings that make no population, or what `lives` returns.
pub fn evolve<E: From<Error>>(
    settings: &MetaSettings,
    mut lives: impl FnMut(u32) -> Result<Vec<Batch>, E>,
    validation: &[Batch],
    mut watch: impl FnMut(&ChapterRow, &EvolvedRule) -> bool,
) -> Result<MetaOutcome, E> {
    let capacity = settings.population as usize;
    let mut rng = Stream::new(settings.seed, Purpose::Search, 0);
    let mut flips = FLIPS[0];
    let (mut genomes, mut base, mut number) = (first(settings, &mut rng), settings.from.to_vec(), 0);
    let mut outcome = MetaOutcome { genome: settings.from, generations: 0, rows: vec![] };
    let mut room = Room::new();
    // What it begins with is given up only for something better.
    let from = EvolvedRule::new(&settings.from).unwrap_or_default();
    let (mut best, mut since) = (assess(&from, validation, &mut room).0, 0);
    let mut pool: Vec<Vec<Weight<LANES>>> = vec![];
    for chapter in 0.. {
        let mut batches = lives(chapter)?;
        batches.iter_mut().zip(&pool).for_each(|(batch, old)| live_on(batch, old));
        let mut fitness = Lives(&batches);
        let mut buffers = Storage::new(capacity);
        let population = buffers.population()?;
        let configuration = Configuration {
            population: settings.population,
            elites: (settings.population / 12).max(1),
            rate_generations: 0,
            selection: &Tournament(3.min(settings.population)),
            mating: &Uniform,
            mutation: &rate(flips),
        };
        let mut scores = vec![0; capacity];
        fitness.score(Genomes::new(&genomes, GENOME_WORDS).ok_or(Error::SnapshotWords)?, &mut scores);
        let from = Snapshot { genomes: &genomes, fitness: &scores, base: &base, number };
        let mut algorithm = GeneticAlgorithm::resume(configuration, RuleGenes, population, from)?;
        let mut progress = 0;
        let left = settings.generations.saturating_sub(outcome.generations);
        for _ in 0..settings.chapter.min(left) {
            let before = algorithm.generation().best;
            let after = algorithm.step(&mut fitness, &mut rng).best;
            progress += u32::from(after > before);
            outcome.generations += 1;
        }
        // Rechenberg's rule of one fifth (1973), on generations instead of mutants.
        let faster = progress * 5 >= settings.chapter;
        flips = (if faster { flips * 5 / 4 } else { flips * 4 / 5 }).clamp(FLIPS[1], FLIPS[2]);
        let genome = algorithm.best().to_vec();
        let rule = EvolvedRule::new(&genome).unwrap_or_default();
        let (fit, accuracy) = assess(&rule, validation, &mut room);
        let generation = algorithm.generation();
        let row = ChapterRow {
            generation: outcome.generations,
            best: generation.best,
            mean: generation.mean,
            accuracy,
            validation: fit,
            flips,
            terms: rule.terms(),
        };
        outcome.rows.push(row);
        since += 1;
        if fit > best {
            (best, since) = (fit, 0);
            outcome.genome.copy_from_slice(&genome);
        }
        if settings.pool {
            pool = batches.iter().map(|batch| lived(&rule, batch, &mut room)).collect();
        }
        let from = algorithm.snapshot();
        (genomes, base, number) = (from.genomes.to_vec(), from.base.to_vec(), from.number);
        if !watch(&row, &rule) || since >= settings.patience || outcome.generations >= settings.generations {
            break;
        }
    }
    Ok(outcome)
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

/// The weights that a batch ends with.
fn lived(rule: &EvolvedRule, batch: &Batch, room: &mut Room<SourceSums<LANES>>) -> Vec<Weight<LANES>> {
    live(rule, batch, room).map_or_else(|_| vec![], |_| room.weights().to_vec())
}

/// Lets every other lane of a batch start with `old` weights, where these are of its shape.
fn live_on(batch: &mut Batch, old: &[Weight<LANES>]) {
    if batch.start.len() == old.len() {
        for (new, old) in batch.start.iter_mut().zip(old) {
            for lane in (0..LANES).step_by(2) {
                new.value.0[lane] = old.value.0[lane];
                new.state.0[lane] = old.state.0[lane];
            }
        }
    }
}

/// So many flips a genome, in sixteenths, over its genes.
fn rate(flips: u32) -> Rate {
    let genes = u64::from(RuleGenes.count());
    let rate = (u64::from(flips) << 28) / genes;
    Rate::new(rate.min(u64::from(u32::MAX)) as u32)
}

/// What a population stands in.
struct Storage {
    genomes: Vec<u32>,
    fitness: Vec<i64>,
    order: Vec<u32>,
}

impl Storage {
    fn new(capacity: usize) -> Self {
        Self {
            genomes: vec![0; Population::genome_words(capacity, GENOME_WORDS)],
            fitness: vec![0; 2 * capacity],
            order: vec![0; capacity],
        }
    }

    fn population(&mut self) -> Result<Population<'_>, Error> {
        Population::new(GENOME_WORDS, &mut self.genomes, &mut self.fitness, &mut self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tasks::BooleanTask;
    use evobit::rule::Plasticity;

    fn settings(seed: u64) -> MetaSettings {
        let from = RuleGenes::delta(3);
        MetaSettings { population: 16, generations: 2, chapter: 1, from, seed, ..MetaSettings::default() }
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

    #[test]
    fn what_it_begins_with_is_given_up_only_for_something_better() {
        let task =
            BooleanTask { inputs: 2, functions: &[6, 14], passes: 4, plasticity: Plasticity::default() };
        for seed in 0..4 {
            let settings = settings(seed);
            let batch = |index| task.batch(&[6], seed, index);
            let validation = [batch(100).unwrap()];
            let outcome = evolve::<Error>(
                &settings,
                |chapter| Ok(vec![batch(chapter).unwrap()]),
                &validation,
                |_, _| true,
            )
            .unwrap();
            let fitness =
                |genome: &[u32]| assess(&EvolvedRule::new(genome).unwrap(), &validation, &mut Room::new()).0;
            assert!(fitness(&outcome.genome) >= fitness(&settings.from));
            let best = outcome.rows.iter().map(|row| row.validation).max().unwrap();
            assert_eq!(fitness(&outcome.genome), best.max(fitness(&settings.from)));
        }
    }
}
