//! A genetic algorithm with memory of its own: what every search by one stands in.

use evobit::evolve::genetic::{
    Configuration, Error, Fitness, Generation, Genes, GeneticAlgorithm, Origin, Population, Snapshot,
    Suspended,
};
use evobit::rng::Stream;
use serde::{Deserialize, Serialize};

use crate::words;

/// Where an [`Evolution`] is, to be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// All genomes, `[population][words]`.
    #[serde(with = "words")]
    pub genomes: Vec<u32>,
    /// Their fitness, `[population]`.
    pub fitness: Vec<i64>,
    /// What flip masks are read against, `[words]`.
    #[serde(with = "words")]
    pub base: Vec<u32>,
    /// The number of the generation.
    pub number: u32,
    /// The state of the generator.
    pub rng: [u8; 16],
}

/// A genetic algorithm under way, with its population and its generator. Operators are lent to it for each call.
#[derive(Clone, Debug)]
pub struct Evolution<G> {
    genes: G,
    words: usize,
    genomes: Vec<u32>,
    fitness: Vec<i64>,
    order: Vec<u32>,
    suspended: Suspended,
    generation: Generation,
    rng: Stream,
}

/// The buffers of a population.
struct Storage(usize, Vec<u32>, Vec<i64>, Vec<u32>);

impl Storage {
    fn new(capacity: usize, words: usize) -> Self {
        let genomes = vec![0; Population::genome_words(capacity, words)];
        Self(words, genomes, vec![0; 2 * capacity], vec![0; capacity])
    }

    fn population(&mut self) -> Result<Population<'_>, Error> {
        Population::new(self.0, &mut self.1, &mut self.2, &mut self.3)
    }

    fn of<G>(self, genes: G, (suspended, generation): (Suspended, Generation), rng: Stream) -> Evolution<G> {
        let Self(words, genomes, fitness, order) = self;
        Evolution { genes, words, genomes, fitness, order, suspended, generation, rng }
    }
}

impl<G: Genes + Copy> Evolution<G> {
    /// Makes, scores and ranks the first generation.
    ///
    /// # Errors
    /// As [`GeneticAlgorithm::start`].
    pub fn start(
        configuration: Configuration<'_>,
        genes: G,
        origin: Origin<'_>,
        fitness: &mut (impl Fitness + ?Sized),
        mut rng: Stream,
    ) -> Result<Self, Error> {
        let mut storage = Storage::new(configuration.population as usize, configuration.row_words(&genes));
        let population = storage.population()?;
        let started = GeneticAlgorithm::start(configuration, genes, population, origin, fitness, &mut rng)?;
        let suspended = started.suspend();
        Ok(storage.of(genes, suspended, rng))
    }

    /// Goes on where another was saved.
    ///
    /// # Errors
    /// As [`GeneticAlgorithm::resume`], and a state of no generator.
    pub fn resume(configuration: Configuration<'_>, genes: G, saved: &Saved) -> Result<Self, Error> {
        let rng = Stream::from_state(saved.rng).ok_or(Error::SnapshotWords)?;
        let mut storage = Storage::new(configuration.population as usize, configuration.row_words(&genes));
        let Saved { genomes, fitness, base, number, .. } = saved;
        let from = Snapshot { genomes, fitness, base, number: *number };
        let resumed = GeneticAlgorithm::resume(configuration, genes, storage.population()?, from)?;
        let suspended = resumed.suspend();
        Ok(storage.of(genes, suspended, rng))
    }

    /// Works with the algorithm and its generator.
    ///
    /// # Errors
    /// A configuration of another population.
    pub fn with<T>(
        &mut self,
        configuration: Configuration<'_>,
        work: impl FnOnce(&mut GeneticAlgorithm<'_, G>, &mut Stream) -> T,
    ) -> Result<T, Error> {
        let (genes, generation) = (self.genes, self.generation);
        let Self { words, genomes, fitness, order, suspended, rng, .. } = self;
        let population = Population::resume(*words, genomes, fitness, order, *suspended)?;
        let mut algorithm = GeneticAlgorithm::wake(configuration, genes, population, generation)?;
        let done = work(&mut algorithm, rng);
        (*suspended, self.generation) = algorithm.suspend();
        Ok(done)
    }

    /// Breeds, scores and ranks the next generation.
    ///
    /// # Errors
    /// A configuration of another population.
    pub fn step(
        &mut self,
        configuration: Configuration<'_>,
        fitness: &mut (impl Fitness + ?Sized),
    ) -> Result<Generation, Error> {
        self.with(configuration, |algorithm, rng| algorithm.step(fitness, rng))
    }

    /// What came of the last generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The best genome, `[words]`, without a strategy; of equal ones that of the lowest index.
    ///
    /// # Errors
    /// None: the buffers are its own.
    pub fn best(&mut self) -> Result<Vec<u32>, Error> {
        let own = self.genes.words();
        let population = self.population()?;
        Ok(population.ranked(0).and_then(|row| row.get(..own)).unwrap_or(&[]).to_vec())
    }

    /// Where it is.
    ///
    /// # Errors
    /// None: the buffers are its own.
    pub fn saved(&mut self) -> Result<Saved, Error> {
        let (number, rng) = (self.generation.number, self.rng.state());
        let population = self.population()?;
        let genomes = population.genomes().as_words().to_vec();
        Ok(Saved {
            genomes,
            fitness: population.fitness().to_vec(),
            base: population.base().to_vec(),
            number,
            rng,
        })
    }

    fn population(&mut self) -> Result<Population<'_>, Error> {
        let Self { words, genomes, fitness, order, suspended, .. } = self;
        Population::resume(*words, genomes, fitness, order, *suspended)
    }
}
