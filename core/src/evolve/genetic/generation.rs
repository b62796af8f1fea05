//! The loop: select, mate, mutate, score, rank.

use super::mate::{Kin, MOST_PARENTS, Mate, copy};
use super::mutate::Mutate;
use super::population::{Parents, Suspended};
use super::{Batch, Error, Fitness, Genes, Population, Select, randomize};
use core::fmt;
use rand_core::Rng;

/// What a search is made of.
#[derive(Clone, Copy)]
pub struct Configuration<'a> {
    /// Number of individuals in a generation; at most the capacity of the population.
    pub population: u32,
    /// The best so many individuals move on unchanged, unless the selection has it otherwise ([`Select::survives`]), and are not
    /// scored again unless the fitness changes; fewer than all. With one or more, a fitness that does not change never falls.
    pub elites: u32,
    /// For so many generations only strategies are inherited, and every child is a mutant of the base: rates are
    /// tuned before anything is built on them. There are no elites then.
    pub rate_generations: u32,
    /// Who becomes a parent.
    pub selection: &'a dyn Select,
    /// What children take from their parents.
    pub mating: &'a dyn Mate,
    /// What changes in them.
    pub mutation: &'a dyn Mutate,
}

impl fmt::Debug for Configuration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { population, elites, rate_generations, .. } = self;
        let mut shown = f.debug_struct("Configuration");
        shown.field("population", population).field("elites", elites);
        shown.field("rate_generations", rate_generations).finish_non_exhaustive()
    }
}

impl Configuration<'_> {
    /// Checks the parts against each other and against the genes.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self, genes: &impl Genes) -> Result<(), Error> {
        if genes.count() == 0 || genes.words() == 0 {
            return Err(Error::NoGenes);
        }
        if self.population == 0 {
            return Err(Error::NoIndividuals);
        }
        if self.elites >= self.population {
            return Err(Error::TooManyElites);
        }
        if !(1..=self.population).contains(&self.selection.among()) {
            return Err(Error::SelectionSize);
        }
        if !(1..=MOST_PARENTS).contains(&self.mating.parents()) {
            return Err(Error::Parents);
        }
        self.mutation.check(genes)
    }

    /// Words of an individual: its genome and its strategy.
    #[must_use]
    pub fn row_words(&self, genes: &impl Genes) -> usize {
        genes.words() + self.mutation.strategy_words(genes)
    }

    /// True where children of generation `number` inherit strategies alone.
    fn tunes_rates(&self, number: u32) -> bool {
        number < self.rate_generations
    }
}

/// The first generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// Every gene of every individual is random; bits that are no genes are 0.
    Random,
    /// The individual at index 0 is this genome, `[words]`, the others are mutants of it by the
    /// configured mutation. Its padding must be zero.
    Mutants(&'a [u32]),
}

/// What came of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Generation {
    /// 0 for the first; it stays at `u32::MAX` once it is there.
    pub number: u32,
    /// The highest fitness.
    pub best: i64,
    /// The sum of fitness over the number of individuals, rounded down.
    pub mean: i64,
    /// Genomes scored in this generation: all in the first, later all but those that moved on.
    pub scored: u32,
}

/// Where a genetic algorithm is between two steps: with the state of the generator, all that [`GeneticAlgorithm::resume`]
/// needs. The order of the individuals follows from their fitness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// All genomes, `[population][words]`, by index.
    pub genomes: &'a [u32],
    /// Their fitness, `[population]`, by index.
    pub fitness: &'a [i64],
    /// What flip masks are read against, `[words]`.
    pub base: &'a [u32],
    /// The number of the generation.
    pub number: u32,
}

/// A genetic algorithm under way: a scored and ranked generation, and how to make the next.
#[derive(Debug)]
pub struct GeneticAlgorithm<'a, G> {
    configuration: Configuration<'a>,
    genes: G,
    population: Population<'a>,
    generation: Generation,
}

