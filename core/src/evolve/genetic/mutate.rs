//! Which bits of a child flip: a mask over the packed genome, one for every bit to flip.
//!
//! A way to mutate is a type with [`Mutate`]; each has a file of its own:
//!
//! - [`Flips`]: exactly k genes;
//! - [`Rate`]: every gene by itself with one probability;
//! - [`PowerLaw`]: a heavy-tailed number of genes;
//! - [`SelfAdaptive`]: by rates that each individual carries and that evolve with it.

mod adaptive;
mod flips;
mod power_law;
mod rate;

pub use adaptive::SelfAdaptive;
pub use flips::{Flips, exactly};
pub use power_law::PowerLaw;
pub use rate::{Rate, by_rate};

use super::Error;
use super::genes::Genes;
use rand_core::Rng;

/// A way to mutate.
///
/// An operator may have a *strategy*: words that every individual carries behind its genome, from its first parent, and that
/// selection acts on with it.
pub trait Mutate {
    /// Overwrites `mask`, `[words]`, with the bits to flip. `strategy`, `[strategy_words]`, is the first parent's and
    /// becomes the child's.
    fn draw(&self, genes: &dyn Genes, mask: &mut [u32], strategy: &mut [u32], rng: &mut dyn Rng);

    /// Words of an individual's strategy; none by default.
    fn strategy_words(&self, genes: &dyn Genes) -> usize {
        let _ = genes;
        0
    }

    /// The strategy that individuals begin with.
    fn begin(&self, genes: &dyn Genes, strategy: &mut [u32]) {
        let _ = genes;
        strategy.fill(0);
    }

    /// Whether genes can be mutated so.
    ///
    /// # Errors
    /// Says what does not fit.
    fn check(&self, genes: &dyn Genes) -> Result<(), Error> {
        let _ = genes;
        Ok(())
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
