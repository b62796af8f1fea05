//! Time to accuracy: how long training takes until the model it would leave is right on so many of the held-out samples.
//!
//! The clock starts before the data is read. While a search runs it only sets aside the models that it would have left
//! had it been stopped; they are scored on the held-out samples when it is over, so that these cannot change it. A target is
//! reached when the first of those models reaches it.

use std::time::{Duration, Instant};

use evobit::evolve::landscape::LandscapeError;
use evobit::network::Network;
use serde::Serialize;

use evobit_compute::{Accelerator, Backend, SearchError, instructions};
use evobit_data::{DataError, load};
use evobit_model::evaluate;
use evobit_search::{Interrupt, Snapshots, Stop, Watch};
use evobit_train::settings::{Settings, TrainConfig};
use evobit_train::{Outcome, PrepareError, Prepared, Row, Session, prepare, with_test_file};

/// How often, beside the ends of sweeps, a model is set aside.
const EVERY: Duration = Duration::from_millis(500);

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The data cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The settings do not fit the data.
    #[error("{0}")]
    Settings(String),
    /// Nothing is held out.
    #[error(
        "{0}: no test samples are left to measure on: leave --test out, or set it to a share such as 0.2"
    )]
    NoTest(String),
    /// The data cannot be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A model cannot be run.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// There is no such GPU.
    #[error(transparent)]
    Backend(#[from] SearchError),
    /// The search cannot be made.
    #[error(transparent)]
    Train(#[from] evobit_train::TrainError),
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct TimeReport {
    /// For each target, in the order they were asked for.
    pub targets: Vec<Target>,
    /// For each seed.
    pub seeds: Vec<Timed>,
    /// The data.
    pub data: String,
    /// Threads used.
    pub threads: usize,
    /// Instructions of the landscape on the processor.
    pub instructions: &'static str,
    /// What computed, for people.
    pub backend: String,
    /// Seconds that it took to open a GPU and to compile its kernels, which the other figures leave out.
    pub opening_seconds: f64,
}

/// How long the seeds took to an accuracy, in seconds; none where it was not reached.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// The accuracy on held-out samples, in per cent.
    pub accuracy: f64,
    /// The middle seed; the slower of the middle two.
    pub median: Option<f64>,
    /// The fastest seed.
    pub fastest: Option<f64>,
    /// The slowest seed.
    pub slowest: Option<f64>,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Timed {
    /// Its seed.
    pub seed: u64,
    /// Seconds to each target, in the order they were asked for.
    pub seconds_to: Vec<Option<f64>>,
    /// Seconds to the end of the search.
    pub seconds: f64,
    /// Accuracy on held-out samples of the model that the run ended with.
    pub test_accuracy: f64,
    /// Bytes of its image.
    pub model_bytes: usize,
    /// Why the search ended.
    pub stop: Stop,
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct TimeOptions {
    /// What to train on and how; the first seed.
    pub settings: Settings,
    /// Accuracies in per cent.
    pub targets: Vec<f64>,
    /// Seeds, one after the other.
    pub seeds: u32,
    /// Seconds of each search.
    pub budget: Option<Duration>,
    /// What to compute with.
    pub backend: Backend,
}

/// Trains once for each seed and measures; `watch` follows the searches, `interrupt` ends them. `started` is when the clock starts for the first seed.
///
/// # Errors
/// Data and settings that do not make a search, or that hold nothing out.
pub fn measure_time(
    options: &TimeOptions,
    mut started: Instant,
    interrupt: &Interrupt,
    watch: &mut dyn Watch<Row>,
) -> Result<TimeReport, TimeError> {
    let first = options.settings.seed.unwrap_or(1);
    let (mut seeds, mut data, mut opened) = (vec![], String::new(), None);
    for seed in (first..).take(options.seeds as usize) {
        let settings = Settings { seed: Some(seed), ..options.settings.clone() };
        let source = settings.data.clone().unwrap_or_else(|| "digits".into());
        let reading = settings.load_options();
        let loaded = with_test_file(load(&source, &reading)?, settings.test.as_ref(), &reading)?;
        let config = settings.resolve(&loaded.train).map_err(TimeError::Settings)?;
        let mut prepared = prepare(&loaded, &config)?;
        drop(loaded);
        prepared.accelerator = match &opened {
            Some(accelerator) => Accelerator::clone(accelerator),
            None => {
                let accelerator = Accelerator::open(
                    options.backend,
                    &prepared.work(&config, evobit_train::islands::here(&config, None)),
                )?;
                started += Duration::from_secs_f64(accelerator.seconds());
                opened.insert(accelerator).clone()
            }
        };
        data = source;
        if prepared.test.labels.is_empty() {
            return Err(TimeError::NoTest(data));
        }
        let mut snapshots = Snapshots::new(started, EVERY);
        let session = Session {
            budget: options.budget,
            snapshots: Some(&mut snapshots),
            interrupt: interrupt.clone(),
            ..Session::default()
        };
        let outcome = evobit_train::run(&prepared, &config, session, None, &mut *watch)?;
        let seconds = started.elapsed().as_secs_f64();
        let interrupted = outcome.stop == Stop::Interrupted;
        seeds.push(timed(&prepared, &config, &outcome, &snapshots, &options.targets, seconds)?);
        if interrupted {
            break;
        }
        started = Instant::now();
    }
    let accelerator = opened.unwrap_or_default();
    let targets = options.targets.iter().enumerate();
    let targets = targets
        .map(|(index, &accuracy)| {
            target(accuracy, seeds.iter().map(|timed: &Timed| timed.seconds_to[index]).collect())
        })
        .collect();
    Ok(TimeReport {
        targets,
        seeds,
        data,
        threads: rayon::current_num_threads(),
        instructions: instructions(),
        backend: accelerator.description().to_owned(),
        opening_seconds: accelerator.seconds(),
    })
}

/// Scores what a search set aside.
fn timed(
    prepared: &Prepared,
    config: &TrainConfig,
    outcome: &Outcome,
    snapshots: &Snapshots,
    targets: &[f64],
    seconds: f64,
) -> Result<Timed, TimeError> {
    let accuracy = |genome: &[u32]| -> Result<f64, TimeError> {
        let network = Network::new(&prepared.topology, genome).map_err(LandscapeError::Genome)?;
        Ok(evaluate::score(&network, &prepared.loss_table(), prepared.test.samples()).accuracy())
    };
    let mut seconds_to = vec![None; targets.len()];
    for (at, genome) in snapshots.taken() {
        if seconds_to.iter().all(Option::is_some) {
            break;
        }
        let reached = 100.0 * accuracy(genome)?;
        for (seconds, &target) in seconds_to.iter_mut().zip(targets) {
            if reached >= target && seconds.is_none() {
                *seconds = Some(at.as_secs_f64());
            }
        }
    }
    let model = prepared.model(&outcome.genome);
    Ok(Timed {
        seed: config.seed,
        seconds_to,
        seconds,
        test_accuracy: accuracy(&outcome.genome)?,
        model_bytes: model.map_or(0, |model| model.bytes().len()),
        stop: outcome.stop,
    })
}

/// The figures of a target from the seconds of each seed.
fn target(accuracy: f64, mut seconds: Vec<Option<f64>>) -> Target {
    let order = |seconds: &Option<f64>| seconds.unwrap_or(f64::INFINITY);
    seconds.sort_by(|a, b| order(a).total_cmp(&order(b)));
    let at = |index: usize| seconds.get(index).copied().flatten();
    Target {
        accuracy,
        median: at(seconds.len() / 2),
        fastest: at(0),
        slowest: at(seconds.len().wrapping_sub(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_seed_that_does_not_get_there_counts_as_the_slowest() {
        let figures = |seconds: &[Option<f64>]| {
            let target = target(95.0, seconds.to_vec());
            (target.median, target.fastest, target.slowest)
        };
        assert_eq!(figures(&[Some(3.0), Some(1.0), Some(2.0)]), (Some(2.0), Some(1.0), Some(3.0)));
        assert_eq!(figures(&[Some(3.0), None, Some(2.0)]), (Some(3.0), Some(2.0), None));
        assert_eq!(figures(&[None, None, Some(2.0)]), (None, Some(2.0), None));
        assert_eq!(figures(&[]), (None, None, None));
    }
}
