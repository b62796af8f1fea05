//! The evolution of a rule.
//!
//! A generation is scored by lives that no other chapter sees: after every so many generations a new *chapter* begins, all
//! individuals are scored anew on new lives, and the chapter's best is tried on lives of samples kept for that. The rule
//! that is best there, the one it began with included, is the result. The rate of mutation rises while chapters bring progress and falls while they do not.

use evobit::evolve::genetic::{Batch as Genomes, Error, Fitness};
use evobit::rule::{EvolvedRule, GENOME_WORDS, LocalRule, RuleNeeds, SourceSums};
use evobit_search::{Interrupt, Line, Pace, Session, Watch, drive};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use super::search::RuleSearch;
pub use super::state::RuleState;
use super::{Batch, LANES, Marks, Room, live};

/// Fitness that a coefficient costs: of two rules that are nearly as good the cheaper one wins.
const TERM: i64 = 24;
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
    /// Whether plastic networks live on: half of the lanes of a chapter start with the weights that the best rule of the chapter
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

impl Line for ChapterRow {
    const COLUMNS: &'static str = "generation,best,mean,validation,validation_accuracy,flips,terms";

    fn line(&self) -> String {
        let Self { generation, best, mean, accuracy, validation, flips, terms } = *self;
        let flips = f64::from(flips) / 16.0;
        format!("{generation},{best},{mean},{validation},{accuracy:.6},{flips:.2},{terms}")
    }
}

/// The rule that evolution found.
#[derive(Clone, Debug)]
pub struct MetaOutcome {
    /// The genome of the best rule.
    pub genome: [u32; GENOME_WORDS],
    /// Generations bred.
    pub generations: u32,
    /// All chapters.
    pub rows: Vec<ChapterRow>,
    /// The best rule of each chapter.
    pub chapters: Vec<[u32; GENOME_WORDS]>,
}

/// Scores rules by their lives, until it is interrupted.
pub(super) struct Lives<'a>(pub(super) &'a [Batch], pub(super) &'a Interrupt);

impl Fitness for Lives<'_> {
    fn score(&mut self, genomes: Genomes<'_>, fitness: &mut [i64]) {
        let words: Vec<&[u32]> = genomes.iter().collect();
        words.par_iter().zip(fitness.par_iter_mut()).for_each_init(
            || Room::heeding(self.1),
            |room, (genome, fitness)| {
                *fitness = match EvolvedRule::new(genome) {
                    Ok(rule) if self.0.iter().all(|batch| batch.gives(needs(&rule))) => {
                        assess(&rule, self.0, room).0
                    }
                    _ => i64::MIN,
                };
            },
        );
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
/// chapter. Random draws come from the seed alone, and nothing depends on
/// the number of threads.
///
/// # Errors
/// Settings that make no population, or what `lives` returns.
pub fn evolve<E: From<Error>>(
    settings: &MetaSettings,
    lives: impl FnMut(u32) -> Result<Vec<Batch>, E>,
    validation: &[Batch],
    watch: &mut dyn Watch<ChapterRow>,
) -> Result<MetaOutcome, E> {
    let mut session = Session::default();
    let pace = Pace::new(&session);
    let mut search = RuleSearch::new(settings, lives, validation);
    drive(&mut search, &pace, &mut session, watch)?;
    Ok(search.outcome())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tasks::BooleanTask;
    use evobit::rule::{Plasticity, RuleGenes};
    use evobit_search::Silent;

    fn settings(seed: u64) -> MetaSettings {
        let from = RuleGenes::delta(3);
        MetaSettings { population: 16, generations: 2, chapter: 1, from, seed, ..MetaSettings::default() }
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
                &mut Silent,
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
