//! The CUDA kernels, compiled for the CPU, say what core says. Needs the feature `shim`.
#![cfg(feature = "shim")]

use std::cell::RefCell;
use std::sync::Arc;

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use evobit_compute::Accelerator;
use evobit_compute::cuda::{
    CudaError, CudaLandscape, CudaPopulation, Device, DeviceError, Form, Gpu, Measured, Shim,
    spectra_of_many, supports,
};
use evobit_data::Loaded;
use evobit_train::settings::{HiddenLayer, Settings, TrainConfig};
use evobit_train::{Prepared, Session, Silent, prepare};
use proptest::prelude::*;
use rand_core::Rng;
use tests::landscape::{
    Case, Memory, cases, check_spectra, check_trials, extreme_cases, full_loss, one_hidden_layer,
    one_hidden_layer_that_slides, scalar, separable,
};

/// Memory of a card that is never short of it.
const PLENTY: u64 = 1 << 30;

fn shim(capability: u32, memory: u64) -> Arc<dyn Device> {
    Arc::new(Shim::new(capability, memory))
}

fn quiet(_: &str) {}

fn landscape<'a>(case: &'a Case, device: &Arc<dyn Device>, log: &dyn Fn(&str)) -> CudaLandscape<'a> {
    on(case, &Gpu::new(Arc::clone(device)), log).unwrap()
}

fn on<'a>(case: &'a Case, gpu: &Gpu, log: &dyn Fn(&str)) -> Result<CudaLandscape<'a>, CudaError> {
    CudaLandscape::new(gpu, &case.topology, &case.genome, case.samples(), &case.table(), log)
}

/// The suite, by turns as on a card with tensor cores and as on a Jetson Nano.
fn check(case: &Case) {
    let device = shim(if case.seed.is_multiple_of(2) { 90 } else { 53 }, PLENTY);
    check_spectra(case, &mut landscape(case, &device, &quiet));
    check_trials(case, &mut landscape(case, &device, &quiet));
    assert_eq!(device.free_memory(), Ok(PLENTY), "all memory is given back");
}

/// A genome and a few random ones of a case's topology.
fn genomes(case: &Case, count: u32) -> Vec<u32> {
    let mut genomes = case.genome.clone();
    for index in 1..count {
        let mut genome = case.genome.clone();
        let mut rng = Stream::new(case.seed, Purpose::Test, index);
        GenomeMut::new(&case.topology, &mut genome).unwrap().randomize(&mut rng);
        genomes.extend(genome);
    }
    genomes
}

fn measured(case: &Case, genomes: &[u32]) -> Vec<Measured> {
    let words = case.topology.genome_words();
    let all = genomes.chunks(words).map(|genome| full_loss(case, genome));
    all.map(|(loss, correct)| Measured { loss, correct }).collect()
}

fn population(case: &Case, device: &Arc<dyn Device>, form: Form) -> CudaPopulation {
    let gpu = Gpu::new(Arc::clone(device));
    CudaPopulation::new(&gpu, &case.topology, case.samples(), &case.table(), Some(form)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn landscapes_pass_the_suite(case in one_hidden_layer()) {
        if supports(&case.topology, &case.table()) {
            check(&case);
        }
    }

    #[test]
    fn landscapes_hold_at_the_extremes_they_support(case in extreme_cases()) {
        if supports(&case.topology, &case.table()) {
            check(&case);
        }
    }

    #[test]
    fn other_networks_are_refused(case in cases()) {
        let made = on(&case, &Gpu::new(shim(90, PLENTY)), &quiet);
        prop_assert_eq!(made.is_ok(), supports(&case.topology, &case.table()));
    }

    #[test]
    fn populations_of_any_network_have_the_loss_of_the_forward_pass(case in cases(), count in 1..20u32) {
        let genomes = genomes(&case, count);
        let expected = measured(&case, &genomes);
        for form in Form::ALL {
            let mut population = population(&case, &shim(90, PLENTY), form);
            prop_assert_eq!(population.measure(&genomes, &quiet).unwrap(), expected.clone(), "{:?}", form);
        }
    }

    #[test]
    fn populations_hold_at_the_extremes(case in extreme_cases()) {
        let genomes = genomes(&case, 2);
        for form in Form::ALL {
            let mut population = population(&case, &shim(90, PLENTY), form);
            prop_assert_eq!(population.measure(&genomes, &quiet).unwrap(), measured(&case, &genomes), "{:?}", form);
        }
    }
}

proptest! {
    // Every position of every window on threads that are fibers: seconds a case.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn landscapes_whose_windows_slide_pass_the_suite(case in one_hidden_layer_that_slides()) {
        prop_assert!(supports(&case.topology, &case.table()));
        check(&case);
    }
}

