//! What a benchmark says.

use evobit::evolve::landscape::LandscapeError;
use serde::Serialize;

use evobit_compute::SearchError;
use evobit_train::PrepareError;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The data are no images.
    #[error("bench measures networks for images: give digits or a folder of IDX files such as MNIST's")]
    NoImages,
    /// A setting of the measured networks does not fit the data.
    #[error("these images do not fit the networks that bench measures: {0}")]
    Settings(String),
    /// The data cannot be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The landscape cannot be made.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// The search failed.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The search cannot go on.
    #[error(transparent)]
    Train(#[from] evobit_train::TrainError),
    /// The ways of scoring disagree.
    #[error(
        "neuron {neuron}, weight {input}: the spectrum says {spectrum}, all samples {full}, the neuron alone {one}: this is a bug, please report it"
    )]
    Disagree {
        /// The neuron.
        neuron: usize,
        /// Its weight.
        input: u32,
        /// Change of loss by the spectrum.
        spectrum: i64,
        /// By running the whole network.
        full: i64,
        /// By running the neuron alone.
        one: i64,
    },
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// 128 neurons that see everything.
    pub dense: Figures,
    /// 1024 neurons that see a window each.
    pub windows: Figures,
    /// A network as `--preset small` makes it, as large as 8,192 bytes of model allow.
    pub small: Classified,
    /// Seconds of training with default settings.
    pub time_to_accuracy: TimeToAccuracy,
    /// Threads used.
    pub threads: usize,
    /// Instructions of the landscape.
    pub instructions: &'static str,
    /// Instructions of the full re-evaluation and of classifying.
    pub baseline_instructions: &'static str,
    /// The data.
    pub data: String,
}

/// What was measured of one network.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The hidden layer, as `--hidden` takes it.
    pub hidden: String,
    /// Mutants of hidden neurons whose exact change of loss became known, a second.
    pub mutants_per_second: f64,
    /// How many times as many as by running the whole network.
    pub ratio_full: f64,
    /// How many times as many as by running the touched neuron.
    pub ratio_neuron: f64,
    /// Share of the samples that a flip can turn, averaged over the neurons.
    pub boundary_share: f64,
    /// Accuracy on the samples, at the checkpoint.
    pub train_accuracy: f64,
    /// Samples that every mutant is scored on.
    pub samples: usize,
    /// Hidden neurons.
    pub neurons: u32,
    /// The whole network on all samples, a second.
    pub full_evaluations_per_second: f64,
    /// One neuron on all samples and what its changes do, a second.
    pub neuron_evaluations_per_second: f64,
    /// Products of two bits that the whole network takes, a second.
    pub baseline_bit_operations_per_second: f64,
    /// Samples classified a second, in batches of 10 000, on all threads.
    pub inference_samples_per_second: f64,
    /// The same on one thread.
    pub inference_samples_per_second_one_thread: f64,
}

/// How fast a network classifies.
#[derive(Clone, Debug, Serialize)]
pub struct Classified {
    /// The hidden layer, as `--hidden` takes it.
    pub hidden: String,
    /// Samples classified a second, in batches of 10 000, on all threads.
    pub inference_samples_per_second: f64,
    /// The same on one thread.
    pub inference_samples_per_second_one_thread: f64,
}

/// Seconds to the first sweep of at least such a validation accuracy; `None` where it was not reached in time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TimeToAccuracy {
    /// 90 per cent.
    #[serde(rename = "90")]
    pub ninety: Option<f64>,
    /// 95 per cent.
    #[serde(rename = "95")]
    pub ninety_five: Option<f64>,
    /// 97 per cent.
    #[serde(rename = "97")]
    pub ninety_seven: Option<f64>,
}
