//! The spectrum-guided search: visit neurons in random order, propose the best mutants of each, keep what an
//! exact trial confirms.
//!
//! A *sweep* visits every neuron of every layer once, in blocks: the spectra of a block are computed
//! against one frozen genome, then each neuron of the block proposes its best flips together. Flips
//! do not add up exactly, and the neurons before it may have moved, so a trial decides: where the set
//! does not lower the loss its better half is tried, down to a single flip. The loss never rises. When a whole sweep
//! finds nothing, the genome is a local optimum of every single mutation: no weight, no threshold step improves it.

use heapless::Vec;
use rand_core::Rng;

use crate::evolve::landscape::{IMPOSSIBLE, Landscape, MAX_TRIAL};
use crate::genome::Mutation;
use crate::rng::Draw;
use crate::topology::Topology;

/// Most neurons of a block.
pub const MAX_BLOCK: usize = 64;

/// How the search proceeds. All of it is part of what makes a run repeatable, none of it is a backend's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchConfig {
    /// Most mutations that one neuron proposes together, 1 to [`MAX_TRIAL`].
    pub proposals: u16,
    /// Most neurons whose spectra are computed against one frozen genome, 1 to [`MAX_BLOCK`]. A block ends early where
    /// the order of visits, which is random, comes to another layer.
    pub block: u16,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self { proposals: 8, block: 1 }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Change of the total loss, 0 or negative.
    pub change: i64,
    /// Mutants scored exactly: the entries of all spectra, and one for every trial.
    pub mutants: u64,
    /// Mutations that became part of the genome.
    pub committed: u32,
    /// True when this step ended a sweep.
    pub sweep_ended: bool,
}

/// A search in progress. It owns no network: it is handed the landscape at each step.
#[derive(Debug)]
pub struct SpectrumSearch<'a, Generator> {
    config: SearchConfig,
    rng: Generator,
    order: &'a mut [u32],
    deltas: &'a mut [i64],
    visited: usize,
}

impl<'a, Generator: Rng> SpectrumSearch<'a, Generator> {
    /// Entries that the order of visits needs.
    #[must_use]
    pub const fn order_len(topology: &Topology) -> usize {
        topology.neurons() as usize
    }

    /// Entries that the spectra of a block need.
    #[must_use]
    pub const fn deltas_len(topology: &Topology, config: SearchConfig) -> usize {
        topology.most_mutants() * config.block as usize
    }

    /// A search that begins with a new sweep. `None` where a buffer is too short or the configuration is out of range.
    #[must_use]
    pub fn new(
        topology: &Topology,
        config: SearchConfig,
        rng: Generator,
        order: &'a mut [u32],
        deltas: &'a mut [i64],
    ) -> Option<Self> {
        let sensible = (1..=MAX_TRIAL).contains(&usize::from(config.proposals))
            && (1..=MAX_BLOCK).contains(&usize::from(config.block));
        let order = order.get_mut(..Self::order_len(topology))?;
        let deltas = deltas.get_mut(..Self::deltas_len(topology, config))?;
        let mut visits = order.iter_mut();
        for (layer, plan) in topology.layers().iter().enumerate() {
            for (neuron, visit) in (0..plan.neurons).zip(&mut visits) {
                *visit = (layer as u32) << 16 | neuron;
            }
        }
        sensible.then_some(Self { config, rng, order, deltas, visited: 0 })
    }

    /// Visits the next block of neurons. `landscape` must be of the topology the search was made for.
    ///
    /// # Panics
    /// When the landscape has fewer or smaller layers than that topology.
    pub fn step(&mut self, landscape: &mut impl Landscape) -> Step {
        if self.visited == 0 {
            self.rng.shuffle(self.order);
        }
        let (layer, neurons) = self.next_block();
        let plan = *landscape.topology().layer(layer);
        landscape.spectra(layer, &neurons, self.deltas);
        let mut step = Step::default();
        for (&neuron, deltas) in neurons.iter().zip(self.deltas.chunks_exact(plan.mutants())) {
            step.mutants += deltas.iter().filter(|&&delta| delta != IMPOSSIBLE).count() as u64;
            let best = best_entries(deltas, usize::from(self.config.proposals));
            let mut proposal: Vec<Mutation, MAX_TRIAL> = best
                .iter()
                .map(|&(_, entry)| Mutation::at(layer, u32::from(neuron), usize::from(entry), plan.inputs))
                .collect();
            while !proposal.is_empty() {
                let change = landscape.trial(&proposal);
                step.mutants += 1;
                if change < 0 {
                    landscape.commit();
                    step.change += change;
                    step.committed += proposal.len() as u32;
                    break;
                }
                landscape.rollback();
                proposal.truncate(proposal.len() / 2);
            }
        }
        step.sweep_ended = self.visited == 0;
        step
    }

    /// The next neurons to visit, all of one layer.
    fn next_block(&mut self) -> (usize, Vec<u16, MAX_BLOCK>) {
        let rest = &self.order[self.visited..];
        let layer = rest[0] >> 16;
        let same =
            rest.iter().take(usize::from(self.config.block)).take_while(|&&visit| visit >> 16 == layer);
        let neurons: Vec<u16, MAX_BLOCK> = same.map(|&visit| visit as u16).collect();
        self.visited += neurons.len();
        if self.visited == self.order.len() {
            self.visited = 0;
        }
        (layer as usize, neurons)
    }
}

/// The `most` entries that lower the loss most, best first, the lowest index among equals.
fn best_entries(deltas: &[i64], most: usize) -> Vec<(i64, u16), MAX_TRIAL> {
    let mut best: Vec<(i64, u16), MAX_TRIAL> = Vec::new();
    for (&delta, entry) in deltas.iter().zip(0..) {
        let full = best.len() == most;
        if delta >= 0 || (full && best.last().is_some_and(|&(worst, _)| delta >= worst)) {
            continue;
        }
        if full {
            best.pop();
        }
        let position = best.iter().position(|&(other, _)| delta < other).unwrap_or(best.len());
        // There is room: `best` holds fewer than `most`, which is at most its capacity.
        let _ = best.insert(position, (delta, entry));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_entries_come_in_order() {
        let deltas = [5, -3, 0, -9, -3, IMPOSSIBLE, -1];
        assert_eq!(best_entries(&deltas, 3)[..], [(-9, 3), (-3, 1), (-3, 4)]);
        assert_eq!(best_entries(&deltas, 64)[..], [(-9, 3), (-3, 1), (-3, 4), (-1, 6)]);
        assert!(best_entries(&[0, 4], 2).is_empty());
    }
}
