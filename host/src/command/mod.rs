//! The commands of the program: one file each, and what they share.

mod bench;
mod bench_time;
mod data;
mod eval;
mod explain;
mod flash;
mod folds;
mod inspect;
mod inspect_rust;
mod islands;
mod lineage;
mod link;
mod measured;
mod predict;
mod progress;
mod quick_start;
mod resume;
mod rule;
mod saved;
mod scale;
mod settings;
mod signals;
mod sweep;
mod table;
mod task;
mod train;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use evobit_compute::{Backend, Instructions};
use evobit_data::{Decimal, Separator, Writing};
use evobit_model::Model;
use evobit_train::family::FamilyName;
use evobit_train::settings::{Settings, SettingsError};
pub use flash::FlashArgs;
pub use link::{LearnArgs, LinkArgs, LinkCommand};
use settings::named;
pub use settings::{DataSettingsArgs, SettingsArgs};

/// Threads that one may ask for; the system starts no end of them, slowly.
const MOST_THREADS: usize = 1024;

/// Trains networks of single bits by evolution, for boards that cost 2 dollars and for machines that do not.
#[derive(Debug, Parser)]
#[command(name = "evobit", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do [default: the quick start, which trains on built-in handwritten digits]
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  evobit                                        train on built-in digits, explain every result
  evobit train --data iris                      train on the other built-in set
  evobit train --data path/to/mnist             train on a folder of IDX files
  evobit data table.csv                         how a CSV file would be read
  evobit train --data table.csv --label price   train on it
  evobit train --resume runs/digits-1           go on with a run that was stopped or killed
  evobit eval runs/digits-1/model.evb           accuracy on the test samples of that run
  evobit predict MODEL samples.csv              one class a line
  evobit explain MODEL --out worth.svg          which columns of a table it goes by
  evobit inspect MODEL                          what is in a model, to the byte
  evobit train --islands 8                      searches that exchange their best, see --help
  evobit lineage runs/digits-1                  how the best of such a run came to be
  evobit scale runs/digits-1                    what 100 000 islands of it would need
  evobit flash MODEL --board qemu:microbit      put a model on a board and start it
  evobit link qemu:microbit eval                ask it; evobit link --help shows how it learns and comes home
  evobit task train cart-pole                   evolve a controller that balances a pole
  evobit sweep sweep.toml                       many runs; evobit sweep --help shows a plan
  evobit bench                                  what this machine does, beside running every mutant anew
  evobit bench time --data path/to/mnist        how long it trains to 95 and 97 % of the test images";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evolve a network on data and keep it in a run folder
    Train(Box<TrainArgs>),
    /// Describe a file as it would be read, before anything is trained
    Data(Box<DescribeArgs>),
    /// Measure a model's accuracy on data
    Eval(EvalArgs),
    /// Show which columns of a table a model goes by
    Explain(ExplainArgs),
    /// Classify samples: one line out for each sample in
    Predict(PredictArgs),
    /// Show what a model consists of: shape, bits, bytes of flash and RAM
    Inspect(InspectArgs),
    /// Show how the winner of a run of islands came to be
    Lineage(LineageArgs),
    /// Show what more islands of a run would need: bytes a second, work of the first process, epochs until the best is everywhere
    Scale(scale::ScaleArgs),
    /// Put a model on a board and start it
    Flash(FlashArgs),
    /// Talk to a board: ask it, teach it, bring home what it learned
    Link(Box<LinkArgs>),
    /// Measure what this machine does: mutants scored, samples classified, time to accuracy
    Bench(BenchArgs),
    /// Evolve the rule by which networks learn while they run
    Rule(rule::RuleArgs),
    /// Evolve controllers for environments: balance a pole, swing up, find food
    Task(task::TaskArgs),
    /// Carry out many runs: every combination of some settings, or random ones, with several seeds
    Sweep(sweep::SweepArgs),
    /// What came of the runs of a sweep: list, compare and plot them
    Runs(sweep::RunsArgs),
}

