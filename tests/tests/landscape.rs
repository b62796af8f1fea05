//! Every landscape passes the one property suite.

use evobit::evolve::landscape::Landscape;
use proptest::prelude::*;
use tests::landscape::{Memory, cases, check_spectra, check_trials, extreme_cases, scalar};

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
    fn scalar_holds_at_the_most_classes_and_the_steepest_loss(case in extreme_cases(), cached: bool) {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        check_trials(&case, &mut scalar(&case, &mut genome, &mut memory, cached));
    }
}
