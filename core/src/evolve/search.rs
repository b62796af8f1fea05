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
use crate::evolve::smooth::Smoothing;
use crate::genome::Mutation;
use crate::network::Network;
use crate::rng::Draw;
use crate::topology::{Field, Topology};

/// Most neurons of a block.
pub const MAX_BLOCK: usize = 64;

/// A visit is a layer from this bit on and a neuron in the bits below.
const LAYER_SHIFT: u32 = 16;
const NEURON: u32 = (1 << LAYER_SHIFT) - 1;
/// No visit has this bit.
const SEEN: u32 = 1 << 31;

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
        let smoothing = Smoothing::default();
        goes_on.then_some(Self { config, smoothing, rng, order, deltas, visited: position })
    }

    /// The same search with spectra of a dense first layer smoothed while there is heat.
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
                if self.smoothing.is_on() && layer == 0 && matches!(plan.field, Field::Dense) {
                    let network = Network::view(landscape.topology(), landscape.genome());
                    let weights = network.weights(layer, neuron.into());
                    self.smoothing.apply(&mut deltas[..plan.inputs as usize], weights);
                }
                let possible = deltas.iter_mut().filter(|delta| **delta != IMPOSSIBLE);
                possible.for_each(|delta| *delta -= below(&mut self.rng, heat));
            }
            let best = best_entries(deltas, usize::from(self.config.proposals));
            let mut proposal: Vec<Mutation, MAX_TRIAL> = best
                .iter()
                .map(|&(_, entry)| Mutation::at(layer, u32::from(neuron), usize::from(entry), plan.inputs))
                .collect();
            while !proposal.is_empty() {
                let change = landscape.trial(&proposal);
                step.mutants += 1;
                if change < below(&mut self.rng, heat) {
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
    use crate::rng::{Purpose, Stream};
    use crate::topology::{Layer, Shape};
    use std::vec;

    /// A landscape whose loss is the number of weights not yet flipped; two flips tried together never help.
    struct Bits {
        topology: Topology,
        set: Vec<Mutation, 64>,
        pending: Vec<Mutation, MAX_TRIAL>,
        visits: std::vec::Vec<(usize, std::vec::Vec<u16>)>,
        trials: u64,
    }

    impl Bits {
        /// Two layers of three and two neurons, all weights to be flipped.
        fn new() -> Self {
            let topology = Topology::new(Shape::flat(4), &[Layer::dense(3), Layer::dense(2)]).unwrap();
            let mut set = Vec::new();
            for (layer, plan) in topology.layers().iter().enumerate() {
                for neuron in 0..plan.neurons {
                    (0..plan.inputs as usize)
                        .for_each(|entry| set.push(Mutation::at(layer, neuron, entry, plan.inputs)).unwrap());
                }
            }
            Self { topology, set, pending: Vec::new(), visits: vec![], trials: 0 }
        }
    }

    impl Landscape for Bits {
        fn topology(&self) -> &Topology {
            &self.topology
        }

        fn genome(&self) -> &[u32] {
            &[]
        }

        fn samples(&self) -> u32 {
            0
        }

        fn loss(&self) -> i64 {
            self.set.len() as i64
        }

        fn correct(&self) -> u32 {
            0
        }

        fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
            self.visits.push((layer, neurons.to_vec()));
            let plan = *self.topology.layer(layer);
            deltas.fill(IMPOSSIBLE);
            for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(plan.mutants())) {
                for (entry, delta) in deltas[..plan.inputs as usize].iter_mut().enumerate() {
                    let mutation = Mutation::at(layer, neuron.into(), entry, plan.inputs);
                    *delta = if self.set.contains(&mutation) { -1 } else { 1 };
                }
            }
        }

        fn trial(&mut self, mutations: &[Mutation]) -> i64 {
            self.trials += 1;
            self.pending = Vec::from_slice(mutations).unwrap();
            if mutations.len() == 1 { -1 } else { 3 - mutations.len() as i64 }
        }

        fn commit(&mut self) {
            let pending = core::mem::take(&mut self.pending);
            self.set.retain(|mutation| !pending.contains(mutation));
        }

        fn rollback(&mut self) {
            self.pending.clear();
        }
    }

    /// The visits of the first two sweeps, in blocks of at most `block`, and the loss after them.
    fn two_sweeps(block: u16, seed: u64) -> (std::vec::Vec<(usize, std::vec::Vec<u16>)>, i64) {
        let mut landscape = Bits::new();
        let config = SearchConfig { proposals: 2, block };
        let rng = Stream::new(seed, Purpose::Test, 0);
        let (mut order, mut deltas) = ([0; 5], [0; 6 * MAX_BLOCK]);
        let mut search =
            SpectrumSearch::new(&landscape.topology, config, rng, &mut order, &mut deltas).unwrap();
        for _ in 0..2 {
            let (mut total, visited) = (Step::default(), landscape.visits.len());
            let (loss, trials) = (landscape.loss(), landscape.trials);
            while !total.sweep_ended {
                let step = search.step(&mut landscape, 0);
                assert!(step.change <= 0);
                total.change += step.change;
                total.mutants += step.mutants;
                total.committed += step.committed;
                total.sweep_ended = step.sweep_ended;
            }
            let mut seen = vec![];
            for (layer, neurons) in &landscape.visits[visited..] {
                assert!(neurons.len() <= usize::from(block));
                seen.extend(neurons.iter().map(|&neuron| (*layer, neuron)));
            }
            seen.sort_unstable();
            assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
            assert_eq!(total.change, landscape.loss() - loss);
            // Each neuron tries two flips together, then the better one alone; weights are mutants, thresholds not.
            assert_eq!((total.committed, landscape.trials - trials), (5, 10));
            assert_eq!(total.mutants, 3 * 4 + 2 * 3 + 10);
        }
        let loss = landscape.loss();
        (landscape.visits, loss)
    }

    #[test]
    fn a_sweep_visits_every_neuron_once_and_keeps_the_half_that_helps() {
        for (block, seed) in [(1, 1), (1, 2), (2, 3), (64, 4)] {
            assert_eq!(two_sweeps(block, seed).1, 3 * 4 + 2 * 3 - 10);
        }
    }

    #[test]
    fn the_order_of_visits_is_the_seeds_alone() {
        assert_eq!(two_sweeps(1, 5), two_sweeps(1, 5));
        assert_ne!(two_sweeps(1, 5), two_sweeps(1, 6));
        let (visits, _) = two_sweeps(1, 5);
        assert_ne!(visits[..5], visits[5..], "each sweep has an order of its own");
    }

    #[test]
    fn a_search_out_of_range_is_none() {
        let topology = Bits::new().topology;
        let make = |proposals, block, order: usize, deltas: usize| {
            let config = SearchConfig { proposals, block };
            let rng = Stream::new(1, Purpose::Test, 0);
            SpectrumSearch::new(&topology, config, rng, &mut vec![0; order], &mut vec![0; deltas]).is_some()
        };
        assert!(make(64, 1, 5, 6) && make(1, 64, 5, 6 * 64));
        assert!(!make(0, 1, 5, 6) && !make(65, 1, 5, 6));
        assert!(!make(1, 0, 5, 6) && !make(1, 65, 5, 6 * 65));
        assert!(!make(1, 1, 4, 6) && !make(1, 1, 5, 5));
    }

    #[test]
    fn a_search_goes_on_from_any_step() {
        let (config, steps, heat) = (SearchConfig { proposals: 2, block: 2 }, 11, 3);
        let (mut order, mut deltas) = ([0; 5], [0; 12]);
        for stop in 0..steps {
            let mut landscape = Bits::new();
            let topology = landscape.topology;
            let rng = Stream::new(3, Purpose::Test, 0);
            let mut search = SpectrumSearch::new(&topology, config, rng, &mut order, &mut deltas).unwrap();
            for _ in 0..stop {
                search.step(&mut landscape, heat);
            }
            let (mut order, mut deltas) = (search.order().to_vec(), [0; 12]);
            let (rng, position) = (search.rng().clone(), search.position());
            let mut other =
                SpectrumSearch::resume(&topology, config, rng, &mut order, &mut deltas, position).unwrap();
            let mut again = Bits { set: landscape.set.clone(), ..Bits::new() };
            for _ in stop..steps {
                assert_eq!(other.step(&mut again, heat), search.step(&mut landscape, heat));
            }
            assert!(landscape.visits.ends_with(&again.visits));
        }
    }

    #[test]
    fn what_is_no_order_of_visits_is_none() {
        let topology = Bits::new().topology;
        let resume = |mut order: [u32; 5], position| {
            let rng = Stream::new(1, Purpose::Test, 0);
            let config = SearchConfig::default();
            let given = order;
            let mut deltas = [0; 6];
            let resumed =
                SpectrumSearch::resume(&topology, config, rng, &mut order, &mut deltas, position).is_some();
            assert!(!resumed || order == given);
            resumed
        };
        let second = 1 << 16;
        assert!(resume([2, second, 0, second | 1, 1], 0) && resume([2, second, 0, second | 1, 1], 4));
        assert!(!resume([2, second, 0, second | 1, 1], 5));
        for wrong in [0, 1, 3, second, second | 2, 2 << 16, 8 << 16, 1 << 31, 2 | 1 << 31, u32::MAX] {
            assert!(!resume([wrong, second, 0, second | 1, 1], 0), "{wrong}");
        }
    }

    #[test]
    fn the_best_entries_come_in_order() {
        let deltas = [5, -3, 0, -9, -3, IMPOSSIBLE, -1];
        assert_eq!(best_entries(&deltas, 3)[..], [(-9, 3), (-3, 1), (-3, 4)]);
        assert_eq!(best_entries(&deltas, 64)[..], [(-9, 3), (-3, 1), (-3, 4), (-1, 6)]);
        assert_eq!(best_entries(&[-1, -3, -9, -2], 2)[..], [(-9, 2), (-3, 1)]);
        assert!(best_entries(&[0, 4], 2).is_empty());
    }
}
