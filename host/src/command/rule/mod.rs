//! `evobit rule`: evolve the rule by which networks learn while they run.

mod demo;
mod eval;
mod given;
mod leaves;
mod train;
mod verdict;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use super::Failure;
use super::settings::named;
use evobit::rng::{Purpose, Stream};
use evobit::rule::{PlasticShape, Plasticity, ShapeError, WeightKind};
use evobit_data::{LoadOptions, load, stratified};
use evobit_rules::rule::course::boolean_table;
use evobit_rules::rule::scaling::Scaling;
use evobit_rules::rule::{Course, CourseKind};

/// Arguments of `rule`.
#[derive(Args, Debug)]
pub struct RuleArgs {
    /// What to do
    #[command(subcommand)]
    pub what: RuleCommand,
}

impl RuleArgs {
    pub(super) fn threads(&self) -> Option<usize> {
        match &self.what {
            RuleCommand::Train(args) => args.threads,
            RuleCommand::Eval(_) | RuleCommand::Demo(_) => None,
        }
    }
}

/// What `rule` does.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Evolve a rule on permuted tasks, then let a network learn by it and test it on the samples kept back
    Train(Box<RuleTrainArgs>),
    /// Let networks learn by a rule that is there, or by one written by hand
    Eval(RuleEvalArgs),
    /// Evolve a rule on exclusive or and or, and show how networks learn all other functions by it
    Demo(RuleDemoArgs),
}

/// What the weights of a plastic network are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Numbers of -127 to 127
    #[default]
    Bytes,
    /// One bit, the sign of a counter
    Signs,
}

/// A task, and networks that learn it.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskArgs {
    /// The kind of task
    #[arg(long, value_parser = named::<CourseKind>(), default_value = "table", help_heading = "Task")]
    pub task: CourseKind,
    /// What to learn, as for `train`
    #[arg(long, value_name = "SOURCE", default_value = "iris", help_heading = "Task")]
    pub data: String,
    /// Label column of a CSV file, by name or by number from 1 [default: the last]
    #[arg(long, value_name = "COLUMN", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Inputs of the Boolean functions, 2 or 3
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3), help_heading = "Task")]
    pub inputs: u8,
    /// Share of the samples kept as test part for the last exam, where the data brings no test part
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, help_heading = "Task")]
    pub test: f64,
    /// Times that a network sees every sample [default: 10; Boolean functions 5]
    #[arg(long, value_name = "N", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Hidden layers: neurons, separated by commas, or `none` [default: none; Boolean functions 32]
    #[arg(long, value_name = "LAYERS", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
    /// What weights are
    #[arg(long, value_enum, default_value = "bytes", help_heading = "Task")]
    pub weights: Weights,
    /// Share of the weights that are updated in a step, in per cent
    #[arg(long, value_name = "PER CENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100), help_heading = "Task")]
    pub share: u8,
    /// Update layer after layer from the output on, each through weights that are changed already
    #[arg(long, help_heading = "Task")]
    pub asynchronous: bool,
    /// Seed of the split, the search, the starts and the orders
    #[arg(long, default_value_t = 1, help_heading = "Task")]
    pub seed: u64,
}

/// Arguments of `rule train`.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleTrainArgs {
    /// The task
    #[command(flatten)]
    #[serde(flatten)]
    pub task: TaskArgs,
    /// Evolve on networks of these hidden layers, separated by /, such as 8/16/8,8; the last exam is of --hidden [default:
    /// those of --hidden]
    #[arg(long, value_name = "LIST", help_heading = "Evolution")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_archs: Option<String>,
    /// The rule that the first generation are mutants of: `zeros`, which changes nothing, delta:RATE, the delta rule, or that of an
    /// earlier run, such as runs/rule-1/rule.evr [default: delta at its best rate; without labels zeros]
    #[arg(long, value_name = "RULE", help_heading = "Evolution")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Individuals
    #[arg(long, value_name = "N", default_value_t = 32, help_heading = "Evolution")]
    pub population: u32,
    /// Generations at most
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Evolution")]
    pub generations: u32,
    /// Generations that are scored on the same lives
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Evolution")]
    pub chapter: u32,
    /// Stop after so many chapters without a better result
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Evolution")]
    pub patience: u32,
    /// Batches of 16 lives that an individual is scored on
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Evolution")]
    pub batches: u32,
    /// Batches of 16 lives that choose between rules
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Evolution")]
    pub choosing: u32,
    /// Samples that a network learns from at most while the rule evolves
    #[arg(long, value_name = "N", help_heading = "Evolution")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<usize>,
    /// Let plastic networks live on: half of them start with what the best rule of the chapter before left
    #[arg(long, help_heading = "Evolution")]
    pub pool: bool,
    /// Score what networks are better in the end than in the beginning
    #[arg(long, help_heading = "Evolution")]
    pub improvement: bool,
    /// Folder to make for the run [default: runs/rule-1, or the next number that is free]
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    #[serde(skip)]
    pub out: Option<PathBuf>,
    /// Go on with the run of this folder where it was stopped or killed, as if nothing had happened
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    #[serde(skip)]
    pub resume: Option<PathBuf>,
    /// Save the state of the search every so many seconds; 0 after each step [default: 10]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    #[serde(skip)]
    pub checkpoint: Option<f64>,
    /// Stop after so many seconds of search; --resume goes on
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Run")]
    #[serde(skip)]
    pub budget: Option<f64>,
    /// Threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run")]
    #[serde(skip)]
    pub threads: Option<usize>,
    /// Print one JSON object as the last line
    #[arg(long, help_heading = "Run")]
    #[serde(skip)]
    pub json: bool,
}

