//! A run that was killed, stopped or interrupted goes on as if nothing had happened.

use std::fs;
#[cfg(unix)]
use std::process::Command;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tests::program::{Folder, SIGNALS};

/// A second or so of training with nearly all time spent in the search.
const SPECTRUM: &str = "train --data digits --sweeps 3";
const GENETIC: &str =
    "train --data digits --hidden 64 --copies 1 --algorithm genetic --population 10 --sweeps 60";

/// The lines of the metrics, but for their seconds.
fn metrics(folder: &Folder, run: &str) -> Vec<String> {
    let text = folder.text(format!("{run}/metrics.csv"));
    let without = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        [&cells[..3], &cells[4..]].concat().join(",")
    };
    text.lines().map(without).collect()
}

/// Checks that two runs ended in the same model, by the same way.
fn assert_same(folder: &Folder, run: &str, whole: &str) {
    assert_eq!(folder.read(format!("{run}/model.evb")), folder.read(format!("{whole}/model.evb")), "{run}");
    assert_eq!(metrics(folder, run), metrics(folder, whole), "{run}");
    assert_eq!(folder.text(format!("{run}/config.toml")), folder.text(format!("{whole}/config.toml")));
}

/// Kills a run again and again, at random, until it is through.
fn killed_until_it_ends(train: &str, seed: u64) {
    let folder = Folder::new();
    let began = Instant::now();
    folder.ok(&format!("{train} --out whole"));
    let (whole, first) = (began.elapsed(), format!("{train} --checkpoint 0.05 --out run"));
    // Whenever it was killed, a model that was there is whole.
    let inspect = || {
        if folder.path("run/model.evb").exists() {
            folder.ok("inspect run/model.evb");
        }
    };
    folder.killed_until_it_ends(&first, "train --resume run --checkpoint 0.05", whole, seed, inspect);
    assert_same(&folder, "run", "whole");
    let (before, ran) = (folder.contents(), folder.run("train --resume run"));
    assert_eq!((ran.code, ran.stdout.lines().count(), ran.stderr.as_str()), (Some(0), 1, ""));
    assert!(ran.stdout.starts_with("run: this run has finished"), "{}", ran.stdout);
    let json = folder.json("train --resume run");
    assert_eq!((&json["finished"], &json["model"]), (&true.into(), &"run/model.evb".into()));
    assert!(folder.contents() == before, "a finished run was changed");
}

#[test]
fn a_killed_spectrum_search_goes_on() {
    killed_until_it_ends(SPECTRUM, 1);
}

#[test]
fn a_killed_genetic_algorithm_goes_on() {
    killed_until_it_ends(GENETIC, 2);
}

#[test]
fn a_run_that_its_budget_ended_goes_on() {
    let folder = Folder::new();
    for (name, train) in [("spectrum", SPECTRUM), ("genetic", GENETIC)] {
        folder.ok(&format!("{train} --out whole-{name}"));
        let stopped = folder.json(&format!("{train} --budget 0.03 --out {name}"));
        assert_eq!(stopped["stop"], "budget");
        assert!(folder.text(format!("{name}/config.toml")).contains("\nsteps = "));
        let again = folder.json(&format!("train --resume {name} --budget 0.03"));
        assert!(again["steps"].as_u64() > stopped["steps"].as_u64(), "{again}");
        assert!(again["seconds"].as_f64() > stopped["seconds"].as_f64());
        folder.ok(&format!("train --resume {name} --threads 1"));
        if name == "genetic" {
            assert_same(&folder, name, "whole-genetic");
        } else {
            // A budget cools: it is another run than one without, but one that repeats.
            folder.ok(&format!("train --config {name}/config.toml --out again"));
            assert_same(&folder, name, "again");
        }
    }
}

#[test]
fn a_budgeted_run_that_was_killed_goes_on_as_it_was_cooled() {
    let folder = Folder::new();
    let train =
        "train --data digits --hidden 64 --copies 1 --sweeps 400 --patience 400 --checkpoint 0.02 --budget 1";
    assert!(
        !folder.ends_within(&format!("{train} --out run"), Duration::from_millis(500)),
        "it ended too soon"
    );
    let resumed = folder.json("train --resume run --budget 0.3");
    let heats = heats(&folder, "run");
    assert!(heats.is_sorted_by(|a, b| a >= b) && heats.last() == Some(&0.0), "{resumed}: {heats:?}");
    // Resuming reads the heats that were recorded with an early end.
    folder.ok("train --resume run --budget 0.01");
    folder.ok("train --config run/config.toml --out again");
    assert_same(&folder, "run", "again");
}

/// The heat of each sweep that a run recorded.
fn heats(folder: &Folder, run: &str) -> Vec<f64> {
    let config = folder.text(format!("{run}/config.toml"));
    let line = config.lines().find_map(|line| line.strip_prefix("heats = [")).expect("a line of heats");
    let numbers = line.trim_end_matches(']').split(", ");
    numbers.map(|number| number.parse().expect("a number")).collect()
}

