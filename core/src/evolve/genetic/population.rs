//! A population in borrowed buffers, with room for its next generation.

use super::{Batch, Error, Ranked};
use core::cmp::Reverse;

/// Individuals of one generation, their fitness and their order, and the rows in which the next
/// generation grows. The buffers are the caller's; the capacity is fixed by them.
#[derive(Debug)]
pub struct Population<'a> {
    words: usize,
    count: u32,
    current: Rows<'a>,
    next: Rows<'a>,
    /// Indices of `current`, the best first.
    order: &'a mut [u32],
    /// What flip masks are read against: the best individual of the generation before.
    base: &'a mut [u32],
    /// True where `current` lies behind `next` in the buffers.
    swapped: bool,
}

/// What a [`Population`] knows beside its buffers, while nobody borrows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspended {
    count: u32,
    swapped: bool,
}

/// Rows of one generation: genomes `[capacity][words]`, fitness `[capacity]`.
#[derive(Debug)]
struct Rows<'a> {
    genomes: &'a mut [u32],
    fitness: &'a mut [i64],
}

impl<'a> Population<'a> {
    /// A population without individuals yet, in buffers for as many as `order` is long:
    /// `genomes` is `[2 * capacity + 1][words]`, `fitness` is `[2 * capacity]` and `order`
    /// `[capacity]`. What they hold does not matter.
    ///
    /// # Errors
    /// When `words` is 0, or when the buffers do not fit each other.
    pub fn new(
        words: usize,
        genomes: &'a mut [u32],
        fitness: &'a mut [i64],
        order: &'a mut [u32],
    ) -> Result<Self, Error> {
        let capacity = order.len();
        if words == 0 {
            return Err(Error::NoGenes);
        }
        if u32::try_from(capacity).is_err() {
            return Err(Error::CapacityTooLarge);
        }
        // The rows are not multiplied out, which could overflow.
        if !genomes.len().is_multiple_of(words) || Some(genomes.len() / words) != rows(capacity) {
            return Err(Error::GenomeBuffer);
        }
        if Some(fitness.len()) != capacity.checked_mul(2) {
            return Err(Error::FitnessBuffer);
        }
        let (base, genomes) = genomes.split_at_mut(words);
        let (current_genomes, next_genomes) = genomes.split_at_mut(capacity * words);
        let (current_fitness, next_fitness) = fitness.split_at_mut(capacity);
        Ok(Self {
            words,
            count: 0,
            current: Rows { genomes: current_genomes, fitness: current_fitness },
            next: Rows { genomes: next_genomes, fitness: next_fitness },
            order,
            base,
            swapped: false,
        })
    }

    /// Goes on over the buffers of a population that was [suspended](Self::suspend), as it left them.
    ///
    /// # Errors
    /// Buffers that do not fit each other or are of another population.
    pub fn resume(
        words: usize,
        genomes: &'a mut [u32],
        fitness: &'a mut [i64],
        order: &'a mut [u32],
        Suspended { count, swapped }: Suspended,
    ) -> Result<Self, Error> {
        let mut population = Self::new(words, genomes, fitness, order)?;
        if count > population.capacity() {
            return Err(Error::TooManyIndividuals);
        }
        population.count = count;
        if population.order().iter().any(|&index| index >= count) {
            return Err(Error::SnapshotWords);
        }
        if swapped {
            population.advance();
        }
        Ok(population)
    }

    /// Gives the buffers back. What is left goes on with [`resume`](Self::resume).
    #[must_use]
    pub fn suspend(self) -> Suspended {
        Suspended { count: self.count, swapped: self.swapped }
    }

    /// Words that the genome buffer needs for `capacity` individuals of `words` words; `usize::MAX`
    /// when that is more.
    #[must_use]
    pub const fn genome_words(capacity: usize, words: usize) -> usize {
        capacity.saturating_mul(2).saturating_add(1).saturating_mul(words)
    }

