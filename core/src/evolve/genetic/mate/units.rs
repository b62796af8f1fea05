//! Matings that know neurons: what belongs together stays together.

use super::super::genes::Genes;
use super::{Kin, Mate, copy};
use crate::bits::WORD_BITS;
use crate::rng::Draw;
use core::ops::Range;
use rand_core::Rng;

/// Two parents, every neuron whole from either - its weights, its threshold, its window: crossover between units of a layer (Montana
/// and Davis, 1989). Genes without units come from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WholeUnits;

impl Mate for WholeUnits {
    fn parents(&self) -> usize {
        2
    }

    fn mate(&self, genes: &dyn Genes, kin: Kin<'_>, child: &mut [u32], rng: &mut dyn Rng) {
        let &[a, b] = kin.parents else { return };
        copy(child, a);
        let mut drawn = 0;
        for unit in 0..genes.units() {
            if unit % WORD_BITS == 0 {
                drawn = rng.next_u32();
            }
            if drawn >> (unit % WORD_BITS) & 1 != 0 {
                for field in genes.fields(unit) {
                    take(child, a, b, field, |differ| differ);
                }
            }
        }
    }
}

/// Two parents: the first, but for so many neurons, drawn with replacement, whose weights and thresholds come bit by bit from
/// either. A window moves whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WithinUnits(pub u32);

impl Mate for WithinUnits {
    fn parents(&self) -> usize {
        2
    }

    fn mate(&self, genes: &dyn Genes, kin: Kin<'_>, child: &mut [u32], rng: &mut dyn Rng) {
        let &[a, b] = kin.parents else { return };
        copy(child, a);
        for _ in 0..self.0 {
            // A unit drawn twice would undo part of what it took: its second turn begins where the first left off, so it still
            // is a mixture of both.
            let unit = rng.below(genes.units());
            let [weights, threshold, _] = genes.fields(unit);
            for field in [weights, threshold] {
                take(child, a, b, field, |differ| differ & rng.next_u32());
            }
        }
    }
}

/// Exclusive-ors into `child` those bits of `range` in which `a` and `b` differ that `choose` leaves, word by word.
fn take(child: &mut [u32], a: &[u32], b: &[u32], range: Range<u32>, mut choose: impl FnMut(u32) -> u32) {
    let mut bit = range.start;
    while bit < range.end {
        let (word, offset) = ((bit / WORD_BITS) as usize, bit % WORD_BITS);
        let length = (WORD_BITS - offset).min(range.end - bit);
        let mask = (u32::MAX >> (WORD_BITS - length)) << offset;
        if let (Some(child), Some(a), Some(b)) = (child.get_mut(word), a.get(word), b.get(word)) {
            *child ^= choose((a ^ b) & mask);
        }
        bit += length;
    }
}
