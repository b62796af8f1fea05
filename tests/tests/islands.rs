//! Runs of islands: the same on any number of threads, gone on with when they are killed, repeated from what was recorded.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand_core::Rng;
use tests::program::Folder;

const SPECTRUM: &str = "train --data digits --hidden 48@4x4 --copies 1 --islands 4 --sweeps 8";
const GENETIC: &str =
    "train --data digits --hidden 24 --algorithm genetic --islands 3 --population 6 --epoch 4 --sweeps 40";

/// Runs the program for so long and kills it; says whether it ended before.
fn killed_after(folder: &Folder, args: &str, time: Duration) -> bool {
    let mut child =
        folder.command(args.split(' ')).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < time {
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

#[test]
fn a_killed_run_of_islands_goes_on() {
    for (train, seed) in [(SPECTRUM, 1), (GENETIC, 2)] {
        let folder = Folder::new();
        let began = Instant::now();
        folder.ok(&format!("{train} --out whole"));
        let whole = began.elapsed().as_millis() as u32;
        let mut random = evobit::rng::Stream::new(seed, evobit::rng::Purpose::Test, 0);
        let (mut args, mut kills) = (format!("{train} --out run"), 0);
        loop {
            let time = Duration::from_millis((whole / 8 + random.next_u32() % (whole / 3).max(1)).into());
            if killed_after(&folder, &args, time * (1 + kills / 6)) {
                break;
            }
            kills += 1;
            if folder.path("run/config.toml").exists() {
                args = "train --resume run --threads 1".into();
            } else if folder.path("run").exists() {
                fs::remove_dir_all(folder.path("run")).unwrap();
            }
        }
        assert!(kills > 0, "nothing was killed in {whole} ms");
        for file in ["model.evb", "config.toml", "lineage.csv", "ancestry.bin"] {
            // Seconds of the clock are in it.
            if file != "ancestry.bin" {
                assert_eq!(
                    folder.read(format!("run/{file}")),
                    folder.read(format!("whole/{file}")),
                    "{file}"
                );
            }
            assert!(folder.path(format!("run/{file}")).exists());
        }
        assert!(!folder.path("run/islands").exists(), "checkpoints stay behind");
        assert!(folder.ok("train --resume run").starts_with("run: this run has finished"));
    }
}

#[test]
fn lineage_shows_how_the_winner_came_to_be() {
    let folder = Folder::new();
    folder.ok(&format!("{SPECTRUM} --out run"));
    let shown = folder.json("lineage run");
    assert_eq!((&shown["reconstructs"], &shown["islands"]), (&true.into(), &4.into()));
    let steps = shown["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["cause"] == "search"));
    assert!(steps.iter().any(|step| step["cause"]["migrant"]["from"].is_u64()), "{shown}");
    let bits = shown["bits_by_island"].as_object().unwrap();
    assert!(bits.len() > 1, "{shown}");
    let table = folder.ok("lineage run");
    assert!(table.contains("to the bit") && table.contains("mating with island"), "{table}");
    assert!(folder.text("run/lineage.csv").lines().count() == 1 + 4 * 8);
    let mut bytes = folder.read("run/ancestry.bin");
    bytes[40] ^= 1;
    folder.write("run/ancestry.bin", bytes);
    let ran = folder.run("lineage run");
    assert!(ran.code == Some(1) && ran.stderr.contains("ancestry.bin: damaged"), "{}", ran.stderr);
}

#[test]
fn an_asynchronous_run_is_repeated_from_its_arrivals() {
    let folder = Folder::new();
    folder.ok(&format!("{SPECTRUM} --migration async --out run"));
    for (threads, out) in [(1, "one"), (2, "two")] {
        folder.ok(&format!("train --replay run --threads {threads} --out {out}"));
        assert_eq!(folder.read(format!("{out}/model.evb")), folder.read("run/model.evb"), "{threads}");
        assert_eq!(folder.read(format!("{out}/lineage.csv")), folder.read("run/lineage.csv"), "{threads}");
    }
}

#[test]
fn what_islands_cannot_do_is_said() {
    let folder = Folder::new();
    folder.ok("train --data iris --sweeps 1 --out plain");
    for (args, code, says) in [
        ("train --data iris --islands 0", 2, "islands must be 1 to 1024"),
        ("train --data iris --islands 2 --latency 0", 2, "epoch and latency must be at least 1"),
        ("train --data iris --islands 2 --budget 1", 2, "leave --budget out"),
        ("train --data iris --islands 2 --target 0.9", 2, "leave target and steps out"),
        ("train --data iris --islands 2 --mating love", 2, "invalid value 'love'"),
        ("train --replay nowhere", 1, "nowhere/config.toml: cannot be read"),
        ("train --replay plain", 2, "has no arrivals.bin"),
        ("lineage nowhere", 1, "has no ancestry.bin"),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, Some(code), "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
}

#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_says_so_to_mpirun() {
    let folder = Folder::new();
    let mut many = folder.command(["train", "--data", "iris"]);
    let output = many.env("OMPI_COMM_WORLD_SIZE", "2").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("built without MPI"), "{said}");
}

#[test]
fn islands_go_on_from_their_own_newest_checkpoints() {
    let folder = Folder::new();
    let long = SPECTRUM.replace("--sweeps 8", "--sweeps 40");
    folder.ok(&format!("{long} --out whole"));
    let mut child =
        folder.command(format!("{long} --out run").split(' ')).stderr(Stdio::null()).spawn().unwrap();
    // So many epochs that what an island was sent in the first is kept no more.
    while folder.saved("run").values().copied().min().unwrap_or(0) < 8 || folder.saved("run").len() < 4 {
        assert!(child.try_wait().unwrap().is_none(), "it was through before it was killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let saved = folder.saved("run");
    let file = |island: u32, epoch: u32| folder.path(format!("run/islands/{island:04}-{epoch:06}.bin"));
    // An island whose files are gone cannot begin anew: nobody keeps what it was sent that long.
    let (kept, gone) = (folder.path("kept"), [file(1, saved[&1]), file(1, saved[&1] - 1)]);
    fs::create_dir(&kept).unwrap();
    let move_all = |there: bool| {
        for path in gone.iter().filter(|path| path.exists() == there) {
            let other = kept.join(path.file_name().unwrap());
            let (from, to) = if there { (path, &other) } else { (&other, path) };
            fs::rename(from, to).unwrap();
        }
    };
    move_all(true);
    let ran = folder.run("train --resume run");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("is in no checkpoint: the islands cannot go on"), "{}", ran.stderr);
    move_all(false);
    // Those of another network do not pass for it.
    let before = folder.read(file(2, saved[&2]));
    let (newest, old) = (file(2, saved[&2]), file(2, saved[&2] - 1));
    let mut stranger = before.clone();
    stranger[6] ^= 1;
    let body = stranger.len() - 4;
    let crc = evobit::image::checksum(&stranger[..body]).to_le_bytes();
    stranger[body..].copy_from_slice(&crc);
    let older = fs::read(&old).unwrap();
    for path in [&newest, &old] {
        fs::write(path, &stranger).unwrap();
    }
    let ran = folder.run("train --resume run");
    assert!(ran.stderr.contains("of a run with other settings, such as another network"), "{}", ran.stderr);
    fs::write(&newest, &before).unwrap();
    fs::write(&old, &older).unwrap();
    // One that is damaged costs an epoch of its island.
    let mut damaged = before;
    damaged[30] ^= 1;
    fs::write(&newest, damaged).unwrap();
    let ran = folder.run("train --resume run");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("goes on from epoch (islands): "), "{}", ran.stderr);
    for name in ["model.evb", "lineage.csv"] {
        assert_eq!(folder.read(format!("run/{name}")), folder.read(format!("whole/{name}")), "{name}");
    }
}

#[test]
fn more_islands_are_simulated_from_what_a_run_measured() {
    let folder = Folder::new();
    folder.ok(&format!("{SPECTRUM} --out run"));
    let table = folder.text("run/traffic.csv");
    assert_eq!(
        table.lines().filter(|line| line.starts_with("migrant,") && line.contains(",4,")).count(),
        8,
        "{table}"
    );
    let shown = folder.json("scale run --islands 10,1000 --epoch-seconds 0.5");
    let scales = shown["scales"].as_array().unwrap();
    assert_eq!(shown["migrant_bytes_by_epoch"].as_array().unwrap().len(), 8);
    assert_eq!(scales[0]["needs"]["takeover"], serde_json::json!([4, 9]));
    assert_eq!(scales[1]["needs"]["migrants"], 1000);
    let bytes = scales[0]["needs"]["island_bytes"].as_f64().unwrap();
    assert_eq!(scales[0]["island_bytes_per_second"].as_f64().unwrap(), 2.0 * bytes);
    assert!(bytes > 0.0 && scales[1]["coordinator_seconds_per_epoch"].as_f64().unwrap() > 0.0);
    assert!(
        folder
            .ok("scale run --islands 50")
            .contains("on half of the islands after 24 epochs, on all after 49")
    );
    folder.ok("train --data iris --sweeps 1 --out plain");
    folder.ok("train --data iris --sweeps 1 --islands 1 --out lonely");
    for (args, says) in [
        ("scale plain", "has no traffic.csv"),
        ("scale nowhere", "has no traffic.csv"),
        ("scale lonely", "nothing migrated in this run"),
        ("scale run --islands 1", "--islands must be 2 to 1000000, not 1"),
        ("scale run --epoch-seconds 0", "--epoch-seconds must be a number of seconds"),
    ] {
        let ran = folder.run(args);
        assert!(ran.code != Some(0) && ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
}

#[test]
fn a_checkpoint_that_is_damaged_is_passed_over_or_named() {
    let folder = Folder::new();
    folder.ok(&format!("{SPECTRUM} --out whole"));
    let long = SPECTRUM.replace("--sweeps 8", "--sweeps 4000");
    assert!(!killed_after(&folder, &format!("{long} --out run"), Duration::from_millis(1500)));
    let files: Vec<_> =
        fs::read_dir(folder.path("run/islands")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "bin")).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        let mut bytes = fs::read(file).unwrap();
        bytes[30] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    let ran = folder.run("train --resume run");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("damaged") && ran.stderr.contains("train anew"), "{}", ran.stderr);
}
