//! The search: the classical genetic algorithm over controllers.

use evobit::encode::Encoder;
use evobit::environment::{Controller, Episodes};
use evobit::evolve::genetic::{
    Batch, Configuration, Fitness, Flips, Generation, Origin, Tournament, Uniform,
};
use evobit::rng::{Purpose, Stream};
use evobit::topology::Topology;
use evobit_search::{
    Evolution, Interrupt, Line, Pace, Saved, Searcher, Session, Step, Stop, Watch, drive, words,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Part, Task, TaskError, World, model, network, starts};

/// What a search is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskConfig {
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

impl TaskConfig {
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

impl Line for Row {
    const COLUMNS: &'static str = "generation,best,mean,choosing,genomes_scored";

    fn line(&self) -> String {
        let Self { generation, best, mean, choosing, scored } = *self;
        format!("{generation},{best:.3},{mean:.3},{choosing:.3},{scored}")
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The genome that earned most from the starts that choose.
    pub genome: Vec<u32>,
    /// All generations.
    pub rows: Vec<Row>,
    /// Why it ended.
    pub stop: Stop,
}

/// Genomes of a batch on all threads, until it is interrupted; each is scored by itself, so their number does not matter.
struct Parallel<'a, E>(Episodes<'a, E, &'a [u32]>, &'a Interrupt);

impl<E: World> Fitness for Parallel<'_, E> {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        let Self(episodes, interrupt) = &*self;
        let words = genomes.as_words().par_chunks_exact(genomes.words());
        words.zip(fitness).filter(|_| !interrupt.is_set()).for_each(|(genome, fitness)| {
            *fitness = episodes.earned(genome);
        });
    }
}

/// Searches for a controller; `watch` is shown every generation.
///
/// A population that has found nothing better for a while makes way for another, until the best genome earns all there is from the starts that
/// choose or the generations are over.
///
/// # Errors
/// A configuration that makes no network or no genetic algorithm.
pub fn search<E: World>(
    config: &TaskConfig,
    mut session: Session<'_>,
    watch: &mut dyn Watch<Row>,
) -> Result<Outcome, TaskError> {
    let ground = Ground::<E>::new(config)?;
    let mut search = TaskSearch::new(&ground)?;
    let pace = Pace::new(&session);
    let ended = drive(&mut search, &pace, &mut session, watch)?;
    Ok(search.outcome(ended.stop))
}

/// What a search takes place on: the network and the starts.
#[derive(Debug)]
pub struct Ground<'a, E> {
    config: &'a TaskConfig,
    encoder: Vec<u32>,
    topology: Topology,
    learn: Vec<E>,
    choose: Vec<E>,
}

impl<'a, E: World> Ground<'a, E> {
    /// That of a configuration.
    ///
    /// # Errors
    /// A configuration that makes no network.
    pub fn new(config: &'a TaskConfig) -> Result<Self, TaskError> {
        let (encoder, topology) = network::<E>(config.hidden)?;
        let [learn, choose] = [(Part::Learn, config.starts), (Part::Choose, config.choosing)]
            .map(|(part, count)| starts::<E>(config.seed, part, count));
        Ok(Self { config, encoder, topology, learn, choose })
    }
}

/// Where a search is: all that the rest of it depends on, beside its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TaskState {
    /// The genome that earned most from the starts that choose, and what that was.
    #[serde(with = "words")]
    genome: Vec<u32>,
    highest: i64,
    rows: Vec<Row>,
    /// The number of the population; none of it before its first generation was looked at.
    number: u32,
    population: Option<Saved>,
    /// The most that its genomes earned from the starts that choose, and the generations since.
    most: i64,
    since: u32,
}

/// A search for a controller.
#[derive(Debug)]
pub struct TaskSearch<'a, E> {
    ground: &'a Ground<'a, E>,
    controller: Controller<'a, &'a [u32]>,
    /// The genome that was looked at last and what it earned.
    last: (Vec<u32>, i64),
    state: TaskState,
    written: Vec<u32>,
}

impl<'a, E: World> TaskSearch<'a, E> {
    /// From the start.
    ///
    /// # Errors
    /// None for a ground.
    pub fn new(ground: &'a Ground<'a, E>) -> Result<Self, TaskError> {
        let state = TaskState {
            genome: vec![],
            highest: i64::MIN,
            rows: vec![],
            number: 0,
            population: None,
            most: i64::MIN,
            since: 0,
        };
        Self::begin(ground, state)
    }

    /// From where another on such a ground was; none for bytes that its [`Searcher::state`] did not write.
    ///
    /// # Errors
    /// None for a ground.
    pub fn resume(ground: &'a Ground<'a, E>, bytes: &[u8]) -> Result<Option<Self>, TaskError> {
        let Ok((state, [])) = postcard::take_from_bytes::<TaskState>(bytes) else { return Ok(None) };
        let (words, individuals) = (ground.topology.genome_words(), ground.config.population as usize);
        let population = state.population.as_ref().is_none_or(|saved| {
            saved.genomes.len() == words * individuals
                && saved.fitness.len() == individuals
                && saved.base.len() == words
                && Stream::from_state(saved.rng).is_some()
        });
        let found = state.genome.len() == words || state.genome.is_empty() && state.rows.is_empty();
        let last = state.rows.last().map_or(0, |row| row.generation);
        let fits = population && found && last <= ground.config.generations && state.number < u32::MAX;
        if fits { Self::begin(ground, state).map(Some) } else { Ok(None) }
    }

