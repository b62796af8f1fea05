//! What a GPU does: exact mutants, population evaluations, bit operations against the card's ceilings, and the processor in the same run.
//!
//! Nothing is timed that was not held against the processor's results in the same run: all spectra of both layers, loss and correct
//! answers, the losses of a population in every form.

use std::time::{Duration, Instant};

use evobit::evolve::genetic::Genes;
use evobit::evolve::landscape::{Landscape, LandscapeError};
use evobit::genome::GenomeMut;
use evobit::loss::LossTable;
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use serde::Serialize;

use super::{ROUNDS, Reached, median, rate, resolve, settings, train_to_checkpoint};
use crate::BenchError;
use evobit_compute::cuda::{Ceilings, CudaLandscape, CudaPopulation, DeviceError, Form, spectra_of_many};
use evobit_compute::{Accelerator, SearchError, Sharded};
use evobit_data::{Loaded, Schema};
use evobit_model::evaluate;
use evobit_train::settings::HiddenLayer;
use evobit_train::{Prepared, Session, prepare};

/// Genomes whose losses are held against the processor's.
const COMPARED: usize = 4;
/// Rows and columns that windows slide by.
const SLIDE: u16 = 4;
/// Networks whose spectra are launched together.
const TOGETHER: u32 = 8;
/// Launches that are timed together where the host does not read results.
const LAUNCHES: u32 = 20;

/// What to measure.
#[derive(Clone, Debug)]
pub struct GpuOptions {
    /// Hidden layers of the networks.
    pub hidden: Vec<HiddenLayer>,
    /// Genomes of the population.
    pub population: usize,
    /// Instructions of each chain that finds a ceiling.
    pub rounds: u32,
    /// Seconds for each figure.
    pub seconds: f64,
    /// The hidden layer that is trained to 97 %, and for how many seconds at most; none to leave that out.
    pub train: Option<(HiddenLayer, f64)>,
}

impl GpuOptions {
    /// The networks that `bench` measures everywhere, one whose windows slide, and training of the second one.
    ///
    /// # Errors
    /// Data that are no images.
    pub fn new(loaded: &Loaded, seconds: f64) -> Result<Self, BenchError> {
        let Schema::Image { height, width, .. } = loaded.train.schema else {
            return Err(BenchError::NoImages);
        };
        let windows = super::windows(1024, height, width);
        Ok(Self {
            hidden: vec![HiddenLayer::Dense(128), windows, sliding(height, width)],
            population: 256,
            rounds: 1 << 14,
            seconds,
            train: Some((windows, 30.0)),
        })
    }
}

/// Windows that slide as those of presets do, where the image has room.
fn sliding(height: u16, width: u16) -> HiddenLayer {
    match super::windows(512, height, width) {
        HiddenLayer::Window { output, height: lines, width: columns, .. } => {
            let slide = SLIDE.min(height - lines).min(width - columns);
            HiddenLayer::Window { output, planes: 0, height: lines, width: columns, slide }
        }
        other => other,
    }
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct GpuReport {
    /// The card, and where its kernels came from.
    pub device: String,
    /// Population counts a second of all multiprocessors, measured, as bit operations: 32 each.
    pub ceiling_counts: f64,
    /// Products of bits a second on tensor cores with exclusive or, measured; none where there are none.
    pub ceiling_differ: Option<f64>,
    /// The same with and.
    pub ceiling_both: Option<f64>,
    /// For each network.
    pub networks: Vec<GpuFigures>,
    /// Seconds of training on the GPU to validation accuracies; none where it was left out.
    pub training: Option<GpuTraining>,
    /// Threads of the processor.
    pub threads: usize,
    /// The data.
    pub data: String,
}

/// What was measured of one network.
#[derive(Clone, Debug, Serialize)]
pub struct GpuFigures {
    /// The hidden layer, as `--hidden` takes it.
    pub hidden: String,
    /// Samples.
    pub samples: usize,
    /// Accuracy on them, at the checkpoint.
    pub train_accuracy: f64,
    /// Mutants whose exact change of loss the card found, a second: all hidden neurons in one launch, sums left on the card.
    pub mutants_per_second: f64,
    /// The same with the sums brought to the host.
    pub mutants_per_second_read: f64,
    /// The same in blocks of as many neurons as training visits.
    pub mutants_per_second_blocks: f64,
    /// In such blocks of eight networks at once, as islands ask for them.
    pub mutants_per_second_together: f64,
    /// On the processor, in such blocks.
    pub mutants_per_second_cpu: f64,
    /// Populations in every form that the card has.
    pub population: Vec<PopulationFigures>,
    /// The whole network on all samples, a second, on the processor.
    pub evaluations_per_second_cpu: f64,
}

/// What was measured of a population.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationFigures {
    /// How dense layers were computed.
    pub form: String,
    /// The whole network on all samples, a second.
    pub evaluations_per_second: f64,
    /// Products of two bits that this takes, a second.
    pub bit_operations_per_second: f64,
    /// These in parts of the ceiling of population counts.
    pub of_ceiling_counts: f64,
}

