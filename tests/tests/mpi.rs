//! Islands over MPI on two emulated hosts, with the program built with the feature `mpi` and Open MPI's `mpirun`: `./tests/run` builds it
//! and runs these. Where the system lets nobody make hosts they fail, or, with `EVOBIT_ALLOW_SKIPS=1`, ranks share one.
//!
//! `EVOBIT_KILLS=50 EVOBIT_SEED=1 cargo test -p tests --test mpi -- --ignored --nocapture killed` kills as many ranks as one likes.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand_core::Rng;
use tests::hosts::{Cluster, signal};
use tests::program::{Folder, Ran};

const TRAIN: &str = "train --data digits --hidden 48@4x4 --copies 1 --islands 4 --sweeps 12 --threads 1";
/// Long enough for a few kills.
const LONG: &str = "train --data digits --hidden 64@4x4 --copies 1 --islands 4 --sweeps 60 --threads 1";
/// Ranks that are killed unless `EVOBIT_KILLS` says otherwise.
const KILLS: u32 = 5;

fn run(cluster: &Cluster, folder: &Folder, ranks: u32, args: &str) -> Ran {
    cluster.mpirun(folder, ranks, args).output().expect("mpirun starts").into()
}

/// What must not depend on how often a job died.
fn assert_same(folder: &Folder, one: &str, other: &str) {
    for file in ["model.evb", "lineage.csv", "config.toml"] {
        let same = folder.read(format!("{one}/{file}")) == folder.read(format!("{other}/{file}"));
        assert!(same, "{one}/{file} and {other}/{file} differ");
    }
}

/// The newest epochs that the islands of a run have saved, in order; 0 for islands that saved nothing.
fn epochs(folder: &Folder, run: &str, islands: usize) -> Vec<u32> {
    let mut epochs: Vec<u32> = folder.saved(run).into_values().collect();
    epochs.resize(islands, 0);
    epochs.sort_unstable();
    epochs
}

/// The epochs that a resumed job said that its islands go on from, in order.
fn gone_on_from(said: &str, islands: usize) -> Vec<u32> {
    let line = said.lines().find_map(|line| line.strip_prefix("goes on from epoch (islands): "));
    let Some(line) = line else { return vec![0; islands] };
    let group = |group: &str| {
        let (epoch, count) = group.split_once(" (").unwrap();
        vec![epoch.parse().unwrap(); count.trim_end_matches(')').parse().unwrap()]
    };
    line.split(", ").flat_map(group).collect()
}

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn ranks_and_threads_evolve_the_same() {
    let (folder, cluster) = (Folder::new(), Cluster::start());
    for (name, more) in [
        ("ring", ""),
        ("all", " --graph all --latency 2"),
        ("random", " --graph random"),
        ("genetic", " --algorithm genetic --population 6"),
    ] {
        folder.ok(&format!("{TRAIN}{more} --out {name}-threads"));
        for ranks in [2, 4] {
            let out = format!("{name}-{ranks}");
            let ran = run(&cluster, &folder, ranks, &format!("{TRAIN}{more} --out {out} --json"));
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            assert_eq!(ran.stdout.lines().count(), 1, "one rank speaks: {}", ran.stdout);
            assert_same(&folder, &out, &format!("{name}-threads"));
        }
    }
}

/// What came of a job that was to be killed.
enum Fate {
    /// It was through before.
    Done(Ran),
    /// It was killed: the rank, what the islands had saved just before, and what was said.
    Killed(u32, Vec<u32>, Ran),
}