impl<'a, G: Genes> GeneticAlgorithm<'a, G> {
    /// Makes, scores and ranks the first generation.
    ///
    /// The base of flip masks is the genome that the mutants are of, or with random genomes, which
    /// have no such origin, the best of them.
    ///
    /// # Errors
    /// When the configuration is inconsistent, or population, genes and origin do not fit it.
    pub fn start<F: Fitness + ?Sized, R: Rng>(
        configuration: Configuration<'a>,
        genes: G,
        mut population: Population<'a>,
        origin: Origin<'_>,
        fitness: &mut F,
        rng: &mut R,
    ) -> Result<Self, Error> {
        check(&configuration, &genes, &population)?;
        let (words, mutation) = (genes.words(), configuration.mutation);
        if matches!(origin, Origin::Mutants(of) if of.len() != words) {
            return Err(Error::OriginWords);
        }
        population.populate(configuration.population, |index, row| {
            let (genome, strategy) = row.split_at_mut(words);
            mutation.begin(&genes, strategy);
            match origin {
                Origin::Random => randomize(&genes, genome, rng),
                Origin::Mutants(of) => {
                    if index == 0 {
                        genome.fill(0);
                    } else {
                        mutation.draw(&genes, genome, strategy, rng);
                    }
                    copy(genome, of);
                }
            }
            genes.repair(genome);
        });
        if let Origin::Mutants(_) = origin {
            population.set_base(0);
        }
        for index in 0..configuration.population {
            // Those that nobody bred are their own parents, or mutants of the first.
            let parent = if let Origin::Random = origin { index } else { 0 };
            population.genomes().get(parent as usize).into_iter().for_each(|row| fitness.bred(row));
        }
        let generation = assess(&mut population, 0, 0, fitness);
        if let Origin::Random = origin {
            let best = population.order().first().copied().unwrap_or(0);
            population.set_base(best);
        }
        configuration.selection.ranked(population.in_order(), generation.number);
        Ok(Self { configuration, genes, population, generation })
    }

    /// Goes on where another was that was configured alike. Genomes that evolution cannot come to are repaired as
    /// children are; the fitness is believed. How many were scored before is not known: it is reported as if elites alone had
    /// moved on.
    ///
    /// # Errors
    /// When the configuration is inconsistent, or population, genes and snapshot do not fit it.
    pub fn resume(
        configuration: Configuration<'a>,
        genes: G,
        mut population: Population<'a>,
        from: Snapshot<'_>,
    ) -> Result<Self, Error> {
        check(&configuration, &genes, &population)?;
        let (words, count) = (population.words(), configuration.population as usize);
        let all = Some(from.genomes.len()) == words.checked_mul(count);
        if !all || from.fitness.len() != count || from.base.len() != words {
            return Err(Error::SnapshotWords);
        }
        let (own, mut genomes) = (genes.words(), from.genomes.chunks_exact(words));
        population.populate(configuration.population, |_, row| {
            genomes.next().into_iter().for_each(|from| row.copy_from_slice(from));
            genes.repair(&mut row[..own]);
        });
        genes.repair(&mut population.restore_base(from.base)[..own]);
        population.unscored(0).1.copy_from_slice(from.fitness);
        let elites = if from.number == 0 { 0 } else { configuration.elites };
        let generation = rank(&mut population, elites, from.number);
        configuration.selection.ranked(population.in_order(), generation.number);
        Ok(Self { configuration, genes, population, generation })
    }

    /// Goes on where another was suspended, without a look at fitness or ranks: `population` is its population, resumed,
    /// and `generation` what came of its last generation.
    ///
    /// # Errors
    /// When the configuration is inconsistent, or population and genes do not fit it.
    pub fn wake(
        configuration: Configuration<'a>,
        genes: G,
        population: Population<'a>,
        generation: Generation,
    ) -> Result<Self, Error> {
        check(&configuration, &genes, &population)?;
        if population.len() != configuration.population {
            return Err(Error::SnapshotWords);
        }
        Ok(Self { configuration, genes, population, generation })
    }

    /// Gives the buffers back. What is left goes on with [`wake`](Self::wake), after [`Population::resume`].
    #[must_use]
    pub fn suspend(self) -> (Suspended, Generation) {
        (self.population.suspend(), self.generation)
    }