    /// Words of a genome; never 0.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    /// The most individuals there is room for.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        // `new` saw that it fits.
        self.order.len() as u32
    }

    /// Number of individuals.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }

    /// True when there are no individuals: before a search has started.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All genomes, `[len][words]`, by index.
    #[must_use]
    pub fn genomes(&self) -> Batch<'_> {
        Batch::of(&self.current.genomes[..self.count as usize * self.words], self.words)
    }

    /// The fitness of all individuals, `[len]`, by index.
    #[must_use]
    pub fn fitness(&self) -> &[i64] {
        &self.current.fitness[..self.count as usize]
    }

    /// The indices of all individuals, `[len]`, the best first; of equal ones the lowest first.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        &self.order[..self.count as usize]
    }

    /// The genome of the individual at `rank`, 0 the best, `[words]`.
    #[must_use]
    pub fn ranked(&self, rank: u32) -> Option<&[u32]> {
        let index = *self.order().get(rank as usize)?;
        Some(row(self.current.genomes, self.words, index))
    }

    /// What flip masks are read against, `[words]`: the best individual of the generation before.
    #[must_use]
    pub fn base(&self) -> &[u32] {
        self.base
    }

    /// The generation in its order.
    #[must_use]
    pub fn in_order(&self) -> Ranked<'_> {
        let genomes = &self.current.genomes[..self.count as usize * self.words];
        Ranked { words: self.words, genomes, fitness: self.fitness(), order: self.order() }
    }

    /// Puts `row`, `[words]`, in the place of the individual at index `index` and hands it to `score` with the place of its
    /// fitness.
    pub(super) fn replace(&mut self, index: u32, row: &[u32], score: impl FnOnce(&mut [u32], &mut i64)) {
        let start = index as usize * self.words;
        let place = &mut self.current.genomes[start..start + self.words];
        place.copy_from_slice(row);
        score(place, &mut self.current.fitness[index as usize]);
    }

    /// Makes room for `count` individuals, which must be no more than the capacity, and hands their
    /// rows to `fill` one after the other.
    pub(super) fn populate(&mut self, count: u32, mut fill: impl FnMut(u32, &mut [u32])) {
        self.count = count;
        for (index, genome) in (0..count).zip(self.current.genomes.chunks_exact_mut(self.words)) {
            fill(index, genome);
        }
    }

    /// Sets the base for flip masks to individual `index`.
    pub(super) fn set_base(&mut self, index: u32) {
        self.base.copy_from_slice(row(self.current.genomes, self.words, index));
    }

    /// Sets the base for flip masks to `genome`, `[words]`.
    pub(super) fn restore_base(&mut self, genome: &[u32]) -> &mut [u32] {
        self.base.copy_from_slice(genome);
        self.base
    }

    /// Copies those at the ranks that `survives` names, the best of them and never all individuals, with their fitness to the first rows of
    /// the next generation; returns their number.
    pub(super) fn keep(&mut self, survives: impl Fn(u32) -> bool) -> u32 {
        let most = self.count.saturating_sub(1);
        let ranked = self.order[..self.count as usize].iter().zip(0..);
        let rows = self.next.genomes.chunks_exact_mut(self.words).zip(self.next.fitness.iter_mut());
        let mut kept = 0;
        for ((&index, _), (genome, fitness)) in
            ranked.filter(|&(_, rank)| survives(rank)).zip(rows).take(most as usize)
        {
            genome.copy_from_slice(row(self.current.genomes, self.words, index));
            *fitness = self.current.fitness[index as usize];
            kept += 1;
        }
        kept
    }

    /// Hands every row of the next generation from `first` on to `breed`, with the parents to choose
    /// from.
    pub(super) fn breed(&mut self, first: u32, mut breed: impl FnMut(Parents<'_>, &mut [u32])) {
        let (words, count) = (self.words, self.count as usize);
        let (genomes, fitness) = (&*self.current.genomes, &*self.current.fitness);
        let parents = Parents { words, genomes, fitness, order: &self.order[..count], base: self.base };
        for child in self.next.genomes.chunks_exact_mut(words).take(count).skip(first as usize) {
            breed(parents, child);
        }
    }

    /// Lets the next generation become the current one.
    pub(super) fn advance(&mut self) {
        core::mem::swap(&mut self.current, &mut self.next);
        self.swapped = !self.swapped;
    }

    /// The genomes from index `first` on, and where their fitness goes.
    pub(super) fn unscored(&mut self, first: u32) -> (Batch<'_>, &mut [i64]) {
        let Self { words, count, current, .. } = self;
        let (first, count) = (first as usize, *count as usize);
        (
            Batch::of(&current.genomes[first * *words..count * *words], *words),
            &mut current.fitness[first..count],
        )
    }

    /// Puts the individuals in order. The index is part of the key, so an unstable sort, which needs
    /// no memory, has but one outcome.
    pub(super) fn rank(&mut self) {
        let order = &mut self.order[..self.count as usize];
        order.iter_mut().zip(0..).for_each(|(place, index)| *place = index);
        let fitness = &*self.current.fitness;
        order.sort_unstable_by_key(|&index| (Reverse(fitness[index as usize]), index));
    }
}