/// Starts a job and kills one of its ranks so long after there is a run folder.
fn killed(cluster: &Cluster, folder: &Folder, job: (&str, u32, &str), after: Duration, choice: u32) -> Fate {
    let (out, ranks, args) = job;
    let mut child = cluster.mpirun(folder, ranks, args).spawn().unwrap();
    while !folder.path(format!("{out}/config.toml")).exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(after);
    let mut alive = Cluster::ranks(folder);
    while alive.is_empty() && child.try_wait().unwrap().is_none() {
        alive = Cluster::ranks(folder);
    }
    let victim = alive.get(choice as usize % alive.len().max(1)).copied();
    let before = epochs(folder, out, 4);
    let hit = victim.is_some_and(|(_, process)| signal("KILL", process));
    let ended: Ran = child.wait_with_output().unwrap().into();
    match victim.filter(|_| hit && ended.code != Some(0)) {
        Some((rank, _)) => Fate::Killed(rank, before, ended),
        None => Fate::Done(ended),
    }
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn jobs_whose_ranks_are_killed_go_on_with_any_number_of_ranks() {
    let (folder, cluster) = (Folder::new(), Cluster::start());
    let (kills, seed) = (number("EVOBIT_KILLS", KILLS), number("EVOBIT_SEED", 9));
    // So long that most kills hit the search, not the beginning of a job.
    let train = LONG.replace("--sweeps 60", "--sweeps 240");
    let began = Instant::now();
    assert_eq!(run(&cluster, &folder, 4, &format!("{train} --out whole")).code, Some(0));
    let whole = began.elapsed().as_millis() as u32;
    folder.ok(&format!("{train} --out threads"));
    assert_same(&folder, "whole", "threads");
    println!("a whole job: {whole} ms; seed {seed}");
    let mut random = evobit::rng::Stream::new(seed.into(), evobit::rng::Purpose::Test, 0);
    let (mut done, mut jobs, mut early, mut by_rank) = (0, 0, 0, [0; 4]);
    while done < kills {
        let out = format!("run-{jobs}");
        let mut args = format!("{train} --out {out}");
        let (mut ranks, mut last) = (4, vec![0; 4]);
        loop {
            let after = random.next_u32() % whole;
            let choice = random.next_u32();
            let fate = if done < kills {
                killed(&cluster, &folder, (&out, ranks, &args), Duration::from_millis(after.into()), choice)
            } else {
                Fate::Done(run(&cluster, &folder, ranks, &args))
            };
            match fate {
                Fate::Done(ran) => {
                    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
                    // One that was killed after its last epoch has nothing to go on with.
                    if last != [0; 4] && last != [240; 4] {
                        assert_at_least(&gone_on_from(&ran.stderr, 4), &last);
                    }
                    break;
                }
                Fate::Killed(rank, before, ended) => {
                    let said = format!("{}{}", ended.stderr, ended.stdout);
                    // Of a rank that is killed while it still joins the others mpirun knows only that it ended.
                    let joining = !said.contains("run folder") && said.contains("non-zero exit code");
                    assert!(joining || said.contains("signal 9"), "mpirun names the reason: {said}");
                    early += u32::from(joining);
                    assert!(Cluster::ranks(&folder).is_empty(), "ranks stay behind");
                    if args.contains("--resume") && gone_on_from(&said, 4) != [0; 4] {
                        assert_at_least(&gone_on_from(&said, 4), &last);
                    }
                    done += 1;
                    by_rank[rank as usize] += 1;
                    last = before;
                    println!(
                        "kill {done}: job {jobs}, rank {rank} of {ranks} after {after} ms, saved were epochs {last:?}"
                    );
                    ranks = [4, 4, 2, 4, 3, 1][done as usize % 6];
                    args = format!("train --resume {out} --threads 1");
                }
            }
        }
        assert_same(&folder, &out, "whole");
        assert!(!folder.path(format!("{out}/islands")).exists(), "checkpoints stay behind");
        jobs += 1;
    }
    println!(
        "{done} kills of {jobs} jobs, by rank {by_rank:?}, {early} of them while the ranks joined; all results as uninterrupted, \
         {:.0} s",
        began.elapsed().as_secs_f64()
    );
}

/// No island goes on from an earlier epoch than it had saved: it loses the one it was in, no more.
fn assert_at_least(from: &[u32], saved: &[u32]) {
    assert!(
        from.len() == saved.len() && from.iter().zip(saved).all(|(from, saved)| from >= saved),
        "{from:?} {saved:?}"
    );
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn a_job_whose_host_dies_ends_and_goes_on_on_the_other() {
    let (folder, cluster) = (Folder::new(), Cluster::start());
    let Cluster::Hosts(hosts) = &cluster else { return };
    assert_eq!(run(&cluster, &folder, 4, &format!("{LONG} --out whole")).code, Some(0));
    // A host that is another's guest, the one that mpirun runs on, and a wire that breaks while all are alive.
    for (name, dead, alive) in [("guest", Some(1), 0), ("head", Some(0), 1), ("wire", None, 0)] {
        let child = cluster.mpirun(&folder, 4, &format!("{LONG} --out {name}")).spawn().unwrap();
        let begun = Instant::now();
        while epochs(&folder, name, 4)[0] == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{name}: nothing is saved");
            std::thread::sleep(Duration::from_millis(20));
        }
        let cut = Instant::now();
        match dead {
            Some(host) => hosts.power_off(host),
            None => hosts.wire(false),
        }
        let before = epochs(&folder, name, 4);
        let ended: Ran = child.wait_with_output().unwrap().into();
        assert_ne!(ended.code, Some(0), "{name}: it died before it was through");
        for host in 0..2 {
            assert!(
                hosts.ends_within(host, Duration::from_secs(20)),
                "{name}: ranks stay behind on host {host}"
            );
        }
        println!("{name}: all ended {:.1} s after", cut.elapsed().as_secs_f64());
        if dead != Some(0) {
            let said = format!("{}{}", ended.stderr, ended.stdout);
            assert!(said.contains("lost communication with a remote daemon"), "{name}: {said}");
        }
        let resume = format!("train --resume {name} --threads 1");
        let ran: Ran = hosts.mpirun(&folder, &[alive], 2, &resume).output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        assert_at_least(&gone_on_from(&ran.stderr, 4), &before);
        assert_same(&folder, name, "whole");
        hosts.wire(true);
    }
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn a_job_of_ranks_goes_on_on_threads() {
    let (folder, cluster) = (Folder::new(), Cluster::start());
    folder.ok(&format!("{LONG} --out whole"));
    let mut child = cluster.mpirun(&folder, 4, &format!("{LONG} --out run")).spawn().unwrap();
    while epochs(&folder, "run", 4)[0] < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it was through before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ranks = Cluster::ranks(&folder);
    assert!(signal("KILL", ranks[1].1));
    child.wait().unwrap();
    let ran = folder.run("train --resume run");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(gone_on_from(&ran.stderr, 4)[0] >= 3, "{}", ran.stderr);
    assert_same(&folder, "run", "whole");
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn only_where_migration_is_deterministic_does_a_straggler_stop_others() {
    const STOPPED: Duration = Duration::from_secs(3);
    let (folder, cluster) = (Folder::new(), Cluster::start());
    let long = LONG.replace("--sweeps 60", "--sweeps 400").replace("--copies 1", "--copies 1 --graph ring");
    for migration in ["async", "deterministic"] {
        let args = format!("{long} --migration {migration} --out {migration}");
        let child = cluster.mpirun(&folder, 4, &args).spawn().unwrap();
        let begun = Instant::now();
        while epochs(&folder, migration, 4)[0] < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{migration}: nothing is saved");
            std::thread::sleep(Duration::from_millis(10));
        }
        // Island and rank have the same number.
        let straggler = Cluster::ranks(&folder)[3].1;
        assert!(signal("STOP", straggler));
        std::thread::sleep(Duration::from_millis(300));
        let before = folder.saved(migration);
        std::thread::sleep(STOPPED);
        let after = folder.saved(migration);
        assert!(signal("CONT", straggler));
        let ended: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        println!(
            "{migration}: in {STOPPED:?} of island 3's stop islands came from epochs {before:?} to {after:?}"
        );
        assert_eq!(before[&3], after[&3], "{migration}: island 3 was stopped");
        for island in 0..3 {
            if migration == "async" {
                assert!(after[&island] > before[&island] + 3, "{before:?} {after:?}");
            } else {
                // As far ahead as the ring is long.
                assert!(after[&island] <= after[&3] + 4, "{before:?} {after:?}");
            }
        }
    }
    folder.ok("train --replay async --out again");
    assert_same(&folder, "again", "async");
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn ranks_that_cannot_work_together_say_why_and_nothing_is_lost() {
    let (folder, cluster) = (Folder::new(), Cluster::start());
    for (ranks, args, says) in [
        (4, "train --data iris --islands 2", "4 ranks and 2 islands"),
        (2, "train --data iris", "say with --islands how many"),
        (2, "train --data nowhere --islands 2", "nowhere"),
    ] {
        let ran = run(&cluster, &folder, ranks, args);
        assert_ne!(ran.code, Some(0), "{args}");
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
    // Rank 1 is of a run with another seed.
    folder.ok(&format!("{LONG} --out whole"));
    let mut child = cluster.mpirun(&folder, 2, &format!("{LONG} --out run")).spawn().unwrap();
    while epochs(&folder, "run", 4)[0] < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it was through before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(signal("KILL", Cluster::ranks(&folder)[0].1));
    child.wait().unwrap();
    let other = folder.text("run/config.toml").replace("seed = 1", "seed = 2");
    assert!(other.contains("seed = 2"), "{other}");
    folder.write("other/config.toml", other);
    let before = folder.saved("run");
    let mut command = Command::new("mpirun");
    command
        .args(["--allow-run-as-root", "--oversubscribe"])
        .current_dir(folder.path(""))
        .stdin(Stdio::null());
    let host = folder.command::<&str>([]).get_program().to_owned();
    command.args(["-n", "1"]).arg(&host).args(["train", "--resume", "run", ":"]);
    command.args(["-n", "1"]).arg(&host).args(["train", "--config", "other/config.toml"]);
    let ran: Ran = command.output().expect("mpirun starts").into();
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("rank 1 has another run than rank 0: the settings"), "{}", ran.stderr);
    assert_eq!(folder.saved("run"), before);
    let ran = run(&cluster, &folder, 3, "train --resume run --threads 1");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_same(&folder, "run", "whole");
}

#[test]
#[ignore = "needs mpirun and a program with MPI"]
fn a_machine_without_the_library_of_mpi_is_told_so() {
    let folder = Folder::new();
    let program = folder.command::<&str>([]).get_program().to_owned();
    // It asks for a library that no machine has.
    let (name, other) = (b"libmpi.so.", b"nompi_.so.");
    let mut bytes = fs::read(program).unwrap();
    let places: Vec<usize> =
        bytes.windows(name.len()).enumerate().filter(|(_, part)| part == name).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "it is linked against MPI");
    places.into_iter().for_each(|at| bytes[at..at + other.len()].copy_from_slice(other));
    folder.write("host", bytes);
    let path = folder.path("host");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let ran: Ran = Command::new(path).arg("--version").output().unwrap().into();
    assert_eq!(ran.code, Some(127), "{}", ran.stderr);
    assert!(ran.stderr.lines().count() == 1 && ran.stderr.contains("nompi_.so."), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot open shared object file"), "{}", ran.stderr);
}