/// A network of windows at many places.
fn windows(layer: Layer) -> Case {
    let mut case = separable();
    let image = Shape { planes: 1, height: 2, width: 20 };
    case.topology = Topology::new(image, &[layer, Layer::dense(4)]).unwrap();
    case.genome = vec![0; case.topology.genome_words()];
    let mut rng = Stream::new(5, Purpose::Test, 3);
    GenomeMut::new(&case.topology, &mut case.genome).unwrap().randomize(&mut rng);
    case.inputs.iter_mut().for_each(|word| *word &= (1 << 20) - 1);
    case
}

/// Windows that stay, and that slide.
const STAYS: Layer = Layer::windows(24, 1, 2, 9);
const SLIDES: Layer = Layer::windows(24, 1, 1, 7).sliding(1);

#[test]
fn without_samples_no_flip_changes_anything() {
    for layer in [STAYS, SLIDES, Layer::dense(9)] {
        let mut case = windows(layer);
        (case.inputs, case.labels) = (vec![], vec![]);
        check(&case);
    }
}

#[test]
fn with_little_memory_batches_are_smaller_and_results_the_same() {
    little_memory(&windows(STAYS), 1);
    // A field is four words.
    little_memory(&windows(SLIDES), 4);
}

fn little_memory(case: &Case, view_words: u64) {
    // What it needs with all views, less some.
    let used = {
        let device = shim(90, PLENTY);
        let landscape = landscape(case, &device, &quiet);
        let used = PLENTY - device.free_memory().unwrap();
        drop(landscape);
        used
    };
    let said = RefCell::new(vec![]);
    let log = |line: &str| said.borrow_mut().push(line.to_owned());
    let view = 4 * view_words * case.labels.len() as u64;
    for missing in [1, 5, 9] {
        let device = shim(if missing == 5 { 53 } else { 90 }, used - missing * view);
        check_spectra(case, &mut landscape(case, &device, &log));
        check_trials(case, &mut landscape(case, &device, &log));
    }
    assert_eq!(said.borrow().len(), 6, "{:?}", said.borrow());
    assert!(
        said.borrow().iter().all(|line| line.contains("places of windows show: spectra in smaller batches"))
    );
    let none = on(case, &Gpu::new(shim(90, used / 8)), &log);
    assert!(none.err().is_some_and(|error| error.to_string().contains("bytes of memory left")));
}

#[test]
fn populations_come_in_smaller_batches_of_genomes_and_then_of_samples() {
    let case = windows(STAYS);
    let genomes = genomes(&case, 50);
    let said = RefCell::new(vec![]);
    let log = |line: &str| said.borrow_mut().push(line.to_owned());
    for (memory, says) in [(40_000, "genomes at a time"), (3_700, "one genome on"), (PLENTY, "")] {
        said.borrow_mut().clear();
        let mut population = population(&case, &shim(90, memory), Form::Both);
        assert_eq!(population.measure(&genomes, &log).unwrap(), measured(&case, &genomes));
        let said = said.borrow();
        assert!(if says.is_empty() { said.is_empty() } else { said[0].contains(says) }, "{memory}: {said:?}");
    }
    let mut population = population(&case, &shim(90, 3_000), Form::Both);
    assert!(matches!(population.measure(&genomes, &log), Err(DeviceError::OutOfMemory { .. })));
}

/// A seeded search on a landscape: its genome.
fn searched(case: &Case, landscape: &mut impl Landscape) -> Vec<u32> {
    let config = SearchConfig { proposals: 8, block: 5 };
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(&case.topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(&case.topology, config)];
    let rng = Stream::new(3, Purpose::Test, 9);
    let mut search = SpectrumSearch::new(&case.topology, config, rng, &mut order, &mut deltas).unwrap();
    for step in 0..60 {
        search.step(landscape, if step < 30 { 300 } else { 0 });
    }
    assert_eq!((landscape.loss(), landscape.correct()), full_loss(case, landscape.genome()));
    landscape.genome().to_vec()
}

