//! Every landscape passes the one property suite.

use evobit::evolve::landscape::Landscape;
use host::backend::vector::{Avx512, Kernels, Portable, VectorLandscape, supports};
use proptest::prelude::*;
use tests::landscape::{Case, Memory, cases, check_spectra, check_trials, scalar};

/// The suite on a vector landscape with these kernels.
fn check_vector(case: &Case, kernels: impl Kernels) {
    let landscape =
        || VectorLandscape::new(kernels, &case.topology, &case.genome, case.samples(), &case.table());
    check_spectra(case, &mut landscape().unwrap());
    check_trials(case, &mut landscape().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

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
    fn vector_landscapes_pass_the_suite(case in cases().prop_filter("one hidden layer", |case| supports(&case.topology, &case.table()))) {
        check_vector(&case, Portable);
        match Avx512::detect() {
            Some(kernels) => check_vector(&case, kernels),
            None => eprintln!("SKIPPED: this machine has no AVX-512"),
        }
    }
}
