//! A landscape spread over threads: each shard holds some of the samples.
//!
//! The change of loss of a mutant is a sum over samples, and integer sums do not care how they are
//! split: any number of shards gives the same bytes.

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape};
use evobit::genome::Mutation;
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
pub struct Sharded<'a> {
    shards: Vec<Shard<'a>>,
    deltas: Vec<Vec<i64>>,
}

impl<'a> Sharded<'a> {
    /// Joins landscapes of the same genome; `None` without any.
    #[must_use]
    pub fn new(shards: Vec<Shard<'a>>) -> Option<Self> {
        let deltas = vec![Vec::new(); shards.len()];
        (!shards.is_empty()).then_some(Self { shards, deltas })
    }

    /// Runs `work` on every shard, on the caller's thread when there is just one.
    fn sum(&mut self, work: impl Fn(&mut Shard<'a>) -> i64 + Sync + Send) -> i64 {
        match &mut self.shards[..] {
            [only] => work(only),
            shards => {
                let parts: Vec<i64> = shards.par_iter_mut().map(work).collect();
                if parts.contains(&IMPOSSIBLE) { IMPOSSIBLE } else { parts.iter().sum() }
            }
        }
    }
}

impl Landscape for Sharded<'_> {
    fn topology(&self) -> &Topology {
        self.shards[0].topology()
    }

    fn genome(&self) -> &[u32] {
        self.shards[0].genome()
    }

    fn samples(&self) -> u32 {
        self.shards.iter().map(|shard| shard.samples()).sum()
    }

    fn loss(&self) -> i64 {
        self.shards.iter().map(|shard| shard.loss()).sum()
    }

    fn correct(&self) -> u32 {
        self.shards.iter().map(|shard| shard.correct()).sum()
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        if let [only] = &mut self.shards[..] {
            return only.spectra(layer, neurons, deltas);
        }
        let len = neurons.len() * self.topology().layer(layer).mutants();
        self.shards.par_iter_mut().zip(&mut self.deltas).for_each(|(shard, part)| {
            part.resize(len, 0);
            shard.spectra(layer, neurons, part);
        });
        for (index, delta) in deltas[..len].iter_mut().enumerate() {
            // What is impossible is so on every shard: the genome is the same.
            let first = self.deltas[0][index];
            *delta =
                if first == IMPOSSIBLE { first } else { self.deltas.iter().map(|part| part[index]).sum() };
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.sum(|shard| shard.trial(mutations))
    }

    fn commit(&mut self) {
        self.sum(|shard| {
            shard.commit();
            0
        });
    }

    fn rollback(&mut self) {
        self.shards.iter_mut().for_each(|shard| shard.rollback());
    }
}
