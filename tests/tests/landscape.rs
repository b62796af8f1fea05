//! Every landscape passes the one property suite.

use evobit::evolve::landscape::{Landscape, LandscapeError};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::rng::{Purpose, Stream};
use evobit_compute::vector::{
    Cell, DeepLandscape, Kernels, Portable, VectorLandscape, is_narrow, supports, supports_deep,
};
use proptest::prelude::*;
use tests::landscape::{
    Case, Memory, cases, check_exchange, check_spectra, check_trials, compact, compact_bytes, extreme_cases,
    one_hidden_layer, scalar, separable, several_hidden_layers,
};

/// The suite on a vector landscape, by turns of each instruction set that this machine has. That all kernels
/// are equal is tested where they are.
fn check_vector(case: &Case) {
    #[cfg(target_arch = "x86_64")]
    {
        use evobit_compute::vector::{Avx2, Avx512};
        match (case.seed % 3, Avx512::detect(), Avx2::detect()) {
            (0, Some(kernels), _) => return check_kernels(case, kernels),
            (1, _, Some(kernels)) => return check_kernels(case, kernels),
            (0, None, _) => skips::instructions("avx512"),
            (1, _, None) => skips::instructions("avx2"),
            _ => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    match evobit_compute::vector::Neon::detect() {
        Some(kernels) if case.seed % 2 == 0 => return check_kernels(case, kernels),
        Some(_) => {}
        None => skips::instructions("neon"),
    }
    check_kernels(case, Portable);
}

fn check_kernels(case: &Case, kernels: impl Kernels) {
    check_cells::<i16>(case, kernels);
    if is_narrow(&case.topology) {
        check_cells::<i8>(case, kernels);
    }
}

/// With pre-activations of either size.
fn check_cells<C: Cell>(case: &Case, kernels: impl Kernels) {
    if case.topology.depth() > 2 {
        let landscape = || {
            let (samples, loss) = (case.samples(), case.table());
            DeepLandscape::<_, C>::new(kernels, &case.topology, &case.genome, samples, &loss).unwrap()
        };
        check_spectra(case, &mut landscape());
        return check_trials(case, &mut landscape());
    }
    let landscape = || {
        let (samples, loss) = (case.samples(), case.table());
        VectorLandscape::<_, C>::new(kernels, &case.topology, &case.genome, samples, &loss).unwrap()
    };
    check_spectra(case, &mut landscape());
    check_trials(case, &mut landscape());
}

/// Fewer cases than usual, since each has many trials; `PROPTEST_CASES` overrules.
fn few_cases() -> ProptestConfig {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        ProptestConfig::default()
    } else {
        ProptestConfig::with_cases(40)
    }
}

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn scalar_spectra_equal_full_recomputation(case in cases(), cached: bool) {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        check_spectra(&case, &mut scalar(&case, &mut genome, &mut memory, cached));
    }

    #[test]
    fn scalar_trials_are_exact_and_keep_the_caches(case in cases(), cached: bool) {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        let mut landscape = scalar(&case, &mut genome, &mut memory, cached);
        check_trials(&case, &mut landscape);
        // What is remembered equals a landscape made afresh from the evolved genome.
        let (mut evolved, mut other) = (landscape.genome().to_vec(), Memory::default());
        let fresh = scalar(&case, &mut evolved, &mut other, cached);
        for sample in 0..case.labels.len() {
            prop_assert_eq!(landscape.scores(sample), fresh.scores(sample));
            prop_assert_eq!(landscape.hidden(sample), fresh.hidden(sample));
        }
    }

    #[test]
    fn scalar_holds_at_the_most_classes_and_the_steepest_loss(case in extreme_cases(), cached: bool) {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        check_trials(&case, &mut scalar(&case, &mut genome, &mut memory, cached));
    }

    #[test]
    fn compact_landscapes_pass_the_suite(case in one_hidden_layer()) {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        check_spectra(&case, &mut compact(&case, &mut genome, &mut memory));
        check_trials(&case, &mut compact(&case, &mut genome, &mut memory));
        check_exchange(&case);
        let (mut hidden, mut scores, mut genome) = (vec![], vec![], case.genome.clone());
        check_trials(&case, &mut compact_bytes(&case, &mut genome, &mut hidden, &mut scores));
    }

    #[test]
    fn compact_landscapes_hold_at_the_extremes(case in extreme_cases()) {
        if case.topology.depth() == 2 {
            let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
            check_trials(&case, &mut compact(&case, &mut genome, &mut memory));
        }
    }

    #[test]
    fn vector_landscapes_pass_the_suite(case in one_hidden_layer()) {
        if supports(&case.topology, &case.table()) {
            check_vector(&case);
        } else {
            // Large windows that slide, and windows of several planes.
            prop_assert!(case.topology.layer(0).slide() > 0);
            let (samples, loss) = (case.samples(), case.table());
            let landscape =
                VectorLandscape::<_, i16>::new(Portable, &case.topology, &case.genome, samples, &loss);
            prop_assert_eq!(landscape.err(), Some(LandscapeError::Buffers));
        }
    }

    #[test]
    fn vector_landscapes_hold_at_the_extremes_they_support(case in extreme_cases()) {
        if supports(&case.topology, &case.table()) || supports_deep(&case.topology, &case.table()) {
            check_vector(&case);
        }
    }

    #[test]
    fn deep_landscapes_pass_the_suite(case in several_hidden_layers()) {
        check_vector(&case);
    }
}