/// Arguments of `rule eval`.
#[derive(Args, Debug)]
pub struct RuleEvalArgs {
    /// The rule, such as runs/rule-1/rule.evr; or delta:RATE, oja:RATE or hebbian:RATE, rules written by hand whose changes are
    /// divided by 2 to the power of RATE
    pub rule: String,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `rule demo`.
#[derive(Args, Debug)]
pub struct RuleDemoArgs {
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

pub(super) fn run(args: &RuleArgs) -> Result<(), Failure> {
    match &args.what {
        RuleCommand::Train(args) => train::run(args),
        RuleCommand::Eval(args) => eval::run(args),
        RuleCommand::Demo(args) => demo::run(args),
    }
}

/// Hidden layers as they are written: `8,8`, or `none`.
fn hidden_layers(text: &str) -> Result<Vec<u16>, Failure> {
    if text == "none" {
        return Ok(vec![]);
    }
    let layer = |part: &str| part.trim().parse::<u16>();
    text.split(',').map(layer).collect::<Result<_, _>>().map_err(|_| {
        Failure::usage(format!(
            "hidden layers are numbers of neurons such as 16 or 8,8, or none; `{text}` is not"
        ))
    })
}

impl TaskArgs {
    /// The course for these arguments; evolution sees `shapes`, or the hidden layers of the task.
    fn course(&self, shapes: Option<&str>) -> Result<Course, Failure> {
        let boolean = self.task == CourseKind::Boolean;
        let (learn, held_out) = if boolean {
            (boolean_table(self.inputs.into()), boolean_table(self.inputs.into()))
        } else {
            self.tables()?
        };
        let hidden = hidden_layers(self.hidden.as_deref().unwrap_or(if boolean { "32" } else { "none" }))?;
        let shapes = match shapes {
            Some(list) => list.split('/').map(hidden_layers).collect::<Result<_, _>>()?,
            None => vec![hidden.clone()],
        };
        if self.task == CourseKind::Growth
            && shapes.iter().chain([&hidden]).any(|hidden| hidden.first().is_none_or(|&width| width < 5))
        {
            return Err(Failure::usage(
                "--task growth adds neurons to the first hidden layer: give --hidden with 5 or more",
            ));
        }
        let epochs = self.epochs.unwrap_or(if boolean { 5 } else { 10 });
        if epochs == 0 {
            return Err(Failure::usage("--epochs must be at least 1"));
        }
        let course = Course {
            kind: self.task,
            learn,
            held_out,
            epochs,
            most: usize::MAX,
            shapes,
            hidden,
            plasticity: Plasticity {
                kind: match self.weights {
                    Weights::Bytes => WeightKind::Bytes,
                    Weights::Signs => WeightKind::Signs,
                },
                share: u16::from(self.share) * 256 / 100,
                synchronous: !self.asynchronous,
                ..Plasticity::default()
            },
            improvement: false,
            seed: self.seed,
        };
        course
            .shapes
            .iter()
            .chain([&course.hidden])
            .try_for_each(|hidden| {
                let widths =
                    [&[course.learn.inputs as u16], &hidden[..], &[course.learn.classes as u16]].concat();
                PlasticShape::new(&widths).map(drop)
            })
            .map_err(|error: ShapeError| Failure::usage(format!("{error} (--hidden, --sample-archs)")))?;
        Ok(course)
    }

    /// Training samples and test samples, split as `train` does.
    fn tables(
        &self,
    ) -> Result<(evobit_rules::rule::table::Table, evobit_rules::rule::table::Table), Failure> {
        let loaded = load(&self.data, &LoadOptions { label: self.label.clone(), ..LoadOptions::default() })?;
        let mut stream = Stream::new(self.seed, Purpose::Split, 0);
        let data = &loaded.train;
        let share = if loaded.test.is_some() { 0.0 } else { self.test };
        let split = stratified(&data.labels, data.classes.len(), 0.0, share, &mut stream)?;
        let learn = data.select(&split.train);
        let test = loaded.test.unwrap_or_else(|| data.select(&split.test));
        if test.samples() == 0 {
            return Err(Failure::usage("no test samples are left for the last exam: choose a larger --test"));
        }
        let scaling = Scaling::learn(&learn);
        if scaling.inputs() > 4096 {
            return Err(Failure::usage(format!(
                "{} has {} inputs: a plastic network has at most 4096",
                self.data,
                scaling.inputs()
            )));
        }
        Ok((scaling.apply(&learn), scaling.apply(&test)))
    }
}