/// How long training took.
#[derive(Clone, Debug, Serialize)]
pub struct GpuTraining {
    /// The hidden layer.
    pub hidden: String,
    /// Seconds of search to 90, 95 and 97 % of the validation samples; none where it was not reached.
    pub seconds_to: [Option<f64>; 3],
    /// Exact mutants scored a second over the whole search.
    pub mutants_per_second: f64,
}

/// Measures a GPU; says to `tell` what it is doing.
///
/// # Errors
/// Data that are no images or too small for the networks; results that differ from the processor's; failures of the GPU.
pub fn measure_gpu(
    loaded: &Loaded,
    source: &str,
    accelerator: &Accelerator,
    options: &GpuOptions,
    tell: &dyn Fn(&str),
) -> Result<GpuReport, BenchError> {
    let Some(gpu) = accelerator.gpu() else {
        return Err(SearchError::Device("there is no GPU".into()).into());
    };
    tell("finding the card's ceilings");
    let ceilings = Ceilings::measure(gpu.device(), options.rounds).map_err(of_device)?;
    let figures = |&hidden| figures(loaded, hidden, accelerator, ceilings.counts, options, tell);
    let networks = options.hidden.iter().map(figures).collect::<Result<_, _>>()?;
    let train = |(hidden, seconds)| {
        tell(&format!("{hidden}: training"));
        training(loaded, hidden, accelerator, seconds)
    };
    Ok(GpuReport {
        device: accelerator.description().to_owned(),
        ceiling_counts: ceilings.counts,
        ceiling_differ: ceilings.differ,
        ceiling_both: ceilings.both,
        networks,
        training: options.train.map(train).transpose()?,
        threads: rayon::current_num_threads(),
        data: source.to_owned(),
    })
}

fn of_device(error: DeviceError) -> SearchError {
    SearchError::Device(error.to_string())
}

fn differs(what: &str) -> BenchError {
    let wrong = DeviceError::Wrong(format!("{what} differ from the processor's"));
    of_device(wrong).into()
}

fn figures(
    loaded: &Loaded,
    hidden: HiddenLayer,
    accelerator: &Accelerator,
    ceiling: f64,
    options: &GpuOptions,
    tell: &dyn Fn(&str),
) -> Result<GpuFigures, BenchError> {
    let config = resolve(settings(hidden), loaded)?;
    let mut prepared = prepare(loaded, &config)?;
    let on_cpu = prepared.clone();
    prepared.accelerator = accelerator.clone();
    let samples = prepared.plain();
    let start = evobit_train::random_genome(&prepared, &config);
    tell(&format!("{hidden}: training to the checkpoint"));
    let mut gpu = evobit_train::landscape(&prepared, &start, samples)?;
    train_to_checkpoint(&prepared, &config, &mut gpu, |_| ())?;
    accelerator.check()?;
    let genome = gpu.genome().to_vec();
    let mut cpu = evobit_train::landscape(&on_cpu, &genome, samples)?;
    tell(&format!("{hidden}: comparing and measuring"));
    compare(&mut gpu, &mut cpu)?;
    accelerator.check()?;
    let block = usize::from(config.block);
    let seconds = options.seconds / ROUNDS as f64;
    let loss = prepared.loss_table();
    let read = mutants(&mut gpu, usize::MAX, seconds);
    let blocks = mutants(&mut gpu, block, seconds);
    let on_card = on_card(&prepared, &genome, accelerator, &loss)?;
    let together = together(&prepared, &mut gpu, accelerator, block, seconds)?;
    accelerator.check()?;
    let network = Network::new(&prepared.topology, &genome[..]).map_err(LandscapeError::Genome)?;
    let accuracy = f64::from(gpu.correct()) / samples.len().max(1) as f64;
    let evaluate = || {
        std::hint::black_box(evaluate::score(&network, &loss, samples));
        1
    };
    Ok(GpuFigures {
        hidden: hidden.to_string(),
        samples: samples.len(),
        train_accuracy: accuracy,
        mutants_per_second: on_card,
        mutants_per_second_read: read,
        mutants_per_second_blocks: blocks,
        mutants_per_second_together: together,
        mutants_per_second_cpu: mutants(&mut cpu, block, seconds),
        population: populations(&prepared, &genome, accelerator, ceiling, options)?,
        evaluations_per_second_cpu: rate(options.seconds, evaluate),
    })
}

