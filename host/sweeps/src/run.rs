//! One run of a plan, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use evobit::environment::{CartPole, Foraging, SwingUp};
use evobit::evolve::genetic::Genes;
use evobit::image::genome_checksum;

use super::Planned;
use super::plan::task_config;
use evobit_model::evaluate;
use evobit_report::{Events, ReportError};
use evobit_rules::task::{self, Part, Task, World};
use evobit_search::{Interrupt, Silent, Watch};
use evobit_train::islands::lineage::Lineage;
use evobit_train::settings::{Settings, TrainConfig};
use evobit_train::{Row, Session, Source, SourceError, prepare_from};

/// A sweep of a search, or a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metric {
    /// Steps so far.
    pub step: u64,
    /// Sweeps or generations so far.
    pub sweep: u32,
    /// Mutants scored so far.
    pub mutants: u64,
    /// Seconds since the search began.
    pub seconds: f64,
    /// On the training samples, or starts: mean loss (NaN for tasks) and accuracy (of tasks the share of the highest reward).
    pub train: [f64; 2],
    /// On what chooses between genomes; NaN where there is nothing.
    pub validation: [f64; 2],
}

impl Metric {
    /// Writes it to an event file, under its sweep.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, events: &mut Events) -> Result<(), ReportError> {
        let ([train_loss, train_accuracy], [loss, accuracy]) = (self.train, self.validation);
        let values = [
            ("accuracy/training", train_accuracy),
            ("accuracy/validation", accuracy),
            ("loss/training", train_loss),
            ("loss/validation", loss),
            ("mutants", self.mutants as f64),
        ];
        events.scalars(self.seconds, self.sweep.into(), &values)
    }

    /// Makes the event file of a run in `folder`, with these rows so far.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_all(folder: &Path, rows: &[Self]) -> Result<Events, ReportError> {
        let seconds = rows.last().map_or(0.0, |row| row.seconds);
        let mut events = Events::create(folder, seconds)?;
        rows.iter().try_for_each(|row| row.write(&mut events))?;
        Ok(events)
    }
}

