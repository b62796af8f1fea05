//! `evobit train`: data in, run folder out.

use std::path::{Path, PathBuf};
use std::time::Instant;

use evobit::encode::Encoder;
use evobit::network::Network;
use serde_json::json;

use super::measured::{class_lines, extend, measured_rows};
use super::progress::Progress;
use super::resume::{self, Resumed, Unfinished};
use super::signals;
use super::table::{count, lines, percent, plural};
use super::{Failure, TrainArgs, print, read_settings, tell, times};
use super::{folds, islands};
use evobit_compute::{Accelerator, Backend};
use evobit_data::{Loaded, TableFacts};
use evobit_model::Model;
use evobit_model::evaluate::{self, Evaluation, confusion};
use evobit_model::measures::Measures;
use evobit_report::{CurvePoint, Events};
use evobit_search::checkpoint::Checkpoints;
use evobit_search::{RunFolder, Stop};
use evobit_sweeps::Metric;
use evobit_train::checkpoint::{Checkpoint, head};
use evobit_train::islands::exchange::Transport;
use evobit_train::settings::{Algorithm, Settings, TrainConfig};
use evobit_train::{
    self, Outcome, Prepared, Row, Session, Source, SourceError, layer_spectrum, prepare_from,
};

/// Samples of those learned from that the picture of the spectrum is made from at most.
const SPECTRUM_SAMPLES: usize = 30_000;

/// A finished run.
pub(super) struct Finished {
    pub(super) config: TrainConfig,
    pub(super) prepared: Prepared,
    pub(super) outcome: Outcome,
    pub(super) model: Model,
    pub(super) folder: RunFolder,
    pub(super) train: Evaluation,
    pub(super) validation: Evaluation,
    pub(super) test: Evaluation,
    /// On test samples.
    pub(super) measures: Measures,
    pub(super) total_seconds: f64,
}

pub(super) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let cluster = islands::cluster()?;
    let Some(cluster) = cluster.as_deref() else { return lead(args, None) };
    let led = if cluster.rank() == 0 { lead(args, Some(cluster)) } else { islands::follow(args, cluster) };
    if let Err(failure) = led.as_ref()
        && !failure.is_stop()
    {
        // The other processes would wait for this one for ever.
        tell(&format!("error: rank {}: {}", cluster.rank(), failure.message));
        cluster.abort();
    }
    led
}

/// The whole run, or that of the first process of many.
fn lead(args: &TrainArgs, transport: Option<&dyn Transport>) -> Result<(), Failure> {
    signals::listen();
    if let Some(folds) = args.folds {
        return folds::run(args, folds);
    }
    let folder = match &args.resume {
        None => None,
        Some(path) => match resume::open(args, path)? {
            Resumed::Finished(said) => return print(&said),
            Resumed::Unfinished(run) => Some(run),
        },
    };
    let finished = train_and_save(args, folder.map(|run| *run), transport, true)?;
    let printed = print(&if args.json { finished.json().to_string() } else { finished.table() });
    // Also where the terminal is gone.
    finished.stopped().map_or(printed, Err)
}