/// A search on a small random problem: the loss after every step.
fn losses(seed: u64, heat: impl Fn(usize) -> u32) -> Vec<i64> {
    let case = separable();
    let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
    let mut landscape = scalar(&case, &mut genome, &mut memory, true);
    let config = SearchConfig { proposals: 4, block: 1 };
    let rng = Stream::new(seed, Purpose::Test, 9);
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(&case.topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(&case.topology, config)];
    let mut search = SpectrumSearch::new(&case.topology, config, rng, &mut order, &mut deltas).unwrap();
    let mut losses = vec![landscape.loss()];
    for step in 0..600 {
        let done = search.step(&mut landscape, heat(step));
        losses.push(landscape.loss());
        assert_eq!(done.change, losses[step + 1] - losses[step]);
    }
    losses
}

#[test]
fn every_landscape_takes_the_search_down_the_same_path() {
    let case = separable();
    let config = SearchConfig { proposals: 4, block: 1 };
    let mut genomes = vec![];
    for kind in 0..3 {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        let mut order = vec![0; SpectrumSearch::<Stream>::order_len(&case.topology)];
        let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(&case.topology, config)];
        let rng = Stream::new(3, Purpose::Test, 9);
        let mut search = SpectrumSearch::new(&case.topology, config, rng, &mut order, &mut deltas).unwrap();
        let mut run = |landscape: &mut dyn FnMut(&mut SpectrumSearch<'_, Stream>, u32)| {
            (0..400).for_each(|step| landscape(&mut search, if step < 200 { 300 } else { 0 }));
        };
        let kernels = Portable;
        match kind {
            0 => {
                let mut landscape = scalar(&case, &mut genome, &mut memory, false);
                run(&mut |search, heat| {
                    search.step(&mut landscape, heat);
                });
            }
            1 => {
                let mut landscape = compact(&case, &mut genome, &mut memory);
                run(&mut |search, heat| {
                    search.step(&mut landscape, heat);
                });
            }
            _ => {
                let mut landscape = VectorLandscape::<_, i16>::new(
                    kernels,
                    &case.topology,
                    &case.genome,
                    case.samples(),
                    &case.table(),
                )
                .unwrap();
                run(&mut |search, heat| {
                    search.step(&mut landscape, heat);
                });
                genome = landscape.genome().to_vec();
            }
        }
        genomes.push(genome);
    }
    assert_ne!(genomes[0], case.genome);
    assert!(genomes.iter().all(|genome| *genome == genomes[0]));
}

#[test]
fn without_heat_the_loss_never_rises_and_with_it_the_search_leaves_optima() {
    let seeds = 0..6;
    let (mut greedy_sum, mut annealed_sum) = (0, 0);
    for seed in seeds {
        let greedy = losses(seed, |_| 0);
        assert!(greedy.windows(2).all(|pair| pair[1] <= pair[0]));
        // Cools from 1 % of the first loss to nothing after two thirds.
        let first = greedy[0] as f64 / 100.0;
        let cooling = |step: usize| (first * (1.0 - step as f64 / 400.0).max(0.0)) as u32;
        let annealed = losses(seed, cooling);
        assert!(annealed.windows(2).any(|pair| pair[1] > pair[0]));
        assert_eq!(annealed, losses(seed, cooling), "the same seed takes the same path");
        greedy_sum += greedy[600];
        annealed_sum += annealed[600];
    }
    assert!(annealed_sum < greedy_sum, "annealed {annealed_sum}, greedy {greedy_sum}");
}
