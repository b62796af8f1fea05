//! Rates that evolve with the individuals that carry them.

use super::super::genes::Genes;
use super::Mutate;
use super::rate::{Rate, flip_in};
use crate::rng::Draw;
use rand_core::Rng;

/// Flips a child in units of a strategy's word.
const ONE_FLIP: u32 = 256;
/// A sixteenth of a flip a child: fewer, and a layer would hardly move again.
const LEAST: u32 = ONE_FLIP / 16;

/// Every individual carries its own rate, of all genes or of each layer: how many flips its children shall have on average, in 256ths. A child
/// takes its first parent's, multiplies it by 2/3, 1 or 3/2, each equally likely, and mutates by the outcome; so rates
/// that make good children spread. Self-adaptation of bit strings is from Bäck (1992), steps by a factor from Doerr, Witt and
/// Yang, *Runtime analysis for self-adaptive mutation rates* (2018).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SelfAdaptive {
    /// One rate for each layer of genes instead of one for all.
    pub per_layer: bool,
    /// Flips that children of the first individuals have on average, in 256ths, all layers together.
    pub begin: u32,
}

impl SelfAdaptive {
    fn layers(self, genes: &dyn Genes) -> u32 {
        if self.per_layer { genes.layer_count() } else { 1 }
    }
}

/// Half of all genes flip at most.
fn clamp(flips: u32, genes: u32) -> u32 {
    flips.clamp(LEAST, genes.saturating_mul(ONE_FLIP / 2).max(LEAST))
}

impl Mutate for SelfAdaptive {
    fn draw(&self, genes: &dyn Genes, mask: &mut [u32], strategy: &mut [u32], rng: &mut dyn Rng) {
        mask.fill(0);
        for (layer, flips) in (0..self.layers(genes)).zip(strategy) {
            let range = if self.per_layer { genes.layer_genes(layer) } else { 0..genes.count() };
            let count = range.len() as u32;
            let stepped = match rng.below(3) {
                0 => *flips / 3 * 2,
                1 => *flips,
                _ => flips.saturating_add(*flips / 2),
            };
            *flips = clamp(stepped, count);
            let rate = (u64::from(*flips) << 24) / u64::from(count.max(1));
            flip_in(genes, range, &Rate::new(rate.min(u64::from(u32::MAX)) as u32), mask, rng);
        }
    }

    fn strategy_words(&self, genes: &dyn Genes) -> usize {
        self.layers(genes) as usize
    }

    fn begin(&self, genes: &dyn Genes, strategy: &mut [u32]) {
        let layers = self.layers(genes);
        for (layer, flips) in (0..layers).zip(strategy) {
            let count = if self.per_layer { genes.layer_genes(layer).len() as u32 } else { genes.count() };
            *flips = clamp(self.begin / layers.max(1), count);
        }
    }
}
