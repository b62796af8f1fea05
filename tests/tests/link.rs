//! From host to board and back: trained, flashed, taught, pulled, pushed, with the built program and boards in QEMU.
//!
//! These tests build firmware and run emulators: `./tests/run` runs them, `cargo test` alone leaves them out.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::cut::cut_after;
use tests::program::{Folder, idx};

const BOARDS: [&str; 6] = ["microbit", "lm3s6965evb", "mps2-an386", "mps2-an505", "riscv-virt", "jetson"];
const MODEL: &str = "runs/digits-1/model.evb";

/// A folder with a model of digits, and `drift`: digits whose pixels of the left and the right half changed places.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.json("train --data digits --levels 3 --hidden 48 --seed 1");
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../host/data/digits.csv")).unwrap();
    let rows: Vec<Vec<u8>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let (test, train) = rows.split_at(360);
    for (name, rows) in [("train", train), ("t10k", test)] {
        let moved = |row: &Vec<u8>| -> Vec<u8> {
            (0..64).map(|place| row[place / 8 * 8 + (place + 4) % 8]).collect()
        };
        let pixels: Vec<u8> = rows.iter().flat_map(moved).collect();
        let labels: Vec<u8> = rows.iter().map(|row| row[64]).collect();
        let count = rows.len() as u32;
        folder.write(&format!("drift/{name}-images-idx3-ubyte"), idx(0x803, &[count, 8, 8], &pixels));
        folder.write(&format!("drift/{name}-labels-idx1-ubyte"), idx(0x801, &[count], &labels));
    }
    folder
}

/// Flashes an emulated board and returns its port.
fn flash(folder: &Folder, board: &str) -> String {
    let flashed = folder.json(&format!("flash {MODEL} --board qemu:{board}"));
    flashed["link"].as_str().unwrap().to_owned()
}

/// Cuts the power of a board however its test ends.
struct Power<'a>(&'a Folder, &'static str);

