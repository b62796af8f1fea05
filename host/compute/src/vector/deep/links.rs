//! What a flipped unit does to the layer above it, taken from the genome.

use evobit::bits;
use evobit::network::Network;
use evobit::topology::{Field, Plan, Topology};

use super::super::kernels::{Ahead, CHUNK, Chunk, LANES};

/// How the units of one layer act on the hidden neurons of the layer above.
pub(super) struct Links {
    /// Words that hold a bit for each of these neurons, and chunks that hold a number.
    pub(super) words: usize,
    /// `[units][words]`: the neurons that see the unit with a weight of +1.
    plus: Vec<u64>,
    /// The same with a weight of -1.
    minus: Vec<u64>,
    /// `[units][words]`: by how much pre-activations rise where the unit turns on; they fall where it turns off.
    moves: Vec<Chunk<i16>>,
}

impl Links {
    /// The links from the layer below `layer` to `layer`.
    pub(super) fn new(network: &Network<'_, &[u32]>, layer: usize) -> Self {
        let plan = network.topology().layer(layer);
        let (units, words) = (plan.packing.units() as usize, (plan.neurons as usize).div_ceil(CHUNK));
        let mut links = Self {
            words,
            plus: vec![0; units * words],
            minus: vec![0; units * words],
            moves: vec![Chunk::default(); units * words],
        };
        for neuron in 0..plan.neurons {
            let (weights, place) = (network.weights(layer, neuron), network.place(layer, neuron));
            for input in 0..plan.inputs {
                links.set(unit_seen(plan, place, input), neuron, bits::get(weights, input));
            }
        }
        links
    }

    /// Sets the weight with which a neuron sees a unit.
    fn set(&mut self, unit: u32, neuron: u32, weight: bool) {
        let (at, bit) = (unit as usize * self.words + neuron as usize / CHUNK, neuron as usize % CHUNK);
        let (with, without) =
            if weight { (&mut self.plus, &mut self.minus) } else { (&mut self.minus, &mut self.plus) };
        with[at] |= 1 << bit;
        without[at] &= !(1 << bit);
        self.moves[at].0[bit] = if weight { 1 } else { -1 };
    }

    /// Flips the weight with which a neuron sees a unit.
    pub(super) fn flip(&mut self, unit: u32, neuron: u32) {
        let (at, bit) = (unit as usize * self.words + neuron as usize / CHUNK, neuron as usize % CHUNK);
        self.set(unit, neuron, self.plus[at] >> bit & 1 == 0);
    }

    /// The neurons whose pre-activation falls and those whose pre-activation rises where a unit flips that is on, or off.
    #[inline(always)]
    pub(super) fn touched(&self, unit: usize, on: bool) -> (&[u64], &[u64]) {
        let row = unit * self.words..(unit + 1) * self.words;
        let (plus, minus) = (&self.plus[row.clone()], &self.minus[row]);
        if on { (plus, minus) } else { (minus, plus) }
    }

    /// By how much pre-activations rise where a unit turns on.
    #[inline(always)]
    pub(super) fn moves(&self, unit: usize) -> &[Chunk<i16>] {
        &self.moves[unit * self.words..(unit + 1) * self.words]
    }
}

/// `[units][blocks of classes]`: by how much the scores rise where a unit of the last hidden layer turns on.
pub(super) fn votes(network: &Network<'_, &[u32]>) -> Vec<Ahead> {
    let topology = network.topology();
    let (last, blocks) = (topology.depth() - 1, topology.classes().div_ceil(LANES));
    let units = topology.layer(last).inputs;
    let mut votes = vec![Ahead::default(); units as usize * blocks];
    for class in 0..topology.classes() {
        let weights = network.weights(last, class as u32);
        for unit in 0..units {
            let vote = if bits::get(weights, unit) { 1 } else { -1 };
            votes[unit as usize * blocks + class / LANES].0[class % LANES] = vote;
        }
    }
    votes
}

/// The unit of the layer below that a neuron at `place` sees as its `input`.
pub(super) fn unit_seen(plan: &Plan, place: u16, input: u32) -> u32 {
    let Field::Window { height, width, .. } = plan.field else { return input };
    let Some((plane, row, column)) = plan.corner(place) else { return 0 };
    let (height, width) = (u32::from(height), u32::from(width));
    let (line, at) = (input / width, input % width);
    let line = (plane + line / height) * u32::from(plan.input.height) + row + line % height;
    line * u32::from(plan.input.width) + column + at
}

/// The unit that a neuron of any layer sees as its `input`.
pub(super) fn unit_of(topology: &Topology, genome: &[u32], layer: usize, neuron: u32, input: u32) -> u32 {
    let place = Network::new(topology, genome).map_or(0, |network| network.place(layer, neuron));
    unit_seen(topology.layer(layer), place, input)
}