/// Arguments of `train`.
#[derive(Args, Debug, Default)]
pub struct TrainArgs {
    /// Settings from a TOML file, such as the config.toml of an earlier run; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// Folder to make for the run [default: runs/DATA-1, or the next number that is free]
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    pub out: Option<PathBuf>,
    /// Go on with the run of this folder where it was stopped or killed, as if nothing had happened
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    pub resume: Option<PathBuf>,
    /// Repeat the run of islands of this folder, whose migrants entered when they came (--migration async), in a new one
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["resume", "config"], help_heading = "Run")]
    pub replay: Option<PathBuf>,
    /// Save the state of the search every so many seconds; 0 after each step; islands save theirs after each epoch [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    pub checkpoint: Option<f64>,
    /// Cross-validation: deal the samples into so many folds, train once for each on all others, and say how the models do on what they
    /// did not see; no model is kept
    #[arg(long, value_name = "K", conflicts_with_all = ["resume", "replay", "out", "budget"], help_heading = "Run")]
    pub folds: Option<usize>,
    /// Stop after so many seconds of search, the last quarter of them without heat; the step it stopped at and the heat
    /// of each sweep are recorded, so the run can be repeated
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    pub budget: Option<f64>,
    /// Write an event file into the run folder as well, which `tensorboard --logdir runs` shows while the run goes on, of islands at its
    /// end (needs a program with the feature tensorboard)
    #[arg(long, help_heading = "Run")]
    pub tensorboard: bool,
    /// Threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub threads: Option<usize>,
    /// What to compute with; the result does not depend on it [default: auto]
    #[arg(long, value_parser = named::<Backend>(), help_heading = "Run")]
    pub backend: Option<Backend>,
    /// Instructions to compute with; the result does not depend on them
    #[arg(long, value_parser = named::<Instructions>(), hide = true, default_value = "auto")]
    pub instructions: Instructions,
    /// Print one JSON object as the last line
    #[arg(long, help_heading = "Run")]
    pub json: bool,
    /// Everything that can be set in a file as well
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Arguments of `data`.
#[derive(Args, Debug)]
pub struct DescribeArgs {
    /// The data, as `train` takes it
    pub source: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// How to read it, as for `train`
    #[command(flatten)]
    pub settings: DataSettingsArgs,
}

/// How a CSV file is written, where that is not to be found out.
#[derive(Args, Clone, Copy, Debug)]
pub struct WritingArgs {
    /// What parts the cells of a CSV file [default: found out]
    #[arg(long, value_parser = named::<Separator>())]
    pub separator: Option<Separator>,
    /// What stands before the decimals in a CSV file [default: found out]
    #[arg(long, value_parser = named::<Decimal>())]
    pub decimal: Option<Decimal>,
    /// The first line of a CSV file is a sample, whatever it looks like
    #[arg(long)]
    pub no_header: bool,
}

impl WritingArgs {
    /// What flags say, else what `other` does.
    fn over(self, other: Writing) -> Writing {
        Writing {
            separator: self.separator.or(other.separator),
            decimal: self.decimal.or(other.decimal),
            no_header: self.no_header || other.no_header,
        }
    }
}

/// Arguments of `eval`.
#[derive(Args, Debug)]
pub struct EvalArgs {
    /// The model file, such as runs/digits-1/model.evb
    pub model: PathBuf,
    /// Which samples
    #[command(flatten)]
    pub data: DataArgs,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The model file, such as runs/iris-1/model.evb
    pub model: PathBuf,
    /// Which samples
    #[command(flatten)]
    pub data: DataArgs,
    /// How often each column is shuffled
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub shuffles: u32,
    /// Seed of the shuffles
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// Draw a picture into this SVG file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which labelled samples are meant.
#[derive(Args, Debug)]
pub struct DataArgs {
    /// The data, as `train` takes it [default: what the model's run was trained on]
    pub data: Option<String>,
    /// The data, as a flag
    #[arg(long = "data", value_name = "SOURCE", conflicts_with = "data", hide = true)]
    pub data_flag: Option<String>,
    /// Which samples [default: the test samples of the model's run if the data is the same, else the data's own
    /// test part, else all; `learn` takes the training part where there is one]
    #[arg(long, value_enum)]
    pub part: Option<Part>,
    /// Label column of a CSV file, by name or by number from 1 [default: as in training, else the last]
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// How it is written.
    #[command(flatten)]
    pub writing: WritingArgs,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What the model learned from
    Train,
    /// The validation samples
    Validation,
    /// The test samples
    Test,
    /// Every sample
    All,
}

/// Arguments of `predict`.
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// The model file, such as runs/digits-1/model.evb
    pub model: PathBuf,
    /// A CSV file, an IDX file of images, or `-` for standard input
    pub input: Option<String>,
    /// The input, as a flag
    #[arg(long = "data", value_name = "SOURCE", conflicts_with = "input", hide = true)]
    pub data_flag: Option<String>,
    /// Print the score of every class as well, as CSV with a header
    #[arg(long)]
    pub scores: bool,
    /// Column that names the samples: print it before each class, as CSV with a header; it is no feature
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A label column to leave out, by name or by number from 1
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// How the input is written.
    #[command(flatten)]
    pub writing: WritingArgs,
}

/// Arguments of `inspect`.
#[derive(Args, Debug)]
pub struct InspectArgs {
    /// The model file, such as runs/digits-1/model.evb
    pub model: PathBuf,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
    /// Print the Rust that a firmware needs to classify with the model
    #[arg(long, conflicts_with = "json")]
    pub rust: bool,
}

/// Arguments of `lineage`.
#[derive(Args, Debug)]
pub struct LineageArgs {
    /// The folder of a run of islands, such as runs/digits-1
    pub run: PathBuf,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// Something else to measure
    #[command(subcommand)]
    pub what: Option<BenchCommand>,
    /// Images to measure on, as `train` takes them [default: digits]
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Seconds that mutants are scored for, on each of two networks; the rest takes a few times that
    #[arg(long, value_name = "N", default_value_t = 8.0)]
    pub seconds: f64,
    /// What to measure: a GPU beside the processor, or the processor alone
    #[arg(long, value_parser = named::<Backend>(), default_value = "cpu")]
    pub backend: Backend,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

impl BenchArgs {
    fn threads(&self) -> Option<usize> {
        match &self.what {
            Some(BenchCommand::Time(args)) => args.threads,
            None => self.threads,
        }
    }
}

/// What else `bench` measures.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Time to accuracy: train, and afterwards look when the models first reached an accuracy on test samples
    Time(Box<TimeArgs>),
}