impl Drop for Power<'_> {
    fn drop(&mut self) {
        let _ = self.0.run(&format!("link qemu:{} off", self.1));
    }
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn every_board_answers_learns_and_comes_home() {
    let folder = folder();
    for board in BOARDS {
        let link = flash(&folder, board);
        let _power = Power(&folder, board);
        // Exactly the host's predictions, on the samples that its run held out and on others.
        let host = folder.json(&format!("eval {MODEL}"));
        let there = folder.json(&format!("link {link} eval"));
        assert_eq!(
            (&there["accuracy"], &there["confusion"]),
            (&host["accuracy"], &host["confusion"]),
            "{board}"
        );
        assert_eq!(there["differs_from_host"], 0);
        let drifted = folder.json(&format!("link {link} eval drift --predictions there.txt"));
        assert_eq!(
            folder.text("there.txt"),
            folder.ok(&format!("predict {MODEL} drift/t10k-images-idx3-ubyte"))
        );

        let learned = folder.json(&format!("link {link} learn drift --samples 200 --idle 60000"));
        assert_eq!((&learned["taught"], &learned["owed"]), (&200.into(), &0.into()));
        let after = folder.json(&format!("link {link} eval drift"));
        let (before, now) = (number(&drifted, "accuracy"), number(&after, "accuracy"));
        assert!(before < 0.6 && now > 0.8, "{board}: {before} before it learned, {now} after");
        assert!(number(&after, "network_accuracy") > before + 0.1, "{board}: the network evolves");

        // Home: the same answers, and a model that the host reads as any other.
        let pulled = folder.json(&format!("link {link} pull --out pulled.evb"));
        let home = folder.json("eval pulled.evb drift");
        for key in ["accuracy", "network_accuracy", "confusion"] {
            assert_eq!(home[key], after[key], "{board}: {key}");
        }
        assert_eq!(folder.json("inspect pulled.evb")["genome_crc"], pulled["genome_crc"]);
        assert_eq!(learned["genome_crc"], pulled["genome_crc"]);

        // And back: what was learned, over the air, to a board that forgot it.
        folder.json(&format!("link {link} reset"));
        let pushed = folder.json(&format!("link {link} push pulled.flips"));
        assert_eq!(pushed["genome_crc"], pulled["genome_crc"]);
        assert_eq!(
            folder.json(&format!("link {link} eval drift"))["network_accuracy"],
            home["network_accuracy"]
        );
    }
    folder.json("train --from pulled.evb --data drift --sweeps 2 --out on");
    let on = folder.json("eval on/model.evb drift");
    let home = folder.json("eval pulled.evb drift");
    assert!(number(&on, "accuracy") > number(&home, "network_accuracy"), "{on} beside {home}");
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn an_update_of_100_flips_takes_400_bytes() {
    let folder = folder();
    let link = flash(&folder, "microbit");
    let _power = Power(&folder, "microbit");
    let model = folder.read(MODEL);
    // The same model with 100 weights flipped, spread over its genome, which ends before the checksum.
    let mut changed = model.clone();
    let genome = folder.json(&format!("inspect {MODEL}"))["genome_bytes"].as_u64().unwrap() as usize;
    let start = model.len() - 4 - genome;
    for flip in 0..100 {
        // Thresholds come first; weights of a dense layer of 192 inputs fill their words.
        changed[start + 60 + flip * 11] ^= 1 << (flip % 8);
    }
    let len = changed.len();
    let checksum = evobit::image::checksum(&changed[..len - 4]);
    changed[len - 4..].copy_from_slice(&checksum.to_le_bytes());
    folder.write("changed.evb", &changed);
    let pushed = folder.json(&format!("link {link} push changed.evb"));
    assert_eq!(pushed["flips"], 100);
    let wire = number(&pushed, "wire_bytes");
    assert!(wire <= 400.0, "{pushed}");
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_cable_that_breaks_leaves_a_whole_board() {
    let folder = folder();
    let link = flash(&folder, "lm3s6965evb");
    let _power = Power(&folder, "lm3s6965evb");
    folder.json(&format!("link {link} learn drift --samples 40"));
    let seen = folder.json(&format!("link {link} info"))["seen"].clone();
    folder.json(&format!("link {link} learn drift --samples 100 --skip 40 --idle 60000"));
    let pulled = folder.json(&format!("link {link} pull --out pulled.evb"));
    assert!(number(&pulled, "flips_bytes") > 450.0, "an update that takes a while: {pulled}");
    let board = link.strip_prefix("tcp:").unwrap();
    let genome = |folder: &Folder| folder.json(&format!("link {link} info"))["genome_crc"].clone();
    let evolved = genome(&folder);
    for bytes in [150, 200, 300, 500] {
        // Longer than greeting and statistics, shorter than what is asked.
        let cut = |what: &str| {
            let ran = folder.run(&format!("link tcp:{} {what}", cut_after(board, bytes)));
            assert_eq!(ran.code, Some(1), "{what} over {bytes} bytes: {} {}", ran.stdout, ran.stderr);
            assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
            assert!(ran.stderr.contains("repeat the command"), "{}", ran.stderr);
            ran.stderr
        };
        cut("pull --out cut.evb");
        assert!(!folder.path("cut.evb").exists());
        assert_eq!(genome(&folder), evolved);
        assert!(cut("learn drift --skip 40").contains("--skip 4"));
        folder.json(&format!("link {link} reset"));
        let base = genome(&folder);
        cut("push pulled.flips");
        assert_eq!(genome(&folder), base, "a part of an update changes nothing");
        folder.json(&format!("link {link} push pulled.flips"));
        assert_eq!(genome(&folder), evolved);
    }
    assert_eq!(seen, 40);
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_killed_emulator_is_a_board_without_power() {
    let folder = folder();
    let (port, board) = ("qemu:riscv-virt", "riscv-virt");
    flash(&folder, board);
    let _power = Power(&folder, "riscv-virt");
    let kill = || {
        let pid = folder.text("runs/qemu-riscv-virt/pid");
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    };
    let kill_during = |what: &str| {
        let mut command = folder.command(format!("link {port} {what}").split_whitespace());
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Time to begin; what it does takes far longer.
        std::thread::sleep(Duration::from_secs(3));
        kill();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        assert!(said.starts_with("error: ") && said.contains("the line to the board ended"), "{said}");
        said
    };
    folder.json(&format!("link {port} learn drift --samples 40 --idle 20000"));
    let saved = folder.json(&format!("link {port} save"));
    assert!(kill_during("learn drift --skip 40").contains("--skip"));
    // The next command starts it again, with what it saved.
    let back = folder.json(&format!("link {port} info"));
    for key in ["genome_crc", "stored", "generation"] {
        assert_eq!(back[key], saved[key], "{key}");
    }
    kill_during("evolve --prototypes 20 --mutants 4000000000");
    let flashed = folder.path("runs/qemu-riscv-virt/kept.bin");
    assert!(flashed.metadata().unwrap().len() > 0);
    assert_eq!(folder.json(&format!("link {port} info"))["genome_crc"], saved["genome_crc"]);

    // Killed while it is flashed: whatever the program saw of it, the same command again ends well.
    let mut command = folder.command(format!("flash {MODEL} --board {port}").split_whitespace());
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pid = folder.path("runs/qemu-riscv-virt/pid");
    let old = fs::read_to_string(&pid).unwrap();
    while fs::read_to_string(&pid).map_or(true, |now| now == old || now.trim().is_empty()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("error: "), "{said}");
    flash(&folder, board);
    let fresh = folder.json(&format!("link {port} info"));
    assert_eq!((&fresh["stored"], &fresh["generation"]), (&0.into(), &0.into()));
}

/// Programs of the names `ssh` and `scp` that do here, in a folder of its own, what they would do elsewhere.
fn elsewhere(folder: &Folder) -> String {
    let scripts = [
        (
            "ssh",
            "#!/usr/bin/env bash
while [ \"$1\" = -o ]; do shift 2; done
case $1 in
-W) exec 3<>/dev/tcp/127.0.0.1/7531; cat <&3 & exec cat >&3 ;;
refusing@*) echo 'Permission denied (publickey).' >&2; exit 255 ;;
intel@*) echo x86_64; exit ;;
esac
shift
cd \"$ELSEWHERE\" && HOME=$ELSEWHERE exec sh -c \"$*\"",
        ),
        (
            "scp",
            "#!/usr/bin/env bash
while [ \"$1\" = -o ]; do shift 2; done
cp \"$2\" \"$ELSEWHERE/${3#*:}\"",
        ),
        (
            "uname",
            "#!/bin/sh
echo aarch64",
        ),
        (
            "systemctl",
            "#!/bin/sh
exit 1",
        ),
    ];
    for (name, text) in scripts {
        folder.write(&format!("bin/{name}"), text);
        let made = Command::new("chmod").arg("755").arg(folder.path("bin").join(name)).status();
        assert!(made.unwrap().success());
    }
    fs::create_dir_all(folder.path("elsewhere")).unwrap();
    format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_with_linux_gets_program_model_and_key_over_ssh() {
    let folder = folder();
    let path = elsewhere(&folder);
    let run = |args: &str| {
        let mut command = folder.command(args.split_whitespace());
        let output = command.env("PATH", &path).env("ELSEWHERE", folder.path("elsewhere")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    // This machine needs an emulator for the program.
    let dry = run(&format!("flash {MODEL} --board qemu:jetson --json"));
    assert_eq!(dry.0, Some(0), "{}", dry.2);
    folder.ok("link qemu:jetson off");
    let program = folder.path("runs/qemu-jetson/firmware.elf");
    let wrapper = format!("#!/bin/sh\nexec qemu-aarch64 -cpu cortex-a57 {} \"$@\"\n", program.display());
    folder.write("program", wrapper);
    folder.write("board.key", "5a".repeat(32));
    let flash = format!("flash {MODEL} --firmware program --board ssh:");
    for (host, says) in [("refusing@there", "Permission denied"), ("intel@there", "processor of kind x86_64")]
    {
        let (code, _, said) = run(&format!("{flash}{host}"));
        assert_eq!((code, said.trim().lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let (code, said, errors) = run(&format!("{flash}nano@there --key board.key --json"));
    let stop = || {
        let stopped = "kill $(cat elsewhere/evobit/pid) 2>/dev/null";
        let _ = Command::new("sh").args(["-c", stopped]).current_dir(folder.path(".")).status();
    };
    assert_eq!(code, Some(0), "{errors}");
    let flashed: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(flashed["link"], "ssh:nano@there");
    let (_, there, _) = run("link ssh:nano@there eval --json");
    let there: Value = serde_json::from_str(there.trim()).unwrap();
    assert_eq!(there["accuracy"], folder.json(&format!("eval {MODEL}"))["accuracy"]);
    // With the key it learns, without or with another it does not.
    let (code, _, said) = run("link ssh:nano@there learn drift --samples 5");
    assert!(code == Some(1) && said.contains("give it with --key"), "{said}");
    folder.write("wrong.key", "5b".repeat(32));
    let (code, _, said) = run("link ssh:nano@there reset --key wrong.key");
    assert!(code == Some(1) && said.contains("right one with --key"), "{said}");
    let (code, _, said) = run("link ssh:nano@there learn drift --samples 5 --key board.key");
    assert_eq!(code, Some(0), "{said}");
    let (_, info, _) = run("link ssh:nano@there info --json");
    stop();
    let info: Value = serde_json::from_str(info.trim()).unwrap();
    assert_eq!((&info["seen"], &info["keyed"], &info["refused"]), (&5.into(), &true.into(), &2.into()));
}

#[test]
#[ignore = "builds firmware: ./tests/run"]
fn a_dry_run_shows_what_the_firmware_and_the_model_are() {
    let folder = folder();
    let dry = folder.json(&format!("flash {MODEL} --board qemu:mps2-an386 --dry-run"));
    assert!(!folder.path("runs/qemu-mps2-an386").exists(), "nothing was written");
    let regions = dry["regions"].as_array().unwrap();
    let model: Vec<&Value> = regions.iter().filter(|region| region["region"] == "model").collect();
    assert_eq!(model.len(), 1);
    assert_eq!(model[0]["address"], 0x20_0000);
    assert_eq!(model[0]["bytes"].as_u64().unwrap(), folder.read(MODEL).len() as u64);
    assert!(regions.len() > 2);
}

#[test]
fn a_model_alone_lies_in_its_region_and_needs_no_firmware() {
    let folder = Folder::new();
    folder.json("train --data iris --hidden 8 --out run");
    let bytes = folder.read("run/model.evb").len() as u64;
    for (board, address) in [("microbit2", 0x4_0000), ("nrf52840-dk", 0x8_0000), ("pico2", 0x1010_0000)] {
        let dry = folder.json(&format!("flash run/model.evb --board probe:{board} --model-only --dry-run"));
        let region = serde_json::json!([{ "region": "model", "address": address, "bytes": bytes }]);
        assert_eq!((&dry["regions"], &dry["erased"]), (&region, &Value::Null), "{board}");
    }
}

#[test]
fn a_model_larger_than_its_region_is_refused() {
    let folder = Folder::new();
    folder.json("train --data digits --hidden 1500 --levels 16 --sweeps 1 --budget 1 --out large");
    let ran = folder.run("flash large/model.evb --board probe:microbit2 --model-only --dry-run");
    assert_eq!((ran.code, ran.stderr.trim().lines().count()), (Some(1), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("microbit2 has 131072 for it"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_linked_is_told_in_a_line() {
    let folder = Folder::new();
    let fails = |args: &str, says: &str| {
        let ran = folder.run(args);
        assert!(ran.code == Some(1) || ran.code == Some(2), "{args}: {:?}", ran.code);
        assert_eq!(ran.stderr.trim().lines().count(), 1, "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    };
    fails("link tcp:nowhere info", "is no port");
    fails("link tcp:127.0.0.1:1 info", "nothing listens there");
    fails("link /dev/none info", "plug the board in");
    fails("link qemu:none info", "there are microbit");
    fails("link qemu:microbit info", "host flash MODEL --board qemu:microbit");
    fails("link tcp:127.0.0.1:1 off", "only emulated boards");
    fails("flash none.evb --board qemu:microbit", "cannot be read");
    folder.json("train --data iris --hidden 8");
    fails("flash runs/iris-1/model.evb --board none", "is no board");
    fails("flash runs/iris-1/model.evb --board qemu:none", "there are microbit");
    folder.write("text", "no ELF");
    fails("flash runs/iris-1/model.evb --board qemu:microbit --firmware text", "is no firmware");
    fails("flash runs/iris-1/model.evb --board qemu:microbit --model-only", "on a debug probe");
    fails("flash runs/iris-1/model.evb --board probe:none", "there are microbit2");
    fails("flash runs/iris-1/model.evb --board probe --dry-run", "name the board");
    fails("flash runs/iris-1/model.evb --board probe --dry-run --chip nRF51", "give one with --firmware");
    fails("flash runs/iris-1/model.evb --board probe:microbit2 --dry-run --firmware text", "is no firmware");
    // These programs are built without probes.
    fails("flash runs/iris-1/model.evb --board probe:microbit2", "--features probe");
    fails("flash --list", "--features probe");
}

#[test]
#[ignore = "builds firmware: ./tests/run"]
fn a_model_that_does_not_fit_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    folder.json("train --data digits --levels 8 --hidden 120 --sweeps 1 --out large");
    let ran = folder.run("flash large/model.evb --board qemu:microbit");
    assert_eq!(ran.code, Some(1));
    let last = ran.stderr.trim().lines().last().unwrap();
    assert!(last.contains("bytes of memory, and microbit has"), "{last}");
    assert!(!folder.path("runs/qemu-microbit").exists());
}
