//! The spectrum-guided search: visit neurons in random order, propose the best mutants of each, keep what an
//! exact trial confirms.
//!
//! A *sweep* visits every neuron of every layer once, in blocks: the spectra of a block are computed
//! against one frozen genome, then each neuron of the block proposes its best flips together. Flips
//! do not add up exactly, and the neurons before it may have moved, so a trial decides: where the set
//! does not lower the loss its better half is tried, down to a single flip. Without heat the loss never rises, and
//! when a whole sweep finds nothing, the genome is a local optimum of every single mutation: no weight, no threshold
//! step improves it.
//!
//! *Heat* lets the search leave such optima: every mutant's change of loss is taken to be better by a random amount
//! below the heat, and so is the trial's. A caller that lowers the heat from sweep to sweep anneals (Kirkpatrick, Gelatt and Vecchi,
//! 1983; accepting by a threshold: Dueck and Scheuer, 1990).
//!
//! While the search is hot, it may choose what to propose in the first layer by *smoothed* spectra, see [`smooth`](super::smooth);
//! trials stay exact, and without heat so are the spectra.

use heapless::Vec;
use rand_core::Rng;

use crate::evolve::landscape::{IMPOSSIBLE, Landscape, MAX_TRIAL};
#[cfg(feature = "full")]
use crate::evolve::smooth::Smoothing;
use crate::genome::Mutation;
#[cfg(feature = "full")]
use crate::network::Network;
use crate::rng::Draw;
use crate::topology::Topology;

/// Most neurons of a block: 64, or 1 without the feature `full`.
pub const MAX_BLOCK: usize = if cfg!(feature = "full") { 64 } else { 1 };

/// A visit is a layer from this bit on and a neuron in the bits below.
const LAYER_SHIFT: u32 = 16;
const NEURON: u32 = (1 << LAYER_SHIFT) - 1;
/// No visit has this bit.
const SEEN: u32 = 1 << 31;

/// How the search proceeds. All of it is part of what makes a run repeatable, none of it is a backend's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Step {
    /// Change of the total loss, 0 or negative without heat.
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
    #[cfg(feature = "full")]
    smoothing: Smoothing<'a>,
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
        let mut visits = order.iter_mut();
        for (layer, plan) in topology.layers().iter().enumerate() {
            for (neuron, visit) in (0..plan.neurons).zip(&mut visits) {
                *visit = (layer as u32) << LAYER_SHIFT | neuron;
            }
        }
        Self::resume(topology, config, rng, order, deltas, 0)
    }

    /// A search that goes on where another was between two steps: with its generator, its [`order`](Self::order) and
    /// its [`position`](Self::position). `None` where these are of no search of this topology, a buffer is too short
    /// or the configuration is out of range.
    #[must_use]
    pub fn resume(
        topology: &Topology,
        config: SearchConfig,
        rng: Generator,
        order: &'a mut [u32],
        deltas: &'a mut [i64],
        position: usize,
    ) -> Option<Self> {
        let sensible = (1..=MAX_TRIAL).contains(&usize::from(config.proposals))
            && (1..=MAX_BLOCK).contains(&usize::from(config.block));
        let order = order.get_mut(..Self::order_len(topology))?;
        let deltas = deltas.get_mut(..Self::deltas_len(topology, config))?;
        let goes_on = sensible && position < order.len() && is_order(topology, order);
        goes_on.then_some(Self {
            config,
            #[cfg(feature = "full")]
            smoothing: Smoothing::default(),
            rng,
            order,
            deltas,
            visited: position,
        })
    }

    /// The same search with spectra of a dense first layer smoothed while there is heat. With the feature `full`.
    #[cfg(feature = "full")]
    #[must_use]
    pub fn smoothed(self, smoothing: Smoothing<'a>) -> Self {
        Self { smoothing, ..self }
    }

    /// The order of visits of this sweep, or at its end of the last: the layer from bit 16 on, the neuron below. The
    /// next sweep's order is drawn from it.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        self.order
    }

    /// How many visits of this sweep were made; 0 between two sweeps.
    #[must_use]
    pub fn position(&self) -> usize {
        self.visited
    }

    /// The generator.
    #[must_use]
    pub fn rng(&self) -> &Generator {
        &self.rng
    }

    /// Visits the next block of neurons. `landscape` must be of the topology the search was made for. `heat` is in loss units
    /// of the whole landscape; 0 takes only what lowers the loss.
    ///
    /// # Panics
    /// When the landscape has fewer or smaller layers than that topology.
    pub fn step(&mut self, landscape: &mut impl Landscape, heat: u32) -> Step {
        if self.visited == 0 {
            self.rng.shuffle(self.order);
        }
        let (layer, neurons) = self.next_block();
        let plan = *landscape.topology().layer(layer);
        landscape.spectra(layer, &neurons, self.deltas);
        let mut step = Step::default();
        for (&neuron, deltas) in neurons.iter().zip(self.deltas.chunks_exact_mut(plan.mutants())) {
            step.mutants += deltas.iter().filter(|&&delta| delta != IMPOSSIBLE).count() as u64;
            if heat > 0 {
                #[cfg(feature = "full")]
                if self.smoothing.is_on() && layer == 0 && plan.is_dense() {
                    let network = Network::view(landscape.topology(), landscape.genome());
                    let weights = network.weights(layer, neuron.into());
                    self.smoothing.apply(&mut deltas[..plan.inputs as usize], weights);
                }
                let possible = deltas.iter_mut().filter(|delta| **delta != IMPOSSIBLE);
                possible.for_each(|delta| *delta -= below(&mut self.rng, heat));
            }
            let proposal =
                propose(deltas, usize::from(self.config.proposals), (layer, neuron.into()), plan.inputs);
            commit_what_helps(landscape, proposal, heat, &mut self.rng, &mut step);
        }
        step.sweep_ended = self.visited == 0;
        step
    }

    /// The next neurons to visit, all of one layer.
    fn next_block(&mut self) -> (usize, Vec<u16, MAX_BLOCK>) {
        let rest = &self.order[self.visited..];
        let layer = rest[0] >> LAYER_SHIFT;
        let same = rest
            .iter()
            .take(usize::from(self.config.block))
            .take_while(|&&visit| visit >> LAYER_SHIFT == layer);
        let neurons: Vec<u16, MAX_BLOCK> = same.map(|&visit| visit as u16).collect();
        self.visited += neurons.len();
        if self.visited == self.order.len() {
            self.visited = 0;
        }
        (layer as usize, neurons)
    }
}

