use super::super::genes::tests::{PaddedRows, evolvable, ones, padded_rows, within};
use super::super::{
    Batch, Flips, MajorityOfFive, MajorityOfThree, OneByOne, OneParent, PlainBits, PowerLaw, Ranked, Rate,
    SelfAdaptive, Tournament, Truncation, Uniform, Union, WeightedVote, WholeUnits, WithinUnits,
};
use super::*;
use crate::bits::{WORD_BITS, mismatches, words_for};
use crate::rng::{Purpose, Stream};
use crc::{CRC_32_ISO_HDLC, Crc};
use proptest::prelude::*;
use std::vec::Vec;

/// Buffers for a population.
struct Buffers(Vec<u32>, Vec<i64>, Vec<u32>, usize);

impl Buffers {
    fn new(capacity: usize, words: usize) -> Self {
        let genomes = std::vec![u32::MAX; Population::genome_words(capacity, words)];
        Self(genomes, std::vec![-1; 2 * capacity], std::vec![9; capacity], words)
    }

    fn population(&mut self) -> Population<'_> {
        Population::new(self.3, &mut self.0, &mut self.1, &mut self.2).unwrap()
    }
}

const PLAIN: Configuration<'_> = Configuration {
    population: 40,
    elites: 1,
    rate_generations: 0,
    selection: &Tournament(3),
    mating: &Uniform,
    mutation: &Flips(1),
};

const MATINGS: [(&str, &dyn Mate); 8] = [
    ("one parent", &OneParent),
    ("uniform", &Uniform),
    ("union", &Union),
    ("majority of three", &MajorityOfThree),
    ("majority of five", &MajorityOfFive),
    ("vote", &WeightedVote(4)),
    ("whole units", &WholeUnits),
    ("within units", &WithinUnits(2)),
];

fn one_max() -> OneByOne<impl FnMut(&[u32]) -> i64> {
    OneByOne(|genome: &[u32]| i64::from(ones(genome)))
}

fn random(seed: u64) -> Stream {
    Stream::new(seed, Purpose::Test, 0)
}

fn generations_to_solve(configuration: Configuration<'_>, bits: u32, origin: Origin<'_>, seed: u64) -> u32 {
    let genes = PlainBits(bits);
    let mut buffers = Buffers::new(configuration.population as usize, genes.words());
    let (mut fitness, mut rng) = (one_max(), random(seed));
    let mut search =
        GeneticAlgorithm::start(configuration, genes, buffers.population(), origin, &mut fitness, &mut rng)
            .unwrap();
    while search.generation().best < i64::from(bits) && search.generation().number < 2_000 {
        search.step(&mut fitness, &mut rng);
    }
    search.generation().number
}

#[test]
fn one_max_of_256_bits_is_solved() {
    for seed in 1..=5 {
        let generations = generations_to_solve(PLAIN, 256, Origin::Random, seed);
        assert!(generations < 150, "seed {seed}: {generations}");
        let truncation = Configuration { selection: &Truncation(10), ..PLAIN };
        let generations = generations_to_solve(truncation, 256, Origin::Random, seed);
        assert!(generations < 150, "truncation, seed {seed}: {generations}");
    }
}

#[test]
fn one_max_from_a_given_genome_is_solved_by_every_mating() {
    for (name, mating) in MATINGS {
        let configuration = Configuration { mating, selection: &Truncation(3), mutation: &Flips(1), ..PLAIN };
        let generations = generations_to_solve(configuration, 256, Origin::Mutants(&[0; 8]), 1);
        assert!(generations < 500, "{name}: {generations}");
    }
}

