//! `evobit rule`: what a user relies on who evolves rules on the command line, and what is said where the input is wrong.

use evobit::image::checksum;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::program::{Folder, SIGNALS};

/// A search that takes a moment.
const QUICK: &str = "--population 6 --generations 4 --chapter 2 --batches 1 --choosing 1";

fn share(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
fn training_leaves_a_rule_that_eval_measures_alike() {
    let folder = Folder::new();
    let trained = folder.json(&format!("rule train {QUICK} --seed 3"));
    assert!(share(&trained, "test_accuracy") > 0.8 && trained["generations"] == 4 && trained["seed"] == 3);
    for file in [
        "config.toml",
        "metrics.csv",
        "curves.svg",
        "epochs.gif",
        "generations.gif",
        "rule.evr",
        "network.evr",
        "start.evr",
        "samples.bin",
        "network.crc",
    ] {
        assert!(!folder.read(format!("runs/rule-1/{file}")).is_empty(), "{file}");
    }
    assert_eq!(folder.text("runs/rule-1/metrics.csv").lines().count(), 1 + 2);
    assert_eq!(trained["rule"], "runs/rule-1/rule.evr");
    let asked = folder.json("rule eval runs/rule-1/rule.evr --seed 3");
    let delta = folder.json(&format!("rule eval delta:{} --seed 3", trained["delta"]["rate"]));
    for key in ["test_accuracy", "mean_accuracy", "exams", "samples", "networks"] {
        assert_eq!(trained[key], asked[key], "{key}");
        assert_eq!(trained["delta"][key], delta[key], "{key} of the delta rule");
    }
    // A network's image is a rule as well.
    assert_eq!(folder.json("rule eval runs/rule-1/network.evr --seed 3")["exams"], asked["exams"]);
}

#[test]
fn nothing_depends_on_threads_and_everything_on_the_seed() {
    let folder = Folder::new();
    for (name, more) in [("a", "--threads 1"), ("b", "--threads 2"), ("c", "--seed 2")] {
        folder.ok(&format!("rule train {QUICK} --out {name} {more}"));
    }
    let files = |name: &str| {
        ["rule.evr", "network.evr", "metrics.csv"].map(|file| folder.read(format!("{name}/{file}")))
    };
    assert_eq!(files("a"), files("b"));
    assert_ne!(files("a"), files("c"));
}

#[test]
fn every_kind_of_task_and_of_weights_trains() {
    let folder = Folder::new();
    for (task, exams) in [
        ("--hidden 6", 1),
        ("--sample-archs none/4/3,3 --hidden 5", 1),
        ("--hidden 6 --weights signs", 1),
        ("--share 50 --asynchronous --pool --improvement", 1),
        ("--task switch --hidden 6", 3),
        ("--task lesion --hidden 6", 3),
        ("--task growth --hidden 6", 3),
        ("--task boolean --hidden 8", 1),
        ("--task unlabelled", 1),
    ] {
        let trained = folder.json(&format!("rule train {QUICK} --epochs 3 {task}"));
        let shares = trained["exams"].as_array().unwrap();
        assert_eq!(shares.len(), exams, "{task}");
        assert!(
            shares.iter().all(|share| (0.3..=1.0).contains(&share.as_f64().unwrap())),
            "{task}: {trained}"
        );
        assert_eq!(trained["delta"].is_null(), task == "--task unlabelled", "{task}");
    }
    for rule in ["oja:3", "hebbian:4"] {
        assert!(share(&folder.json(&format!("rule eval {rule} --task unlabelled")), "mean_accuracy") > 0.4);
    }
    let bytes = folder.json("rule eval delta:3 --hidden 12");
    let signs = folder.json("rule eval delta:3 --hidden 12 --weights signs");
    assert_ne!(bytes["exams"], signs["exams"]);
    assert!(share(&signs, "mean_accuracy") > 0.6, "{signs}");
}

#[test]
fn three_inputs_have_254_functions_that_evolution_does_not_see() {
    let folder = Folder::new();
    let asked = folder.json("rule eval delta:3 --task boolean --inputs 3 --hidden 8 --epochs 2");
    assert_eq!(asked["networks"], 254 * 32);
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let folder = Folder::new();
    folder.ok(&format!("rule train {QUICK} --out run"));
    let rule = folder.read("run/rule.evr");
    let changed = |name: &str, at: usize, value: u8| {
        let mut bytes = rule.clone();
        bytes[at] = value;
        let (content, crc) = bytes.split_last_chunk_mut::<4>().unwrap();
        *crc = checksum(content).to_le_bytes();
        folder.write(name, bytes);
    };
    // The version, and a bit that no coefficient has.
    changed("old.evr", 4, 1);
    changed("shape.evr", rule.len() - 5, 0x80);
    folder.write("half.evr", &rule[..40]);
    folder.write("text.evr", "nothing");
    let before = folder.contents();
    for (args, code, says) in [
        ("eval run/rule.evr --task unlabelled", 2, ["run/rule.evr needs errors", "oja:4"]),
        ("eval delta:3 --task unlabelled", 2, ["delta:3 needs errors", "--task"]),
        ("train --task unlabelled --from delta:3", 2, ["delta:3 needs errors", "--task"]),
        ("train --from oja:3", 2, ["cannot begin at oja", "delta:RATE"]),
        ("eval delta:8", 2, ["delta:8", "rates 0 to 7"]),
        ("eval old.evr", 1, ["version 1", "use a matching program"]),
        ("eval shape.evr", 1, ["another rule shape", "shape.evr"]),
        ("eval half.evr", 1, ["cut off", "half.evr"]),
        ("eval text.evr", 1, ["cut off", "text.evr"]),
        ("eval nowhere.evr", 1, ["nowhere.evr: cannot be read", "give a rule"]),
        ("train --from nowhere.evr", 1, ["nowhere.evr: cannot be read", "give a rule"]),
        ("train --hidden 4,4,4,4,4", 2, ["6 layers", "fewer hidden layers"]),
        ("train --hidden 5000", 2, ["5000 units", "1 to 4096"]),
        ("train --hidden 0", 2, ["layer 1 would have 0 units", "--hidden"]),
        ("train --hidden many", 2, ["`many` is not", "16 or 8,8"]),
        ("train --sample-archs 8/x", 2, ["`x` is not", "16 or 8,8"]),
        ("train --task growth", 2, ["adds neurons", "--hidden"]),
        ("train --epochs 0", 2, ["--epochs", "at least 1"]),
        ("train --population 1", 2, ["--population", "at least 2"]),
        ("train --test 0", 2, ["no test samples", "--test"]),
        ("train --data nowhere", 1, ["nowhere", "error"]),
    ] {
        let ran = folder.run(&format!("rule {args}"));
        let message = &ran.stderr;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "evobit rule {args}: {message}");
        assert!(
            message.starts_with("error: ") && message.lines().count() == 1,
            "evobit rule {args}: {message}"
        );
        assert!(says.iter().all(|word| message.contains(word)), "evobit rule {args}: {message}");
        assert!(folder.contents() == before, "evobit rule {args} changed the folder");
    }
}

