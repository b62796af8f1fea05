//! The same seed, data and configuration give the same model to the byte, however a run ended.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use tests::program::Folder;

/// A hot sweep on one copy of the samples, then a cold one on five.
const COPIES: &str = "train --data digits --sweeps 2 --hidden 64 --copies 5";

/// The models that these commands give, in order.
fn models(folder: &Folder, commands: &[&str]) -> Vec<Vec<u8>> {
    let model = |(run, command): (usize, &&str)| {
        folder.ok(&format!("{command} --out {run}"));
        folder.read(format!("{run}/model.evb"))
    };
    commands.iter().enumerate().map(model).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new();
    // Enough samples, with their distorted copies, that two threads share them.
    let copies = format!("{COPIES} --validation 0 --test 0");
    let threads = |number| format!("{copies} --threads {number}");
    let commands =
        [&copies, &threads(1), &threads(2), "train --config 0/config.toml", &format!("{copies} --seed 2")];
    let models = models(&folder, &commands.map(|command| -> &str { command }));
    assert!(models[1..4].iter().all(|model| *model == models[0]));
    assert_ne!(models[4], models[0]);
    assert_eq!(folder.read("0/config.toml"), folder.read("3/config.toml"));
}

#[test]
fn any_instructions_give_the_same_bytes() {
    any_instructions("64");
}

#[test]
fn any_instructions_give_the_same_bytes_of_several_layers() {
    any_instructions("2x4x5@3x3,8@2x2");
}

fn any_instructions(hidden: &str) {
    let folder = Folder::new();
    // Enough samples, with their distorted copies, that two threads share them.
    let copies = COPIES.replace("--hidden 64", &format!("--hidden {hidden}"));
    let train = format!("{copies} --validation 0 --test 0 --out");
    // Those of other kinds of processors are refused, which is no skip.
    let native: &[&str] = if cfg!(target_arch = "x86_64") { &["avx2", "avx512"] } else { &["neon"] };
    let mut models: Vec<(String, Vec<u8>)> = vec![];
    for instructions in ["scalar", "portable", "avx2", "avx512", "neon"] {
        for threads in [1, 2] {
            let run = format!("{instructions}-{threads}");
            let ran = folder.run(&format!("{train} {run} --threads {threads} --instructions {instructions}"));
            if ran.code == Some(2) {
                let expected =
                    format!("this machine has no {instructions} instructions: leave --instructions out");
                assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
                assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
                if native.contains(&instructions) {
                    skips::instructions(instructions);
                }
                break;
            }
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            models.push((run.clone(), folder.read(format!("{run}/model.evb"))));
        }
    }
    for (run, model) in &models {
        assert!(*model == models[0].1, "{run} differs from {}", models[0].0);
    }
}

#[test]
fn seeds_are_not_cut_short() {
    let folder = Folder::new();
    let models = models(
        &folder,
        &[
            "train --data iris --sweeps 1 --seed 18446744073709551615",
            "train --config 0/config.toml",
            "train --data iris --sweeps 1 --seed 4294967295",
        ],
    );
    assert_eq!(models[0], models[1]);
    assert_ne!(models[0], models[2]);
}

/// Checks a run that ended early, in folder `run`: it recorded its step, and repeats from that.
fn repeats_exactly(folder: &Folder, run: &str) {
    let config = folder.text(format!("{run}/config.toml"));
    let line = config.lines().find_map(|line| line.strip_prefix("steps = ")).expect("a line of steps");
    let steps: u64 = line.parse().expect("a number");
    let again = folder.json(&format!("train --config {run}/config.toml --out again-{run}"));
    assert_eq!((again["steps"].as_u64(), again["stop"].as_str()), (Some(steps), Some("steps")));
    assert_eq!(folder.read(format!("{run}/model.evb")), folder.read(format!("again-{run}/model.evb")));
}

