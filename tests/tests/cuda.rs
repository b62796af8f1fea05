//! The CUDA kernels, compiled for the CPU, say what core says. Needs the feature `shim`.
#![cfg(feature = "shim")]

use std::cell::RefCell;
use std::sync::Arc;

use evobit::evolve::landscape::Landscape;
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::genome::{Gene, Mutation};
use evobit::rng::{Purpose, Stream};
use host::backend::cuda::{CudaLandscape, Device, DeviceError, Failure, Shim, supports};
use proptest::prelude::*;
use tests::landscape::{Case, Memory, cases, check_spectra, check_trials, extreme_cases, one_hidden_layer, scalar, separable};

/// Memory of a card that is never short of it.
const PLENTY: u64 = 1 << 30;

fn shim(capability: u32, memory: u64) -> Arc<dyn Device> {
    Arc::new(Shim::new(capability, memory))
}

fn landscape<'a>(case: &'a Case, device: &Arc<dyn Device>, log: &dyn Fn(&str)) -> CudaLandscape<'a> {
    let failure = Failure::default();
    CudaLandscape::new(device, &failure, &case.topology, &case.genome, case.samples(), &case.table(), log).unwrap()
}

/// The suite, by turns as on a card with tensor cores and as on a Jetson Nano.
fn check(case: &Case) {
    let device = shim(if case.seed % 2 == 0 { 90 } else { 53 }, PLENTY);
    check_spectra(case, &mut landscape(case, &device, &|_| ()));
    check_trials(case, &mut landscape(case, &device, &|_| ()));
    assert_eq!(device.free_memory().unwrap(), PLENTY, "all memory is given back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn landscapes_pass_the_suite(case in one_hidden_layer()) {
        check(&case);
    }

    #[test]
    fn landscapes_hold_at_the_extremes_they_support(case in extreme_cases()) {
        if supports(&case.topology, &case.table()) {
            check(&case);
        }
    }

    #[test]
    fn other_networks_are_refused(case in cases()) {
        let device = shim(90, PLENTY);
        let made = CudaLandscape::new(
            &device, &Failure::default(), &case.topology, &case.genome, case.samples(), &case.table(), &|_| (),
        );
        prop_assert_eq!(made.is_ok(), supports(&case.topology, &case.table()));
    }
}