/// The two best are one flip each from where they came from: their children have both, even where
/// one of the two is now the best.
#[test]
fn a_union_combines_what_parents_found_apart() {
    let configuration = Configuration {
        population: 8,
        elites: 0,
        rate_generations: 0,
        selection: &Truncation(2),
        mating: &Union,
        mutation: &Flips(1),
    };
    let base = [0u32; 4];
    let mut buffers = Buffers::new(8, 4);
    let (mut fitness, mut rng) = (one_max(), random(3));
    let mut search = GeneticAlgorithm::start(
        configuration,
        PlainBits(128),
        buffers.population(),
        Origin::Mutants(&base),
        &mut fitness,
        &mut rng,
    )
    .unwrap();
    // Both flips and the mutation: three flips from the base, and never more.
    search.step(&mut fitness, &mut rng);
    let flips: Vec<u32> =
        search.population().genomes().iter().map(|child| mismatches(child, &base[..])).collect();
    assert!(flips.contains(&3) && flips.iter().all(|&count| count <= 3), "{flips:?}");
    // From two such, that have two flips in common, come five.
    search.step(&mut fitness, &mut rng);
    assert_eq!(search.generation().best, 5);
}

/// Scores, and remembers how many genomes each call brought.
struct Counted(Vec<usize>);

impl Fitness for Counted {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        assert_eq!(genomes.len(), fitness.len());
        self.0.push(genomes.len());
        one_max().score(genomes, fitness);
    }
}

/// Operators are lent: those of a test live as long as it takes.
fn lent<T>(operator: T) -> &'static T {
    std::boxed::Box::leak(std::boxed::Box::new(operator))
}

fn configurations() -> impl Strategy<Value = Configuration<'static>> {
    let parts = (any::<bool>(), 1u32..=4, 0u32..4, any::<u32>(), 0..MATINGS.len());
    (4u32..12, 0u32..4, parts).prop_map(|(population, elites, (truncates, size, kind, rate, mating))| {
        Configuration {
            population,
            elites,
            rate_generations: 0,
            selection: if truncates { lent(Truncation(size)) } else { lent(Tournament(size)) },
            mating: MATINGS[mating].1,
            mutation: match kind {
                0 | 1 => lent(Flips(kind)),
                2 => &PowerLaw,
                _ => lent(Rate::new(rate)),
            },
        }
    })
}

proptest! {
    #[test]
    fn every_search_keeps_its_promises(
        configuration in configurations(),
        genes in padded_rows(),
        from_zero: bool,
        seed: u64,
    ) {
        let count = configuration.population as usize;
        let elites = configuration.elites as usize;
        let mut buffers = Buffers::new(count + 2, genes.words());
        let zeros = std::vec![0; genes.words()];
        let origin = if from_zero { Origin::Mutants(&zeros) } else { Origin::Random };
        let (mut fitness, mut rng) = (Counted(Vec::new()), random(seed));
        let mut search =
            GeneticAlgorithm::start(configuration, genes, buffers.population(), origin, &mut fitness, &mut rng)
                .unwrap();
        let evolvable = evolvable(&genes);
        for number in 1..8 {
            let before = search.generation();
            let kept: Vec<Vec<u32>> =
                (0..elites as u32).map(|rank| search.population().ranked(rank).unwrap().to_vec()).collect();
            let report = search.step(&mut fitness, &mut rng);
            let population = search.population();
            prop_assert_eq!((population.len() as usize, report.number), (count, number));
            prop_assert_eq!(report.scored as usize, count - elites);
            prop_assert!(population.genomes().iter().all(|genome| within(genome, &evolvable)));
            prop_assert!(population.genomes().iter().zip(&kept).all(|(now, then)| now == then));
            prop_assert!(elites == 0 || report.best >= before.best);
            let scores: Vec<i64> = population.genomes().iter().map(|row| i64::from(ones(row))).collect();
            prop_assert_eq!(population.fitness(), &scores);
            prop_assert_eq!(report.best, *scores.iter().max().unwrap());
            prop_assert_eq!(report.mean, scores.iter().sum::<i64>() / count as i64);
            prop_assert_eq!(i64::from(ones(search.best())), report.best);
        }
        prop_assert_eq!(fitness.0[0], count);
        prop_assert!(fitness.0[1..].iter().all(|&scored| scored == count - elites));
    }
}