/// Trains as told, or goes on with `unfinished`, and writes the run folder; with `announce`, says on standard error what it
/// is about to do.
pub(super) fn train_and_save(
    args: &TrainArgs,
    unfinished: Option<Unfinished>,
    transport: Option<&dyn Transport>,
    announce: bool,
) -> Result<Finished, Failure> {
    let started = Instant::now();
    check_from(args)?;
    if args.tensorboard {
        Events::available().map_err(Failure::usage)?;
    }
    let (budget, interval) = times(args.budget, args.checkpoint)?;
    if !args.instructions.available() {
        let name = args.instructions;
        return Err(Failure::usage(format!(
            "this machine has no {name} instructions: leave --instructions out"
        )));
    }
    let replayed = args.replay.as_ref().map(|run| run.join("config.toml"));
    let settings = match (&unfinished, args.config.as_ref().or(replayed.as_ref())) {
        (Some(unfinished), _) => unfinished.settings.clone(),
        (None, Some(path)) => args.settings.clone().or(read_settings(path)?),
        (None, None) => args.settings.clone(),
    };
    let replay = args.replay.as_deref().map(islands::arrivals).transpose()?;
    let (Source { loaded, model }, mut config) = open(settings)?;
    islands::check(&config, transport, args)?;
    let mut prepared = prepare_from(&loaded, &config, model.as_ref())
        .map_err(|error| if error.is_setting() { Failure::usage(error) } else { error.into() })?;
    prepared.instructions = args.instructions;
    prepared.accelerator = Accelerator::open(
        args.backend.unwrap_or_default(),
        &prepared.work(&config, evobit_train::islands::here(&config, transport)),
    )?
    .noting(super::tell);
    check_backend(args.backend.unwrap_or_default(), &prepared, &config)?;
    let read = unfinished.as_ref().and_then(Unfinished::read);
    let begun = head(&prepared, config.to_toml());
    let checkpoints = |folder: &_| Checkpoints::new(folder, begun, interval, read.as_ref());
    // From here on Ctrl-C leaves a finished run, not half a folder.
    signals::catch();
    let (folder, from, mut checkpoints) = match unfinished {
        None => {
            let folder = RunFolder::create(args.out.as_deref(), &loaded.name)?;
            let checkpoints = checkpoints(&folder);
            (folder, None, checkpoints)
        }
        Some(unfinished) => {
            let checkpoints = checkpoints(&unfinished.folder);
            let from = unfinished.check(&prepared, &config)?;
            (unfinished.folder, from, checkpoints)
        }
    };
    // Also where it is there: without the limit of steps that an earlier end recorded.
    folder.write("config.toml", config.to_toml().as_bytes())?;
    if announce {
        announce_run(&loaded, &prepared, &config, (&folder, args.backend));
        if let Some(from) = from.as_ref().filter(|_| config.islands.is_none()) {
            tell(&format!("goes on from step {}", count(from.state.course.now.step)));
        }
    }
    drop(loaded);

    let session = Session { budget, transport, replay, ..Session::default() };
    let run = (&folder, &mut checkpoints);
    let outcome = search(args, (&prepared, &mut config), run, session, from)?;
    let finished = save(config, prepared, outcome, folder, started)?;
    if let Err(reason) = checkpoints.complete() {
        tell(&format!("warning: the last checkpoint was not written: {reason}"));
    }
    Ok(finished)
}

