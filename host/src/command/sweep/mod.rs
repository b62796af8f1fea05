//! `evobit sweep` and `evobit runs`: many runs, and what came of them.

#[cfg_attr(not(feature = "sweep"), path = "without_database.rs")]
mod database;
#[cfg(feature = "sweep")]
mod runs;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, MOST_THREADS};
use evobit_report::{Events, MOST_NAMES};
use evobit_sweeps::{Plan, PlanError};

/// Arguments of `sweep`.
#[derive(Args, Debug)]
#[command(after_help = "A plan is a TOML file:
  seeds = 5              # seeds 1 to 5, or a list: seeds = [7, 8]
  [base]                 # what all runs have in common
  data = \"digits\"
  sweeps = 20
  [vary]                 # lists of values: each combination of them, with each seed, is a run
  hidden = [[\"64\"], [\"128\"], [\"64@4x4\", \"32\"]]
  heat = [0.0, 0.002]

This one makes 3 x 2 x 5 runs. Every setting of evobit train may stand in [base] and [vary], by the name of its flag: islands = [1, 4], \
mating = [\"union\", \"neurons\"], from = \"model.evb\". So the config.toml of a run, without its seed, is a [base]. All configurations are \
looked at before the first run.

With random = 40 at its top, 40 configurations are drawn instead of all (draw = 1 draws others), and [vary] may hold ranges:
  temperature = { from = 2, to = 50, log = true }
  levels = { from = 1, to = 12, whole = true }

With task = \"cart-pole\" in [base], keys are those of evobit task train: hidden, starts, population, flips, ...

What is in the database already is not done again: after a kill, the same command goes on; with more seeds or values, it adds their runs.
  evobit sweep sweep.toml --dry-run        the runs it would make
  evobit sweep sweep.toml                  carry it out; results in sweep.db
  evobit runs compare sweep.db             mean and spread over seeds, the best first
  evobit runs plot sweep.db                its curves, in sweep.svg
  evobit runs list sweep.db                every run, with its number
  evobit runs lineage sweep.db 3           of islands: whose flips the winner of run 3 is made of
  evobit sweep sweep.toml --tensorboard    event files as well, of runs done before too
  tensorboard --logdir sweep.tensorboard
  sqlite3 sweep.db .schema               tables for questions of your own")]
pub struct SweepArgs {
    /// The plan
    pub plan: PathBuf,
    /// Database of the results [default: beside the plan, with the ending .db]
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Runs at a time, each on one thread [default: all cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Write event files as well, a folder for each run beside the database, with the ending .tensorboard (needs a program with the
    /// feature tensorboard)
    #[arg(long)]
    pub tensorboard: bool,
    /// Print the runs of the plan, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `runs`.
#[derive(Args, Debug)]
pub struct RunsArgs {
    /// What to do
    #[command(subcommand)]
    pub what: RunsCommand,
}

/// What `runs` does.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs of a database
    List(ListArgs),
    /// Compare its configurations: mean and spread over seeds, the best first by what chose between genomes
    Compare(ListArgs),
    /// Draw the curves of the best configurations, a line a seed
    Plot(PlotArgs),
    /// Show how the best genome of a run of islands came to be
    Lineage(LineageArgs),
}

/// Arguments of `runs list` and `runs compare`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The database that `evobit sweep` made
    pub database: PathBuf,
    /// Show the accuracy on test samples as well. Do not choose by it: what was chosen by test samples is no longer tested by them
    #[arg(long)]
    pub test: bool,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `runs plot`.
#[derive(Args, Debug)]
pub struct PlotArgs {
    /// The database that `evobit sweep` made
    pub database: PathBuf,
    /// The picture [default: beside the database, with the ending .svg]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What the curves are over
    #[arg(long, value_enum, default_value = "mutants")]
    pub over: Over,
    /// Configurations to draw, the best first: 1 to 8, each in a colour of its own
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=MOST_NAMES as i64))]
    pub most: u8,
}

/// Arguments of `runs lineage`.
#[derive(Args, Debug)]
pub struct LineageArgs {
    /// The database that `evobit sweep` made
    pub database: PathBuf,
    /// The run, by its number in `evobit runs list`
    pub run: i64,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// What curves are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Over {
    /// Mutants scored
    Mutants,
    /// Sweeps or generations
    Sweeps,
    /// Seconds, which depend on the machine and on what else it did
    Seconds,
}

pub(super) fn run(args: &SweepArgs) -> Result<(), Failure> {
    let plan = Plan::read(&args.plan).map_err(|error| match error {
        PlanError::Wrong { .. } => Failure::usage(error),
        _ => error.into(),
    })?;
    let jobs = args.jobs.unwrap_or_else(rayon::current_num_threads);
    if !(1..=MOST_THREADS).contains(&jobs) {
        return Err(Failure::usage(format!("--jobs must be 1 to {MOST_THREADS}")));
    }
    if args.tensorboard {
        Events::available().map_err(Failure::usage)?;
    }
    if args.dry_run {
        for run in &plan.runs {
            super::print(format!("{} seed={}", run.label(), run.seed).trim_start())?;
        }
        return super::print(&format!("{} runs", plan.runs.len()));
    }
    database::sweep(args, &plan, jobs)
}

pub(super) fn runs(args: &RunsArgs) -> Result<(), Failure> {
    match &args.what {
        RunsCommand::List(args) => database::list(args),
        RunsCommand::Compare(args) => database::compare(args),
        RunsCommand::Plot(args) => database::plot(args),
        RunsCommand::Lineage(args) => database::lineage(args),
    }
}