/// Demands the same integers of both.
fn compare(gpu: &mut Sharded<'_>, cpu: &mut Sharded<'_>) -> Result<(), BenchError> {
    if (gpu.loss(), gpu.correct()) != (cpu.loss(), cpu.correct()) {
        return Err(differs("loss and correct answers"));
    }
    for layer in 0..gpu.topology().depth() {
        let plan = *gpu.topology().layer(layer);
        let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
        let (mut of_gpu, mut of_cpu) = (vec![0; neurons.len() * plan.mutants()], vec![]);
        of_cpu.clone_from(&of_gpu);
        gpu.spectra(layer, &neurons, &mut of_gpu);
        cpu.spectra(layer, &neurons, &mut of_cpu);
        if of_gpu != of_cpu {
            return Err(differs(&format!("spectra of layer {layer}")));
        }
    }
    Ok(())
}

/// Mutants of hidden neurons a second, in blocks of at most so many neurons.
fn mutants(landscape: &mut Sharded<'_>, block: usize, seconds: f64) -> f64 {
    let plan = *landscape.topology().layer(0);
    let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
    let mut deltas = vec![0; neurons.len().min(block) * plan.mutants()];
    let mut blocks = neurons.chunks(block.min(neurons.len())).cycle();
    let mut spectra = || {
        let block = blocks.next().unwrap_or_default();
        landscape.spectra(0, block, &mut deltas);
        (block.len() * plan.mutants()) as u64
    };
    median((0..ROUNDS).map(|_| rate(seconds, &mut spectra)).collect())
}

/// The same in one launch, the sums left on the card.
fn on_card(
    prepared: &Prepared,
    genome: &[u32],
    accelerator: &Accelerator,
    loss: &LossTable<&[u32]>,
) -> Result<f64, BenchError> {
    let Some(gpu) = accelerator.gpu() else { return Ok(0.0) };
    let (topology, samples) = (&prepared.topology, prepared.plain());
    let landscape = CudaLandscape::new(gpu, topology, genome, samples, loss, &|_| ());
    let mut landscape = landscape.map_err(|error| SearchError::Device(error.to_string()))?;
    let neurons: Vec<u16> = (0..topology.layer(0).neurons as u16).collect();
    // Once to make the views.
    let scored = landscape.spectra_on_card(&neurons, 1).map_err(of_device)?;
    let mut rates = vec![];
    for _ in 0..ROUNDS {
        let started = Instant::now();
        landscape.spectra_on_card(&neurons, LAUNCHES).map_err(of_device)?;
        rates.push((scored * u64::from(LAUNCHES)) as f64 / started.elapsed().as_secs_f64());
    }
    Ok(median(rates))
}

/// The same in blocks of at most so many neurons of several networks, launched together and brought to the host.
fn together(
    prepared: &Prepared,
    one: &mut Sharded<'_>,
    accelerator: &Accelerator,
    block: usize,
    seconds: f64,
) -> Result<f64, BenchError> {
    let Some(gpu) = accelerator.gpu() else { return Ok(0.0) };
    let (topology, samples, loss) = (&prepared.topology, prepared.plain(), prepared.loss_table());
    let shared = gpu.shared(TOGETHER.into()).map_err(of_device)?;
    let network = |_| CudaLandscape::new(&shared, topology, one.genome(), samples, &loss, &|_| ());
    let networks = (0..TOGETHER).map(network).collect::<Result<Vec<_>, _>>();
    let mut networks = networks.map_err(|error| SearchError::Device(error.to_string()))?;
    let neurons: Vec<u16> = (0..topology.layer(0).neurons as u16).collect();
    let block = &neurons[..neurons.len().min(block)];
    let mut expected = vec![0; block.len() * topology.layer(0).mutants()];
    let mut deltas = vec![0; networks.len() * expected.len()];
    one.spectra(0, block, &mut expected);
    spectra_of_many(&mut networks, block, &mut deltas).map_err(of_device)?;
    if deltas.chunks(expected.len()).any(|deltas| deltas != expected) {
        return Err(differs("spectra of several networks at once"));
    }
    let mut failed = Ok(());
    let mut spectra = || {
        failed = failed.clone().and(spectra_of_many(&mut networks, block, &mut deltas));
        deltas.len() as u64
    };
    let rates = (0..ROUNDS).map(|_| rate(seconds, &mut spectra)).collect();
    failed.map_err(of_device)?;
    Ok(median(rates))
}

