//! Sweeps by the program itself: killed and gone on with, locked out, over damaged databases.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use evobit::rng::{Draw, Purpose, Stream};
use rusqlite::Connection;
use rusqlite::types::Value;
use tests::program::{Folder, Ran};

const PLAN: &str = "seeds = 2
[base]
data = \"digits\"
levels = 1
sweeps = 6
copies = 1
[vary]
hidden = [[\"24\"], [\"32@4x4\"]]
islands = [1, 3]
mating = [\"union\", \"neurons\"]
";
const RUNS: i64 = 16;

fn folder(plan: &str) -> Folder {
    let folder = Folder::new();
    folder.write("sweep.toml", plan);
    folder
}

fn json(folder: &Folder, args: &str) -> serde_json::Value {
    let shown = folder.ok(&format!("{args} --json"));
    serde_json::from_str(shown.lines().last().unwrap()).unwrap()
}

/// The one line that a command must fail with.
fn error(folder: &Folder, args: &str) -> String {
    let Ran { code, stderr: said, .. } = folder.run(args);
    assert!(matches!(code, Some(1 | 2)), "{args}: {code:?} {said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    errors[0].to_owned()
}

/// Starts a sweep.
fn sweep(folder: &Folder) -> Child {
    folder
        .command("sweep sweep.toml --jobs 2".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs that the database holds; none where there is no database yet.
fn count(folder: &Folder) -> i64 {
    let Ok(connection) = Connection::open(folder.path("sweep.db")) else { return 0 };
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap_or(0)
}

/// Every row of every table, but for what depends on the clock or on who was done first.
fn rows(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let column = |query: &str| -> Vec<String> {
        let mut query = connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut all = vec![];
    for table in column("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let columns = column(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let columns: Vec<String> = columns
            .into_iter()
            .filter(|name| name != "run" && name != "seconds")
            .map(|name| format!("{table}.{name}"))
            .collect();
        let from = if table == "runs" { table.clone() } else { format!("{table} JOIN runs USING (run)") };
        let what = columns.join(", ");
        let mut query =
            connection.prepare(&format!("SELECT runs.configuration, runs.seed, {what} FROM {from}")).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let values = (0..columns.len() + 2).map(|index| row.get::<_, Value>(index).unwrap());
            Ok(format!("{table}: {:?}", values.collect::<Vec<_>>()))
        };
        all.extend(query.query_map([], row).unwrap().map(Result::unwrap));
    }
    all.sort();
    all
}

#[test]
fn a_killed_sweep_goes_on_to_the_same_database() {
    let (whole, killed) = (folder(PLAN), folder(PLAN));
    let began = Instant::now();
    whole.ok("sweep sweep.toml --jobs 2");
    let time = began.elapsed().as_millis() as u32;
    let mut random = Stream::new(1, Purpose::Test, 0);
    let (mut kills, mut between, mut ended) = (0, 0, false);
    while !ended {
        let mut child = sweep(&killed);
        let wait = time / 16 + random.below(time / 3 + 1) + kills * time / 64;
        let until = Instant::now() + Duration::from_millis(wait.into());
        while !ended && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
            ended = child.try_wait().unwrap().is_some();
        }
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!ended || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        kills += u32::from(!ended);
        between += u32::from(!ended && (1..RUNS).contains(&count(&killed)));
    }
    assert!(kills > 1 && between > 0, "{kills} kills, {between} of them between runs");
    let databases = [&whole, &killed].map(|folder| folder.path("sweep.db"));
    let [one, other] = databases.map(|path| rows(&path));
    assert_eq!(one.iter().filter(|row| row.starts_with("runs: ")).count() as i64, RUNS);
    for table in ["settings", "metrics", "winners", "lineage", "epochs"] {
        assert!(one.iter().any(|row| row.starts_with(&format!("{table}: "))), "{table} is empty");
    }
    assert_eq!(one, other);
    // Nothing is left to do.
    assert_eq!(json(&killed, "sweep sweep.toml")["before"], RUNS);
}

#[test]
fn lineage_of_every_run_gives_its_genome_back() {
    let folder = folder(PLAN);
    folder.ok("sweep sweep.toml");
    let runs = json(&folder, "runs list sweep.db");
    let mut migrants = 0;
    for run in runs["runs"].as_array().unwrap() {
        let shown = json(&folder, &format!("runs lineage sweep.db {}", run["run"]));
        assert_eq!((&shown["reconstructs"], &shown["genome_crc"]), (&true.into(), &run["genome_crc"]));
        let steps = shown["steps"].as_array().unwrap();
        migrants += steps.iter().filter(|step| step["cause"]["migrant"].is_object()).count();
    }
    assert!(migrants > 0, "nobody took anything over");
    let compared = json(&folder, "runs compare sweep.db");
    let means: Vec<f64> = compared["configurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|known| known["validation"]["mean"].as_f64().unwrap())
        .collect();
    assert!(means.len() == 8 && means.is_sorted_by(|one, other| one >= other), "{means:?}");
    assert!(compared["configurations"][0].get("test").is_none(), "held-out samples choose nothing");
    folder.ok("runs plot sweep.db --over sweeps");
    assert!(fs::read_to_string(folder.path("sweep.svg")).unwrap().contains("islands=3 mating=union"));
    assert!(error(&folder, "runs lineage sweep.db 99").contains("`evobit runs list sweep.db`"));
}

#[test]
fn who_locks_a_database_is_waited_for_or_named() {
    let folder = folder(&PLAN.replace("seeds = 2", "seeds = 6"));
    let mut first = sweep(&folder);
    while count(&folder) == 0 {
        assert!(first.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = error(&folder, "sweep sweep.toml");
    assert!(said.contains("sweep.db: is locked by another sweep or program: wait"), "{said}");
    // Somebody else's program, for longer than SQLite waits by itself.
    let other = Connection::open(folder.path("sweep.db")).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::sleep(Duration::from_secs(7));
    drop(other);
    let said = first.wait_with_output().unwrap();
    assert!(said.status.success());
    assert!(String::from_utf8(said.stderr).unwrap().contains("waiting until it lets go"));
    assert_eq!(count(&folder), 3 * RUNS);
}

#[test]
fn a_plan_that_cannot_be_carried_out_runs_nothing() {
    for (plan, says) in [
        ("[vary]\nmatin = [\"union\"]", "there is no setting `matin`: did you mean `mating`?"),
        ("[vary]\nmating = [\"union\", \"unoin\"]", "mating `unoin` is not known: it must be one of none, "),
        ("[base]\ndata = \"no-such-file\"", "no-such-file: no such file or folder"),
        (
            "[vary]\npopulation = [50, 60]\ntournament = [55]\n[base]\nalgorithm = \"genetic\"",
            "tournament 1 to the population",
        ),
        (
            "[base]\ndata = \"iris\"\nfrom = \"m.evb\"\nhidden = [\"4\"]",
            "`hidden` is decided by the model of `from`",
        ),
        ("[base]\ndata = \"iris\"\nfrom = \"m.evb\"", "m.evb: cannot be read"),
        ("seeds = 3\n[base\n", "line 2: "),
    ] {
        let folder = folder(plan);
        let said = error(&folder, "sweep sweep.toml");
        assert!(said.contains(says), "{said}");
        assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1, "more than the plan is there");
    }
    // Of random draws some may be such as cannot be: these are recorded, and the others are carried out.
    let folder = folder(
        "random = 8\n[base]\ndata = \"iris\"\nalgorithm = \"genetic\"\nhidden = [\"4\"]\nsweeps = 3\ntournament = 20\n[vary]\npopulation = { from = 10, to = 30, whole = true }",
    );
    assert!(error(&folder, "sweep sweep.toml").contains(" failed, the first: population="));
    let runs = json(&folder, "runs list sweep.db");
    let failed = |run: &&serde_json::Value| run["error"].is_string();
    let failed = runs["runs"].as_array().unwrap().iter().filter(failed).count();
    assert!((1..8).contains(&failed), "{failed}");
}

#[test]
fn every_setting_may_be_varied() {
    let folder =
        folder("[base]\ndata = \"iris\"\nhidden = [\"8\"]\n[vary]\nheats = [[0.002, 0.001], [0.0]]\n");
    folder.ok("sweep sweep.toml");
    folder.ok("train --data iris --out run");
    fs::write(
        folder.path("sweep.toml"),
        "[base]\ndata = \"iris\"\nfrom = \"run/model.evb\"\nsweeps = 3\n[vary]\nmargin = [3.0]",
    )
    .unwrap();
    assert!(error(&folder, "sweep sweep.toml").contains("`margin` is decided by the model"));
    fs::write(
        folder.path("sweep.toml"),
        "[base]\ndata = \"iris\"\nfrom = \"run/model.evb\"\n[vary]\nsweeps = [2, 3]",
    )
    .unwrap();
    folder.ok("sweep sweep.toml");
    assert_eq!(count(&folder), 4);
}

#[test]
fn damage_is_named_or_does_no_harm() {
    let folder =
        folder("[base]\ndata = \"iris\"\nhidden = [\"8\"]\nsweeps = 3\nislands = 2\n[vary]\nlevels = [2, 3]");
    folder.ok("sweep sweep.toml");
    let path = folder.path("sweep.db");
    let whole = fs::read(&path).unwrap();
    let mut random = Stream::new(2, Purpose::Test, 0);
    let mut named = 0;
    for round in 0..60 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(random.below(bytes.len() as u32) as usize);
        } else {
            let at = random.below(bytes.len() as u32 - 64) as usize;
            bytes[at..at + 64].fill_with(|| random.below(256) as u8);
        }
        fs::write(&path, bytes).unwrap();
        for args in ["runs compare sweep.db", "runs lineage sweep.db 1", "sweep sweep.toml"] {
            let Ran { code, stderr: said, .. } = folder.run(args);
            assert!(matches!(code, Some(0 | 1)), "{args}: {said}");
            assert!(
                code == Some(0) || said.lines().filter(|line| line.starts_with("error: ")).count() == 1,
                "{said}"
            );
            named +=
                u32::from(said.contains("is damaged: ") || said.contains("is not a database of sweeps: "));
        }
    }
    assert!(named > 30, "{named}");
}

#[cfg(feature = "tensorboard")]
#[test]
fn event_files_lie_beside_the_database() {
    let folder =
        folder("seeds = 2\n[base]\ndata = \"iris\"\nhidden = [\"8\"]\nsweeps = 3\n[vary]\nlevels = [2, 3]");
    folder.ok("sweep sweep.toml");
    // Those done before as well.
    folder.ok("sweep sweep.toml --tensorboard");
    let mut files = 0;
    for run in fs::read_dir(folder.path("sweep.tensorboard")).unwrap() {
        for seed in fs::read_dir(run.unwrap().path()).unwrap() {
            let bytes = fs::read(seed.unwrap().path().join("events.out.tfevents.evobit")).unwrap();
            assert!(bytes.windows(19).any(|bytes| bytes == b"accuracy/validation"));
            files += 1;
        }
    }
    assert_eq!(files, 4);
    folder.ok("train --data iris --tensorboard --out run");
    assert!(folder.path("run/events.out.tfevents.evobit").exists());
}