/// The checksum of the best genome, little-endian, after 30 generations on 77 bits in two rows.
fn checksum(
    mating: &dyn Mate,
    mutation: &dyn Mutate,
    selection: &dyn Select,
    origin: Origin<'_>,
    seed: u64,
) -> u32 {
    let genes = PaddedRows { rows: 2, bits: 77 };
    // A fitness without a plateau: a genome is worth the bits it shares with a pattern.
    let mut fitness = OneByOne(|genome: &[u32]| {
        genome.iter().zip(0u32..).map(|(word, i)| i64::from((word ^ 0x9e37_79b9 << i).count_zeros())).sum()
    });
    let configuration =
        Configuration { population: 24, elites: 2, rate_generations: 0, selection, mating, mutation };
    let mut buffers = Buffers::new(24, genes.words());
    let mut rng = random(seed);
    let mut search =
        GeneticAlgorithm::start(configuration, genes, buffers.population(), origin, &mut fitness, &mut rng)
            .unwrap();
    for _ in 0..30 {
        search.step(&mut fitness, &mut rng);
    }
    let bytes: Vec<u8> =
        search.population().genomes().as_words().iter().flat_map(|word| word.to_le_bytes()).collect();
    Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&bytes)
}

#[test]
fn a_seed_gives_the_known_answer() {
    let zeros = Origin::Mutants(&[0; 6]);
    let (rate, flips) = (&Rate::new(1 << 25), &Flips(2));
    let (tournament, truncation) = (&Tournament(3), &Truncation(6));
    let answers = [
        checksum(&OneParent, flips, truncation, zeros, 1),
        checksum(&Uniform, rate, tournament, Origin::Random, 1),
        checksum(&Uniform, rate, tournament, Origin::Random, 2),
        checksum(&Union, flips, truncation, zeros, 1),
        checksum(&MajorityOfThree, rate, truncation, zeros, 1),
        checksum(&MajorityOfFive, flips, tournament, Origin::Random, 1),
    ];
    assert_eq!(answers, KNOWN_ANSWERS);
}

const KNOWN_ANSWERS: [u32; 6] =
    [495_490_473, 3_736_267_347, 1_005_636_341, 3_770_311_821, 1_293_985_252, 2_605_712_760];

#[test]
fn what_does_not_fit_is_refused() {
    let refused =
        |configuration: Configuration<'_>, bits: u32, capacity: usize, words: usize, origin: Origin<'_>| {
            let mut buffers = Buffers::new(capacity, words);
            let population = buffers.population();
            GeneticAlgorithm::start(
                configuration,
                PlainBits(bits),
                population,
                origin,
                &mut one_max(),
                &mut random(1),
            )
            .err()
        };
    let with = |change: fn(&mut Configuration<'_>)| {
        let mut configuration = PLAIN;
        change(&mut configuration);
        refused(configuration, 33, 40, 2, Origin::Random)
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|c| c.population = 0), Some(Error::NoIndividuals));
    assert_eq!(with(|c| c.population = 41), Some(Error::TooManyIndividuals));
    assert_eq!(with(|c| c.elites = 40), Some(Error::TooManyElites));
    assert_eq!(with(|c| c.selection = &Tournament(0)), Some(Error::SelectionSize));
    assert_eq!(with(|c| c.selection = &Truncation(41)), Some(Error::SelectionSize));
    assert_eq!(with(|c| c.mutation = &Flips(34)), Some(Error::TooManyFlips));
    assert_eq!(with(|c| c.mutation = &Flips(33)), None);
    assert_eq!(refused(PLAIN, 0, 40, 2, Origin::Random), Some(Error::NoGenes));
    assert_eq!(refused(PLAIN, 33, 40, 3, Origin::Random), Some(Error::GenomeWords));
    assert_eq!(refused(PLAIN, 33, 40, 2, Origin::Mutants(&[0])), Some(Error::OriginWords));
    assert_eq!(refused(PLAIN, 33, 40, 2, Origin::Mutants(&[0; 2])), None);
}

