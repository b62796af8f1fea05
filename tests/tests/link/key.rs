//! An emulated board with a key: what is forged, replayed or out of order changes nothing.

use std::time::Duration;

use evobit::rng::{Draw, Purpose, Stream};
use evobit_boards::{Client, Line, LinkFailure, open};
use evobit_link::key::Key;
use evobit_link::{LinkError, Reply, read_frame};
use serde_json::Value;
use tests::program::Folder;

use crate::board::{MODEL, Power, folder};

const PATIENCE: Duration = Duration::from_secs(60);
const FORGED: u32 = 2000;

/// A line that remembers what was sent over it, as somebody who listens does.
struct Recorder {
    line: Box<dyn Line>,
    sent: Vec<Vec<u8>>,
}

impl Line for Recorder {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure> {
        self.sent.push(bytes.to_vec());
        self.line.send(bytes)
    }

    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkFailure> {
        self.line.receive(patience)
    }
}

fn client(link: &str, key: &str) -> Client<Recorder> {
    let line = open(&link.parse().unwrap(), 0).unwrap();
    let mut client = Client::new(Recorder { line, sent: vec![] });
    client.use_key(Key::from_hex(key).unwrap());
    client
}

/// What of a board must not change.
fn state(folder: &Folder, port: &str) -> Vec<Value> {
    let info = folder.json(&format!("link {port} info"));
    assert_eq!(info["keyed"], true);
    ["genome_crc", "candidate_crc", "seen", "stored", "generation", "mutants", "owed"]
        .map(|key| info[key].clone())
        .to_vec()
}

/// Sends frames again and counts how many are refused as replayed.
fn replay(client: &mut Client<Recorder>, frames: &[&Vec<u8>]) -> usize {
    let refused = |frame: &&&Vec<u8>| {
        client.line.line.send(frame).unwrap();
        let mut answer = client.line.line.receive(PATIENCE).unwrap();
        matches!(read_frame(&mut answer), Ok((_, Reply::Error(LinkError::Replayed(_)))))
    };
    frames.iter().filter(refused).count()
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_with_a_key_takes_changes_only_with_it() {
    let folder = folder();
    let (port, board) = ("qemu:riscv-virt", "riscv-virt");
    let (key, wrong) = ("5a".repeat(32), "5b".repeat(32));
    folder.write("board.key", &key);
    folder.write("wrong.key", &wrong);
    let flash = format!("flash {MODEL} --board {port}");
    let link = folder.json(&format!("{flash} --key board.key"))["link"].as_str().unwrap().to_owned();
    let _power = Power(&folder, board);
    for (with, says) in [("", "give it with --key"), (" --key wrong.key", "right one with --key")] {
        let ran = folder.run(&format!("link {port} learn drift --samples 5{with}"));
        assert!(ran.code == Some(1) && ran.stderr.contains(says), "{}", ran.stderr);
    }
    folder.json(&format!("link {port} learn drift --samples 5 --key board.key"));

    // What is right is done, and recorded by whoever listens.
    let sample = vec![9; 64];
    let mut right = client(&link, &key);
    for label in 0..20 {
        right.learn(&sample, label % 10).unwrap();
    }
    right.save().unwrap();
    let recorded = std::mem::take(&mut right.line.sent);
    // The first asks for the counter.
    let recorded = &recorded[1..];
    assert_eq!(recorded.len(), 21);
    drop(right);
    let before = state(&folder, port);
    assert_eq!((&before[2], &before[4]), (&25.into(), &1.into()));

    let (mut rng, mut order) = (Stream::new(1, Purpose::Test, 0), vec![]);
    order.extend((0..FORGED).map(|_| &recorded[rng.below(21) as usize]));
    let mut forger = client(&link, &wrong);
    assert_eq!(replay(&mut forger, &order), order.len());
    for round in 0..FORGED / 4 {
        let forged = match round % 4 {
            0 => forger.learn(&sample, 1).map(drop),
            1 => forger.reset(),
            2 => forger.save(),
            _ => forger.seed(round.into()),
        };
        assert!(matches!(forged, Err(LinkFailure::Refused(LinkError::Forged))), "{forged:?}");
    }
    drop(forger);
    assert_eq!(state(&folder, port), before);
    let refused = folder.json(&format!("link {port} info"))["refused"].as_u64().unwrap();
    assert!(refused >= u64::from(FORGED + FORGED / 4), "{refused}");

    // Also after a loss of power.
    folder.json(&format!("link {port} off"));
    let after = folder.json(&format!("link {port} info"));
    assert_eq!((&after["keyed"], &after["generation"]), (&true.into(), &1.into()));
    let there = folder.text(format!("runs/qemu-{board}/link"));
    let all: Vec<&Vec<u8>> = recorded.iter().collect();
    assert_eq!(replay(&mut client(there.trim(), &key), &all), all.len());
    folder.json(&format!("link {port} learn drift --samples 5 --key board.key"));

    // Who has the board at hand may flash it without one.
    folder.json(&flash);
    folder.json(&format!("link {port} learn drift --samples 5"));
    let ran = folder.run(&format!("link {port} save --key board.key"));
    assert!(ran.code == Some(1) && ran.stderr.contains("leave --key out"), "{}", ran.stderr);
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn firmware_without_keys_says_so() {
    let folder = folder();
    folder.write("board.key", "5a".repeat(32));
    let ran = folder.run(&format!("flash {MODEL} --board qemu:microbit --key board.key"));
    let _power = Power(&folder, "microbit");
    assert!(ran.code == Some(1) && ran.stderr.contains("firmware/build microbit key"), "{}", ran.stderr);
}
