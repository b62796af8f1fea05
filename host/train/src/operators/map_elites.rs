//! Selection from an archive with a place for every kind of behaviour.

use std::cell::RefCell;

use evobit::evolve::genetic::{Ranked, Select};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;
use rand_core::Rng;
use rayon::prelude::*;

use super::cases::{CASES, drawn};
use super::given::Judged;

/// Index of the stream that draws the samples, so that it is not that of anything else.
const STREAM: u64 = 0xe117;

/// MAP-Elites (Mouret and Clune, *Illuminating search spaces by mapping elites*, 2015). What an individual does is a place on a square
/// grid: how many of its hidden neurons are on, from a quarter to three quarters of them, and how many of its answers are the most frequent one,
/// from an even share to all; what lies outside belongs to the outermost cells. The fittest of a cell holds it and lives on, whatever the others'
/// fitness; parents are any of the holders, each equally likely.
///
/// The archive is part of the population, so a search goes on from its individuals alone: a grid has at most half as many cells as there are
/// individuals, and all others are the children of a generation, of which those that win a cell enter. Behaviour is looked at on samples drawn
/// once for the run, so that a genome never changes its cell.
#[derive(Debug)]
pub(super) struct MapElites<'a> {
    grid: Grid<'a>,
    /// The ranks of those that hold a cell, the best first.
    holders: RefCell<Vec<u32>>,
}

/// Which cell a genome belongs to.
#[derive(Debug)]
struct Grid<'a> {
    topology: &'a Topology,
    inputs: Vec<u32>,
    /// Cells in either direction.
    side: u32,
}

impl<'a> MapElites<'a> {
    pub(super) fn new(judged: Judged<'a>, population: u32, seed: u64) -> Self {
        let mut rng = Stream::new(seed ^ STREAM, Purpose::Samples, 0);
        let (inputs, _) = drawn(judged, CASES as usize, &mut rng);
        let side = (population / 2).isqrt().max(1);
        Self { grid: Grid { topology: judged.topology, inputs, side }, holders: RefCell::default() }
    }
}

impl Grid<'_> {
    /// The cell of a genome.
    fn cell(&self, genome: &[u32]) -> [u32; 2] {
        let topology = self.topology;
        let Ok(network) = Network::new(topology, genome) else { return [0; 2] };
        let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
        let (mut on, mut answers) = (0, vec![0; topology.classes()]);
        for input in self.inputs.chunks_exact(topology.input_words()) {
            answers[network.classify(input, &mut hidden, &mut scores)] += 1;
            on += hidden.iter().map(|word| word.count_ones()).sum::<u32>();
        }
        let neurons: u32 = topology.layers().iter().rev().skip(1).map(|layer| layer.neurons).sum();
        let most = answers.into_iter().max().unwrap_or(0);
        let even = CASES.div_ceil(topology.classes() as u32);
        let all = CASES * neurons;
        [step(self.side, on, all / 4, all - all / 4), step(self.side, most, even, CASES)]
    }
}

/// Which of `side` equal steps from `low` to `high` a value is on; outside of them the nearest.
fn step(side: u32, value: u32, low: u32, high: u32) -> u32 {
    let (above, range) = (value.saturating_sub(low), high.saturating_sub(low).max(1));
    let step = u64::from(above) * u64::from(side) / u64::from(range);
    step.min(u64::from(side - 1)) as u32
}

impl Select for MapElites<'_> {
    fn pick(&self, _: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        let holders = self.holders.borrow();
        let drawn = rng.below(holders.len() as u32) as usize;
        holders.get(drawn).copied().unwrap_or(0)
    }

    fn ranked(&self, generation: Ranked<'_>, _: u32) {
        let Self { grid, holders } = self;
        let (words, own) = (generation.rows().words(), grid.topology.genome_words());
        let rows = generation.rows().as_words().par_chunks_exact(words);
        let cells: Vec<[u32; 2]> = rows.map(|row| grid.cell(&row[..own])).collect();
        let mut held = vec![false; (grid.side * grid.side) as usize];
        let holds = |&(_, &index): &(u32, &u32)| {
            let [row, column] = cells[index as usize];
            !std::mem::replace(&mut held[(row * grid.side + column) as usize], true)
        };
        *holders.borrow_mut() = (0..).zip(generation.order()).filter(holds).map(|(rank, _)| rank).collect();
    }

    fn survives(&self, rank: u32, _: u32) -> bool {
        self.holders.borrow().binary_search(&rank).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::breeding::Operators;
    use crate::objective::Objective;
    use crate::prepare::{prepare, random_genome};
    use crate::settings::Settings;
    use evobit::evolve::genetic::Origin;
    use evobit::rng::{Purpose, Stream};
    use evobit_search::{Evolution, Saved};

    #[test]
    fn steps_are_equal_and_the_outermost_take_the_rest() {
        let steps: Vec<u32> = (0..=12).map(|value| step(4, value, 2, 10)).collect();
        assert_eq!(steps, [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3]);
        assert_eq!((step(1, 9, 2, 10), step(3, 5, 5, 5), step(3, 0, 0, 0)), (0, 0, 0));
    }

    #[test]
    fn no_cell_is_lost_or_gets_worse() {
        let settings = "data = 'iris'\nalgorithm = 'genetic'\nhidden = ['6']\nlevels = 4\npopulation = 40\nselection = 'map-elites'\nflips = 8";
        let loaded = evobit_data::load("iris", &evobit_data::LoadOptions::default()).unwrap();
        let config = toml::from_str::<Settings>(settings).unwrap().resolve(&loaded.train).unwrap();
        let prepared = prepare(&loaded, &config).unwrap();
        let operators = Operators::new(prepared.judged(), &config).unwrap();
        let mut fitness = Objective::new(&prepared, &config);
        let start = random_genome(&prepared, &config);
        let (origin, rng) = (Origin::Mutants(&start), Stream::new(config.seed, Purpose::Search, 0));
        let (topology, configuration) = (&prepared.topology, || operators.configuration(&config));
        let mut evolution = Evolution::start(configuration(), topology, origin, &mut fitness, rng).unwrap();
        let archive = MapElites::new(prepared.judged(), config.population, config.seed);
        let (mut best, mut children) = (BTreeMap::<[u32; 2], i64>::new(), u32::MAX);
        for _ in 0..60 {
            let mut now = BTreeMap::new();
            let Saved { genomes, fitness: scores, .. } = evolution.saved().unwrap();
            let words = genomes.len() / scores.len();
            for (row, &fitness) in genomes.chunks(words).zip(&scores) {
                let held: &mut i64 = now.entry(archive.grid.cell(row)).or_insert(i64::MIN);
                *held = fitness.max(*held);
            }
            for (cell, fitness) in best {
                assert!(now.get(&cell).is_some_and(|&now| now >= fitness), "{cell:?}");
            }
            best = now;
            children = children.min(evolution.step(configuration(), &mut fitness).unwrap().scored);
        }
        assert!(best.len() >= 5, "{best:?}");
        assert!((40 - 16..40 - 4).contains(&children), "{children} children beside a grid of 4 x 4");
    }
}
