//! The loops that training and classifying spend their time in, each on one thread: `cargo bench -p host`.
//!
//! The data are the built-in digits with their shifted copies; the networks are random, of 512 neurons with a window each or
//! 128 dense ones. What matters is how a figure changes with a change of the code: how fast training is in all, `evobit bench` says.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use evobit::evolve::landscape::Landscape;
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit_compute::Instructions;
use evobit_data::{LoadOptions, load};
use evobit_model::evaluate;
use evobit_train::settings::Settings;
use evobit_train::{Prepared, prepare};

const HIDDEN: [&str; 2] = ["512@3x3", "128"];

/// Samples that are classified together.
const BATCH: usize = 10_000;

fn main() {
    divan::main();
}

/// The digits for a network with this hidden layer, and a random genome of it.
fn problem(hidden: &str) -> (Prepared, Vec<u32>) {
    let loaded = load("digits", &LoadOptions::default()).expect("built in");
    let layer = hidden.parse().expect("a layer");
    let settings = Settings { hidden: Some(vec![layer]), ..Settings::default() };
    let config = settings.resolve(&loaded.train).expect("settings in range");
    let prepared = prepare(&loaded, &config).expect("a network");
    let mut genome = vec![0; prepared.topology.genome_words()];
    let mut view = GenomeMut::new(&prepared.topology, &mut genome).expect("a genome");
    view.randomize(&mut Stream::new(1, Purpose::Test, 0));
    (prepared, genome)
}

/// Calls `work` with the landscape of a problem.
fn with_landscape(hidden: &str, work: impl FnOnce(&mut dyn Landscape)) {
    let (prepared, genome) = problem(hidden);
    let (samples, loss) = (prepared.train.samples(), prepared.loss_table());
    let landscape = evobit_compute::landscape(Instructions::Auto, &prepared.topology, &genome, samples, loss);
    work(&mut *landscape.expect("a landscape"));
}

/// The exact change of loss of every mutant of one neuron.
fn spectrum(bencher: Bencher<'_, '_>, hidden: &str, layer: usize) {
    with_landscape(hidden, |landscape| {
        let plan = *landscape.topology().layer(layer);
        let mut deltas = vec![0; plan.mutants()];
        let mut neurons = (0..plan.neurons as u16).cycle();
        bencher.counter(ItemsCount::new(plan.mutants())).bench_local(|| {
            let neuron = neurons.next().unwrap_or_default();
            landscape.spectra(layer, &[neuron], &mut deltas);
            black_box(deltas[0])
        });
    });
}

#[divan::bench(args = HIDDEN)]
fn spectrum_of_a_hidden_neuron(bencher: Bencher<'_, '_>, hidden: &str) {
    spectrum(bencher, hidden, 0);
}

#[divan::bench(args = HIDDEN)]
fn spectrum_of_a_class(bencher: Bencher<'_, '_>, hidden: &str) {
    spectrum(bencher, hidden, 1);
}

/// A trial of four flips of one hidden neuron, and their commit.
#[divan::bench(args = HIDDEN)]
fn trial_and_commit(bencher: Bencher<'_, '_>, hidden: &str) {
    with_landscape(hidden, |landscape| {
        let plan = *landscape.topology().layer(0);
        let mut rng = Stream::new(2, Purpose::Test, 0);
        bencher.bench_local(|| {
            let neuron = rng.below(plan.neurons) as u16;
            let first = rng.below(plan.inputs - 3) as u16;
            let flips =
                [0, 1, 2, 3].map(|next| Mutation { layer: 0, neuron, gene: Gene::Weight(first + next) });
            let change = landscape.trial(&flips);
            landscape.commit();
            black_box(change)
        });
    });
}

/// Laying a network out for vectors and running it on a batch.
#[divan::bench(args = HIDDEN)]
fn classify_ten_thousand(bencher: Bencher<'_, '_>, hidden: &str) {
    let (prepared, genome) = problem(hidden);
    let network = Network::new(&prepared.topology, &genome[..]).expect("a network");
    let inputs = prepared.train.inputs.iter().copied().cycle();
    let inputs: Vec<u32> = inputs.take(BATCH * prepared.topology.input_words()).collect();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| one.install(|| black_box(evaluate::predict(&network, &inputs))));
}

/// Writing a model image and checking it.
#[divan::bench(args = HIDDEN)]
fn write_a_model_image(bencher: Bencher<'_, '_>, hidden: &str) {
    let (prepared, genome) = problem(hidden);
    bencher.bench_local(|| black_box(prepared.model(&genome).expect("a model")));
}
