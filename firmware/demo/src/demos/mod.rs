//! The demos: what is asked of a board, and what is reported.

mod cart_pole;
mod cost;
mod digits;
mod drift;
mod genetic;
mod gestures;
mod hostile;
mod labels;
mod mnist;
mod new_class;
mod reset;
mod vectors;

use anyhow::{Context, bail, ensure};
use evobit_link::Statistics;
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::client::{Client, Line};
use crate::emulator::Emulator;
use crate::native::{Native, RamFlash};
use crate::problem::{self, Problem, Raw};

/// Mutants of the idle time after the labelled samples.
const IDLE_MUTANTS: u32 = 400_000;
/// Bytes of flash for what is kept, where the host plays the board.
const KEPT: usize = 128 << 10;

/// Accuracies in percent: the board's answer, the network, the stored samples, the prototypes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Accuracy {
    answer: f64,
    network: f64,
    samples: f64,
    prototypes: f64,
}

fn accuracy<L: Line>(client: &mut Client<L>, test: &Raw) -> anyhow::Result<Accuracy> {
    let mut right = [0u32; 4];
    for (sample, label) in test.iter() {
        let class = client.classify(sample)?;
        let label = Some(u16::from(label));
        let answers = [Some(class.answer), Some(class.network), class.samples, class.prototypes];
        right.iter_mut().zip(answers).for_each(|(right, answer)| *right += u32::from(answer == label));
    }
    let percent = |right: u32| f64::from(right) * 100.0 / test.labels.len().max(1) as f64;
    let [answer, network, samples, prototypes] = right.map(percent);
    Ok(Accuracy { answer, network, samples, prototypes })
}

/// Named figures.
type Figures = Vec<(&'static str, Value)>;

/// What a demo found: figures that must be equal on every board, and figures of this one.
struct Outcome {
    equal: Figures,
    own: Figures,
}

impl Outcome {
    /// A board's statistics.
    fn of(statistics: &Statistics) -> Self {
        let equal = vec![
            ("genome_crc", format!("{:08x}", statistics.genome).into()),
            ("candidate_crc", format!("{:08x}", statistics.candidate).into()),
            ("mutants", statistics.mutants.into()),
            ("swaps", statistics.swaps.into()),
            ("loss", statistics.loss.into()),
            ("held_back", statistics.held_back.into()),
            ("network_right", statistics.network_right.into()),
            ("samples_right", statistics.samples_right.into()),
        ];
        let own = vec![
            ("evolving_instructions", statistics.evolving_instructions.into()),
            ("stack_bytes", statistics.stack_bytes.into()),
        ];
        Self { equal, own }
    }

    /// With figures before those there are, equal on every board.
    fn found<const N: usize>(mut self, figures: [(&'static str, Value); N]) -> Self {
        self.equal.splice(0..0, figures);
        self
    }

    /// With more figures of this board.
    fn own<const N: usize>(mut self, figures: [(&'static str, Value); N]) -> Self {
        self.own.extend(figures);
        self
    }
}

/// Runs a demo on a board and, unless it is to be alone, on the host, and compares.
pub(crate) fn run(board: &Board, arguments: &Arguments) -> anyhow::Result<Value> {
    let (small, demo) = (board.small, arguments.demo.as_str());
    let hidden = if small || demo == "vectors" { "48" } else { "64" };
    let problem = match demo {
        "digits" | "drift" | "vectors" | "hostile" | "cost" | "labels" | "genetic" | "reset" => {
            problem::digits(arguments.seed, hidden, None)?
        }
        "new-class" => problem::digits(arguments.seed, hidden, Some(new_class::NEW_CLASS))?,
        "gestures" => {
            let data = arguments.data.as_ref().context("give the file imu-motion.csv with --data")?;
            problem::gestures(arguments.seed, data)?
        }
        "mnist" => return mnist::show(board, arguments),
        "cartpole" => return cart_pole::show(board, arguments),
        _ => bail!(
            "no demo `{demo}`: there are digits, drift, new-class, labels, vectors, hostile, cost, genetic, cartpole, mnist, reset and gestures"
        ),
    };
    if demo == "reset" {
        return reset::show(board, arguments, &problem);
    }
    if demo == "genetic" {
        return genetic::show(board, &problem, arguments);
    }
    let say = !arguments.json;
    let folder = tempfile::tempdir()?;
    let mut outcome = match board.target {
        Some(_) => {
            let emulator = Emulator::start(board, &arguments.target, &problem.model, folder.path())?;
            let mut client = Client::new(emulator);
            let outcome = demonstrate(&mut client, &problem, board, arguments, say);
            let mut outcome = outcome.with_context(|| client.line.log().unwrap_or_default().join("; "))?;
            let log = client.line.log()?;
            if say {
                log.iter().for_each(|line| println!("log: {line}"));
            }
            ensure!(!log.is_empty(), "the board logged nothing");
            drop(client);
            if demo == "drift" && !small {
                outcome.own.push((
                    "kept_over_power_loss",
                    drift::kept(board, arguments, &problem, folder.path(), &outcome)?.into(),
                ));
            }
            outcome
        }
        None => {
            let mut client = Client::new(Native::start(small, &problem.model, RamFlash::new(KEPT))?);
            demonstrate(&mut client, &problem, board, arguments, say)?
        }
    };
    if !arguments.alone && board.target.is_some() {
        let mut twin = Client::new(Native::start(small, &problem.model, RamFlash::new(KEPT))?);
        let other = demonstrate(&mut twin, &problem, board, arguments, false)?;
        ensure!(
            outcome.equal == other.equal,
            "{} and the host differ: {:?} against {:?}",
            board.name,
            outcome.equal,
            other.equal
        );
        outcome.own.push(("equals_host", true.into()));
    }
    let all = outcome.equal.into_iter().chain(outcome.own);
    let mut object = json!({ "board": board.name, "demo": demo, "seed": arguments.seed });
    for (key, value) in all {
        if say {
            println!("{key}: {value}");
        }
        object[key] = value;
    }
    Ok(object)
}

fn demonstrate<L: Line>(
    client: &mut Client<L>,
    problem: &Problem,
    board: &Board,
    arguments: &Arguments,
    say: bool,
) -> anyhow::Result<Outcome> {
    client.seed(arguments.seed)?;
    match arguments.demo.as_str() {
        "digits" => digits::show(client, problem),
        "drift" => drift::show(client, problem, board, arguments, say),
        "new-class" => new_class::show(client, problem, say),
        "hostile" => hostile::show(client, problem),
        "cost" => cost::show(client, problem),
        "gestures" => gestures::show(client, problem, say),
        "labels" => labels::show(client, problem, arguments, say),
        _ => vectors::show(client, problem),
    }
}

fn tell(say: bool, line: &str) {
    if say {
        println!("{line}");
    }
}
