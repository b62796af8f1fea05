//! What this machine does: mutants scored a second beside running the network anew for each, samples classified a
//! second, seconds of training to an accuracy.
//!
//! Two networks are measured, each at a checkpoint that is the same on every machine: trained from a fixed seed until its
//! training accuracy first exceeds `CHECKPOINT`, which is looked at every `CHECK_STEPS` steps. How much
//! work a spectrum is depends on the network: an untrained one has more boundary samples. All rates are medians of
//! `ROUNDS` rounds that take turns, so that whatever else the machine does falls on all of them alike.

#[cfg(feature = "cuda")]
mod gpu;
mod naive;
mod report;
mod time;

use std::time::{Duration, Instant};

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Shape;

#[cfg(feature = "cuda")]
pub use gpu::{GpuFigures, GpuOptions, GpuReport, GpuTraining, PopulationFigures, measure_gpu};
pub use naive::{Full, OneNeuron};
pub use report::{BenchError, Classified, Figures, Report, TimeToAccuracy};
pub use time::{Target, TimeError, TimeOptions, TimeReport, Timed, measure_time};

use evobit_compute::{Sharded, instructions};
use evobit_data::{Loaded, Schema};
use evobit_model::evaluate;
use evobit_model::forward;
use evobit_search::{Interrupt, Signal, Watch};
use evobit_train::settings::{HiddenLayer, Preset, Settings, TestPart, TrainConfig};
use evobit_train::{Prepared, Row, Session, prepare};

/// The training accuracy at which a network is measured.
const CHECKPOINT: f64 = 0.92;
/// Steps between two looks at the accuracy.
const CHECK_STEPS: u64 = 8;
/// Sweeps after which a network is measured as it is.
const MOST_SWEEPS: u32 = 60;
/// Rounds of measuring.
const ROUNDS: usize = 5;
/// Samples of a batch that is classified.
const BATCH: usize = 10_000;
/// Mutants whose change of loss is compared.
const COMPARED: usize = 10;
/// Validation accuracies that training is timed to.
const ACCURACIES: [f64; 3] = [0.90, 0.95, 0.97];

/// Measures everything, scoring mutants for `seconds` on each network; says to `tell` what it is doing.
///
/// # Errors
/// Data that are no images or too small for the networks; ways of scoring that disagree.
pub fn measure(
    loaded: &Loaded,
    source: &str,
    seconds: f64,
    tell: &dyn Fn(&str),
) -> Result<Report, BenchError> {
    let Schema::Image { height, width, .. } = loaded.train.schema else { return Err(BenchError::NoImages) };
    let windows = windows(1024, height, width);
    let dense = measure_network(loaded, HiddenLayer::Dense(128), seconds, tell)?;
    let windows = measure_network(loaded, windows, seconds, tell)?;
    let small = classify_small(loaded, seconds)?;
    tell("training with default settings");
    let time_to_accuracy = time_to_accuracy(loaded, 4.0 * seconds)?;
    Ok(Report {
        dense,
        windows,
        small,
        time_to_accuracy,
        threads: rayon::current_num_threads(),
        instructions: instructions(),
        baseline_instructions: forward::fastest().name(),
        data: source.to_owned(),
    })
}

/// So many windows of 8 x 8, or 3 x 3 over small images.
fn windows(neurons: u16, height: u16, width: u16) -> HiddenLayer {
    let side = |length: u16| if length >= 16 { 8 } else { 3.min(length) };
    HiddenLayer::Window {
        output: Shape::flat(neurons),
        planes: 0,
        height: side(height),
        width: side(width),
        slide: 0,
    }
}

/// All samples of the training part, one level, nothing held out.
fn settings(hidden: HiddenLayer) -> Settings {
    Settings {
        hidden: Some(vec![hidden]),
        levels: Some(1),
        test: Some(TestPart::Share(0.0)),
        validation: Some(0.0),
        copies: Some(1),
        ..Settings::default()
    }
}

fn resolve(settings: Settings, loaded: &Loaded) -> Result<TrainConfig, BenchError> {
    settings.resolve(&loaded.train).map_err(BenchError::Settings)
}

