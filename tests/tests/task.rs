//! Tasks beyond classification, as users run them: environments, and images to memorize.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::program::{Folder, SIGNALS};

#[test]
fn a_controller_balances_a_pole_the_same_with_any_threads() {
    let folder = Folder::new();
    let train = "task train cart-pole --generations 6 --choosing 200 --unseen 50 --seed 3";
    let first = folder.json(&format!("{train} --threads 1"));
    let second = folder.json(&format!("{train} --threads 2"));
    assert_eq!(first["model_crc"], second["model_crc"]);
    assert!(first["genome_bits"].as_u64() <= Some(256), "{first}");
    assert!(first["mean_reward"].as_f64() > Some(350.0), "{first}");
    for file in ["model.evb", "config.toml", "metrics.csv", "curves.svg", "courses.svg"] {
        assert!(!folder.read(format!("runs/cart-pole-1/{file}")).is_empty(), "{file}");
    }
    // The starts of the last look are those of the run, and others with another seed.
    let eval = |more: &str| folder.json(&format!("task eval runs/cart-pole-1/model.evb --starts 50 {more}"));
    assert_eq!(eval("")["mean_reward"], first["mean_reward"]);
    assert_ne!(eval("--seed 9")["mean_steps"], eval("--seed 8")["mean_steps"]);
    // A controller is a model as any other.
    assert_eq!(
        folder.json("inspect runs/cart-pole-1/model.evb")["classes"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn random_images_are_memorized_whole() {
    let folder = Folder::new();
    let run = folder.json("train --data memorize:64:5 --hidden 64 --out run");
    let memorized = |run: &Value| run["train_accuracy"].as_f64() == Some(1.0) && run["stop"] == "target";
    assert!(memorized(&run), "{run}");
    assert_eq!((&run["train_samples"], &run["test_samples"]), (&64.into(), &0.into()));
    assert_eq!(folder.json("eval run/model.evb --part all")["accuracy"].as_f64(), Some(1.0));
    // By nothing but the number of images before the first error, the youngest first among equals.
    let counted = folder.json(
        "train --data memorize:16 --hidden 32 --algorithm genetic --objective first-error --mutation weights-power-law \
         --mating none --population 20 --tournament 20 --elites 1 --sweeps 60000 --patience 60000",
    );
    assert!(memorized(&counted), "{counted}");
}

#[test]
fn a_memory_evolves_answers_and_goes_on() {
    let folder = Folder::new();
    let train = "train --data digits --kind memory --hidden 40 --sweeps 20";
    let first = folder.json(&format!("{train} --threads 1 --out first"));
    let second = folder.json(&format!("{train} --threads 2 --out second"));
    assert_eq!(first["model_crc"], second["model_crc"]);
    assert!(first["validation_accuracy"].as_f64() > Some(0.9), "{first}");
    assert!(first["test_accuracy"].as_f64() > Some(0.9), "{first}");
    assert_eq!(folder.json("eval first/model.evb")["accuracy"], first["test_accuracy"]);
    let inspected = folder.json("inspect first/model.evb");
    assert_eq!((&inspected["kind"], &inspected["genome_bits"]), (&"memory".into(), &first["genome_bits"]));
    let more = folder.json("train --from first/model.evb --data digits --sweeps 2 --out more");
    assert!(more["train_accuracy"].as_f64() >= first["train_accuracy"].as_f64(), "{more}");
    for (command, error) in [
        ("train --data digits --kind memory --hidden 8,8", "prototypes"),
        ("train --data digits --kind memory --preset small", "prototypes"),
        ("train --data digits --kind memory --algorithm genetic", "algorithm"),
        ("flash first/model.evb --board qemu:microbit", "is a memory"),
    ] {
        let ran = folder.run(command);
        assert_ne!(ran.code, Some(0), "{command}");
        assert!(ran.stderr.lines().count() == 1 && ran.stderr.contains(error), "{command}: {}", ran.stderr);
    }
}

/// A second or so of search that is never perfect, of several populations.
const ACTS: &str =
    "task train swing-up --generations 40 --patience 12 --population 30 --choosing 60 --unseen 20 --seed 5";

/// What must not depend on how often a run was stopped.
fn assert_same(folder: &Folder, run: &str, whole: &str) {
    for file in ["model.evb", "metrics.csv", "config.toml", "courses.svg"] {
        let same = folder.read(format!("{run}/{file}")) == folder.read(format!("{whole}/{file}"));
        assert!(same, "{run}/{file} and {whole}/{file} differ");
    }
}

#[test]
fn a_killed_search_for_a_controller_goes_on() {
    let folder = Folder::new();
    let began = Instant::now();
    folder.ok(&format!("{ACTS} --out whole"));
    let (whole, first) = (began.elapsed(), format!("{ACTS} --checkpoint 0 --out run"));
    folder.killed_until_it_ends(
        &first,
        "task train --resume run --checkpoint 0 --threads 1 --unseen 20",
        whole,
        6,
        || (),
    );
    for file in ["model.evb", "metrics.csv", "config.toml"] {
        assert!(folder.read(format!("run/{file}")) == folder.read(format!("whole/{file}")), "{file}");
    }
    let said = folder.ok("task train --resume run");
    assert!(said.starts_with("run: this run has finished, at generation 40"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_search_for_a_controller_that_a_signal_stopped_goes_on() {
    let folder = Folder::new();
    folder.ok(&format!("{ACTS} --out whole"));
    let mut args = format!("{ACTS} --checkpoint 0 --json --out run");
    for (signal, code) in SIGNALS {
        let (ran, took) = folder.stopped(&args, "run", Duration::from_millis(40), signal);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert!(took < Duration::from_secs(2), "{took:?}");
        let said = ran.stderr.lines().last().unwrap_or_default();
        assert!(said.starts_with(&format!("stopped by SIG{signal} at generation ")), "{said}");
        assert!(said.ends_with("saved in run: go on with `evobit task train --resume run`"), "{said}");
        args = "task train --resume run --json".into();
    }
    let stopped = folder.json("task train --resume run --budget 0");
    assert_eq!(stopped["stop"], "budget");
    folder.ok("task train --resume run");
    assert_same(&folder, "run", "whole");
    let ran = folder.run("task train cart-pole --resume run --hidden 4");
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("leave out TASK, --hidden"), "{}", ran.stderr);
}