#[test]
fn a_limit_of_steps_stays_one() {
    let folder = Folder::new();
    folder.ok(&format!("{GENETIC} --steps 20 --out whole"));
    folder.ok(&format!("{GENETIC} --steps 20 --budget 0 --out run"));
    assert!(folder.text("run/config.toml").contains("\nsteps = 1\n"));
    folder.ok("train --resume run");
    assert_same(&folder, "run", "whole");
}

/// Starts a run in `run` and waits for its first checkpoint.
#[cfg(unix)]
fn running(folder: &Folder, train: &str) -> std::process::Child {
    let args = format!("{train} --out run");
    let mut command = folder.command(args.split(' '));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    while !folder.path("run/checkpoint-a.bin").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[cfg(unix)]
#[test]
fn a_run_at_work_is_left_alone() {
    let folder = Folder::new();
    let mut child = running(&folder, "train --data digits");
    let ran = folder.run("train --resume run");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(1), 1), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: run: another run is at work in it"), "{}", ran.stderr);
    folder.ok("train --resume run --budget 0");
}

#[cfg(unix)]
#[test]
fn a_run_that_a_signal_stopped_goes_on() {
    // Long enough for three signals, however fast the machine is.
    let spectrum = SPECTRUM.replace("--sweeps 3", "--sweeps 20");
    let genetic = GENETIC.replace("--sweeps 60", "--sweeps 600 --patience 600");
    let islands = "train --data digits --hidden 48@4x4 --copies 1 --islands 3 --sweeps 20";
    for train in [&spectrum[..], &genetic, islands] {
        let folder = Folder::new();
        folder.ok(&format!("{train} --out whole"));
        let mut args = format!("{train} --json --out run");
        for (signal, code) in SIGNALS {
            let (ran, took) = folder.stopped(&args, "run", Duration::from_millis(30), signal);
            assert_eq!(ran.code, Some(code), "{train}: {}", ran.stderr);
            assert!(took < Duration::from_secs(5), "{train}: {took:?}");
            let said = ran.stderr.lines().last().unwrap_or_default();
            let resume = "its state is saved in run: go on with `evobit train --resume run`";
            assert!(
                said.starts_with(&format!("stopped by SIG{signal} at step")) && said.contains(resume),
                "{said}"
            );
            let printed: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
            assert_eq!(printed["stop"], "interrupted");
            // A model as before, to be looked at.
            folder.ok("inspect run/model.evb");
            args = "train --resume run --json".into();
        }
        folder.ok("train --resume run");
        if train == islands {
            assert_eq!(folder.read("run/model.evb"), folder.read("whole/model.evb"));
            assert_eq!(folder.read("run/lineage.csv"), folder.read("whole/lineage.csv"));
        } else {
            assert_same(&folder, "run", "whole");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_while_it_prepares_leaves_no_folder() {
    let folder = Folder::new();
    // Data that never comes.
    let (data, run) = (folder.path("table.csv"), folder.path("run"));
    assert!(Command::new("mkfifo").arg(&data).status().unwrap().success());
    for (signal, code) in SIGNALS {
        for command in ["train", "rule train"] {
            let args = format!("{command} --data table.csv --out run");
            let mut command = folder.stoppable(args.split(' '));
            let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            // It opens once the program reads.
            let pipe = fs::OpenOptions::new().write(true).open(&data).unwrap();
            let told = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
            assert!(told.unwrap().success());
            let told = Instant::now();
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(told.elapsed() < Duration::from_secs(2));
            assert_eq!(said, format!("stopped by SIG{signal} before the search began: nothing was saved\n"));
            assert!(!run.exists());
            drop(pipe);
        }
    }
}

/// A run stopped by its budget in `run`, after two checkpoints.
fn stopped(train: &str) -> Folder {
    let folder = Folder::new();
    folder.write("table.csv", include_str!("../../host/data/iris.csv"));
    folder.ok(&format!("{train} --checkpoint 0 --budget 0.02 --out run"));
    folder
}

const TABLE: &str = "train --data table.csv --hidden 16 --sweeps 200 --patience 200 --algorithm genetic";

#[test]
fn a_damaged_checkpoint_leaves_the_other() {
    let folder = stopped(TABLE);
    folder.ok(&format!("{TABLE} --out whole"));
    let names = ["checkpoint-a.bin", "checkpoint-b.bin"].map(|name| folder.path("run").join(name));
    let [whole_a, whole_b] = [0, 1].map(|file: usize| fs::read(&names[file]).unwrap());
    let damage = |bytes: &[u8]| [&bytes[..bytes.len() / 2], &[9], &bytes[bytes.len() / 2 + 1..]].concat();
    // Damaged, cut off, empty: either of the two.
    for (a, b) in [(whole_a.clone(), damage(&whole_b)), (whole_a[..99].to_vec(), whole_b.clone())] {
        let before = folder.contents();
        fs::write(&names[0], a).unwrap();
        fs::write(&names[1], b).unwrap();
        let ran = folder.run("train --resume run");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let told = ran.stderr.lines().filter(|line| line.contains("damaged"));
        let told: Vec<&str> = told.collect();
        assert!(told.len() == 1 && told[0].contains("goes on from the other checkpoint"), "{}", ran.stderr);
        assert_same(&folder, "run", "whole");
        for (path, bytes) in before.into_iter().filter(|(path, _)| path.is_file()) {
            fs::write(path, bytes).unwrap();
        }
    }
    for name in &names {
        fs::write(name, b"").unwrap();
    }
    refuses(&folder, "train --resume run", 1, &["checkpoint-a.bin: damaged", "train anew with --config"]);
    for name in &names {
        fs::remove_file(name).unwrap();
    }
    refuses(&folder, "train --resume run", 1, &["run: has no checkpoint", "--config run/config.toml"]);
}

/// Checks that a command fails in one line that says all of `words`, and changes nothing.
fn refuses(folder: &Folder, args: &str, code: i32, words: &[&str]) {
    let (before, ran) = (folder.contents(), folder.run(args));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{args}: {}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let said = words.iter().all(|word| ran.stderr.contains(word));
    assert!(said && ran.stderr.starts_with("error: "), "{args}: {}", ran.stderr);
    assert!(folder.contents() == before, "{args} changed the folder");
}

#[test]
fn what_would_be_another_run_is_refused() {
    let folder = stopped(TABLE);
    let resume = "train --resume run";
    refuses(&folder, &format!("{resume} --seed 2 --hidden 8"), 2, &["leave out --seed, --hidden"]);
    refuses(&folder, &format!("{resume} --seed 18446744073709551615"), 2, &["leave out --seed"]);
    refuses(&folder, &format!("{resume} --out other"), 2, &["leave out --out"]);
    refuses(&folder, &format!("{resume} --config run/config.toml"), 2, &["leave out --config"]);
    refuses(&folder, &format!("{resume} --checkpoint -1"), 2, &["--checkpoint must be"]);
    refuses(&folder, "train --resume nothing", 1, &["nothing: is not the folder of a run"]);
    refuses(&folder, "train --resume run/model.evb", 1, &["is not the folder of a run"]);

    let config = folder.text("run/config.toml");
    for (line, edited, words) in [
        ("seed = 1", "seed = 2", ["says `seed = 2`", "begun with `seed = 1`"]),
        (
            "hidden = [\"16\"]",
            "hidden = [\"8\"]",
            ["says `hidden = [\"8\"]`", "begun with `hidden = [\"16\"]`"],
        ),
        ("steps = ", "steps = 1", ["says `steps = 1", "begun with no `steps`"]),
        ("heat = 0.002", "heat = 0.002\nheats = [0.5]", ["says `heats = [0.5]`", "begun with no `heats`"]),
        ("population = 50", "", ["says no `population`", "begun with `population = 50`"]),
    ] {
        assert!(config.contains(line), "{line} in {config}");
        folder.write("run/config.toml", config.replace(line, edited));
        refuses(&folder, resume, 1, &words);
    }
    folder.write("run/config.toml", &config);

    let table = folder.text("table.csv");
    let (header, rows) = table.split_once('\n').expect("lines");
    let scaled = rows.replace("6.", "16.");
    let renamed = table.replace("setosa", "iris-setosa");
    for (changed, word) in [
        (format!("{header}\n{scaled}"), "the training samples"),
        (
            rows.lines().skip(1).fold(format!("{header}\n"), |all, row| all + row + "\n"),
            "the training samples",
        ),
        (renamed, "the names of columns and classes"),
    ] {
        folder.write("table.csv", changed);
        refuses(&folder, resume, 1, &["run: not as when this run began", word, "table.csv"]);
    }
    folder.write("table.csv", &table);
    folder.ok(resume);
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_again() {
    let folder = Folder::new();
    folder.ok(&format!("{SPECTRUM} --out whole"));
    folder.write("run/config.toml", folder.read("whole/config.toml"));
    folder.ok("train --resume run");
    assert_same(&folder, "run", "whole");
}

#[test]
fn a_checkpoint_that_cannot_be_written_does_not_end_training() {
    let folder = Folder::new();
    folder.write("table.csv", include_str!("../../host/data/iris.csv"));
    folder.ok(&format!("{TABLE} --out whole"));
    folder.write("run/config.toml", folder.read("whole/config.toml"));
    // A folder in its place.
    folder.write("run/checkpoint-a.bin.part/x", "");
    let ran = folder.run("train --resume run --checkpoint 0");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("warning: no checkpoint was written").count(), 1, "{}", ran.stderr);
    assert_same(&folder, "run", "whole");
}
