//! The loop: select, mate, mutate, score, rank.

use super::mate::{self, MOST_PARENTS, Mating};
use super::mutate::{Mutation, Mutator};
use super::population::Parents;
use super::{Error, Fitness, Genes, Population, Selection, randomize};
use rand_core::Rng;

/// What a search is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Number of individuals in a generation; at most the capacity of the population.
    pub population: u32,
    /// The best so many individuals move on unchanged, and are not scored again; fewer than all.
    /// With one or more, the best fitness never falls.
    pub elites: u32,
    /// Who becomes a parent.
    pub selection: Selection,
    /// What children take from their parents.
    pub mating: Mating,
    /// What changes in them.
    pub mutation: Mutation,
}

impl Configuration {
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
        if !(1..=self.population).contains(&self.selection.size()) {
            return Err(Error::SelectionSize);
        }
        match self.mutation {
            Mutation::Flips(flips) if flips > genes.count() => Err(Error::TooManyFlips),
            _ => Ok(()),
        }
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
pub struct Generation {
    /// 0 for the first; it stays at `u32::MAX` once it is there.
    pub number: u32,
    /// The highest fitness.
    pub best: i64,
    /// The sum of fitness over the number of individuals, rounded down.
    pub mean: i64,
    /// Genomes scored in this generation: all in the first, later all but the elites.
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
    configuration: Configuration,
    genes: G,
    mutator: Mutator,
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
    pub fn start<F: Fitness + ?Sized, R: Rng + ?Sized>(
        configuration: Configuration,
        genes: G,
        mut population: Population<'a>,
        origin: Origin<'_>,
        fitness: &mut F,
        rng: &mut R,
    ) -> Result<Self, Error> {
        check(&configuration, &genes, &population)?;
        let mutator = Mutator::new(configuration.mutation);
        match origin {
            Origin::Random => population.populate(configuration.population, |_, genome| {
                randomize(&genes, genome, rng);
                genes.repair(genome);
            }),
            Origin::Mutants(of) if of.len() == population.words() => {
                population.populate(configuration.population, |index, genome| {
                    if index == 0 {
                        genome.fill(0);
                    } else {
                        mutator.draw(&genes, genome, rng);
                    }
                    mate::copy(genome, of);
                    genes.repair(genome);
                });
            }
            Origin::Mutants(_) => return Err(Error::OriginWords),
        }
        let generation = assess(&mut population, 0, 0, fitness);
        let base = match origin {
            Origin::Random => population.order().first().copied().unwrap_or(0),
            Origin::Mutants(_) => 0,
        };
        population.set_base(base);
        Ok(Self { configuration, genes, mutator, population, generation })
    }

    /// Goes on where another was that was configured alike. Genomes that evolution cannot come to are repaired as
    /// children are; the fitness is believed.
    ///
    /// # Errors
    /// When the configuration is inconsistent, or population, genes and snapshot do not fit it.
    pub fn resume(
        configuration: Configuration,
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
        let mut genomes = from.genomes.chunks_exact(words);
        population.populate(configuration.population, |_, genome| {
            genomes.next().into_iter().for_each(|from| genome.copy_from_slice(from));
            genes.repair(genome);
        });
        genes.repair(population.restore_base(from.base));
        population.unscored(0).1.copy_from_slice(from.fitness);
        let elites = if from.number == 0 { 0 } else { configuration.elites };
        let generation = rank(&mut population, elites, from.number);
        let mutator = Mutator::new(configuration.mutation);
        Ok(Self { configuration, genes, mutator, population, generation })
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
    pub fn step<F: Fitness + ?Sized, R: Rng + ?Sized>(&mut self, fitness: &mut F, rng: &mut R) -> Generation {
        let Self { configuration, genes, mutator, population, generation } = self;
        let Configuration { population: count, elites, selection, mating, .. } = *configuration;
        population.keep(elites);
        population.breed(elites, |parents, child| {
            let mut ranks = [0; MOST_PARENTS];
            ranks[..mating.parents()].fill_with(|| selection.pick(count, rng));
            mutator.draw(genes, child, rng);
            offspring(mating, parents, ranks, child, rng);
            genes.repair(child);
        });
        if let Some(&best) = population.order().first() {
            population.set_base(best);
        }
        population.advance();
        *generation = assess(population, elites, generation.number.saturating_add(1), fitness);
        *generation
    }

    /// The best genome, `[words]`; of equal ones that of the lowest index.
    #[must_use]
    pub fn best(&self) -> &[u32] {
        // There is always one: a configuration without individuals does not start.
        self.population.ranked(0).unwrap_or(&[])
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
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }
}

/// Checks that configuration, genes and population fit each other.
fn check(
    configuration: &Configuration,
    genes: &impl Genes,
    population: &Population<'_>,
) -> Result<(), Error> {
    configuration.check(genes)?;
    if genes.words() != population.words() {
        return Err(Error::GenomeWords);
    }
    if configuration.population > population.capacity() {
        return Err(Error::TooManyIndividuals);
    }
    Ok(())
}

/// Exclusive-ors the offspring of the parents at `ranks` into `child`.
fn offspring<R: Rng + ?Sized>(
    mating: Mating,
    parents: Parents<'_>,
    ranks: [u32; MOST_PARENTS],
    child: &mut [u32],
    rng: &mut R,
) {
    // Ranks beyond the number of parents are 0, which is always there.
    let [a, b, c, d, e] = ranks.map(|rank| parents.ranked(rank));
    match mating {
        Mating::None => mate::copy(child, a),
        Mating::Uniform => mate::uniform(child, a, b, rng),
        Mating::Union => mate::union(child, parents.base, a, b),
        Mating::MajorityOfThree => mate::majority_of_three(child, [a, b, c]),
        Mating::MajorityOfFive => mate::majority_of_five(child, [a, b, c, d, e]),
    }
}

/// Scores the individuals from `first` on, ranks all and reports.
fn assess<F: Fitness + ?Sized>(
    population: &mut Population<'_>,
    first: u32,
    number: u32,
    fitness: &mut F,
) -> Generation {
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

#[cfg(all(test, not(feature = "small")))]
mod tests;
