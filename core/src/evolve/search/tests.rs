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
    let mut search = SpectrumSearch::new(&landscape.topology, config, rng, &mut order, &mut deltas).unwrap();
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
    assert_eq!(best_entries(&deltas, 3)[..], [3, 1, 4]);
    assert_eq!(best_entries(&deltas, 64)[..], [3, 1, 4, 6]);
    assert_eq!(best_entries(&[-1, -3, -9, -2], 2)[..], [2, 1]);
    assert!(best_entries(&[0, 4], 2).is_empty());
}