/// Fields of four bits that must stay below ten.
#[derive(Clone, Copy)]
struct Digits(u32);

impl Genes for Digits {
    fn count(&self) -> u32 {
        4 * self.0
    }

    fn position(&self, gene: u32) -> u32 {
        gene
    }

    fn words(&self) -> usize {
        words_for(self.count()) as usize
    }

    fn repair(&self, genome: &mut [u32]) {
        for word in genome {
            for shift in (0..WORD_BITS).step_by(4) {
                if *word >> shift & 15 > 9 {
                    *word &= !(8 << shift);
                }
            }
        }
    }
}

#[test]
fn every_genome_is_repaired_before_it_is_scored() {
    let in_range = |genome: &[u32]| genome.iter().all(|word| (0..8).all(|i| word >> (4 * i) & 15 < 10));
    let mut fitness = OneByOne(|genome: &[u32]| {
        assert!(in_range(genome));
        genome.iter().map(|word| (0..8).map(|i| i64::from(word >> (4 * i) & 15)).sum::<i64>()).sum()
    });
    for (mating, origin) in
        MATINGS.iter().flat_map(|&(_, m)| [(m, Origin::Random), (m, Origin::Mutants(&[u32::MAX; 3]))])
    {
        let mut buffers = Buffers::new(40, 3);
        let mut rng = random(8);
        let configuration = Configuration { mating, mutation: &Rate::new(1 << 28), ..PLAIN };
        let population = buffers.population();
        let mut search =
            GeneticAlgorithm::start(configuration, Digits(24), population, origin, &mut fitness, &mut rng)
                .unwrap();
        for _ in 0..20 {
            search.step(&mut fitness, &mut rng);
        }
    }
}

#[test]
fn extreme_fitness_does_not_overflow() {
    for (value, mean) in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (-1, -1)] {
        let mut buffers = Buffers::new(40, 1);
        let mut fitness = OneByOne(|_: &[u32]| value);
        let population = buffers.population();
        let (genes, mut rng) = (PlainBits(5), random(1));
        let search =
            GeneticAlgorithm::start(PLAIN, genes, population, Origin::Random, &mut fitness, &mut rng)
                .unwrap();
        assert_eq!((search.generation().best, search.generation().mean), (value, mean));
    }
}

#[test]
fn the_mean_is_rounded_down_below_zero_too() {
    let mut buffers = Buffers::new(40, 1);
    let mut scored = 0;
    let mut fitness = OneByOne(|_: &[u32]| {
        scored += 1;
        -(scored & 1)
    });
    let search = GeneticAlgorithm::start(
        PLAIN,
        PlainBits(5),
        buffers.population(),
        Origin::Random,
        &mut fitness,
        &mut random(1),
    );
    assert_eq!(search.unwrap().generation().mean, -1);
}

#[test]
fn a_search_goes_on_from_any_generation() {
    for (_, mating) in MATINGS {
        let (configuration, genes) = (Configuration { mating, elites: 3, ..PLAIN }, PlainBits(77));
        for stop in [0, 1, 5] {
            let (mut buffers, mut others) = (Buffers::new(40, 3), Buffers::new(50, 3));
            let (mut fitness, mut rng) = (one_max(), random(8));
            let (population, origin) = (buffers.population(), Origin::Random);
            let mut search =
                GeneticAlgorithm::start(configuration, genes, population, origin, &mut fitness, &mut rng)
                    .unwrap();
            for _ in 0..stop {
                search.step(&mut fitness, &mut rng);
            }
            let snapshot = search.snapshot();
            let mut other =
                GeneticAlgorithm::resume(configuration, genes, others.population(), snapshot).unwrap();
            let mut other_rng = Stream::from_state(rng.state()).unwrap();
            assert_eq!(other.generation(), search.generation());
            for _ in 0..5 {
                assert_eq!(other.step(&mut fitness, &mut other_rng), search.step(&mut fitness, &mut rng));
                assert_eq!(other.snapshot(), search.snapshot());
            }
        }
    }
}

