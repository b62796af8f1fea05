//! A cable that is pulled, a board that loses power, a program that is killed.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::cut::{after, cut_after};
use tests::program::Folder;

use crate::board::{MODEL, Power, flash, folder, number};

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

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_killed_while_it_is_pulled_pushed_or_watched_comes_back_whole() {
    let folder = folder();
    let (port, board) = ("qemu:lm3s6965evb", "lm3s6965evb");
    let link = flash(&folder, board);
    let _power = Power(&folder, board);
    folder.json(&format!("link {link} learn drift --samples 100 --idle 40000"));
    let pulled = folder.json(&format!("link {link} pull --out pulled.evb"));
    folder.json(&format!("link {port} reset"));
    let base = folder.json(&format!("link {port} info"))["genome_crc"].clone();
    assert_ne!(base, pulled["genome_crc"]);
    // The board dies when so many bytes went over its line; the next command starts it again.
    let kill_during = |what: &str, bytes: usize| {
        folder.json(&format!("link {port} info"));
        let pid = folder.text(format!("runs/qemu-{board}/pid")).trim().to_owned();
        let there = folder.text(format!("runs/qemu-{board}/link"));
        let line = after(there.trim().strip_prefix("tcp:").unwrap(), bytes, move || {
            assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        });
        let ran = folder.run(&format!("link tcp:{line} {what}"));
        assert_eq!((ran.code, ran.stderr.trim().lines().count()), (Some(1), 1), "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains("repeat the command"), "{what}: {}", ran.stderr);
        let off = folder.run(&format!("link {} info", there.trim()));
        assert_eq!(off.code, Some(1), "{what}: the board is dead");
    };
    for bytes in [150, 300, 500] {
        kill_during("push pulled.flips", bytes);
        let after = folder.json(&format!("link {port} info"));
        assert_eq!(after["genome_crc"], base, "a part of an update changes nothing");
    }
    let pushed = folder.json(&format!("link {port} push pulled.flips"));
    assert_eq!(pushed["genome_crc"], pulled["genome_crc"]);
    folder.json(&format!("link {port} save"));
    for bytes in [150, 300, 500] {
        kill_during("pull --out cut.evb", bytes);
        assert!(!folder.path("cut.evb").exists() && !folder.path("cut.flips").exists());
        let again = folder.json(&format!("link {port} pull --out again.evb"));
        assert_eq!(again["genome_crc"], pulled["genome_crc"], "it starts with what it saved");
    }
    kill_during("watch --interval 0.01", 600);
    assert_eq!(folder.json(&format!("link {port} info"))["genome_crc"], pulled["genome_crc"]);
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_program_killed_while_it_flashes_leaves_one_model_or_the_other() {
    let folder = folder();
    let (port, board) = ("qemu:mps2-an505", "mps2-an505");
    flash(&folder, board);
    let _power = Power(&folder, board);
    let old = folder.json(&format!("link {port} info"))["model_crc"].clone();
    folder.json("train --data digits --levels 3 --hidden 40 --seed 2 --sweeps 2 --out other");
    let firmware = folder.path(format!("runs/qemu-{board}/firmware.elf"));
    fs::copy(&firmware, folder.path("firmware.elf")).unwrap();
    let again = format!("flash other/model.evb --board {port} --firmware firmware.elf");
    let mut seen = vec![];
    for milliseconds in [0, 2, 5, 10, 20, 40, 80, 160] {
        let mut program = folder.command(again.split_whitespace());
        let mut child = program.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        let info = folder.json(&format!("link {port} info"));
        assert_eq!(info["board"], board);
        seen.push(info["model_crc"].clone());
    }
    let new = folder.json(&again)["model_crc"].clone();
    assert!(new != old && seen.iter().all(|crc| *crc == old || *crc == new), "{seen:?}");
    assert_eq!(folder.json(&format!("link {port} info"))["model_crc"], new);
}
