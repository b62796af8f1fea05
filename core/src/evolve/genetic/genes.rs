//! Where the evolvable bits of a packed genome lie.
//!
//! Rows of a packed genome end in padding bits that must stay zero, so evolution counts *genes*
//! and asks where each of them is.

use crate::bits::{WORD_BITS, words_for};
use core::ops::Range;
use rand_core::Rng;

/// The evolvable bits of a packed genome.
///
/// Positions must be distinct and lie inside the genome. A position outside is never flipped; two
/// genes at one position make "exactly k flips" flip fewer bits. Neither panics.
pub trait Genes {
    /// Number of evolvable bits.
    fn count(&self) -> u32;

    /// The index, among all bits of the packed genome, of gene `gene`; `gene` is below
    /// [`count`](Self::count).
    fn position(&self, gene: u32) -> u32;

    /// Words of a packed genome.
    fn words(&self) -> usize;

    /// Number of layers that genes lie in, each a range of them; 1 unless they know better.
    fn layer_count(&self) -> u32 {
        1
    }

    /// The genes of a layer; none where there is no such layer.
    fn layer_genes(&self, layer: u32) -> Range<u32> {
        0..if layer == 0 { self.count() } else { 0 }
    }

    /// Number of units that belong together, such as neurons; 1 unless they know better.
    fn units(&self) -> u32 {
        1
    }

    /// The bits of the packed genome that are a unit's, as ranges, some of them empty. Unlike genes, these take in what is not
    /// evolved but belongs to it, such as where a window lies. The units together are the whole genome.
    fn fields(&self, unit: u32) -> [Range<u32>; 3] {
        let _ = unit;
        [0..self.words() as u32 * WORD_BITS, 0..0, 0..0]
    }

    /// Brings fields of several bits back into range after bits changed. Every new genome, `[words]`,
    /// passes through before it is scored; by default it stays as it is.
    ///
    /// Its outcome must depend on the genome alone, or a run no longer repeats.
    fn repair(&self, genome: &mut [u32]) {
        let _ = genome;
    }
}

impl<T: Genes + ?Sized> Genes for &T {
    fn count(&self) -> u32 {
        (**self).count()
    }

    fn position(&self, gene: u32) -> u32 {
        (**self).position(gene)
    }

    fn words(&self) -> usize {
        (**self).words()
    }

    fn layer_count(&self) -> u32 {
        (**self).layer_count()
    }

    fn layer_genes(&self, layer: u32) -> Range<u32> {
        (**self).layer_genes(layer)
    }

    fn units(&self) -> u32 {
        (**self).units()
    }

    fn fields(&self, unit: u32) -> [Range<u32>; 3] {
        (**self).fields(unit)
    }

    fn repair(&self, genome: &mut [u32]) {
        (**self).repair(genome);
    }
}

/// One row of so many evolvable bits: gene `i` is bit `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PlainBits(pub u32);

impl Genes for PlainBits {
    fn count(&self) -> u32 {
        self.0
    }

    #[inline]
    fn position(&self, gene: u32) -> u32 {
        gene
    }

    fn words(&self) -> usize {
        words_for(self.0) as usize
    }
}

/// Makes `genome`, `[words]`, random: every gene 0 or 1, all other bits 0. Draws one `u32` for every
/// 32 genes.
pub fn randomize<R: Rng + ?Sized>(genes: &(impl Genes + ?Sized), genome: &mut [u32], rng: &mut R) {
    genome.fill(0);
    let mut drawn = 0;
    for gene in 0..genes.count() {
        if gene % WORD_BITS == 0 {
            drawn = rng.next_u32();
        }
        if drawn >> (gene % WORD_BITS) & 1 != 0 {
            mark(genome, genes.position(gene));
        }
    }
}

/// Sets bit `position` of a mask, if it has it: how an operator says that a gene flips.
#[inline]
pub fn mark(mask: &mut [u32], position: u32) {
    if let Some(word) = mask.get_mut((position / WORD_BITS) as usize) {
        *word |= 1 << (position % WORD_BITS);
    }
}

/// True when `mask` has bit `position` and it is set.
#[inline]
pub(super) fn is_marked(mask: &[u32], position: u32) -> bool {
    mask.get((position / WORD_BITS) as usize).is_some_and(|word| word >> (position % WORD_BITS) & 1 != 0)
}

#[cfg(all(test, feature = "full"))]
pub(super) mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use proptest::prelude::*;
    use std::vec::Vec;

    /// `rows` rows of `bits` bits, each padded to whole words, as layers of a network are.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct PaddedRows {
        pub(in super::super) rows: u32,
        pub(in super::super) bits: u32,
    }

    impl Genes for PaddedRows {
        fn count(&self) -> u32 {
            self.rows * self.bits
        }

        fn position(&self, gene: u32) -> u32 {
            gene / self.bits * words_for(self.bits) * WORD_BITS + gene % self.bits
        }

        fn words(&self) -> usize {
            (self.rows * words_for(self.bits)) as usize
        }
    }

    pub(in super::super) fn padded_rows() -> impl Strategy<Value = PaddedRows> {
        (1u32..5, 1u32..80).prop_map(|(rows, bits)| PaddedRows { rows, bits })
    }

    /// The bits that may be set at all.
    pub(in super::super) fn evolvable(genes: &impl Genes) -> Vec<u32> {
        let mut mask = std::vec![0; genes.words()];
        (0..genes.count()).for_each(|gene| mark(&mut mask, genes.position(gene)));
        mask
    }

    pub(in super::super) fn within(row: &[u32], mask: &[u32]) -> bool {
        row.len() == mask.len() && row.iter().zip(mask).all(|(row, mask)| row & !mask == 0)
    }

    pub(in super::super) fn ones(row: &[u32]) -> u32 {
        row.iter().map(|word| word.count_ones()).sum()
    }

    proptest! {
        #[test]
        fn random_genomes_leave_padding_zero(genes in padded_rows(), seed: u64) {
            let mut genome = std::vec![u32::MAX; genes.words()];
            randomize(&genes, &mut genome, &mut Stream::new(seed, Purpose::Test, 0));
            prop_assert!(within(&genome, &evolvable(&genes)));
        }
    }

    #[test]
    fn random_genomes_are_half_ones() {
        let genes = PlainBits(99_999);
        let mut genome = std::vec![0; genes.words()];
        randomize(&genes, &mut genome, &mut Stream::new(3, Purpose::Test, 0));
        assert!((49_000..51_000).contains(&ones(&genome)));
    }

    #[test]
    fn plain_bits_take_whole_words() {
        assert_eq!((PlainBits(0).words(), PlainBits(32).words(), PlainBits(33).words()), (0, 1, 2));
    }

    #[test]
    fn positions_outside_are_neither_marked_nor_a_panic() {
        let mut mask = [0u32; 1];
        mark(&mut mask, 32);
        mark(&mut mask, u32::MAX);
        assert_eq!(mask, [0]);
        assert!(!is_marked(&mask, u32::MAX));
    }
}