    /// Where the search is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            genomes: self.population.genomes().as_words(),
            fitness: self.population.fitness(),
            base: self.population.base(),
            number: self.generation.number,
        }
    }

    /// Breeds, scores and ranks the next generation.
    pub fn step<F: Fitness + ?Sized, R: Rng>(&mut self, fitness: &mut F, rng: &mut R) -> Generation {
        let Self { configuration, genes, population, generation } = self;
        let words = genes.words();
        let Configuration { selection, mating, mutation, .. } = *configuration;
        let tunes_rates = configuration.tunes_rates(generation.number);
        let survives = |rank| !tunes_rates && selection.survives(rank, configuration.elites);
        let kept = population.keep(survives);
        if fitness.changes() {
            let ranks = (0..population.len()).filter(|&rank| survives(rank)).take(kept as usize);
            ranks.filter_map(|rank| population.ranked(rank)).for_each(|row| fitness.bred(row));
        }
        population.breed(kept, |parents, row| {
            let (child, strategy) = row.split_at_mut(words);
            let mut ranks = [0; MOST_PARENTS];
            ranks[..mating.parents()].fill_with(|| selection.pick(parents.in_order(), rng));
            strategy.copy_from_slice(&parents.ranked(ranks[0])[words..]);
            mutation.draw(genes, child, strategy, rng);
            let first = if tunes_rates { parents.base } else { parents.ranked(ranks[0]) };
            if tunes_rates {
                copy(child, &first[..words]);
            } else {
                offspring(mating, &*genes, parents, ranks, child, rng);
            }
            genes.repair(child);
            fitness.bred(first);
        });
        if let Some(&best) = population.order().first()
            && !tunes_rates
        {
            population.set_base(best);
        }
        population.advance();
        *generation = assess(population, kept, generation.number.saturating_add(1), fitness);
        selection.ranked(population.in_order(), generation.number);
        *generation
    }

    /// Takes in `immigrants`, rows of genome and strategy, in the places of the worst individuals that would not survive as
    /// the only elite; scores them and ranks all anew. They become part of this generation.
    pub fn immigrate<F: Fitness + ?Sized>(&mut self, immigrants: Batch<'_>, fitness: &mut F) {
        let Self { configuration, genes, population, generation } = self;
        let (words, selection) = (population.words(), configuration.selection);
        if immigrants.words() != words {
            return;
        }
        let places = (1..population.len()).rev().filter(|&rank| !selection.survives(rank, 1));
        for (row, rank) in immigrants.iter().zip(places) {
            let Some(&index) = population.order().get(rank as usize) else { break };
            population.replace(index, row, |row, score| {
                genes.repair(&mut row[..genes.words()]);
                fitness.bred(row);
                fitness.score(Batch::of(row, words), core::slice::from_mut(score));
            });
        }
        let scored = generation.scored;
        *generation = Generation { scored, ..rank(population, 0, generation.number) };
        configuration.selection.ranked(population.in_order(), generation.number);
    }

    /// The best genome, `[words]`; of equal ones that of the lowest index.
    #[must_use]
    pub fn best(&self) -> &[u32] {
        // There is always one: a configuration without individuals does not start.
        self.population.ranked(0).and_then(|row| row.get(..self.genes.words())).unwrap_or(&[])
    }

    /// What came of the last generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The last generation.
    #[must_use]
    pub fn population(&self) -> &Population<'a> {
        &self.population
    }

    /// How the search is configured.
    #[must_use]
    pub fn configuration(&self) -> &Configuration<'a> {
        &self.configuration
    }
}

/// Checks that configuration, genes and population fit each other.
fn check(
    configuration: &Configuration<'_>,
    genes: &impl Genes,
    population: &Population<'_>,
) -> Result<(), Error> {
    configuration.check(genes)?;
    if configuration.row_words(genes) != population.words() {
        return Err(Error::GenomeWords);
    }
    if configuration.population > population.capacity() {
        return Err(Error::TooManyIndividuals);
    }
    Ok(())
}

/// Exclusive-ors the offspring of the parents at `ranks` into `child`.
fn offspring(
    mating: &dyn Mate,
    genes: &dyn Genes,
    parents: Parents<'_>,
    ranks: [u32; MOST_PARENTS],
    child: &mut [u32],
    rng: &mut dyn Rng,
) {
    let (words, count) = (child.len(), mating.parents());
    // Ranks beyond the number of parents are 0, which is always there.
    let genomes = ranks.map(|rank| &parents.ranked(rank)[..words]);
    let fitness = ranks.map(|rank| parents.fitness(rank));
    let kin = Kin { parents: &genomes[..count], fitness: &fitness[..count], base: &parents.base[..words] };
    mating.mate(genes, kin, child, rng);
}

/// Scores the individuals from `first` on, or all where fitness changes, ranks all and reports.
fn assess<F: Fitness + ?Sized>(
    population: &mut Population<'_>,
    first: u32,
    number: u32,
    fitness: &mut F,
) -> Generation {
    fitness.begin(number);
    let first = if fitness.changes() { 0 } else { first };
    let (genomes, scores) = population.unscored(first);
    fitness.score(genomes, scores);
    rank(population, first, number)
}

/// Ranks the individuals, of which those from `first` on were scored in this generation, and reports.
fn rank(population: &mut Population<'_>, first: u32, number: u32) -> Generation {
    population.rank();
    let all = population.fitness();
    // The sum of u32::MAX values of 64 bits fits 96 bits, and their mean 64.
    let sum: i128 = all.iter().map(|&value| i128::from(value)).sum();
    let mean = sum.div_euclid(i128::from(population.len().max(1))) as i64;
    let best = population.order().first().map_or(0, |&index| all[index as usize]);
    Generation { number, best, mean, scored: population.len() - first }
}

#[cfg(all(test, feature = "full"))]
mod tests;