#[test]
fn the_demo_shows_all_fourteen_functions() {
    let text = Folder::new().ok("rule demo");
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(shown.len(), 14, "{text}");
    let learned = |line: &&str| line.split_whitespace().nth(1).and_then(|count| count.parse::<u32>().ok());
    // 448 starts, 95 % of them whole.
    assert!(shown.iter().filter_map(learned).sum::<u32>() >= 426, "{text}");
}

/// A second or so of evolution, with weights that live on.
const EVOLVES: &str = "rule train --data iris --hidden 12 --population 12 --generations 8 --chapter 2 --batches 2 --choosing 1 --pool --seed 2";

/// What must not depend on how often a run was stopped.
fn assert_same(folder: &Folder, run: &str, whole: &str) {
    for file in ["rule.evr", "network.evr", "start.evr", "metrics.csv", "config.toml", "generations.gif"] {
        let same = folder.read(format!("{run}/{file}")) == folder.read(format!("{whole}/{file}"));
        assert!(same, "{run}/{file} and {whole}/{file} differ");
    }
}

#[test]
fn a_killed_run_goes_on() {
    let folder = Folder::new();
    let began = Instant::now();
    folder.ok(&format!("{EVOLVES} --out whole"));
    let (whole, first) = (began.elapsed(), format!("{EVOLVES} --checkpoint 0 --out run"));
    folder.killed_until_it_ends(
        &first,
        "rule train --resume run --checkpoint 0 --threads 1",
        whole,
        4,
        || (),
    );
    assert_same(&folder, "run", "whole");
    let before = folder.contents();
    let said = folder.ok("rule train --resume run");
    assert!(said.starts_with("run: this run has finished, at generation "), "{said}");
    let json = folder.json("rule train --resume run");
    assert_eq!((&json["finished"], &json["rule"]), (&true.into(), &"run/rule.evr".into()));
    assert!(folder.contents() == before, "a finished run was changed");
}

