//! Training by the classical genetic algorithm: every mutant runs the whole network on all samples.

use evobit::evolve::genetic::{
    Batch, Configuration, Error, Fitness, GeneticAlgorithm, Mating, Mutation, Origin, Population, Selection,
    Snapshot,
};
use evobit::evolve::landscape::LandscapeError;
use evobit::network::Network;
use evobit::rng::{Purpose, Stream};

use super::start::random_genome;
use super::{Keeper, Outcome, Prepared, Search};
use crate::evaluate;
use crate::settings::{Config, MatingKind, Objective};

/// Scores genomes on the training part by an objective.
struct TrainingLoss<'a>(&'a Prepared, Objective);

impl Fitness for TrainingLoss<'_> {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        for (words, fitness) in genomes.iter().zip(fitness) {
            let network = Network::new(&self.0.topology, words);
            *fitness = network.map_or(i64::MIN, |network| match self.1 {
                Objective::Loss => -self.full(&network).loss,
                Objective::FirstError => {
                    evaluate::right_before_error(&network, &self.0.loss_table(), self.0.cold())
                }
            });
        }
    }
}

impl TrainingLoss<'_> {
    fn full(&self, network: &Network<'_, &[u32]>) -> evaluate::Score {
        evaluate::score(network, &self.0.loss_table(), self.0.cold())
    }
}

pub(super) fn run(
    prepared: &Prepared,
    config: &Config,
    from: Option<Search>,
    mut keeper: Keeper<'_>,
) -> Result<Outcome, LandscapeError> {
    let topology = &prepared.topology;
    let (words, capacity) = (topology.genome_words(), config.population as usize);
    let mut genomes = vec![0; Population::genome_words(capacity, words)];
    let (mut scores, mut order) = (vec![0; 2 * capacity], vec![0; capacity]);
    let configuration = Configuration {
        population: config.population,
        elites: config.elites,
        selection: Selection::Tournament(config.tournament),
        mating: match config.mating {
            MatingKind::None => Mating::None,
            MatingKind::Uniform => Mating::Uniform,
            MatingKind::Union => Mating::Union,
            MatingKind::Majority => Mating::MajorityOfThree,
        },
        mutation: Mutation::Flips(config.flips),
    };
    let refused = |_: Error| LandscapeError::Buffers;
    let population = Population::new(words, &mut genomes, &mut scores, &mut order).map_err(refused)?;
    let mut fitness = TrainingLoss(prepared, config.objective);
    let mut rng;
    let algorithm = if let Some(Search::Genetic { genomes, fitness, base, number, rng: state }) = &from {
        rng = Stream::from_state(*state).ok_or(LandscapeError::Buffers)?;
        let snapshot = Snapshot { genomes, fitness, base, number: *number };
        GeneticAlgorithm::resume(configuration, topology, population, snapshot)
    } else {
        rng = Stream::new(config.seed, Purpose::Search, 0);
        let start = random_genome(prepared, config);
        let origin = Origin::Mutants(&start);
        GeneticAlgorithm::start(configuration, topology, population, origin, &mut fitness, &mut rng)
    };
    let mut algorithm = algorithm.map_err(refused)?;
    let stop = loop {
        let generation = algorithm.step(&mut fitness, &mut rng);
        let stop = keeper.step(generation.scored.into(), generation.scored.into());
        let best = algorithm.best();
        let score = Network::new(topology, best)
            .map_or_else(|_| evaluate::Score::default(), |network| fitness.full(&network));
        let training = [score.loss, score.correct as i64, prepared.cold().len() as i64];
        let verdict = keeper.assess_genome(best, training, true);
        let state = || {
            let Snapshot { genomes, fitness, base, number } = algorithm.snapshot();
            let (genomes, fitness, base) = (genomes.to_vec(), fitness.to_vec(), base.to_vec());
            Search::Genetic { genomes, fitness, base, number, rng: rng.state() }
        };
        if let Some(stop) = keeper.settle(stop.or(verdict), state) {
            break stop;
        }
    };
    Ok(keeper.finish(stop, algorithm.best()))
}
