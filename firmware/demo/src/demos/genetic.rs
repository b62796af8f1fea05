//! The genetic algorithm evolves rules on the board before anything else is done there; its log must say what the host finds.

use anyhow::{Context, bail, ensure};
use evobit_board::genetic::{Evolved, GENERATIONS, INDIVIDUALS, MEMORY_WORDS, RINGS, evolve};
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::client::Client;
use crate::emulator::Emulator;
use crate::problem::Problem;

/// The seeds that boards evolve rules of.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

pub(super) fn show(board: &Board, problem: &Problem, arguments: &Arguments) -> anyhow::Result<Value> {
    let mut memory = vec![0u64; MEMORY_WORDS.div_ceil(2)];
    let memory = &mut bytemuck::cast_slice_mut(&mut memory)[..MEMORY_WORDS];
    let expected: Option<Vec<Evolved>> = SEEDS.map(|seed| evolve(seed, memory)).collect();
    let expected = expected.context("the memory is too short")?;
    let logged = if board.target.is_some() { Some(on_board(board, problem, arguments)?) } else { None };
    if let Some(logged) = &logged {
        let same = logged.iter().map(|(evolved, _)| *evolved).eq(expected.iter().copied());
        ensure!(same, "{} and the host differ: {logged:?} against {expected:?}", board.name);
    }
    let instructions =
        logged.map(|logged| logged.iter().map(|(_, instructions)| *instructions).collect::<Vec<_>>());
    let object = json!({
        "board": board.name,
        "demo": "genetic",
        "rules": expected.iter().map(|evolved| format!("{:08x}", evolved.genome)).collect::<Vec<_>>().join(" "),
        "fitness_before": expected.iter().map(|evolved| evolved.fitness[0]).collect::<Vec<_>>(),
        "fitness_after": expected.iter().map(|evolved| evolved.fitness[1]).collect::<Vec<_>>(),
        "fitness_most": RINGS * 32,
        "genomes_scored": (INDIVIDUALS - 2) * GENERATIONS as usize + INDIVIDUALS,
        "memory_bytes": MEMORY_WORDS * 4,
        "instructions": instructions,
    });
    if !arguments.json {
        println!("{object:#}");
    }
    Ok(object)
}

/// What the board logs, with the instructions that it took.
fn on_board(board: &Board, problem: &Problem, arguments: &Arguments) -> anyhow::Result<Vec<(Evolved, u64)>> {
    let folder = tempfile::tempdir()?;
    let mut client = Client::new(Emulator::start(board, &arguments.target, &problem.model, folder.path())?);
    // It answers when the rules are done.
    client.statistics()?;
    let log = client.line.log()?;
    let rules = log.iter().filter_map(|line| Some(line.split_once("rule ")?.1));
    let found: Vec<(Evolved, u64)> = rules.map(read).collect::<anyhow::Result<_>>()?;
    ensure!(
        !found.is_empty(),
        "the board evolved no rules: its firmware is built without the feature genetic"
    );
    Ok(found)
}

/// A line of the log: seed, fitness before and after, checksum, instructions.
fn read(line: &str) -> anyhow::Result<(Evolved, u64)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [_, first, last, genome, instructions] = words[..] else { bail!("the log has `{line}`") };
    let fitness = [first.parse()?, last.parse()?];
    Ok((Evolved { fitness, genome: u32::from_str_radix(genome, 16)? }, instructions.parse()?))
}
