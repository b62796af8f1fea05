//! A landscape spread over threads: each shard holds some of the samples.
//!
//! The change of loss of a mutant is a sum over samples, and integer sums do not care how they are
//! split: any number of shards gives the same bytes.

use std::cell::{Cell, RefCell};

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape};
use evobit::genome::{GenomeMut, Mutation};
use evobit::topology::Topology;
use rayon::prelude::*;

/// Fewest samples that are worth a thread of their own.
const SAMPLES_PER_SHARD: usize = 4000;

/// How many shards `samples` samples are worth on `threads` threads.
#[must_use]
pub fn shard_count(samples: usize, threads: usize) -> usize {
    (samples / SAMPLES_PER_SHARD).clamp(1, threads.max(1))
}

/// A landscape of any kind.
pub type Shard<'a> = Box<dyn Landscape + Send + Sync + 'a>;

/// Landscapes of one genome on different samples, as one.
///
/// Threads meet as seldom as they can: what is committed here, the shards commit when they are next asked for something.
pub struct Sharded<'a> {
    shards: RefCell<Vec<Shard<'a>>>,
    topology: Topology,
    genome: Vec<u32>,
    samples: u32,
    total: i64,
    /// The mutations of the last trial and its change of loss.
    pending: Option<(Vec<Mutation>, i64)>,
    /// True where the shards have not yet committed their last trial.
    owed: Cell<bool>,
    deltas: Vec<Vec<i64>>,
}

impl<'a> Sharded<'a> {
    /// Joins landscapes of the same genome; `None` without any.
    #[must_use]
    pub fn new(shards: Vec<Shard<'a>>) -> Option<Self> {
        let first = shards.first()?;
        Some(Self {
            topology: *first.topology(),
            genome: first.genome().to_vec(),
            samples: shards.iter().map(|shard| shard.samples()).sum(),
            total: shards.iter().map(|shard| shard.loss()).sum(),
            pending: None,
            owed: Cell::new(false),
            deltas: vec![Vec::new(); shards.len()],
            shards: RefCell::new(shards),
        })
    }
}

/// Commits where that is owed, then works.
fn settled<'a, T>(shard: &mut Shard<'a>, owed: bool, work: impl FnOnce(&mut Shard<'a>) -> T) -> T {
    if owed {
        shard.commit();
    }
    work(shard)
}

impl Landscape for Sharded<'_> {
    fn topology(&self) -> &Topology {
        &self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.samples
    }

    fn loss(&self) -> i64 {
        self.total
    }

    fn correct(&self) -> u32 {
        let owed = self.owed.take();
        let mut shards = self.shards.borrow_mut();
        shards.par_iter_mut().map(|shard| settled(shard, owed, |shard| shard.correct())).sum()
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.pending = None;
        let owed = self.owed.take();
        if let [only] = &mut self.shards.get_mut()[..] {
            return settled(only, owed, |only| only.spectra(layer, neurons, deltas));
        }
        let len = neurons.len() * self.topology.layer(layer).mutants();
        self.shards.get_mut().par_iter_mut().zip(&mut self.deltas).for_each(|(shard, part)| {
            part.resize(len, 0);
            settled(shard, owed, |shard| shard.spectra(layer, neurons, part));
        });
        let (first, rest) = self.deltas.split_at(1);
        deltas[..len].copy_from_slice(&first[0][..len]);
        for part in rest {
            // What is impossible is so on every shard: the genome is the same.
            for (delta, &more) in deltas[..len].iter_mut().zip(part) {
                *delta = if more == IMPOSSIBLE { more } else { *delta + more };
            }
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        let owed = self.owed.take();
        let change = match &mut self.shards.get_mut()[..] {
            [only] => settled(only, owed, |only| only.trial(mutations)),
            shards => {
                let parts = shards.par_iter_mut();
                let parts = parts.map(|shard| settled(shard, owed, |shard| shard.trial(mutations)));
                // Impossible on one is so on all, and not to be summed.
                parts.reduce(|| 0, |a, b| if a.max(b) == IMPOSSIBLE { IMPOSSIBLE } else { a + b })
            }
        };
        self.pending = (change != IMPOSSIBLE).then(|| (mutations.to_vec(), change));
        change
    }

    fn commit(&mut self) {
        let Some((mutations, change)) = self.pending.take() else { return };
        if let Ok(mut genome) = GenomeMut::new(&self.topology, &mut self.genome) {
            genome.apply_all(&mutations);
        }
        self.total += change;
        self.owed.set(true);
    }

    fn rollback(&mut self) {
        // What the shards hold of it goes with their next trial or spectra.
        self.pending = None;
    }
}
