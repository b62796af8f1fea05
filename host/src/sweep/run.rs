//! One run of a plan, and what came of it.

use evobit::environment::{CartPole, Foraging, SwingUp};
use evobit::evolve::genetic::Genes;

use super::Planned;
use super::plan::task_config;
use crate::data::{is_memorize, load};
use crate::evaluate;
use crate::settings::Settings;
use crate::task::{self, Part, Task, World};
use crate::train::{self, Row, Session, Watch, prepare};

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
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Its sweeps or generations.
    pub metrics: Vec<Metric>,
    /// Accuracy of the chosen genome on training samples, on those that chose and on those held out: NaN where there are none. Of a task
    /// the share of the highest reward.
    pub accuracy: [f64; 3],
    /// Evolvable bits.
    pub genome_bits: u32,
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
}

/// Stops a search when the sweep is stopped.
struct Quiet<'a>(&'a (dyn Fn() -> bool + Sync));

impl Watch for Quiet<'_> {
    fn step(&mut self, _: u64, _: u64) {}
    fn row(&mut self, _: &Row) {}
    fn unsaved(&mut self, _: &str) {}

    fn interrupted(&self) -> bool {
        (self.0)()
    }
}

/// Carries a run out, on the threads of the pool that it is called in. One that `stop` ends is of no use.
///
/// # Errors
/// One line that says what is wrong with its configuration or its data.
pub fn carry_out(run: &Planned, stop: &(dyn Fn() -> bool + Sync)) -> Result<Results, String> {
    if run.settings.contains_key("task") {
        let config = task_config(&run.settings, run.seed)?;
        let results = match config.task {
            Task::CartPole => act::<CartPole>(&config, stop),
            Task::SwingUp => act::<SwingUp>(&config, stop),
            Task::Foraging => act::<Foraging>(&config, stop),
        };
        return results.map_err(|error| error.to_string());
    }
    let settings: Settings =
        run.settings.clone().try_into().map_err(|error: toml::de::Error| error.to_string())?;
    classify(Settings { seed: Some(run.seed), ..settings }, stop).map_err(|error| error.to_string())
}

fn classify(
    mut settings: Settings,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Results, Box<dyn std::error::Error>> {
    let source = settings.data.clone().unwrap_or_else(|| "digits".into());
    if settings.from.is_some() {
        return Err("`from` is not for sweeps: leave it out".into());
    }
    if is_memorize(&source) {
        settings = settings.or(Settings::memorizing());
    }
    let loaded = load(&source, &settings.load_options())?;
    let config = settings.resolve(&loaded.train)?;
    let prepared = prepare(&loaded, &config)?;
    drop(loaded);
    let outcome = train::run(&prepared, &config, Session::default(), None, &mut Quiet(stop))?;
    let model = prepared.model(&outcome.genome)?;
    let classifier = prepared.classifier(&outcome.genome)?;
    let loss = prepared.loss_table();
    let parts = [prepared.plain(), prepared.validation.samples(), prepared.test.samples()];
    Ok(Results {
        metrics: outcome.rows.iter().map(Metric::from).collect(),
        accuracy: parts.map(|samples| evaluate::score(&*classifier, &loss, samples).accuracy()),
        genome_bits: prepared.evolvable_bits(),
        model_bytes: model.bytes().len(),
        model_crc: model.image().checksum(),
        mutants: outcome.mutants,
        seconds: outcome.seconds,
        stop: format!("{:?}", outcome.stop).to_lowercase(),
    })
}

fn act<E: World>(
    config: &task::Config,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Results, task::TaskError> {
    let started = std::time::Instant::now();
    let mut seconds = vec![];
    let outcome = task::search::<E>(config, |_| {
        seconds.push(started.elapsed().as_secs_f64());
        !stop()
    })?;
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
        model_bytes: model.bytes().len(),
        model_crc: model.image().checksum(),
        mutants: last.map_or(0, |row| row.scored),
        seconds: started.elapsed().as_secs_f64(),
        stop: if last.is_some_and(|row| row.generation >= config.generations) {
            "sweeps"
        } else {
            "patience"
        }
        .into(),
    })
}
