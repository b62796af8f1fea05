//! Training by the classical genetic algorithm: every mutant runs the whole network on samples.

use evobit::evolve::genetic::{
    Configuration, Error, Genes, GeneticAlgorithm, Mate, Mutate, Origin, Population, Select, Snapshot,
};
use evobit::evolve::landscape::LandscapeError;
use evobit::network::Network;
use evobit::rng::{Purpose, Stream};

use super::objective::Objective;
use super::operators::{self, MATINGS, MUTATIONS, SELECTIONS};
use super::random_genome;
use super::{Keeper, Outcome, Prepared, Search, TrainError};
use crate::settings::Config;
use evobit_model::evaluate;

/// The operators that a configuration names.
pub(super) struct Operators<'a> {
    selection: Box<dyn Select + 'a>,
    mating: Box<dyn Mate>,
    mutation: Box<dyn Mutate>,
}

impl<'a> Operators<'a> {
    /// None where one is not known.
    pub(super) fn new(prepared: &'a Prepared, config: &Config) -> Option<Self> {
        Some(Self {
            selection: operators::find(SELECTIONS, &config.selection)?(config, prepared),
            mating: operators::find(MATINGS, &config.mating)?(),
            mutation: operators::find(MUTATIONS, &config.mutation)?(config, &prepared.topology),
        })
    }

    pub(super) fn configuration(&self, config: &Config) -> Configuration<'_> {
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
pub(super) fn row_words(prepared: &Prepared, config: &Config) -> usize {
    let strategy = Operators::new(prepared, config)
        .map_or(0, |operators| operators.mutation.strategy_words(&prepared.topology));
    prepared.topology.genome_words() + strategy
}

/// What a population stands in.
pub(super) struct Storage {
    words: usize,
    genomes: Vec<u32>,
    fitness: Vec<i64>,
    order: Vec<u32>,
}

impl Storage {
    pub(super) fn new(capacity: usize, words: usize) -> Self {
        let genomes = vec![0; Population::genome_words(capacity, words)];
        Self { words, genomes, fitness: vec![0; 2 * capacity], order: vec![0; capacity] }
    }

    pub(super) fn population(&mut self) -> Result<Population<'_>, Error> {
        Population::new(self.words, &mut self.genomes, &mut self.fitness, &mut self.order)
    }
}

/// A genetic algorithm where `from` is, or at its start, and its stream.
pub(super) fn begin<'a>(
    prepared: &'a Prepared,
    config: &Config,
    from: Option<&Search>,
    population: Population<'a>,
    configuration: Configuration<'a>,
    (fitness, index): (&mut Objective<'_>, u32),
) -> Result<(GeneticAlgorithm<'a, &'a evobit::topology::Topology>, Stream), LandscapeError> {
    let topology = &prepared.topology;
    let refused = |_: Error| LandscapeError::Buffers;
    if let Some(Search::Genetic { genomes, fitness, base, number, rng }) = from {
        let rng = Stream::from_state(*rng).ok_or(LandscapeError::Buffers)?;
        let snapshot = Snapshot { genomes, fitness, base, number: *number };
        let algorithm = GeneticAlgorithm::resume(configuration, topology, population, snapshot);
        return Ok((algorithm.map_err(refused)?, rng));
    }
    let mut rng = Stream::new(config.seed, Purpose::Search, index);
    let start = random_genome(prepared, config);
    let origin = Origin::Mutants(&start);
    let algorithm = GeneticAlgorithm::start(configuration, topology, population, origin, fitness, &mut rng);
    Ok((algorithm.map_err(refused)?, rng))
}

/// Where an algorithm is.
pub(super) fn state<G: Genes>(algorithm: &GeneticAlgorithm<'_, G>, rng: &Stream) -> Search {
    let Snapshot { genomes, fitness, base, number } = algorithm.snapshot();
    let (genomes, fitness, base) = (genomes.to_vec(), fitness.to_vec(), base.to_vec());
    Search::Genetic { genomes, fitness, base, number, rng: rng.state() }
}

/// Loss, right samples and samples of a genome on all it learns from.
pub(super) fn training(prepared: &Prepared, genome: &[u32]) -> [i64; 3] {
    let samples = prepared.cold();
    let score = Network::new(&prepared.topology, genome).map_or_else(
        |_| evaluate::Score::default(),
        |network| evaluate::score(&network, &prepared.loss_table(), samples),
    );
    [score.loss, score.correct as i64, samples.len() as i64]
}

pub(super) fn run(
    prepared: &Prepared,
    config: &Config,
    from: Option<Search>,
    mut keeper: Keeper<'_>,
) -> Result<Outcome, TrainError> {
    let operators = Operators::new(prepared, config).ok_or(LandscapeError::Buffers)?;
    let mut storage = Storage::new(config.population as usize, row_words(prepared, config));
    let population = storage.population().map_err(|_| LandscapeError::Buffers)?;
    let mut fitness = Objective::new(prepared, config).on_gpu(&prepared.accelerator, config)?;
    let configuration = operators.configuration(config);
    let (mut algorithm, mut rng) =
        begin(prepared, config, from.as_ref(), population, configuration, (&mut fitness, 0))?;
    let stop = loop {
        let generation = algorithm.step(&mut fitness, &mut rng);
        prepared.accelerator.check()?;
        let stop = keeper.step(generation.scored.into(), generation.scored.into());
        let best = algorithm.best();
        let verdict = keeper.assess_genome(best, training(prepared, best), true);
        if let Some(stop) = keeper.settle(stop.or(verdict), || state(&algorithm, &rng)) {
            break stop;
        }
    };
    Ok(keeper.finish(stop, algorithm.best()))
}