/// The genomes that a child's parents are chosen from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parents<'a> {
    words: usize,
    genomes: &'a [u32],
    fitness: &'a [i64],
    order: &'a [u32],
    /// What their flip masks are read against, `[words]`.
    pub(super) base: &'a [u32],
}

impl<'a> Parents<'a> {
    /// The genome at `rank`, 0 the best; `rank` is below the number of individuals.
    pub(super) fn ranked(self, rank: u32) -> &'a [u32] {
        row(self.genomes, self.words, self.order[rank as usize])
    }

    /// The fitness of that individual.
    pub(super) fn fitness(self, rank: u32) -> i64 {
        self.fitness[self.order[rank as usize] as usize]
    }

    /// All of them.
    pub(super) fn in_order(self) -> Ranked<'a> {
        let count = self.order.len();
        Ranked {
            words: self.words,
            genomes: &self.genomes[..count * self.words],
            fitness: &self.fitness[..count],
            order: self.order,
        }
    }
}

/// Row `index` of `[count][words]`.
fn row(genomes: &[u32], words: usize, index: u32) -> &[u32] {
    let start = index as usize * words;
    &genomes[start..start + words]
}

/// The rows of the genome buffer: two generations and the base.
fn rows(capacity: usize) -> Option<usize> {
    capacity.checked_mul(2)?.checked_add(1)
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    fn built(words: usize, genomes: usize, fitness: usize, order: usize) -> Result<u32, Error> {
        let (mut genomes, mut fitness) = (std::vec![7; genomes], std::vec![7; fitness]);
        let mut order = std::vec![7; order];
        Population::new(words, &mut genomes, &mut fitness, &mut order).map(|population| population.capacity())
    }

    #[test]
    fn buffers_must_fit_each_other() {
        assert_eq!(Population::genome_words(3, 2), 14);
        assert_eq!(built(2, 14, 6, 3), Ok(3));
        assert_eq!(built(2, 2, 0, 0), Ok(0));
        assert_eq!(built(0, 0, 6, 3), Err(Error::NoGenes));
        assert_eq!(built(2, 13, 6, 3), Err(Error::GenomeBuffer));
        assert_eq!(built(2, 15, 6, 3), Err(Error::GenomeBuffer));
        assert_eq!(built(usize::MAX, 14, 6, 3), Err(Error::GenomeBuffer));
        assert_eq!(built(2, 14, 5, 3), Err(Error::FitnessBuffer));
        assert_eq!(Population::genome_words(usize::MAX, 2), usize::MAX);
    }

    #[test]
    fn equal_individuals_are_in_order_of_index() {
        let (mut genomes, mut fitness, mut order) = ([0; 13], [0; 12], [0; 6]);
        let mut population = Population::new(1, &mut genomes, &mut fitness, &mut order).unwrap();
        assert!(population.is_empty() && population.order().is_empty() && population.ranked(0).is_none());
        population.populate(5, |index, genome| genome[0] = index);
        population.unscored(0).1.copy_from_slice(&[1, 3, i64::MIN, 3, 1]);
        population.rank();
        assert_eq!(population.order(), [1, 3, 0, 4, 2]);
        assert_eq!((population.ranked(1), population.ranked(5)), (Some(&[3][..]), None));
        assert_eq!(population.genomes().as_words(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_kept_come_first_and_are_not_to_be_scored() {
        let (mut genomes, mut fitness, mut order) = ([0; 9], [0; 8], [0; 4]);
        let mut population = Population::new(1, &mut genomes, &mut fitness, &mut order).unwrap();
        population.populate(4, |index, genome| genome[0] = 10 + index);
        population.unscored(0).1.copy_from_slice(&[1, 4, 2, 3]);
        population.rank();
        assert_eq!(population.keep(|rank| rank % 2 == 0), 2);
        population.breed(2, |parents, child| child[0] = parents.ranked(0)[0] + 10);
        population.advance();
        let (unscored, fitness) = population.unscored(2);
        assert_eq!((unscored.as_words(), fitness.len()), (&[21, 21][..], 2));
        assert_eq!(population.genomes().as_words(), [11, 12, 21, 21]);
        assert_eq!(population.fitness()[..2], [4, 2]);
        assert_eq!(population.keep(|_| true), 3, "the last makes room for a child");
    }
}