/// A population of mutants in every form that the card has.
fn populations(
    prepared: &Prepared,
    genome: &[u32],
    accelerator: &Accelerator,
    ceiling: f64,
    options: &GpuOptions,
) -> Result<Vec<PopulationFigures>, BenchError> {
    let Some(gpu) = accelerator.gpu() else { return Ok(vec![]) };
    let (topology, samples, loss) = (&prepared.topology, prepared.plain(), prepared.loss_table());
    let mut rng = Stream::new(1, Purpose::Test, 0);
    let mut genomes = vec![];
    for _ in 0..options.population {
        let mut mutant = genome.to_vec();
        for _ in 0..8 {
            evobit::bits::flip(&mut mutant, topology.position(rng.below(topology.count())));
        }
        topology.repair(&mut mutant);
        GenomeMut::new(topology, &mut mutant).map_err(LandscapeError::Genome)?;
        genomes.extend(mutant);
    }
    let mut figures = vec![];
    for form in Form::ALL.into_iter().filter(|form| form.needs() <= gpu.device().capability()) {
        let population = CudaPopulation::new(gpu, topology, samples, &loss, Some(form));
        let mut population = population.map_err(|error| SearchError::Device(error.to_string()))?;
        let measured = population.measure(&genomes, &|_| ()).map_err(of_device)?;
        for (measured, genome) in measured.iter().zip(genomes.chunks(genome.len())).take(COMPARED) {
            let network = Network::new(topology, genome).map_err(LandscapeError::Genome)?;
            let score = evaluate::score(&network, &loss, samples);
            if (measured.loss, measured.correct as usize) != (score.loss, score.correct) {
                return Err(differs("losses of a population"));
            }
        }
        let mut failed = Ok(());
        let evaluations = rate(options.seconds, || match population.measure(&genomes, &|_| ()) {
            Ok(measured) => measured.len() as u64,
            Err(error) => {
                failed = Err(error);
                0
            }
        });
        failed.map_err(of_device)?;
        let bits = f64::from(topology.weights()) * samples.len() as f64 * evaluations;
        figures.push(PopulationFigures {
            form: format!("{form:?}").to_lowercase(),
            evaluations_per_second: evaluations,
            bit_operations_per_second: bits,
            of_ceiling_counts: bits / ceiling,
        });
    }
    Ok(figures)
}

/// Trains on the GPU until 97 % of the validation samples are right.
fn training(
    loaded: &Loaded,
    hidden: HiddenLayer,
    accelerator: &Accelerator,
    seconds: f64,
) -> Result<GpuTraining, BenchError> {
    let settings = evobit_train::settings::Settings {
        hidden: Some(vec![hidden]),
        sweeps: Some(40),
        ..evobit_train::settings::Settings::default()
    };
    let config = resolve(settings, loaded)?;
    let mut prepared = prepare(loaded, &config)?;
    prepared.accelerator = accelerator.clone();
    let (mut watch, budget) = (Reached::default(), Some(Duration::from_secs_f64(seconds)));
    let session = Session { budget, interrupt: watch.0.clone(), ..Session::default() };
    let outcome = evobit_train::run(&prepared, &config, session, None, &mut watch)?;
    let reached = |accuracy: f64| {
        let row = outcome.rows.iter().find(|row| row.validation_accuracy >= accuracy);
        row.map(|row| row.seconds)
    };
    Ok(GpuTraining {
        hidden: hidden.to_string(),
        seconds_to: super::ACCURACIES.map(reached),
        mutants_per_second: outcome.mutants as f64 / outcome.seconds.max(1e-9),
    })
}
