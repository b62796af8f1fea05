//! Warm resets: by request, after a panic, after an overflow of the stack. Each time the board says why and comes back with what it saved, and
//! without what it did not save.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use evobit_link::{Evolve, Statistics};
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::client::{Class, Client};
use crate::emulator::Emulator;
use crate::problem::{Problem, Raw};

/// Digits that are saved, and as many that are not.
const SAMPLES: usize = 40;
/// Held-out digits whose answers are compared.
const COMPARED: usize = 100;
/// Mutants before what was learned is saved.
const MUTANTS: u32 = 20_000;
/// How the firmware restarts (`boards/emulated/src/faults.rs`), and what its log must say then.
const WAYS: [(&str, &[&str]); 3] = [
    ("by request", &[]),
    ("after a panic", &["panic in ", "restarted after a panic in "]),
    ("after an overflow of the stack", &["restarted after a fault of the processor"]),
];

/// What a reset must leave as it is.
#[derive(Debug, PartialEq)]
struct Learned {
    answers: Vec<Class>,
    generation: u32,
    genome: u32,
    stored: u16,
}

impl Learned {
    fn of(client: &mut Client<Emulator>, test: &Raw) -> anyhow::Result<Self> {
        let answers = test.iter().take(COMPARED).map(|(sample, _)| client.classify(sample));
        let answers = answers.collect::<Result<_, _>>()?;
        let Statistics { generation, genome, stored, .. } = client.statistics()?;
        Ok(Self { answers, generation, genome, stored })
    }
}

pub(super) fn show(board: &Board, arguments: &Arguments, problem: &Problem) -> anyhow::Result<Value> {
    if board.target.is_none() {
        bail!("only a board can be reset: {} is none", board.name);
    }
    let folder = tempfile::tempdir()?;
    let mut client = Client::new(Emulator::start(board, &arguments.target, &problem.model, folder.path())?);
    client.seed(arguments.seed)?;
    let (saved, lost) = (problem.pool.iter().take(SAMPLES), problem.pool.iter().skip(SAMPLES));
    for (sample, label) in saved {
        client.learn(sample, label)?;
    }
    client.evolve(Evolve::Network, MUTANTS)?;
    client.save()?;
    let learned = Learned::of(&mut client, &problem.test)?;
    ensure!(usize::from(learned.stored) == SAMPLES && learned.generation == 1, "{learned:?} was to be saved");
    let lost: Vec<_> = lost.take(SAMPLES).collect();
    for (way, said) in WAYS {
        // An overflow of the stack is a fault where the stack ends where memory ends.
        if way == WAYS[2].0 && !board.guarded() {
            continue;
        }
        for &(sample, label) in &lost {
            client.learn(sample, label)?;
        }
        ensure!(client.statistics()?.stored > learned.stored, "nothing was learned that could be lost");
        let before = client.line.log()?.len();
        client.restart()?;
        let log = started(&client.line, before).with_context(|| format!("restarting {way}"))?;
        for said in said {
            ensure!(log.iter().any(|line| line.contains(said)), "{way}: no `{said}` in {log:?}");
        }
        ensure!(Learned::of(&mut client, &problem.test)? == learned, "{way}: something else came back");
        if !arguments.json {
            println!("{way}: {}", log.join("; "));
        }
    }
    let Learned { generation, genome, stored, .. } = learned;
    Ok(json!({
        "board": board.name, "demo": "reset", "seed": arguments.seed, "resets": if board.guarded() { 3 } else { 2 },
        "compared": COMPARED, "stored": stored, "generation": generation, "genome_crc": format!("{genome:08x}"),
    }))
}

/// What the board logged from line `before` on, when it says that it runs.
fn started(board: &Emulator, before: usize) -> anyhow::Result<Vec<String>> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        let log = board.log()?.split_off(before);
        if log.last().is_some_and(|line| line.ends_with(" runs")) {
            return Ok(log);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the board does not come back; it logged {:?}", board.log()?.split_off(before))
}
