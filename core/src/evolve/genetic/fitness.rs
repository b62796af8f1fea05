//! How good genomes are.

use core::slice::ChunksExact;

/// Genomes that lie one after the other: `[count][words]`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    genomes: &'a [u32],
    words: usize,
}

impl<'a> Batch<'a> {
    /// Views `genomes`, `[count][words]`; `None` when `words` is 0 or the last genome is not whole.
    #[must_use]
    pub fn new(genomes: &'a [u32], words: usize) -> Option<Self> {
        (words != 0 && genomes.len().is_multiple_of(words)).then_some(Self { genomes, words })
    }

    /// Views whole genomes of `words` words, which is not 0.
    pub(super) fn of(genomes: &'a [u32], words: usize) -> Self {
        Self { genomes, words }
    }

    /// Number of genomes.
    #[must_use]
    pub fn len(self) -> usize {
        self.genomes.len() / self.words
    }

    /// True when there are no genomes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.genomes.is_empty()
    }

    /// Words of a genome; never 0.
    #[must_use]
    pub fn words(self) -> usize {
        self.words
    }

    /// Genome `index`, `[words]`.
    #[must_use]
    pub fn get(self, index: usize) -> Option<&'a [u32]> {
        self.genomes.chunks_exact(self.words).nth(index)
    }

    /// All words, `[count][words]`: what a GPU is sent.
    #[must_use]
    pub fn as_words(self) -> &'a [u32] {
        self.genomes
    }

    /// The genomes in order, each `[words]`.
    pub fn iter(self) -> ChunksExact<'a, u32> {
        self.genomes.chunks_exact(self.words)
    }
}

impl<'a> IntoIterator for Batch<'a> {
    type Item = &'a [u32];
    type IntoIter = ChunksExact<'a, u32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Scores genomes; higher is better.
pub trait Fitness {
    /// A generation of this number is about to be scored: the place to draw the samples that all its individuals are scored on.
    fn begin(&mut self, generation: u32) {
        let _ = generation;
    }

    /// True where the fitness of a genome is another one in the next generation, so that elites are scored again.
    fn changes(&self) -> bool {
        false
    }

    /// One more individual was bred that is to be scored, or will be again; this is the row of its first parent, of an elite or an
    /// immigrant its own. Individuals are scored in the order in which they were bred. Nothing is done by default.
    fn bred(&mut self, parent: &[u32]) {
        let _ = parent;
    }

    /// Writes the fitness of genome `i` of `genomes` to `fitness[i]`; `fitness` holds as many values
    /// as `genomes` holds genomes: the last of the generation, or single ones that came from elsewhere. Where mutation has a
    /// strategy, its words lie behind each genome.
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]);
}

impl<T: Fitness + ?Sized> Fitness for &mut T {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        (**self).score(genomes, fitness);
    }

    fn begin(&mut self, generation: u32) {
        (**self).begin(generation);
    }

    fn changes(&self) -> bool {
        (**self).changes()
    }

    fn bred(&mut self, parent: &[u32]) {
        (**self).bred(parent);
    }
}

/// Scores genomes one at a time by a function of a genome's words.
#[derive(Clone, Copy, Debug)]
pub struct OneByOne<Function>(pub Function);

impl<Function: FnMut(&[u32]) -> i64> Fitness for OneByOne<Function> {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        for (genome, fitness) in genomes.iter().zip(fitness) {
            *fitness = (self.0)(genome);
        }
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_whole_genomes() {
        assert!(Batch::new(&[1, 2, 3], 0).is_none());
        assert!(Batch::new(&[1, 2, 3], 2).is_none());
        let batch = Batch::new(&[1, 2, 3, 4], 2).unwrap();
        assert_eq!((batch.len(), batch.get(1), batch.get(2)), (2, Some(&[3, 4][..]), None));
        assert!(batch.into_iter().eq([[1, 2], [3, 4]]));
    }

    #[test]
    fn one_by_one_scores_in_order() {
        let mut fitness = [0; 3];
        OneByOne(|genome: &[u32]| i64::from(genome[0]))
            .score(Batch::new(&[5, 6, 7], 1).unwrap(), &mut fitness);
        assert_eq!(fitness, [5, 6, 7]);
    }
}