/// Searches, with a bar where there is a terminal, and records in the configuration what it takes to repeat what a clock or a person ended.
fn search<'a>(
    args: &TrainArgs,
    (prepared, config): (&'a Prepared, &mut TrainConfig),
    (folder, checkpoints): (&RunFolder, &'a mut Checkpoints),
    session: Session<'a>,
    from: Option<Checkpoint>,
) -> Result<Outcome, Failure> {
    let steps_in_sweep = match config.algorithm {
        Algorithm::Spectrum => u64::from(prepared.topology.neurons()).div_ceil(config.block.into()),
        Algorithm::Genetic => 1,
    };
    let most = u64::from(config.sweeps) * steps_in_sweep;
    let events = |rows: &[Row]| -> Result<Option<Events>, Failure> {
        let rows: Vec<Metric> = rows.iter().map(Metric::from).collect();
        Ok(args.tensorboard.then(|| Metric::write_all(folder.path(), &rows)).transpose()?)
    };
    // Which island's rows are the run's is known at its end.
    let before = from.as_ref().map_or(&[][..], |from| &from.state.course.rows);
    let live = if config.islands.is_none() { events(before)? } else { None };
    let mut progress = Progress::new(config.steps.map_or(most, |steps| steps.min(most))).with_events(live);
    if config.islands.is_none() {
        progress = progress.with_metrics(folder, before);
    }
    let session = Session { checkpoints: Some(checkpoints), interrupt: signals::interrupt(), ..session };
    let outcome = evobit_train::run(prepared, config, session, from, &mut progress);
    progress.finish();
    let outcome = outcome?;
    if config.islands.is_some() {
        events(&outcome.rows)?;
    }
    if outcome.stop.is_early() && config.islands.is_none() && outcome.steps > 0 {
        config.steps = Some(outcome.steps);
    }
    // A budget cools a search sooner than its configuration says.
    let mut sweeps = (0u32..).zip(&outcome.heats);
    if sweeps.any(|(sweep, &heat)| heat != config.heat_of(sweep)) {
        config.heats = Some(outcome.heats.clone());
    }
    Ok(outcome)
}

/// What the settings name, and the configuration on it.
pub(super) fn open(mut settings: Settings) -> Result<(Source, TrainConfig), Failure> {
    let source = Source::open(&settings).map_err(|error| match error {
        SourceError::NoData => Failure::usage(error),
        other => other.into(),
    })?;
    if let Some(TableFacts { writing, label }) = &source.loaded.table
        && !writing.no_header
    {
        // By its name it is found in other files too, wherever it stands there.
        settings.label.get_or_insert_with(|| label.clone());
    }
    let config = source.resolve(settings).map_err(Failure::usage)?;
    Ok((source, config))
}

/// Refuses, by name, the flags that the model of --from decides.
fn check_from(args: &TrainArgs) -> Result<(), Failure> {
    match args.settings.decided_by_model() {
        Some(key) => Err(Failure::usage(format!("--{key} is decided by the model of --from: leave it out"))),
        None => Ok(()),
    }
}

/// Refuses what was asked of a GPU by name and is not for it.
fn check_backend(backend: Backend, prepared: &Prepared, config: &TrainConfig) -> Result<(), Failure> {
    if backend != Backend::Cuda {
        return Ok(());
    }
    let takes = config.kind.suits_gpus(&prepared.topology, &prepared.loss_table())
        && prepared.accelerator.takes(&prepared.topology, &prepared.loss_table());
    if config.algorithm == Algorithm::Spectrum && !takes {
        return Err(Failure::usage(
            "--backend cuda makes spectra of networks of one hidden layer, whose windows slide only where they are of one plane and up to 8x8: use --backend auto for others",
        ));
    }
    Ok(())
}

fn announce_run(
    loaded: &Loaded,
    prepared: &Prepared,
    config: &TrainConfig,
    (folder, backend): (&RunFolder, Option<Backend>),
) {
    let shape: Vec<String> = config.hidden.iter().map(ToString::to_string).collect();
    let (plain, all) = (prepared.plain().len(), prepared.train.labels.len());
    let copies =
        if all == plain { String::new() } else { format!(" ({} with distorted copies)", count(all as u64)) };
    for note in &loaded.notes {
        tell(&format!("{}: {note}", loaded.name));
    }
    tell(&format!(
        "{}: {}{copies}, {}, {}; {}",
        loaded.name,
        plural(plain as u64, "training sample"),
        plural(prepared.validation.labels.len() as u64, "validation sample"),
        plural(prepared.test.labels.len() as u64, "test sample"),
        plural(prepared.classes.len() as u64, "class")
    ));
    tell(&format!(
        "network: {}, hidden {}, {}; run folder {}",
        plural(prepared.topology.input().units(), "input bit"),
        shape.join(", "),
        plural(prepared.evolvable_bits().into(), "evolvable bit"),
        folder.path().display()
    ));
    if config.algorithm == Algorithm::Spectrum {
        // A program without CUDA has nothing to tell of GPUs, unless somebody asks.
        let asked = cfg!(feature = "cuda") || backend.is_some();
        let backend =
            if asked { format!("; backend: {}", prepared.accelerator.description()) } else { String::new() };
        tell(&format!("landscape: {}{backend}", prepared.landscape_description()));
    }
}

fn save(
    config: TrainConfig,
    mut prepared: Prepared,
    outcome: Outcome,
    folder: RunFolder,
    started: Instant,
) -> Result<Finished, Failure> {
    prepared.accelerator.check()?;
    // Pictures do without: a GPU that failed now would leave a model behind.
    prepared.accelerator = Accelerator::default();
    let model = prepared.model(&outcome.genome)?;
    // The model first: whatever fails afterwards, it is there.
    folder.write("model.evb", model.bytes())?;
    folder.write("config.toml", config.to_toml().as_bytes())?;
    folder.write_metrics(&outcome.rows)?;
    let classifier = prepared.classifier(&outcome.genome)?;
    let loss = prepared.loss_table();
    let parts = [prepared.plain(), prepared.validation.samples(), prepared.test.samples()];
    let scores = parts.map(|samples| evaluate::score(&*classifier, &loss, samples));
    let scores_of_test = classifier.scores(&prepared.test.inputs);
    drop(classifier);
    let answers = evaluate::answers(&scores_of_test, prepared.classes.len());
    let matrix = confusion(&answers, &prepared.test.labels, prepared.classes.len());
    let measures =
        Measures::new(&matrix, &prepared.classes).with_scores(&scores_of_test, &prepared.test.labels);
    draw(&prepared, &outcome, &folder, &matrix)?;
    let [train, validation, test] = scores;
    let total_seconds = started.elapsed().as_secs_f64();
    Ok(Finished {
        config,
        prepared,
        outcome,
        model,
        folder,
        train,
        validation,
        test,
        measures,
        total_seconds,
    })
}

/// The pictures of a run.
fn draw(
    prepared: &Prepared,
    outcome: &Outcome,
    folder: &RunFolder,
    matrix: &[Vec<u32>],
) -> Result<(), Failure> {
    let points: Vec<CurvePoint> = outcome
        .rows
        .iter()
        .map(|row| CurvePoint {
            x: row.mutants as f64,
            train_accuracy: row.train_accuracy,
            validation_accuracy: row.validation_accuracy,
            train_loss: row.train_loss,
            validation_loss: row.validation_loss,
        })
        .collect();
    evobit_report::curves(&folder.file("curves.svg"), "mutants scored", &points)?;
    let network = Network::new(&prepared.topology, &outcome.genome[..])?;
    if !prepared.test.labels.is_empty() {
        evobit_report::confusion(&folder.file("confusion.svg"), matrix, &prepared.classes)?;
    }
    draw_weights(prepared, &network, &folder.file("weights.png"))?;
    let (deltas, samples) = layer_spectrum(prepared, &outcome.genome, 0, SPECTRUM_SAMPLES)?;
    // In nats per sample, as the curves are.
    let one = samples as u64 * u64::from(prepared.loss_table().unit());
    evobit_report::spectrum_histogram(&folder.file("spectrum.svg"), &deltas, one)?;
    Ok(())
}

/// One tile a neuron of the first layer: planes beside each other, or one row a column of the table.
fn draw_weights(prepared: &Prepared, network: &Network<'_, &[u32]>, path: &Path) -> Result<(), Failure> {
    let plan = prepared.topology.layer(0);
    let (height, width, planes) =
        (u32::from(plan.input.height), u32::from(plan.input.width), u32::from(plan.input.planes));
    let cell = |neuron: usize, unit: u32| match prepared.kind.wants(network, neuron as u32, unit) {
        None => evobit_report::Cell::Unseen,
        Some(true) => evobit_report::Cell::Plus,
        Some(false) => evobit_report::Cell::Minus,
    };
    let neurons = plan.neurons as usize;
    let encoder = Encoder::new(&prepared.encoder[..])?;
    if encoder.uniform().is_some() {
        evobit_report::weights(path, neurons, height, planes * (width + 1) - 1, |neuron, row, column| {
            let (plane, column) = (column / (width + 1), column % (width + 1));
            if column == width {
                return evobit_report::Cell::Gap;
            }
            cell(neuron, (plane * height + row) * width + column)
        })?;
        return Ok(());
    }
    let features: Vec<u32> = encoder.table().map(|feature| feature.len() as u32).collect();
    let widest = features.iter().copied().max().unwrap_or(1);
    evobit_report::weights(path, neurons, features.len() as u32, widest, |neuron, row, column| {
        let before: u32 = features[..row as usize].iter().sum();
        if column < features[row as usize] {
            cell(neuron, before + column)
        } else {
            evobit_report::Cell::Unseen
        }
    })?;
    Ok(())
}

impl Finished {
    pub(super) fn model_path(&self) -> PathBuf {
        self.folder.file("model.evb")
    }

    /// Where a signal stopped it: what is said and the exit code.
    pub(super) fn stopped(&self) -> Option<Failure> {
        let outcome = &self.outcome;
        let at = format!("step {}", count(outcome.steps));
        let is_stopped = outcome.stop == Stop::Interrupted;
        is_stopped.then(|| signals::stopped(&at, "train", self.folder.path(), outcome.is_saved))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        // Accuracy and what goes with it, on test samples.
        let mut json = json!(self.measures);
        let more = json!({
            "test_accuracy": self.test.accuracy(),
            "train_accuracy": self.train.accuracy(),
            "validation_accuracy": self.validation.accuracy(),
            "genome_bits": self.prepared.evolvable_bits(),
            "model_bytes": self.model.bytes().len(),
            "seconds": self.outcome.seconds,
            "total_seconds": self.total_seconds,
            "mutants_scored": self.outcome.mutants,
            "steps": self.outcome.steps,
            "sweeps": self.outcome.rows.last().map_or(0, |row| row.sweep),
            "stop": self.outcome.stop,
            "seed": self.config.seed,
            "model": self.model_path().display().to_string(),
            "model_crc": format!("{:08x}", self.model.image().checksum()),
            "train_samples": self.train.samples,
            "validation_samples": self.validation.samples,
            "test_samples": self.test.samples,
        });
        extend(&mut json, more);
        json
    }

    pub(super) fn table(&self) -> String {
        let accuracy = |score: &Evaluation| {
            let of = format!("{} of {}", count(score.correct as u64), count(score.samples as u64));
            if score.samples == 0 {
                "no samples".into()
            } else {
                format!("{} ({of})", percent(score.accuracy()))
            }
        };
        let outcome = &self.outcome;
        let rate = outcome.mutants as f64 / outcome.seconds.max(1e-9);
        let mut rows = vec![("accuracy on test samples", accuracy(&self.test))];
        if self.test.samples > 0 {
            rows.extend(measured_rows(&self.measures));
        }
        rows.extend([
            ("accuracy on validation samples", accuracy(&self.validation)),
            ("accuracy on training samples", accuracy(&self.train)),
            ("model", format!("{} bytes", count(self.model.bytes().len() as u64))),
            ("evolvable bits", count(self.prepared.evolvable_bits().into())),
            ("mutants scored exactly", format!("{} ({}/s)", count(outcome.mutants), count(rate as u64))),
            ("search", format!("{:.1} s, {}", outcome.seconds, self.ending())),
            ("seed", self.config.seed.to_string()),
        ]);
        let mut text = lines(&rows);
        if self.test.samples > 0 {
            text += &format!("\n{}", class_lines(&self.measures));
        }
        text += &format!("\nmodel     {}\n", self.model_path().display());
        let confusion = if self.test.samples == 0 { "" } else { " confusion.svg," };
        text += &format!(
            "pictures  {}/: curves.svg,{confusion} weights.png, spectrum.svg",
            self.folder.path().display()
        );
        text
    }

    fn ending(&self) -> String {
        let sweeps = self.outcome.rows.last().map_or(0, |row| row.sweep);
        let unit = match self.config.algorithm {
            Algorithm::Spectrum => "sweeps",
            Algorithm::Genetic => "generations",
        };
        let reason = match self.outcome.stop {
            Stop::Converged => "no single mutation improves it any more".into(),
            Stop::Patience => format!("no better validation result for {} {unit}", self.config.patience),
            Stop::Target => {
                let target = percent(self.config.target.unwrap_or_default());
                format!(
                    "{target} of the {} samples were right",
                    if self.validation.samples == 0 { "training" } else { "validation" }
                )
            }
            Stop::Sweeps => format!("the limit of {} {unit} was reached", self.config.sweeps),
            Stop::Steps => "the limit of steps was reached".into(),
            Stop::Budget => format!("the time budget was spent at step {}", self.outcome.steps),
            Stop::Interrupted => format!("interrupted at step {}", self.outcome.steps),
        };
        format!("{sweeps} {unit}: {reason}")
    }
}
