//! A board balances a pole by a controller that the host evolved: its log must say, to the last bit of every step, what the host finds.

use anyhow::{Context, anyhow, bail, ensure};
use evobit::environment::CartPole;
use evobit::evolve::genetic::Genes;
use evobit::topology::Topology;
use evobit_board::cart_pole::{Balanced, SEEDS, STARTS, balance};
use evobit_board::learner::Model;
use evobit_rules::task::{Task, TaskConfig, model, network, search};
use evobit_search::{Session, Silent};
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::emulator::Emulator;

pub(super) fn show(board: &Board, arguments: &Arguments) -> anyhow::Result<Value> {
    let flashed = match &arguments.model {
        Some(path) => evobit_model::Model::read(path)?,
        None => evolve(arguments.seed)?,
    };
    let mut topology = Topology::NONE;
    let image = Model::parse(flashed.bytes(), &mut topology).map_err(|error| anyhow!("{error}"))?;
    let expected: Vec<Balanced> =
        (1..=SEEDS).map(|seed| Ok(balance(&image, seed)?)).collect::<anyhow::Result<_>>()?;
    let logged = match board.target {
        Some(_) => Some(on_board(board, flashed.bytes(), arguments)?),
        None => None,
    };
    if let Some(logged) = &logged {
        let same = logged.iter().map(|(balanced, _)| *balanced).eq(expected.iter().copied());
        ensure!(same, "{} and the host differ: {logged:?} against {expected:?}", board.name);
    }
    let instructions = logged.map(|logged| {
        let per_step =
            |(balanced, instructions): &(Balanced, u64)| instructions / u64::from(balanced.steps.max(1));
        logged.iter().map(per_step).collect::<Vec<_>>()
    });
    let each = |value: fn(&Balanced) -> Value| expected.iter().map(value).collect::<Vec<_>>();
    let object = json!({
        "board": board.name,
        "demo": "cartpole",
        "genome_bits": image.topology().genome_words() * 32,
        "evolvable_bits": image.topology().count(),
        "model_bytes": flashed.bytes().len(),
        "model_crc": format!("{:08x}", image.checksum()),
        "balanced": each(|balanced| balanced.solved.into()),
        "starts": STARTS,
        "steps": each(|balanced| balanced.steps.into()),
        "courses": each(|balanced| format!("{:08x}", balanced.course).into()),
        "instructions_per_step": instructions,
    });
    if !arguments.json {
        println!("{object:#}");
    }
    Ok(object)
}

/// A controller as `evobit task train cart-pole --seed N` makes it.
fn evolve(seed: u64) -> anyhow::Result<evobit_model::Model> {
    let config = TaskConfig::new(Task::CartPole, seed);
    let outcome = search::<CartPole>(&config, Session::default(), &mut Silent)?;
    let (encoder, topology) = network::<CartPole>(config.hidden)?;
    Ok(model::<CartPole>(&encoder, &topology, &outcome.genome)?)
}

/// What the board logs, with the instructions that it took.
fn on_board(board: &Board, model: &[u8], arguments: &Arguments) -> anyhow::Result<Vec<(Balanced, u64)>> {
    let folder = tempfile::tempdir()?;
    let log = Emulator::start(board, &arguments.target, model, folder.path())?.log_to_the_end()?;
    let lines = log.iter().filter_map(|line| Some(line.split_once("balanced ")?.1));
    let found: Vec<(Balanced, u64)> = lines.map(read).collect::<anyhow::Result<_>>()?;
    ensure!(
        !found.is_empty(),
        "the board balanced nothing: its firmware is built without the feature cartpole"
    );
    Ok(found)
}

/// A line of the log: seed, starts balanced, steps, checksum, instructions.
fn read(line: &str) -> anyhow::Result<(Balanced, u64)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [_, solved, steps, course, instructions] = words[..] else { bail!("the log has `{line}`") };
    let course = u32::from_str_radix(course, 16).context("a checksum")?;
    Ok((Balanced { solved: solved.parse()?, steps: steps.parse()?, course }, instructions.parse()?))
}