impl From<&Row> for Metric {
    fn from(row: &Row) -> Self {
        Self {
            step: row.step,
            sweep: row.sweep,
            mutants: row.mutants,
            seconds: row.seconds,
            train: [row.train_loss, row.train_accuracy],
            validation: [row.validation_loss, row.validation_accuracy],
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Results {
    /// Its sweeps or generations.
    pub metrics: Vec<Metric>,
    /// Accuracy of the chosen genome on training samples, on those that chose and on those held out: NaN where there are none. Of a task
    /// the share of the highest reward.
    pub accuracy: [f64; 3],
    /// Evolvable bits.
    pub genome_bits: u32,
    /// Checksum of the genome.
    pub genome_crc: u32,
    /// Bytes of the model image.
    pub model_bytes: usize,
    /// Its checksum.
    pub model_crc: u32,
    /// Mutants scored.
    pub mutants: u64,
    /// Seconds of the search.
    pub seconds: f64,
    /// Why it ended.
    pub stop: String,
    /// Of islands how the genome came to be.
    pub lineage: Option<Lineage>,
}

/// The data that runs have in common, each loaded once.
#[derive(Debug, Default)]
pub struct Sources(Mutex<BTreeMap<String, Arc<Source>>>);

impl Sources {
    /// What settings name.
    fn open(&self, settings: &Settings) -> Result<Arc<Source>, SourceError> {
        let Settings { data, label, shape, from, .. } = settings;
        let key = format!("{data:?} {label:?} {shape:?} {from:?}");
        // A thread that panicked left only whole entries.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = known.get(&key) {
            return Ok(source.clone());
        }
        let source = Arc::new(Source::open(settings)?);
        known.insert(key, source.clone());
        Ok(source)
    }

    /// Data and configuration of a run, unless it is of a task.
    fn resolve(&self, run: &Planned) -> Result<(Arc<Source>, TrainConfig), String> {
        let settings: Settings =
            run.settings.clone().try_into().map_err(|error: toml::de::Error| error.to_string())?;
        let settings = Settings { seed: Some(run.seed), ..settings };
        if let Some(key) = settings.decided_by_model() {
            return Err(format!("`{key}` is decided by the model of `from`: leave it out"));
        }
        let source = self.open(&settings).map_err(|error| error.to_string())?;
        let config = source.resolve(settings)?;
        Ok((source, config))
    }

    /// Looks at the configuration of a run, and at whether its data is there, without running it.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn check(&self, run: &Planned) -> Result<(), String> {
        if run.settings.contains_key("task") {
            return task_config(&run.settings, run.seed).map(drop);
        }
        self.resolve(run).map(drop)
    }
}

/// Carries a run out, on the threads of the pool that it is called in. One that `stop` ends is of no use.
///
/// # Errors
/// One line that says what is wrong with its configuration or its data.
pub fn carry_out(run: &Planned, sources: &Sources, stop: &Interrupt) -> Result<Results, String> {
    if run.settings.contains_key("task") {
        let config = task_config(&run.settings, run.seed)?;
        let results = match config.task {
            Task::CartPole => act::<CartPole>(&config, stop),
            Task::SwingUp => act::<SwingUp>(&config, stop),
            Task::Foraging => act::<Foraging>(&config, stop),
        };
        return results.map_err(|error| error.to_string());
    }
    let (source, config) = sources.resolve(run)?;
    classify(&source, &config, stop).map_err(|error| error.to_string())
}

fn classify(
    source: &Source,
    config: &TrainConfig,
    stop: &Interrupt,
) -> Result<Results, Box<dyn std::error::Error>> {
    let prepared = prepare_from(&source.loaded, config, source.model.as_ref())?;
    let session = Session { interrupt: stop.clone(), ..Session::default() };
    let outcome = evobit_train::run(&prepared, config, session, None, &mut Silent)?;
    let model = prepared.model(&outcome.genome)?;
    let classifier = prepared.classifier(&outcome.genome)?;
    let loss = prepared.loss_table();
    let parts = [prepared.plain(), prepared.validation.samples(), prepared.test.samples()];
    Ok(Results {
        metrics: outcome.rows.iter().map(Metric::from).collect(),
        accuracy: parts.map(|samples| evaluate::score(&*classifier, &loss, samples).accuracy()),
        genome_bits: prepared.evolvable_bits(),
        genome_crc: genome_checksum(&outcome.genome),
        model_bytes: model.bytes().len(),
        model_crc: model.image().checksum(),
        mutants: outcome.mutants,
        seconds: outcome.seconds,
        stop: format!("{:?}", outcome.stop).to_lowercase(),
        lineage: outcome.lineage,
    })
}

/// When each generation ended.
struct Times(std::time::Instant, Vec<f64>);

impl Watch<task::Row> for Times {
    fn row(&mut self, _: &task::Row) {
        self.1.push(self.0.elapsed().as_secs_f64());
    }
}

fn act<E: World>(config: &task::TaskConfig, stop: &Interrupt) -> Result<Results, task::TaskError> {
    let started = std::time::Instant::now();
    let mut times = Times(started, vec![]);
    let session = evobit_search::Session { interrupt: stop.clone(), ..Default::default() };
    let outcome = task::search::<E>(config, session, &mut times)?;
    let seconds = times.1;
    let (encoder, topology) = task::network::<E>(config.hidden)?;
    let model = task::model::<E>(&encoder, &topology, &outcome.genome)?;
    let share = |reward: f64| reward / f64::from(E::MOST);
    let metric = |(row, &seconds): (&task::Row, &f64)| Metric {
        step: row.generation.into(),
        sweep: row.generation,
        mutants: row.scored,
        seconds,
        train: [f64::NAN, share(row.best)],
        validation: [f64::NAN, share(row.choosing)],
    };
    let judged = |part, count| {
        let verdict = task::judge(&model, &task::starts::<E>(config.seed, part, count))?;
        Ok::<f64, task::TaskError>(share(verdict.mean_reward))
    };
    let parts = [(Part::Learn, config.starts), (Part::Choose, config.choosing), (Part::Unseen, 100)];
    let mut accuracy = [0.0; 3];
    for (accuracy, (part, count)) in accuracy.iter_mut().zip(parts) {
        *accuracy = judged(part, count)?;
    }
    let last = outcome.rows.last();
    Ok(Results {
        metrics: outcome.rows.iter().zip(&seconds).map(metric).collect(),
        accuracy,
        genome_bits: topology.count(),
        genome_crc: genome_checksum(&outcome.genome),
        model_bytes: model.bytes().len(),
        model_crc: model.image().checksum(),
        mutants: last.map_or(0, |row| row.scored),
        seconds: started.elapsed().as_secs_f64(),
        stop: format!("{:?}", outcome.stop).to_lowercase(),
        lineage: None,
    })
}