#[cfg(unix)]
#[test]
fn a_run_that_a_signal_stopped_goes_on() {
    let folder = Folder::new();
    folder.ok(&format!("{EVOLVES} --out whole"));
    let mut args = format!("{EVOLVES} --json --out run");
    for (signal, code) in SIGNALS {
        let (ran, took) = folder.stopped(&args, "run", Duration::from_millis(40), signal);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert!(took < Duration::from_secs(3), "{took:?}");
        let said = ran.stderr.lines().last().unwrap_or_default();
        assert!(said.starts_with(&format!("stopped by SIG{signal} at ")), "{said}");
        assert!(said.ends_with("saved in run: go on with `evobit rule train --resume run`"), "{said}");
        let printed: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(printed["stop"], "interrupted");
        folder.ok("rule eval run/rule.evr");
        args = "rule train --resume run --json".into();
    }
    // By its budget as well, after which there is a result.
    let stopped = folder.json("rule train --resume run --budget 0");
    assert!(stopped["stop"] == "budget" && stopped["test_accuracy"].is_f64(), "{stopped}");
    folder.ok("rule train --resume run");
    assert_same(&folder, "run", "whole");
}

#[cfg(unix)]
#[test]
fn long_lives_end_within_a_second_of_a_signal() {
    let folder = Folder::new();
    // A generation of these takes minutes.
    let args =
        "rule train --data digits --hidden 24 --epochs 10 --batches 2 --choosing 1 --from delta:3 --out run";
    let args = args.replace("--choosing 1 ", "--choosing 1 --most 200 ");
    let (ran, took) = folder.stopped(&args, "run/checkpoint-a.bin", Duration::from_millis(1500), "INT");
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(ran.stderr.contains("at generation 0: its state is saved in run"), "{}", ran.stderr);
}

#[test]
fn what_a_run_cannot_go_on_from_is_said() {
    let folder = Folder::new();
    folder.ok(&format!("{EVOLVES} --out whole"));
    folder.ok(&format!("{EVOLVES} --checkpoint 0 --budget 0.1 --out run"));
    folder.ok("train --data iris --sweeps 2 --out plain");
    let kept = folder.contents();
    let refuses = |args: &str, code: i32, words: &[&str]| {
        let before = folder.contents();
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(code), 1), "{args}: {}", ran.stderr);
        assert!(words.iter().all(|word| ran.stderr.contains(word)), "{args}: {}", ran.stderr);
        assert!(folder.contents() == before, "{args} changed the folder");
    };
    refuses("rule train --resume run --seed 2 --population 9", 2, &["leave out", "--seed", "--population"]);
    refuses("rule train --resume run --out other", 2, &["leave out --out"]);
    refuses("rule train --resume nowhere", 1, &["nowhere: is not the folder of a run"]);
    refuses("rule train --resume plain", 2, &["is a run of `evobit train`", "evobit train --resume plain"]);
    refuses("task train --resume run", 2, &["is a run of `evobit rule train`"]);
    refuses("train --resume run", 2, &["is a run of `evobit rule train`"]);
    refuses("rule train --resume run --checkpoint -1", 2, &["--checkpoint must be"]);
    let config = folder.text("run/config.toml");
    folder.write("run/config.toml", config.replace("seed = 2", "seed = 3"));
    refuses("rule train --resume run", 1, &["config.toml: is not as when this run began"]);
    folder.write("run/config.toml", &config);
    let names = ["run/checkpoint-a.bin", "run/checkpoint-b.bin"];
    for damaged in names {
        let bytes = folder.read(damaged);
        folder.write(damaged, &bytes[..bytes.len() / 2]);
        let ran = folder.run("rule train --resume run");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains("damaged: the run goes on from the other checkpoint"), "{}", ran.stderr);
        assert_same(&folder, "run", "whole");
        for (path, bytes) in kept.iter().filter(|(path, _)| path.is_file()) {
            std::fs::write(path, bytes).unwrap();
        }
    }
    names.iter().for_each(|name| folder.write(name, ""));
    refuses("rule train --resume run", 1, &["damaged: no checkpoint can be used", "begin anew"]);
}