fn measure_network(
    loaded: &Loaded,
    hidden: HiddenLayer,
    seconds: f64,
    tell: &dyn Fn(&str),
) -> Result<Figures, BenchError> {
    let config = resolve(settings(hidden), loaded)?;
    let prepared = prepare(loaded, &config)?;
    let samples = prepared.plain();
    let genome = evobit_train::random_genome(&prepared, &config);
    let mut landscape = evobit_train::landscape(&prepared, &genome, samples)?;
    train_to_checkpoint(&prepared, &config, &mut landscape, |accuracy| {
        tell(&format!("{hidden}: training to {:.0} %, now {:.1} %", 100.0 * CHECKPOINT, 100.0 * accuracy));
    })?;
    tell(&format!("{hidden}: measuring"));

    let genome = landscape.genome().to_vec();
    let network = Network::new(&prepared.topology, &genome[..]).map_err(LandscapeError::Genome)?;
    let full = || Full::new(&network, samples, &prepared.loss_table()).ok_or(LandscapeError::Buffers);
    let (mut full, kept) = (full()?, full()?);
    let mut one = OneNeuron::new(&network, &kept);
    compare(&mut landscape, &mut full, &mut one)?;
    let rates = rates(&prepared, &config, &mut landscape, &mut full, &mut one, seconds);
    let inference = inference(&network, samples.inputs, seconds);

    let layer = prepared.topology.layer(0);
    let bits = prepared.topology.weights() as f64 * samples.len() as f64;
    Ok(Figures {
        hidden: hidden.to_string(),
        mutants_per_second: rates.mutants,
        ratio_full: rates.mutants / rates.full,
        ratio_neuron: rates.mutants / rates.one,
        boundary_share: full.boundary_share(),
        train_accuracy: f64::from(landscape.correct()) / samples.len() as f64,
        samples: samples.len(),
        neurons: layer.neurons,
        full_evaluations_per_second: rates.full,
        neuron_evaluations_per_second: rates.one,
        baseline_bit_operations_per_second: bits * rates.full,
        inference_samples_per_second: inference[0],
        inference_samples_per_second_one_thread: inference[1],
    })
}

/// Classifies with the network of the preset. How fast it does that does not depend on what it learned.
fn classify_small(loaded: &Loaded, seconds: f64) -> Result<Classified, BenchError> {
    let settings = Settings { preset: Some(Preset::Small), copies: Some(1), ..Settings::default() };
    let config = resolve(settings, loaded)?;
    let prepared = prepare(loaded, &config)?;
    let genome = evobit_train::random_genome(&prepared, &config);
    let network = Network::new(&prepared.topology, &genome[..]).map_err(LandscapeError::Genome)?;
    let [all, one] = inference(&network, prepared.plain().inputs, seconds);
    Ok(Classified {
        hidden: config.hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        inference_samples_per_second: all,
        inference_samples_per_second_one_thread: one,
    })
}

/// Trains until the accuracy exceeds the checkpoint, or no longer than [`MOST_SWEEPS`].
fn train_to_checkpoint(
    prepared: &Prepared,
    config: &TrainConfig,
    landscape: &mut Sharded<'_>,
    tell: impl Fn(f64),
) -> Result<(), LandscapeError> {
    let topology = &prepared.topology;
    let search_config = SearchConfig { proposals: config.proposals, block: config.block };
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(topology, search_config)];
    let rng = Stream::new(config.seed, Purpose::Search, 0);
    let mut search = SpectrumSearch::new(topology, search_config, rng, &mut order, &mut deltas)
        .ok_or(LandscapeError::Buffers)?;
    let (mut sweeps, mut swept) = (0, 0);
    for steps in 1u64.. {
        let step = search.step(landscape, 0);
        swept += step.committed;
        if steps.is_multiple_of(CHECK_STEPS) {
            let accuracy = f64::from(landscape.correct()) / f64::from(landscape.samples().max(1));
            tell(accuracy);
            if accuracy > CHECKPOINT {
                break;
            }
        }
        if step.sweep_ended {
            sweeps += 1;
            if sweeps == MOST_SWEEPS || swept == 0 {
                break;
            }
            swept = 0;
        }
    }
    Ok(())
}

/// Demands the same change of loss from all three ways.
fn compare(
    landscape: &mut Sharded<'_>,
    full: &mut Full<'_>,
    one: &mut OneNeuron<'_>,
) -> Result<(), BenchError> {
    let plan = *landscape.topology().layer(0);
    let mut rng = Stream::new(1, Purpose::Test, 0);
    let mut deltas = vec![0; plan.mutants()];
    let before = full.loss();
    for _ in 0..COMPARED {
        let (neuron, input) = (rng.below(plan.neurons), rng.below(plan.inputs));
        landscape.spectra(0, &[neuron as u16], &mut deltas);
        let neuron = neuron as usize;
        full.flip(neuron, input);
        let after = full.loss();
        full.flip(neuron, input);
        let (spectrum, full, one) = (deltas[input as usize], after - before, one.change(neuron, input));
        if spectrum != full || spectrum != one {
            return Err(BenchError::Disagree { neuron, input, spectrum, full, one });
        }
    }
    Ok(())
}

