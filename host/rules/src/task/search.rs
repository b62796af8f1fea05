//! The search: the classical genetic algorithm over controllers.

use evobit::encode::Encoder;
use evobit::environment::{Controller, Episodes};
use evobit::evolve::genetic::{
    Batch, Configuration, Fitness, Flips, Generation, GeneticAlgorithm, Origin, Population, Tournament,
    Uniform,
};
use evobit::rng::{Purpose, Stream};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Part, Task, TaskError, World, network, starts};

/// What a search is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// The task.
    pub task: Task,
    /// Hidden neurons, 0 for no hidden layer.
    pub hidden: u16,
    /// Starts that fitness is earned from.
    pub starts: usize,
    /// Starts that choose between genomes.
    pub choosing: usize,
    /// Individuals.
    pub population: u32,
    /// Individuals that live on unchanged.
    pub elites: u32,
    /// Parents are the best of so many.
    pub tournament: u32,
    /// Bits that a mutation flips.
    pub flips: u32,
    /// Generations at most.
    pub generations: u32,
    /// Generations without a better genome by the starts that choose, after which another population begins.
    pub patience: u32,
    /// Seed of starts and search.
    pub seed: u64,
}

impl Config {
    /// The defaults of a task.
    #[must_use]
    pub const fn new(task: Task, seed: u64) -> Self {
        Self {
            task,
            hidden: task.hidden(),
            starts: 64,
            choosing: match task {
                // All of them are to be balanced: one in a thousand counts.
                Task::CartPole => 2000,
                Task::SwingUp | Task::Foraging => 200,
            },
            population: 60,
            elites: 2,
            tournament: 4,
            flips: 2,
            generations: 300,
            patience: 60,
            seed,
        }
    }
}

/// A generation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its number, from 0.
    pub generation: u32,
    /// What the best genome earns in the mean from the starts of fitness.
    pub best: f64,
    /// The mean of all genomes.
    pub mean: f64,
    /// What the best genome earns in the mean from the starts that choose.
    pub choosing: f64,
    /// Genomes scored so far.
    pub scored: u64,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The genome that earned most from the starts that choose.
    pub genome: Vec<u32>,
    /// All generations.
    pub rows: Vec<Row>,
}

/// Genomes of a batch on all threads; each is scored by itself, so their number does not matter.
struct Parallel<'a, E>(Episodes<'a, E, &'a [u32]>);

impl<E: World> Fitness for Parallel<'_, E> {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        let Self(episodes) = &*self;
        let words = genomes.as_words().par_chunks_exact(genomes.words());
        words.zip(fitness).for_each(|(genome, fitness)| *fitness = episodes.earned(genome));
    }
}

/// Searches for a controller; `watch` is shown every generation and says whether to go on.
///
/// A population that has found nothing better for a while makes way for another, until the best genome earns all there is from the starts that
/// choose or the generations are over.
///
/// # Errors
/// A configuration that makes no network or no genetic algorithm.
pub fn search<E: World>(config: &Config, mut watch: impl FnMut(&Row) -> bool) -> Result<Outcome, TaskError> {
    let (encoder, topology) = network::<E>(config.hidden)?;
    let controller = Controller::new::<E>(Encoder::new(&encoder[..])?, &topology)?;
    let [learn, choose] = [(Part::Learn, config.starts), (Part::Choose, config.choosing)]
        .map(|(part, count)| starts::<E>(config.seed, part, count));
    let mut fitness = Parallel(Episodes { controller, starts: &learn });
    let mut choice =
        Choice::<E> { config, controller, starts: &choose, last: Default::default(), highest: i64::MIN };
    let mut outcome = Outcome { genome: vec![], rows: vec![] };
    let (words, capacity) = (topology.genome_words(), config.population as usize);
    for start in 0.. {
        let mut genomes = vec![0; Population::genome_words(capacity, words)];
        let (mut scores, mut order) = (vec![0; 2 * capacity], vec![0; capacity]);
        let population = Population::new(words, &mut genomes, &mut scores, &mut order)?;
        let configuration = Configuration {
            population: config.population,
            elites: config.elites,
            rate_generations: 0,
            selection: &Tournament(config.tournament),
            mating: &Uniform,
            mutation: &Flips(config.flips),
        };
        let mut rng = Stream::new(config.seed, Purpose::Search, start);
        let origin = Origin::Random;
        let mut search =
            GeneticAlgorithm::start(configuration, topology, population, origin, &mut fitness, &mut rng)?;
        let (mut highest, mut since) = (i64::MIN, 0);
        while since < config.patience {
            if choice.look(search.best()) {
                outcome.genome = search.best().to_vec();
            }
            since = if choice.last.1 > highest { 0 } else { since + 1 };
            highest = highest.max(choice.last.1);
            let row = choice.row(&search.generation(), outcome.rows.last());
            outcome.rows.push(row);
            if !watch(&row) || choice.is_perfect() || row.generation >= config.generations {
                return Ok(outcome);
            }
            search.step(&mut fitness, &mut rng);
        }
    }
    Ok(outcome)
}

/// The starts that choose between genomes, and what came of them.
struct Choice<'a, E> {
    config: &'a Config,
    controller: Controller<'a, &'a [u32]>,
    starts: &'a [E],
    /// The genome that was looked at last and what it earned.
    last: (Vec<u32>, i64),
    highest: i64,
}

impl<E: World> Choice<'_, E> {
    /// Scores a genome; true where it earned more than all before it.
    fn look(&mut self, genome: &[u32]) -> bool {
        if self.last.0 != genome {
            let one = |start: &E| {
                Episodes { controller: self.controller, starts: std::slice::from_ref(start) }.earned(genome)
            };
            self.last = (genome.to_vec(), self.starts.par_iter().map(one).sum());
        }
        let better = self.last.1 > self.highest;
        self.highest = self.highest.max(self.last.1);
        better
    }

    fn is_perfect(&self) -> bool {
        self.highest >= i64::from(E::MOST) * self.config.choosing as i64
    }

    /// What a generation came to, the one after `before`.
    fn row(&self, generation: &Generation, before: Option<&Row>) -> Row {
        let each = |earned: i64, starts: usize| earned as f64 / starts.max(1) as f64;
        Row {
            generation: before.map_or(0, |row| row.generation + 1),
            best: each(generation.best, self.config.starts),
            mean: each(generation.mean, self.config.starts),
            choosing: each(self.last.1, self.config.choosing),
            scored: before.map_or(0, |row| row.scored) + u64::from(generation.scored),
        }
    }
}