#[test]
fn a_seeded_search_ends_at_the_same_genome() {
    for case in [separable(), windows(STAYS), windows(SLIDES)] {
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        let expected = searched(&case, &mut scalar(&case, &mut genome, &mut memory, true));
        assert_ne!(expected, case.genome);
        for capability in [53, 90] {
            let device = shim(capability, PLENTY);
            assert_eq!(searched(&case, &mut landscape(&case, &device, &quiet)), expected);
        }
    }
}

/// So many samples that a warp takes several tiles of them.
#[test]
fn spectra_of_many_tiles_are_the_sums_of_all() {
    for (height, width, layer) in [
        (2, 40, Layer::dense(60)),
        (2, 100, Layer::dense(60)),
        (2, 30, Layer::windows(60, 1, 2, 17)),
        (6, 8, Layer::windows(60, 1, 3, 4).sliding(2)),
    ] {
        let mut case = separable();
        let image = Shape { planes: 1, height, width };
        case.topology = Topology::new(image, &[layer, Layer::dense(4)]).unwrap();
        case.genome = genomes(&Case { genome: vec![0; case.topology.genome_words()], ..case.clone() }, 2);
        case.genome.drain(..case.topology.genome_words());
        let mut rng = Stream::new(7, Purpose::Test, 4);
        let packing = case.topology.layer(0).packing;
        case.labels = (0..5500).map(|_| rng.below(4) as u8).collect();
        case.inputs = vec![0; case.labels.len() * packing.words()];
        for row in case.inputs.chunks_mut(packing.row_words as usize) {
            row.iter_mut().for_each(|word| *word = rng.next_u32());
            *row.last_mut().unwrap() &= evobit::bits::tail_mask(packing.row_bits);
        }
        let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
        let mut core = scalar(&case, &mut genome, &mut memory, true);
        for capability in [53, 90] {
            let mut landscape = landscape(&case, &shim(capability, PLENTY), &quiet);
            assert_eq!((landscape.loss(), landscape.correct()), (core.loss(), core.correct()));
            for (layer, plan) in case.topology.layers().iter().enumerate() {
                let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
                let (mut expected, mut deltas) = (vec![0; neurons.len() * plan.mutants()], vec![]);
                deltas.clone_from(&expected);
                core.spectra(layer, &neurons, &mut expected);
                landscape.spectra(layer, &neurons, &mut deltas);
                assert!(deltas == expected, "layer {layer} of {:?} on {capability}", case.topology);
            }
        }
    }
}

/// Networks of one topology with other genomes, on samples that they share and on others.
fn many(case: &Case, count: u32) -> Vec<Case> {
    let words = case.topology.genome_words();
    let genomes = genomes(case, count);
    let of = |(index, genome): (usize, &[u32])| {
        let mut case = Case { genome: genome.to_vec(), ..case.clone() };
        if index % 3 == 2 {
            case.inputs.rotate_left(case.topology.input_words());
        }
        case
    };
    genomes.chunks(words).enumerate().map(of).collect()
}

#[test]
fn spectra_of_many_networks_are_one_launch_and_those_of_each() {
    for (layer, capability) in [(STAYS, 90), (SLIDES, 90), (SLIDES, 53), (Layer::dense(9), 53)] {
        let cases = many(&windows(layer), 5);
        let card = Arc::new(Shim::new(capability, PLENTY));
        let gpu = Gpu::new(card.clone());
        let mut networks: Vec<_> = cases.iter().map(|case| on(case, &gpu, &quiet).unwrap()).collect();
        let plan = *cases[0].topology.layer(0);
        let neurons: Vec<u16> = (0..plan.neurons as u16).rev().step_by(2).collect();
        let mut deltas = vec![7; cases.len() * neurons.len() * plan.mutants()];
        let before = card.launches();
        spectra_of_many(&mut networks, &neurons, &mut deltas).unwrap();
        assert_eq!(card.launches() - before, 1);
        for (case, deltas) in cases.iter().zip(deltas.chunks(neurons.len() * plan.mutants())) {
            let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
            let mut expected = vec![0; deltas.len()];
            scalar(case, &mut genome, &mut memory, true).spectra(0, &neurons, &mut expected);
            assert!(deltas == expected, "{layer:?} on {capability}");
        }
    }
}

