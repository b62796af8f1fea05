//! `evobit task`: controllers for environments.

mod eval;
mod train;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Failure;
use super::settings::named;
use super::table::lines;
use evobit_rules::task::{Task, Verdict};

/// Runs `$call` with `$world` standing for the environment of a task.
macro_rules! in_world {
    ($task:expr, $world:ident => $call:expr) => {
        match $task {
            evobit_rules::task::Task::CartPole => {
                type $world = evobit::environment::CartPole;
                $call
            }
            evobit_rules::task::Task::SwingUp => {
                type $world = evobit::environment::SwingUp;
                $call
            }
            evobit_rules::task::Task::Foraging => {
                type $world = evobit::environment::Foraging;
                $call
            }
        }
    };
}
use in_world;

/// Arguments of `task`.
#[derive(Args, Debug)]
pub struct TaskArgs {
    /// What to do
    #[command(subcommand)]
    pub what: TaskCommand,
}

impl TaskArgs {
    pub(super) fn threads(&self) -> Option<usize> {
        match &self.what {
            TaskCommand::Train(args) => args.threads,
            TaskCommand::Eval(_) => None,
        }
    }
}

/// What `task` does.
#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// Evolve a controller by the genetic algorithm, then let it act from unseen starts
    Train(TaskTrainArgs),
    /// Let a controller that is there act from unseen starts
    Eval(TaskEvalArgs),
}

/// Arguments of `task train`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "A controller is a model as any other: its columns are what it sees, its classes what it does.
  evobit task train cart-pole                         500 steps of balance from 100 unseen starts
  evobit task eval runs/cart-pole-1/model.evb --starts 1000 --seed 7
  evobit inspect runs/cart-pole-1/model.evb           levels, bits and bytes
  firmware/run microbit cartpole                    the same task evolved on a board of 16 KB, in QEMU"
)]
pub struct TaskTrainArgs {
    /// The task
    #[arg(value_parser = named::<Task>(), required_unless_present = "resume")]
    pub task: Option<Task>,
    /// Hidden neurons, 0 for none [default: 0 for cart-pole, 8 for the others]
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub hidden: Option<u16>,
    /// Starts that fitness is earned from
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Search")]
    pub starts: u32,
    /// Further starts that choose between the best of the generations [default: 2000 for cart-pole, 200 for the others]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Search")]
    pub choosing: Option<u32>,
    /// Starts of the last look, which no decision depends on
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Search")]
    pub unseen: u32,
    /// Individuals
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=100_000), help_heading = "Search")]
    pub population: u32,
    /// Individuals that live on unchanged
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Search")]
    pub elites: u32,
    /// Parents are the best of so many drawn at random
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Search")]
    pub tournament: u32,
    /// Bits that a mutation flips
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Search")]
    pub flips: u32,
    /// Generations at most, of all populations; the search ends earlier once all starts that choose are solved
    #[arg(long, value_name = "N", default_value_t = 300, help_heading = "Search")]
    pub generations: u32,
    /// Begin with another population after so many generations without a better genome by the starts that choose
    #[arg(long, value_name = "N", default_value_t = 60, help_heading = "Search")]
    pub patience: u32,
    /// Seed of starts and search: the same seed gives the same controller
    #[arg(long, default_value_t = 1, help_heading = "Search")]
    pub seed: u64,
    /// Folder to make for the run [default: runs/TASK-1, or the next number that is free]
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    pub out: Option<PathBuf>,
    /// Go on with the run of this folder where it was stopped or killed, as if nothing had happened
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    pub resume: Option<PathBuf>,
    /// Save the state of the search every so many seconds; 0 after each generation [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    pub checkpoint: Option<f64>,
    /// Stop after so many seconds of search; --resume goes on
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    pub budget: Option<f64>,
    /// Threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub threads: Option<usize>,
    /// Print one JSON object as the last line
    #[arg(long, help_heading = "Run")]
    pub json: bool,
}

/// Arguments of `task eval`.
#[derive(Args, Debug)]
pub struct TaskEvalArgs {
    /// The model file, such as runs/cart-pole-1/model.evb
    pub model: PathBuf,
    /// The task [default: that of the run beside the model]
    #[arg(long, value_parser = named::<Task>())]
    pub task: Option<Task>,
    /// Unseen starts
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub starts: u32,
    /// Seed of the starts [default: that of the run, whose unseen starts these then are]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &TaskArgs) -> Result<(), Failure> {
    match &args.what {
        TaskCommand::Train(args) => train::run(args),
        TaskCommand::Eval(args) => eval::run(args),
    }
}

/// What came of unseen starts, for people.
fn verdict_lines(verdict: &Verdict) -> String {
    lines(&[
        (verdict.solved_means, format!("{} of {} unseen starts", verdict.solved, verdict.starts)),
        (
            "reward, mean and worst",
            format!("{:.1} and {} of {}", verdict.mean_reward, verdict.worst_reward, verdict.most_reward),
        ),
        ("steps, mean", format!("{:.1}", verdict.mean_steps)),
    ])
}
