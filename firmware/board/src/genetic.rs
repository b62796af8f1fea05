//! The classical genetic algorithm on a board: it evolves a local rule.
//!
//! The rule is that of a ring of 32 cells, each on or off: a table of [`GENES`] bits says what becomes of a cell whose own state and its
//! neighbours', four to one side and three to the other, are the bits of the index. After [`STEPS`] steps all cells shall be what
//! the majority was at the start: density classification, the task on which cellular automata were first evolved (Mitchell,
//! Hraber and Crutchfield, 1993). Fitness counts the cells that are right, over [`RINGS`] rings, one of every
//! odd number of cells that are on.

use evobit::evolve::genetic::{
    Configuration, Flips, GeneticAlgorithm, OneByOne, Origin, PlainBits, Population, Tournament, Uniform,
};
use evobit::image::genome_checksum;
use evobit::rng::{Draw, Purpose, Stream};

/// Bits of a rule.
pub const GENES: u32 = 256;
/// Rings that a rule is tried on.
pub const RINGS: usize = 16;
/// Steps of a ring.
pub const STEPS: u32 = 8;
/// Individuals of a generation.
pub const INDIVIDUALS: usize = 20;
/// Generations after the first.
pub const GENERATIONS: u32 = 80;

const CELLS: u32 = u32::BITS;
const WORDS: usize = GENES as usize / 32;
const GENOME_WORDS: usize = Population::genome_words(INDIVIDUALS, WORDS);
const FITNESS_WORDS: usize = 2 * 2 * INDIVIDUALS;

/// Words of memory that [`evolve`] takes.
pub const MEMORY_WORDS: usize = FITNESS_WORDS + GENOME_WORDS + INDIVIDUALS;

/// What was evolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evolved {
    /// Fitness of the best rule of the first generation and of the last; at most [`RINGS`] times 32.
    pub fitness: [i64; 2],
    /// Checksum of the best rule.
    pub genome: u32,
}

/// Evolves a rule in lent memory of [`MEMORY_WORDS`] words, aligned to 8 bytes. `None` where that is shorter.
#[must_use]
pub fn evolve(seed: u64, memory: &mut [u32]) -> Option<Evolved> {
    let (fitness, rest) = memory.split_at_mut_checked(FITNESS_WORDS)?;
    let (genomes, rest) = rest.split_at_mut_checked(GENOME_WORDS)?;
    let order = rest.get_mut(..INDIVIDUALS)?;
    let fitness = bytemuck::try_cast_slice_mut(fitness).ok()?;
    let population = Population::new(WORDS, genomes, fitness, order).ok()?;
    let configuration = Configuration {
        population: INDIVIDUALS as u32,
        elites: 2,
        rate_generations: 0,
        selection: &Tournament(3),
        mating: &Uniform,
        mutation: &Flips(3),
    };
    let rings = rings(seed);
    let mut score =
        OneByOne(|rule: &[u32]| rings.iter().map(|&ring| i64::from(right_cells(rule, ring))).sum());
    let mut rng = Stream::new(seed, Purpose::Search, 0);
    let (genes, origin) = (PlainBits(GENES), Origin::Random);
    let mut search =
        GeneticAlgorithm::start(configuration, genes, population, origin, &mut score, &mut rng).ok()?;
    let first = search.generation().best;
    for _ in 0..GENERATIONS {
        search.step(&mut score, &mut rng);
    }
    Some(Evolved { fitness: [first, search.generation().best], genome: genome_checksum(search.best()) })
}

/// Random rings.
fn rings(seed: u64) -> [u32; RINGS] {
    let mut rng = Stream::new(seed, Purpose::Samples, 0);
    let mut rings = [0u32; RINGS];
    for (index, ring) in (0..).zip(&mut rings) {
        while ring.count_ones() < 2 * index + 1 {
            *ring |= 1 << rng.below(CELLS);
        }
    }
    rings
}

/// The cells that are at the end what most were at the start.
fn right_cells(rule: &[u32], start: u32) -> u32 {
    let mut ring = start;
    for _ in 0..STEPS {
        let mut next = 0;
        for cell in 0..CELLS {
            let seen = ring.rotate_right(cell) as usize & 0xff;
            next |= (rule[seen / 32] >> (seen % 32) & 1) << cell;
        }
        ring = next;
    }
    if start.count_ones() > CELLS / 2 { ring.count_ones() } else { ring.count_zeros() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evolution_finds_better_rules_and_repeats() {
        let mut memory = [0u64; MEMORY_WORDS.div_ceil(2)];
        let memory = &mut bytemuck::cast_slice_mut(&mut memory)[..MEMORY_WORDS];
        let all = RINGS as i64 * i64::from(CELLS);
        for seed in 1..4 {
            let evolved = evolve(seed, memory).unwrap();
            let [first, last] = evolved.fitness;
            assert!(last <= all && last - first > all / 8, "{evolved:?} of {all}");
            memory.fill(!0);
            assert_eq!(evolve(seed, memory), Some(evolved), "what memory held does not matter");
        }
        assert_eq!(evolve(1, &mut memory[..MEMORY_WORDS - 1]), None);
    }

    /// Boards are held against the same file, see `tests/run`.
    #[test]
    fn the_rules_of_the_first_seeds_are_known() {
        let mut memory = [0u64; MEMORY_WORDS.div_ceil(2)];
        let memory = &mut bytemuck::cast_slice_mut(&mut memory)[..MEMORY_WORDS];
        let rules = [1, 2, 3].map(|seed| std::format!("{:08x}", evolve(seed, memory).unwrap().genome));
        assert_eq!(rules.join(" "), include_str!("../../../tests/vectors/genetic").trim());
    }

    #[test]
    fn rules_are_counted_by_their_cells() {
        // All off, and all on, whatever the neighbours are.
        assert_eq!((right_cells(&[0; WORDS], 1), right_cells(&[0; WORDS], !1)), (32, 0));
        assert_eq!(right_cells(&[u32::MAX; WORDS], !1), 32);
        // A rule that copies the cell at bit 4 moves the ring.
        let mut copies = [0; WORDS];
        (0..GENES)
            .filter(|index| index >> 4 & 1 == 1)
            .for_each(|index| copies[index as usize / 32] |= 1 << (index % 32));
        assert_eq!(right_cells(&copies, 0b111), 29);
        assert!(rings(1).iter().all(|ring| ring.count_ones() != 16));
    }
}