struct Rates {
    mutants: f64,
    full: f64,
    one: f64,
}

/// How often a second `work` is done, which says how much it did.
fn rate(seconds: f64, mut work: impl FnMut() -> u64) -> f64 {
    let (started, mut done) = (Instant::now(), 0);
    loop {
        done += work();
        let elapsed = started.elapsed().as_secs_f64();
        if elapsed >= seconds {
            return done as f64 / elapsed;
        }
    }
}

/// The middle of what the rounds gave.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Scores mutants in the three ways.
fn rates(
    prepared: &Prepared,
    config: &TrainConfig,
    landscape: &mut Sharded<'_>,
    full: &mut Full<'_>,
    one: &mut OneNeuron<'_>,
    seconds: f64,
) -> Rates {
    let plan = *prepared.topology.layer(0);
    let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
    let mut deltas = vec![0; plan.mutants() * usize::from(config.block)];
    // As many neurons at a time as training visits with default settings.
    let mut blocks = neurons.chunks(config.block.into()).cycle();
    let mut spectra = || {
        let block = blocks.next().unwrap_or_default();
        landscape.spectra(0, block, &mut deltas);
        let entries = &deltas[..block.len() * plan.mutants()];
        entries.iter().filter(|&&delta| delta != IMPOSSIBLE).count() as u64
    };
    let mut rng = Stream::new(2, Purpose::Test, 0);
    let (mut mutants, mut whole, mut single) = (vec![], vec![], vec![]);
    let round = seconds / ROUNDS as f64;
    for _ in 0..ROUNDS {
        mutants.push(rate(round, &mut spectra));
        whole.push(rate(round / 4.0, || {
            let (neuron, input) = (rng.below(plan.neurons) as usize, rng.below(plan.inputs));
            full.flip(neuron, input);
            std::hint::black_box(full.loss());
            full.flip(neuron, input);
            1
        }));
        single.push(rate(round / 4.0, || {
            std::hint::black_box(one.change(rng.below(plan.neurons) as usize, rng.below(plan.inputs)));
            1
        }));
    }
    Rates { mutants: median(mutants), full: median(whole), one: median(single) }
}

/// Samples classified a second, on all threads and on one.
fn inference(network: &Network<'_, &[u32]>, inputs: &[u32], seconds: f64) -> [f64; 2] {
    let batch: Vec<u32> =
        inputs.iter().copied().cycle().take(BATCH * network.topology().input_words()).collect();
    let classify = || std::hint::black_box(evaluate::predict(network, &batch)).len() as u64;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let round = seconds / 8.0 / ROUNDS as f64;
    let (mut all, mut single) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        all.push(rate(round, classify));
        // Without a pool of its own, the one thread is this one.
        single.push(match &one {
            Ok(pool) => pool.install(|| rate(round, classify)),
            Err(_) => rate(round, classify),
        });
    }
    [median(all), median(single)]
}

/// Ends training when the last accuracy is reached.
#[derive(Default)]
struct Reached(Interrupt);

impl Watch<Row> for Reached {
    fn row(&mut self, row: &Row) {
        if row.validation_accuracy >= ACCURACIES[2] {
            self.0.raise(Signal::Terminate);
        }
    }
}

/// Trains with default settings for at most so many seconds.
fn time_to_accuracy(loaded: &Loaded, seconds: f64) -> Result<TimeToAccuracy, BenchError> {
    let config = resolve(Settings::default(), loaded)?;
    let prepared = prepare(loaded, &config)?;
    let budget = Duration::from_secs_f64(seconds);
    let mut watch = Reached::default();
    let session = Session { budget: Some(budget), interrupt: watch.0.clone(), ..Session::default() };
    let outcome = evobit_train::run(&prepared, &config, session, None, &mut watch)?;
    let [ninety, ninety_five, ninety_seven] = ACCURACIES.map(|accuracy| {
        let reached = outcome.rows.iter().find(|row| row.validation_accuracy >= accuracy);
        reached.map(|row| row.seconds)
    });
    Ok(TimeToAccuracy { ninety, ninety_five, ninety_seven })
}
