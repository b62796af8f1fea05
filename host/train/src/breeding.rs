//! The operators that a configuration names, made for a run.

use evobit::evolve::genetic::{Configuration, Mate, Mutate, Select};

use super::operators::{Judged, MATINGS, MUTATIONS, Parameters, SELECTIONS, find};
use crate::settings::TrainConfig;

impl From<&TrainConfig> for Parameters {
    fn from(config: &TrainConfig) -> Self {
        let &TrainConfig { population, tournament, flips, seed, .. } = config;
        Self { population, tournament, flips, seed }
    }
}

/// The operators that a configuration names.
pub(crate) struct Operators<'a> {
    selection: Box<dyn Select + 'a>,
    mating: Box<dyn Mate>,
    mutation: Box<dyn Mutate>,
}

impl<'a> Operators<'a> {
    /// None where one is not known.
    pub(crate) fn new(judged: Judged<'a>, config: &TrainConfig) -> Option<Self> {
        let parameters = &Parameters::from(config);
        Some(Self {
            selection: find(SELECTIONS, &config.selection)?(parameters, judged),
            mating: find(MATINGS, &config.mating)?(),
            mutation: find(MUTATIONS, &config.mutation)?(parameters, judged.topology),
        })
    }

    pub(crate) fn configuration(&self, config: &TrainConfig) -> Configuration<'_> {
        Configuration {
            population: config.population,
            elites: config.elites,
            rate_generations: config.rate_generations,
            selection: &*self.selection,
            mating: &*self.mating,
            mutation: &*self.mutation,
        }
    }
}

/// Words of an individual: its genome and the rates it carries.
pub(crate) fn row_words(judged: Judged<'_>, config: &TrainConfig) -> usize {
    let strategy = Operators::new(judged, config)
        .map_or(0, |operators| operators.mutation.strategy_words(judged.topology));
    judged.topology.genome_words() + strategy
}
