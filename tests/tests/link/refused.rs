//! What is not flashed or linked, and a line that says why.

use serde_json::Value;
use tests::program::Folder;

use crate::board::{MODEL, folder};

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
    fails("link qemu:microbit info", "evobit flash MODEL --board qemu:microbit");
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
