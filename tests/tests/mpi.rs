//! Islands over MPI, with the program built with the feature `mpi` and Open MPI's `mpirun`: `./tests/run` builds it and runs these.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand_core::Rng;
use tests::program::{Folder, Ran};

const TRAIN: &str = "train --data digits --hidden 48@4x4 --copies 1 --islands 4 --sweeps 12 --threads 1";
/// Jobs that a rank is killed of.
const KILLS: u32 = 5;

fn mpirun(folder: &Folder, ranks: u32, args: &str) -> Command {
    let host = folder.command::<&str>([]).get_program().to_owned();
    let mut command = Command::new("mpirun");
    command.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string()]);
    command.arg(host).args(args.split(' ')).current_dir(folder.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Folder, ranks: u32, args: &str) -> Ran {
    mpirun(folder, ranks, args).output().expect("mpirun starts").into()
}

/// The processes that this one started.
fn children(parent: u32) -> Vec<u32> {
    let mut found: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let process = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            let of: u32 = status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            (of == parent).then_some(process)
        })
        .collect();
    found.sort_unstable();
    found
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn ranks_and_threads_evolve_the_same() {
    let folder = Folder::new();
    for (name, more) in [
        ("ring", ""),
        ("all", " --graph all --latency 2"),
        ("genetic", " --algorithm genetic --population 6"),
    ] {
        folder.ok(&format!("{TRAIN}{more} --out {name}-threads"));
        for ranks in [2, 4] {
            let out = format!("{name}-{ranks}");
            let ran = run(&folder, ranks, &format!("{TRAIN}{more} --out {out} --json"));
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            assert_eq!(ran.stdout.lines().count(), 1, "one rank speaks: {}", ran.stdout);
            for file in ["model.evb", "lineage.csv", "config.toml"] {
                let threads = folder.read(format!("{name}-threads/{file}"));
                assert_eq!(folder.read(format!("{out}/{file}")), threads, "{out}/{file}");
            }
        }
    }
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn a_job_whose_rank_was_killed_goes_on_with_any_number_of_ranks() {
    let folder = Folder::new();
    let began = Instant::now();
    assert_eq!(run(&folder, 4, &format!("{TRAIN} --out whole")).code, Some(0));
    let whole = began.elapsed().as_millis() as u32;
    let mut random = evobit::rng::Stream::new(9, evobit::rng::Purpose::Test, 0);
    let mut killed = 0;
    for job in 0..4 * KILLS {
        let out = format!("run-{job}");
        let mut child = mpirun(&folder, 4, &format!("{TRAIN} --out {out}")).spawn().unwrap();
        std::thread::sleep(Duration::from_millis((whole / 4 + random.next_u32() % whole).into()));
        let ranks = children(child.id());
        let Some(victim) = ranks.get(random.next_u32() as usize % ranks.len().max(1)) else {
            child.wait().unwrap();
            continue;
        };
        let kill = Command::new("kill").args(["-9", &victim.to_string()]).output().unwrap();
        let ended = child.wait_with_output().unwrap();
        if !kill.status.success()
            || ended.status.success()
            || !folder.path(format!("{out}/config.toml")).exists()
        {
            // It was through before, or had not begun.
            continue;
        }
        let said = String::from_utf8_lossy(&ended.stderr) + String::from_utf8_lossy(&ended.stdout);
        assert!(said.contains("signal 9"), "mpirun names the reason: {said}");
        let ran = run(&folder, 1 + job % 4, &format!("train --resume {out} --threads 1"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        for file in ["model.evb", "lineage.csv"] {
            assert_eq!(
                folder.read(format!("{out}/{file}")),
                folder.read(format!("whole/{file}")),
                "{out}/{file}"
            );
        }
        killed += 1;
        if killed == KILLS {
            return;
        }
    }
    panic!("only {killed} of {KILLS} jobs were killed in {whole} ms each");
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn ranks_that_cannot_work_together_say_why() {
    let folder = Folder::new();
    for (ranks, args, says) in [
        (4, "train --data iris --islands 2", "4 ranks and 2 islands"),
        (2, "train --data iris", "say with --islands how many"),
        (2, "train --data nowhere --islands 2", "nowhere"),
    ] {
        let ran = run(&folder, ranks, args);
        assert_ne!(ran.code, Some(0), "{args}");
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
    // Each rank of a job reads a configuration of its own.
    let host = folder.command::<&str>([]).get_program().to_owned();
    let mut command = Command::new("mpirun");
    command.args(["--allow-run-as-root", "--oversubscribe"]).current_dir(folder.path(""));
    for (seed, colon) in [("1", true), ("2", false)] {
        command.args(["-n", "1"]).arg(&host).args([
            "train",
            "--data",
            "iris",
            "--islands",
            "2",
            "--seed",
            seed,
        ]);
        if colon {
            command.arg(":");
        }
    }
    let ran: Ran = command.output().expect("mpirun starts").into();
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("has another run than rank 0: the settings"), "{}", ran.stderr);
}