#[test]
fn searches_that_share_a_card_end_at_the_same_genomes() {
    for layer in [STAYS, SLIDES] {
        let cases = many(&windows(layer), 4);
        let gpu = Gpu::new(shim(90, PLENTY));
        let found: Vec<Vec<u32>> = std::thread::scope(|scope| {
            let gpu = &gpu;
            let search = |case| scope.spawn(move || searched(case, &mut on(case, gpu, &quiet).unwrap()));
            let searches: Vec<_> = cases.iter().map(search).collect();
            searches.into_iter().map(|search| search.join().unwrap()).collect()
        });
        for (case, found) in cases.iter().zip(found) {
            let (mut genome, mut memory) = (case.genome.clone(), Memory::default());
            assert_eq!(found, searched(case, &mut scalar(case, &mut genome, &mut memory, true)));
        }
    }
}

/// Digits, few of them: the CPU is a slow card.
fn digits() -> Loaded {
    let mut loaded = evobit_data::load("digits", &evobit_data::LoadOptions::default()).unwrap();
    let few: Vec<u32> = (0..220).collect();
    loaded.train = loaded.train.select(&few);
    loaded
}

fn few_digits(settings: &str) -> (Prepared, TrainConfig) {
    let loaded = digits();
    let settings = toml::from_str::<Settings>(settings).unwrap();
    let config = settings.resolve(&loaded.train).unwrap();
    (prepare(&loaded, &config).unwrap(), config)
}

const ISLANDS: [&str; 3] = [
    "islands = 4\nhidden = ['6@1x3x3+2']\ncopies = 2\nsweeps = 6\ncooling = 3",
    "islands = 3\nhidden = ['5@3x3']\ncopies = 1\nsweeps = 3",
    "islands = 3\nhidden = ['6@3x3+1', '4']\nalgorithm = 'genetic'\npopulation = 5\nsweeps = 4",
];

#[test]
fn islands_take_turns_on_the_cards_and_evolve_as_on_the_processor() {
    for settings in ISLANDS {
        let (mut prepared, config) = few_digits(settings);
        let run =
            |prepared: &Prepared| evobit_train::run(prepared, &config, Session::default(), None, &mut Silent);
        let expected = run(&prepared).unwrap();
        for count in [1, 2] {
            let cards: Vec<Arc<Shim>> = (0..count).map(|_| Arc::new(Shim::new(90, PLENTY))).collect();
            let devices = cards.iter().map(|card| Arc::clone(card) as Arc<dyn Device>).collect();
            prepared.accelerator = Accelerator::on(devices, "no card".into());
            let found = run(&prepared).unwrap();
            assert_eq!((found.genome, found.mutants), (expected.genome.clone(), expected.mutants));
            assert!(cards.iter().all(|card| card.launches() > 10), "every card was used");
            prepared.accelerator = Accelerator::default();
            assert!(cards.iter().all(|card| card.free_memory() == Ok(PLENTY)), "all memory is given back");
        }
    }
}

#[test]
fn islands_on_a_card_that_fails_yield_nothing() {
    for settings in ISLANDS {
        let (mut prepared, config) = few_digits(settings);
        let cards: Vec<Arc<Shim>> = (0..2).map(|_| Arc::new(Shim::new(90, PLENTY))).collect();
        let devices = |failing: Shim| -> Vec<Arc<dyn Device>> { vec![cards[0].clone(), Arc::new(failing)] };
        prepared.accelerator = Accelerator::on(devices(Shim::new(90, PLENTY)), "no card".into());
        let before = cards[0].launches();
        evobit_train::run(&prepared, &config, Session::default(), None, &mut Silent).unwrap();
        let all = cards[0].launches() - before;
        for launches in [0, 7, all / 4, all / 3] {
            let failing = Shim::new(90, PLENTY).failing(launches);
            prepared.accelerator = Accelerator::on(devices(failing), "no card".into());
            let ran = evobit_train::run(&prepared, &config, Session::default(), None, &mut Silent);
            assert!(
                ran.err().is_some_and(|error| error.to_string().contains("the GPU failed at")),
                "{launches}"
            );
        }
    }
}