/// The best mutations of a neuron.
fn propose(
    deltas: &[i64],
    most: usize,
    (layer, neuron): (usize, u32),
    inputs: u32,
) -> Vec<Mutation, MAX_TRIAL> {
    let best = best_entries(deltas, most);
    best.iter().map(|&entry| Mutation::at(layer, neuron, usize::from(entry), inputs)).collect()
}

/// Tries the whole `proposal`, best first, then its better half and so on, and commits the first that lowers the loss, or raises it by
/// less than chance allows.
fn commit_what_helps(
    landscape: &mut impl Landscape,
    mut proposal: Vec<Mutation, MAX_TRIAL>,
    heat: u32,
    rng: &mut impl Rng,
    step: &mut Step,
) {
    while !proposal.is_empty() {
        let change = landscape.trial(&proposal);
        step.mutants += 1;
        if change < below(rng, heat) {
            landscape.commit();
            step.change += change;
            step.committed += proposal.len() as u32;
            return;
        }
        landscape.rollback();
        proposal.truncate(proposal.len() / 2);
    }
}

/// A random amount from 0 to below `heat`; 0, and nothing drawn, without heat.
fn below(rng: &mut impl Rng, heat: u32) -> i64 {
    if heat == 0 { 0 } else { ((u64::from(rng.next_u32()) * u64::from(heat)) >> 32) as i64 }
}

/// True where `order` has each neuron of the topology once. Needs no memory: the highest bit of an entry, which no visit
/// uses, marks the neuron whose number in the network it is.
fn is_order(topology: &Topology, order: &mut [u32]) -> bool {
    let number = |visit: u32| {
        let (layer, neuron) = ((visit >> LAYER_SHIFT) as usize, visit & NEURON);
        let (before, from) = topology.layers().split_at_checked(layer)?;
        let inside = from.first().is_some_and(|plan| neuron < plan.neurons);
        inside.then(|| (before.iter().map(|plan| plan.neurons).sum::<u32>() + neuron) as usize)
    };
    if order.iter().any(|visit| visit & SEEN != 0) {
        return false;
    }
    let mut distinct = true;
    for index in 0..order.len() {
        let numbered = number(order[index] & !SEEN).and_then(|number| order.get_mut(number));
        distinct &= numbered.is_some_and(|entry| core::mem::replace(entry, *entry | SEEN) & SEEN == 0);
    }
    order.iter_mut().for_each(|visit| *visit &= !SEEN);
    distinct
}

/// The `most` entries that lower the loss most, best first, the lowest index among equals.
fn best_entries(deltas: &[i64], most: usize) -> Vec<u16, MAX_TRIAL> {
    let mut best: Vec<u16, MAX_TRIAL> = Vec::new();
    let delta_of = |entry: u16| deltas[usize::from(entry)];
    for (&delta, entry) in deltas.iter().zip(0..) {
        let full = best.len() == most;
        if delta >= 0 || (full && best.last().is_some_and(|&worst| delta >= delta_of(worst))) {
            continue;
        }
        if full {
            best.pop();
        }
        // There is room: `best` holds fewer than `most`, which is at most its capacity.
        let _ = best.push(entry);
        // Not `insert`: moving memory in general takes more than a kilobyte of code.
        let mut position = best.len() - 1;
        while position > 0 && delta < delta_of(best[position - 1]) {
            best.swap(position, position - 1);
            position -= 1;
        }
    }
    best
}

#[cfg(all(test, feature = "full"))]
mod tests;