#[test]
fn a_snapshot_of_another_search_is_refused() {
    let resume = |genomes, fitness, base, population| {
        let configuration = Configuration { population, ..PLAIN };
        let (genomes, fitness, base) = (std::vec![0; genomes], std::vec![0; fitness], std::vec![0; base]);
        let snapshot = Snapshot { genomes: &genomes, fitness: &fitness, base: &base, number: 1 };
        let mut buffers = Buffers::new(40, 3);
        GeneticAlgorithm::resume(configuration, PlainBits(77), buffers.population(), snapshot).err()
    };
    assert_eq!(resume(120, 40, 3, 40), None);
    for (genomes, fitness, base) in [(119, 40, 3), (123, 40, 3), (120, 39, 3), (120, 40, 2), (0, 0, 0)] {
        assert_eq!(resume(genomes, fitness, base, 40), Some(Error::SnapshotWords));
    }
    assert_eq!(resume(123, 41, 3, 41), Some(Error::TooManyIndividuals));
    assert_eq!(resume(3, 1, 3, 1), Some(Error::TooManyElites));
}

/// Individuals of a search that carries rates.
fn adaptive(rate_generations: u32, generations: u32) -> (Vec<u32>, Vec<u32>, i64) {
    let genes = PlainBits(256);
    let mutation = SelfAdaptive { per_layer: false, begin: 16 * 256 };
    let configuration =
        Configuration { rate_generations, mutation: &mutation, selection: &Truncation(8), ..PLAIN };
    let mut buffers = Buffers::new(40, configuration.row_words(&genes));
    let (mut fitness, mut rng) = (OneByOne(|row: &[u32]| i64::from(ones(&row[..8]))), random(4));
    let population = buffers.population();
    let start = [0x5555_5555; 8];
    let origin = Origin::Mutants(&start);
    let mut search =
        GeneticAlgorithm::start(configuration, genes, population, origin, &mut fitness, &mut rng).unwrap();
    for _ in 0..generations {
        search.step(&mut fitness, &mut rng);
    }
    let rows = search.population().genomes();
    let distances = rows.iter().map(|row| mismatches(&row[..8], &start[..])).collect();
    (distances, rows.iter().map(|row| row[8]).collect(), search.generation().best)
}

#[test]
fn rates_evolve_with_their_individuals() {
    let (_, first, _) = adaptive(0, 0);
    let (_, last, best) = adaptive(0, 150);
    assert!(best > 230, "{best}");
    // Near the optimum many flips harm.
    let mean = |rates: &[u32]| rates.iter().sum::<u32>() / rates.len() as u32;
    assert!(mean(&last) < mean(&first) / 3, "{} after {}", mean(&last), mean(&first));
}

#[test]
fn while_rates_are_tuned_children_are_mutants_of_the_base() {
    let (distances, rates, _) = adaptive(30, 30);
    // However many generations passed, a child is as far from the base as its own rate took it.
    let (flips, expected) = (256 * distances.iter().sum::<u32>(), rates.iter().sum::<u32>());
    assert!(flips.abs_diff(expected) < expected / 5, "{flips} for {expected}");
    assert!(rates.iter().any(|rate| rate != &rates[0]));
    let (later, _, best) = adaptive(30, 180);
    assert!(best > 230 && later.iter().all(|&distance| distance > 60), "{best}");
}