#[test]
fn a_run_that_its_budget_ended_repeats_exactly() {
    let folder = Folder::new();
    let stopped = folder.json("train --data digits --budget 0.05 --out run");
    assert_eq!(stopped["stop"], "budget");
    assert!(stopped["seconds"].as_f64() < Some(5.0), "{stopped}");
    repeats_exactly(&folder, "run");
    let stopped = folder.json("train --data iris --algorithm genetic --budget 0.02 --out genetic");
    assert_eq!(stopped["stop"], "budget");
    repeats_exactly(&folder, "genetic");
    // Not even one step is too many for a budget of nothing.
    let stopped = folder.json("train --data iris --budget 0 --out nothing");
    assert_eq!(stopped["steps"], 1);
    repeats_exactly(&folder, "nothing");
}

#[test]
fn a_budget_leaves_time_to_be_cold_and_repeats_exactly() {
    let folder = Folder::new();
    let train =
        "train --data digits --hidden 64 --copies 1 --sweeps 1000 --patience 1000 --budget 1 --out run";
    let trained = folder.json(train);
    let config = folder.text("run/config.toml");
    let heats = config.lines().find_map(|line| line.strip_prefix("heats = [")).expect("recorded heats");
    let heats: Vec<f64> =
        heats.trim_end_matches(']').split(", ").map(|heat| heat.parse().expect("a number")).collect();
    let cold = heats.iter().filter(|&&heat| heat == 0.0).count();
    assert!(heats[0] > 0.0 && heats.is_sorted_by(|a, b| a >= b), "{heats:?}");
    // Cold sweeps are no slower than hot ones: a quarter of the time is a quarter of the sweeps, or they converged.
    assert!(cold * 8 >= heats.len() || (cold > 0 && trained["stop"] == "converged"), "{trained}: {heats:?}");
    let again = folder.json("train --config run/config.toml --out again");
    assert_eq!((&again["steps"], &again["model_crc"]), (&trained["steps"], &trained["model_crc"]));
    assert_eq!(folder.read("run/model.evb"), folder.read("again/model.evb"));
    // Heat that is asked for stands above heats that were recorded.
    folder.ok("train --config run/config.toml --heat 0.001 --steps 3 --out heated");
    assert!(!folder.text("heated/config.toml").contains("heats"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_in_good_order() {
    let folder = Folder::new();
    for run in ["at-once", "later"] {
        let args = format!("train --data digits --json --out {run}");
        let mut command = folder.stoppable(args.split(' '));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The third line of messages is the last before the search.
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        for _ in 0..3 {
            messages.read_line(&mut String::new()).unwrap();
        }
        if run == "later" {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let killed = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        messages.read_to_string(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), rest.lines().count()), (Some(130), 1), "{rest}");
        let resume = format!("its state is saved in {run}: go on with `evobit train --resume {run}`");
        assert!(rest.starts_with("stopped by SIGINT at step ") && rest.contains(&resume), "{rest}");
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["stop"], "interrupted");
        assert!(folder.path(format!("{run}/curves.svg")).exists());
        repeats_exactly(&folder, run);
    }
}

#[test]
fn the_genetic_algorithm_learns_and_repeats() {
    let folder = Folder::new();
    for mating in ["none", "uniform", "union", "majority"] {
        let train = format!(
            "train --data iris --algorithm genetic --hidden 128 --levels 12 --margin 8 --temperature 4 --sweeps 20 --mating {mating}"
        );
        folder.ok(&format!("{train} --out {mating}"));
        folder.ok(&format!("{train} --out {mating}-2 --threads 1"));
        assert_eq!(folder.read(format!("{mating}/model.evb")), folder.read(format!("{mating}-2/model.evb")));
        let metrics = folder.text(format!("{mating}/metrics.csv"));
        let mut lines = metrics.lines();
        let column = lines.next().unwrap().split(',').position(|name| name == "train_loss").unwrap();
        let losses: Vec<f64> =
            lines.map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect();
        assert_eq!(losses.len(), 20);
        assert!(losses.is_sorted_by(|a, b| a >= b), "elites keep what was found: {losses:?}");
        assert!(losses[19] < 0.8 * losses[0], "{mating}: {losses:?}");
    }
}