#[test]
fn islands_that_share_a_card_share_its_memory() {
    let (mut prepared, config) = few_digits("islands = 3\nhidden = ['24@3x3']\ncopies = 1\nsweeps = 2");
    let run =
        |prepared: &Prepared| evobit_train::run(prepared, &config, Session::default(), None, &mut Silent);
    let expected = run(&prepared).unwrap();
    // What one takes with all of its views.
    let (gpu, samples) = (Gpu::new(shim(90, PLENTY)), prepared.plain());
    let (topology, loss) = (&prepared.topology, prepared.loss_table());
    let genome = &expected.genome;
    let made = CudaLandscape::new(&gpu, topology, genome, samples, &loss, &quiet).unwrap();
    let used = PLENTY - gpu.device().free_memory().unwrap();
    drop(made);
    let left = PLENTY - gpu.device().free_memory().unwrap();
    // Room for all that three need but views, and for a few of these: if the first took what is free, the third would have too little.
    let network = Network::new(topology, &genome[..]).unwrap();
    let mut places: Vec<u16> = (0..24).map(|neuron| network.place(0, neuron)).collect();
    places.sort_unstable();
    places.dedup();
    let view = (4 * samples.len() * topology.layer(0).row_words as usize) as u64;
    let fixed = used - left - places.len() as u64 * view;
    let memory = left + 3 * (fixed + 4 * view) * 32 / 31;
    assert!(places.len() > 12, "{} places", places.len());
    prepared.accelerator = Accelerator::on(vec![shim(90, memory)], "no card".into());
    assert_eq!(run(&prepared).unwrap().genome, expected.genome);
}

#[test]
fn after_a_failure_nothing_improves_and_it_is_known() {
    for case in [separable(), windows(SLIDES)] {
        fails(&case);
    }
}

fn fails(case: &Case) {
    let flip = [Mutation { layer: 0, neuron: 3, gene: Gene::Weight(7) }];
    for launches in 0..12 {
        let device: Arc<dyn Device> = Arc::new(Shim::new(90, PLENTY).failing(launches));
        let gpu = Gpu::new(device);
        let Ok(mut landscape) = on(case, &gpu, &quiet) else { continue };
        let mut deltas = vec![0; case.topology.layer(0).mutants()];
        for _ in 0..10 {
            landscape.spectra(0, &[3], &mut deltas);
            landscape.trial(&flip);
            landscape.commit();
        }
        assert!(matches!(gpu.failure().get(), Some(DeviceError::Failed { .. })), "{launches}");
        assert!(deltas.iter().all(|&delta| delta == IMPOSSIBLE));
        assert_eq!(landscape.trial(&flip), IMPOSSIBLE);
    }
}

#[test]
fn a_benchmark_holds_everything_against_the_processor_before_it_measures() {
    use evobit_bench::{GpuOptions, measure_gpu};

    let loaded = digits();
    let windows =
        |slide| HiddenLayer::Window { output: Shape::flat(10), planes: 0, height: 3, width: 3, slide };
    let options = GpuOptions {
        hidden: vec![HiddenLayer::Dense(4), windows(0), windows(2)],
        population: 3,
        rounds: 1,
        seconds: 0.001,
        train: None,
    };
    let accelerator = Accelerator::on(vec![shim(90, PLENTY)], "no card".into());
    let report = measure_gpu(&loaded, "digits", &accelerator, &options, &quiet).unwrap();
    assert!(report.ceiling_counts > 0.0 && report.ceiling_both > Some(0.0));
    assert_eq!(report.networks.len(), 3);
    for network in report.networks {
        assert_eq!(network.population.len(), Form::ALL.len());
        assert!(network.mutants_per_second > 0.0 && network.mutants_per_second_cpu > 0.0);
        assert!(network.mutants_per_second_together > 0.0);
    }
    // A card that fails is no figure.
    let device: Arc<dyn Device> = Arc::new(Shim::new(90, PLENTY).failing(200));
    let accelerator = Accelerator::on(vec![device], "no card".into());
    let report = measure_gpu(&loaded, "digits", &accelerator, &options, &quiet);
    assert!(report.err().is_some_and(|error| error.to_string().contains("the GPU failed at")));
}