/// Arguments of `bench time`.
#[derive(Args, Debug)]
pub struct TimeArgs {
    /// Accuracies on test samples to find the times of, in per cent, separated by commas
    #[arg(long, value_name = "PER CENT", value_delimiter = ',', default_values_t = [95.0, 97.0], help_heading = "Run")]
    pub targets: Vec<f64>,
    /// Runs, of one seed after the other from --seed on
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Run")]
    pub seeds: u32,
    /// Settings from a TOML file; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// Stop each run after so many seconds of search
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    pub budget: Option<f64>,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub threads: Option<usize>,
    /// What to compute with; opening a GPU and compiling its kernels is timed apart
    #[arg(long, value_parser = named::<Backend>(), default_value = "cpu", help_heading = "Run")]
    pub backend: Backend,
    /// Print one JSON object as the last line
    #[arg(long, help_heading = "Run")]
    pub json: bool,
    /// How to train, as for `train`
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// 1, 2 for wrong usage, or 128 and the number of the signal that stopped it.
    pub code: u8,
    /// One line: what is wrong and what to do.
    pub message: String,
}

impl Failure {
    /// What is said of it. A run that was stopped is no error.
    #[must_use]
    pub fn line(&self) -> String {
        if self.is_stop() { self.message.clone() } else { format!("error: {}", self.message) }
    }

    /// True where a signal stopped the command.
    #[must_use]
    pub const fn is_stop(&self) -> bool {
        self.code > 128
    }

    /// A command line or settings that make no sense.
    fn usage(message: impl ToString) -> Self {
        Self { code: 2, message: one_line(&message.to_string()) }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: 1, message: one_line(&error.to_string()) }
    }
}

/// A message on one line, whatever the names of files in it hold.
fn one_line(message: &str) -> String {
    message.replace(char::is_control, " ")
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in one line, and the exit code.
pub fn run(cli: Cli) -> Result<(), Failure> {
    use_threads(match &cli.command {
        Some(Command::Train(args)) => args.threads,
        Some(Command::Bench(args)) => args.threads(),
        Some(Command::Rule(args)) => args.threads(),
        Some(Command::Task(args)) => args.threads(),
        _ => None,
    })?;
    let mut done = Ok(());
    // On one of the threads that share the work: they meet faster than it could meet them from outside.
    rayon::scope(|_| done = run_here(cli));
    done
}

fn run_here(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => quick_start::run(),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Predict(args)) => predict::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Lineage(args)) => lineage::run(&args),
        Some(Command::Scale(args)) => scale::run(&args),
        Some(Command::Flash(args)) => flash::run(&args),
        Some(Command::Link(args)) => link::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Rule(args)) => rule::run(&args),
        Some(Command::Task(args)) => task::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Runs(args)) => sweep::runs(&args),
    }
}

/// Uses so many threads from now on.
fn use_threads(threads: Option<usize>) -> Result<(), Failure> {
    let Some(threads) = threads else { return Ok(()) };
    if !(1..=MOST_THREADS).contains(&threads) {
        return Err(Failure::usage(format!("--threads must be 1 to {MOST_THREADS}")));
    }
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?)
}

/// Seconds between two checkpoints unless told otherwise.
const CHECKPOINT_SECONDS: f64 = 10.0;

/// The values of --budget and --checkpoint.
fn times(budget: Option<f64>, checkpoint: Option<f64>) -> Result<(Option<Duration>, Duration), Failure> {
    let budget = budget.map(|value| seconds("--budget", value)).transpose()?;
    Ok((budget, seconds("--checkpoint", checkpoint.unwrap_or(CHECKPOINT_SECONDS))?))
}

/// The value of a flag as a time.
fn seconds(flag: &str, value: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| Failure::usage(format!("{flag} must be a number of seconds such as 60")))
}

/// The settings of a TOML file; wrong ones are wrong usage.
fn read_settings(path: &Path) -> Result<Settings, Failure> {
    Settings::read(path).map_err(|error| match error {
        SettingsError::Wrong { .. } => Failure::usage(error),
        _ => error.into(),
    })
}

/// The family of a model.
fn kind(model: &Model) -> Result<FamilyName, Failure> {
    FamilyName::of(model).ok_or_else(|| Failure {
        code: 1,
        message: format!(
            "the model is of a kind ({}) that this program does not know: use a newer one",
            model.mark()
        ),
    })
}

/// Writes a line to standard error; `eprintln` would panic where nobody reads it any more.
pub fn tell(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes a line to standard output; a reader that went away, such as `head`, is no error.
fn print(line: &str) -> Result<(), Failure> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