#[test]
fn immigrants_take_the_places_of_the_worst() {
    let mut buffers = Buffers::new(40, 2);
    let (mut fitness, mut rng) = (one_max(), random(1));
    let (population, origin) = (buffers.population(), Origin::Random);
    let mut search =
        GeneticAlgorithm::start(PLAIN, PlainBits(64), population, origin, &mut fitness, &mut rng).unwrap();
    let before: Vec<Vec<u32>> =
        (0..38).map(|rank| search.population().ranked(rank).unwrap().to_vec()).collect();
    let immigrants = [u32::MAX, u32::MAX, u32::MAX, 0];
    search.immigrate(Batch::new(&immigrants, 2).unwrap(), &mut fitness);
    assert_eq!((search.best(), search.generation().best), (&immigrants[..2], 64));
    let now = search.population();
    assert!(before.iter().all(|row| now.genomes().iter().any(|other| other == row)));
    assert!(now.genomes().iter().any(|row| row == [u32::MAX, 0]));
    // However many come, the best stays.
    let many = std::vec![0; 2 * 100];
    search.immigrate(Batch::new(&many, 2).unwrap(), &mut fitness);
    assert_eq!((search.best(), search.generation().mean), (&immigrants[..2], 64 / 40));
}

/// Individuals at even ranks live on.
struct EvenRanks;

impl Select for EvenRanks {
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        Tournament(2).pick(generation, rng)
    }

    fn survives(&self, rank: u32, _: u32) -> bool {
        rank.is_multiple_of(2)
    }
}

#[test]
fn a_selection_says_who_lives_on() {
    let mut buffers = Buffers::new(40, 2);
    let mut ones = one_max();
    let configuration = Configuration { selection: &EvenRanks, elites: 0, ..PLAIN };
    let (genes, mut rng, population) = (PlainBits(64), random(3), buffers.population());
    let mut search =
        GeneticAlgorithm::start(configuration, genes, population, Origin::Random, &mut ones, &mut rng)
            .unwrap();
    let survivors = |search: &GeneticAlgorithm<'_, PlainBits>| -> Vec<Vec<u32>> {
        let ranks = (0..configuration.population).step_by(2);
        ranks.map(|rank| search.population().ranked(rank).unwrap().to_vec()).collect()
    };
    for _ in 0..10 {
        let before = survivors(&search);
        let report = search.step(&mut ones, &mut rng);
        assert_eq!(report.scored, configuration.population / 2);
        assert!(before.iter().zip(search.population().genomes()).all(|(before, now)| before == now));
    }
    // Immigrants leave them alone, even the worst.
    let before = survivors(&search);
    search.immigrate(Batch::new(&std::vec![u32::MAX; 2 * 40], 2).unwrap(), &mut ones);
    let rows: Vec<&[u32]> = search.population().genomes().iter().collect();
    assert!(before.iter().all(|row| rows.contains(&&row[..])));
    assert_eq!(search.generation().best, 64);
}

#[test]
fn a_suspended_algorithm_goes_on_as_if_it_had_not_been() {
    let genes = PlainBits(70);
    let mut ends = std::vec![];
    for suspends in [false, true] {
        let (mut fitness, mut rng) = (one_max(), random(5));
        let Buffers(mut genomes, mut scores, mut order, words) = Buffers::new(40, genes.words());
        let population = Population::new(words, &mut genomes, &mut scores, &mut order).unwrap();
        let mut search =
            GeneticAlgorithm::start(PLAIN, genes, population, Origin::Random, &mut fitness, &mut rng)
                .unwrap();
        if !suspends {
            for _ in 0..7 {
                search.step(&mut fitness, &mut rng);
            }
            ends.push((search.best().to_vec(), search.generation()));
            continue;
        }
        let (mut suspended, mut generation) = search.suspend();
        for _ in 0..7 {
            let population =
                Population::resume(words, &mut genomes, &mut scores, &mut order, suspended).unwrap();
            let mut search = GeneticAlgorithm::wake(PLAIN, genes, population, generation).unwrap();
            search.step(&mut fitness, &mut rng);
            (suspended, generation) = search.suspend();
        }
        let population = Population::resume(words, &mut genomes, &mut scores, &mut order, suspended).unwrap();
        ends.push((population.ranked(0).unwrap().to_vec(), generation));
        order[3] = 40;
        let refused = Population::resume(words, &mut genomes, &mut scores, &mut order, suspended);
        assert_eq!(refused.err(), Some(Error::SnapshotWords));
    }
    assert_eq!(ends[0], ends[1]);
}
