//! `host rule`: evolve a rule, see how networks learn by it.

use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Failure, print, tell};
use crate::data::{LoadOptions, load, stratified};
use crate::rule::meta::{ChapterRow, MetaSettings, assess};
use crate::rule::scaling::Scaling;
use crate::rule::tasks::TableTask;
use crate::rule::{Batch, Room, evolve};
use evobit::evolve::genetic;
use evobit::rng::{Purpose, Stream};
use evobit::rule::{EvolvedRule, Plasticity, baseline::Delta};

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
        }
    }
}

/// What `rule` does.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Evolve a rule on permuted tasks, then let a network learn by it
    Train(RuleTrainArgs),
}

/// Arguments of `rule train`.
#[derive(Args, Debug)]
pub struct RuleTrainArgs {
    /// What to learn, as for `train`
    #[arg(long, default_value = "iris")]
    pub data: String,
    /// Hidden layers
    #[arg(long, value_delimiter = ',')]
    pub hidden: Vec<u16>,
    /// Epochs of the task network
    #[arg(long, default_value_t = 10)]
    pub epochs: u32,
    /// Seed of the split, the search and the start
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Individuals
    #[arg(long, default_value_t = 48)]
    pub population: u32,
    /// Generations at most
    #[arg(long, default_value_t = 100)]
    pub generations: u32,
    /// Generations that share lives
    #[arg(long, default_value_t = 10)]
    pub chapter: u32,
    /// Patience
    #[arg(long, default_value_t = 8)]
    pub patience: u32,
    /// Batches of lives
    #[arg(long, default_value_t = 2)]
    pub batches: u32,
    /// Most samples
    #[arg(long, default_value_t = 100000)]
    pub most: usize,
    /// Threads
    #[arg(long)]
    pub threads: Option<usize>,
    /// JSON
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &RuleArgs) -> Result<(), Failure> {
    match &args.what {
        RuleCommand::Train(args) => train(args),
    }
}

fn train(args: &RuleTrainArgs) -> Result<(), Failure> {
    let loaded = load(&args.data, &LoadOptions::default())?;
    let mut stream = Stream::new(args.seed, Purpose::Split, 0);
    let data = &loaded.train;
    let split = stratified(&data.labels, data.classes.len(), 0.0, 0.2, &mut stream)?;
    let (learn, test) = (data.select(&split.train), data.select(&split.test));
    let scaling = Scaling::learn(&learn);
    let (learn, test) = (scaling.apply(&learn), scaling.apply(&test));
    let plasticity = Plasticity::default();
    let task = TableTask { table: &learn, epochs: args.epochs, exam: 64, most: args.most, permuted: true };
    let started = Instant::now();
    let settings = MetaSettings {
        population: args.population,
        generations: args.generations,
        chapter: args.chapter,
        patience: args.patience,
        seed: args.seed,
    };
    let batch = |index: u32| task.batch(&args.hidden, plasticity, args.seed, index);
    let validation = (0..4).map(|index| batch(1_000_000 + index)).collect::<Result<Vec<Batch>, _>>()?;
    #[derive(Debug, thiserror::Error)]
    enum Refused {
        #[error(transparent)]
        Shape(#[from] evobit::rule::ShapeError),
        #[error(transparent)]
        Genetic(#[from] genetic::Error),
    }
    let outcome = evolve::<Refused>(
        &settings,
        |chapter| {
            Ok((0..args.batches)
                .map(|index| batch(chapter * args.batches + index))
                .collect::<Result<Vec<_>, _>>()?)
        },
        &validation,
        |row: &ChapterRow| {
            tell(&format!("{row:?} {:.1}", started.elapsed().as_secs_f64()));
            true
        },
    )?;
    let rule = EvolvedRule::new(&outcome.genome)?;
    tell(&format!("{rule:?}"));
    let mut both = learn.clone();
    both.values.extend(&test.values);
    both.labels.extend(&test.labels);
    let last = crate::rule::tasks::last_life(&learn, &test, &args.hidden, args.epochs, args.seed)?;
    let mut room = Room::new();
    let (_, accuracy) = assess(&rule, std::slice::from_ref(&last), &mut room);
    let marks = crate::rule::live(&rule, &last, &mut room)?;
    for rate in 0..8 {
        let mut room = Room::new();
        let mut means = vec![];
        for batch in validation.iter().chain([&last]) {
            means.push(crate::rule::live(&Delta { rate }, batch, &mut room)?[0].accuracy());
        }
        tell(&format!("delta {rate}: {means:.3?}"));
    }
    let first = f64::from(marks[0].right[0]) / f64::from(marks[0].samples);
    print(
        &json!({"test_accuracy": first, "mean_of_lanes": accuracy, "seconds": started.elapsed().as_secs_f64(),
        "generations": outcome.generations, "seed": args.seed})
        .to_string(),
    )
}