    fn begin(ground: &'a Ground<'a, E>, state: TaskState) -> Result<Self, TaskError> {
        let controller = Controller::new::<E>(Encoder::new(&ground.encoder[..])?, &ground.topology)?;
        Ok(Self { ground, controller, last: Default::default(), state, written: vec![] })
    }

    /// What was found so far.
    #[must_use]
    pub fn outcome(&self, stop: Stop) -> Outcome {
        Outcome { genome: self.state.genome.clone(), rows: self.state.rows.clone(), stop }
    }

    /// Scores the next generation, or the first of a population.
    fn breed(&self, interrupt: &Interrupt) -> Result<(Evolution<&'a Topology>, Generation), TaskError> {
        let (config, topology) = (self.ground.config, &self.ground.topology);
        let configuration = Configuration {
            population: config.population,
            elites: config.elites,
            rate_generations: 0,
            selection: &Tournament(config.tournament),
            mating: &Uniform,
            mutation: &Flips(config.flips),
        };
        let episodes = Episodes { controller: self.controller, starts: &self.ground.learn };
        let mut fitness = Parallel(episodes, interrupt);
        let Some(saved) = &self.state.population else {
            let rng = Stream::new(config.seed, Purpose::Search, self.state.number);
            let evolution = Evolution::start(configuration, topology, Origin::Random, &mut fitness, rng)?;
            let generation = evolution.generation();
            return Ok((evolution, generation));
        };
        let mut evolution = Evolution::resume(configuration, topology, saved)?;
        let generation = evolution.step(configuration, &mut fitness)?;
        Ok((evolution, generation))
    }

    /// What a genome earns from the starts that choose.
    fn look(&mut self, genome: &[u32], interrupt: &Interrupt) -> i64 {
        if self.last.0 != genome {
            let one = |start: &E| {
                let starts = std::slice::from_ref(start);
                let episodes = Episodes { controller: self.controller, starts };
                if interrupt.is_set() { 0 } else { episodes.earned(genome) }
            };
            self.last = (genome.to_vec(), self.ground.choose.par_iter().map(one).sum());
        }
        self.last.1
    }

    /// What a generation came to, the one after the last row.
    fn row(&self, generation: &Generation, choosing: i64) -> Row {
        let each = |earned: i64, starts: usize| earned as f64 / starts.max(1) as f64;
        let (config, before) = (self.ground.config, self.state.rows.last());
        Row {
            generation: before.map_or(0, |row| row.generation + 1),
            best: each(generation.best, config.starts),
            mean: each(generation.mean, config.starts),
            choosing: each(choosing, config.choosing),
            scored: before.map_or(0, |row| row.scored) + u64::from(generation.scored),
        }
    }
}

impl<E: World> Searcher for TaskSearch<'_, E> {
    type Row = Row;
    type Error = TaskError;

    fn step(&mut self, pace: &Pace) -> Result<Option<Step<Row>>, TaskError> {
        let (mut evolution, generation) = self.breed(&pace.interrupt)?;
        let best = evolution.best()?;
        let choosing = self.look(&best, &pace.interrupt);
        if pace.interrupt.is_set() {
            self.last = Default::default();
            return Ok(None);
        }
        let row = self.row(&generation, choosing);
        let population = evolution.saved()?;
        let (config, state) = (self.ground.config, &mut self.state);
        if choosing > state.highest {
            (state.highest, state.genome) = (choosing, best);
        }
        state.since = if choosing > state.most { 0 } else { state.since + 1 };
        state.most = state.most.max(choosing);
        state.rows.push(row);
        state.population = Some(population);
        let stop = if state.highest >= i64::from(E::MOST) * config.choosing as i64 {
            Some(Stop::Target)
        } else {
            (row.generation >= config.generations).then_some(Stop::Sweeps)
        };
        if state.since >= config.patience && stop.is_none() {
            // Another population begins.
            state.number += 1;
            (state.population, state.most, state.since) = (None, i64::MIN, 0);
        }
        Ok(Some(Step { number: row.generation.into(), scored: row.scored, row: Some(row), stop }))
    }

    fn state(&mut self) -> Vec<u8> {
        // Plain values: this cannot fail.
        postcard::to_stdvec(&self.state).unwrap_or_default()
    }

    fn files(&mut self) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        if self.written == self.state.genome {
            return Ok(vec![]);
        }
        let Ground { encoder, topology, .. } = self.ground;
        let model = model::<E>(encoder, topology, &self.state.genome).map_err(|error| error.to_string())?;
        self.written = self.state.genome.clone();
        Ok(vec![("model.evb", model.bytes().to_vec())])
    }
}
