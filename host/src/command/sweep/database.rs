//! Sweeps into a database.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::signals::{self, interrupted};
use super::super::{Failure, print, tell};
use super::SweepArgs;
use super::runs::share;
use evobit_sweeps::{Database, DatabaseError, Metric, Plan, Planned, Results, Sources, side_by_side};

pub(super) use super::runs::{compare, lineage, list, plot};

pub(super) fn sweep(args: &SweepArgs, plan: &Plan, jobs: usize) -> Result<(), Failure> {
    let path = args.database.clone().unwrap_or_else(|| args.plan.with_extension("db"));
    let (sources, is_new) = (Sources::default(), !path.exists());
    let looked_at = |runs: &[Planned]| {
        // Of random draws some may be such as cannot be: they fail one by one.
        if plan.random { Ok(()) } else { check(runs, &sources, &args.plan) }
    };
    if is_new {
        // Before there is a database: what cannot be leaves nothing behind.
        looked_at(&plan.runs)?;
    }
    let mut database = Database::write(&path)?;
    let mut todo: Vec<Planned> = vec![];
    for run in &plan.runs {
        if database.number(run)?.is_none() {
            todo.push(run.clone());
        }
    }
    let events = args.tensorboard.then(|| path.with_extension("tensorboard"));
    if let Some(events) = &events {
        write_missing(&database, plan, events)?;
    }
    if !is_new {
        looked_at(&todo)?;
    }
    let there = plan.runs.len() - todo.len();
    let before = if there == 0 { String::new() } else { format!(", {there} of them done before") };
    tell(&format!("{}{before}; {jobs} at a time, results in {}", runs(plan.runs.len()), path.display()));
    let came = work(&todo, &sources, jobs, &mut database, events.as_deref())?;
    let left = todo.len() - came.done - came.failed.len();
    if args.json {
        let object = json!({
            "runs": plan.runs.len(), "done": came.done, "before": there, "failed": came.failed, "left": left,
            "database": path.display().to_string(),
        });
        print(&object.to_string())?;
    } else {
        let left = if left == 0 { String::new() } else { format!(", {left} left: the same command goes on") };
        print(&format!("{} done, {there} before, {} failed{left}", runs(came.done), came.failed.len()))?;
        print(&format!("next: evobit runs compare {}", path.display()))?;
    }
    let failed = runs(came.failed.len());
    match came.failed.first() {
        None => Ok(()),
        Some(first) => Err(Failure { code: 1, message: format!("{failed} failed, the first: {first}") }),
    }
}

/// What came of the runs of a sweep.
#[derive(Default)]
struct Came {
    done: usize,
    /// Which failed, and why.
    failed: Vec<String>,
}

/// Carries out runs and keeps what comes of them.
fn work(
    todo: &[Planned],
    sources: &Sources,
    jobs: usize,
    database: &mut Database,
    events: Option<&Path>,
) -> Result<Came, Failure> {
    signals::catch();
    let bar = bar(todo.len());
    let (mut came, mut refused) = (Came::default(), None);
    side_by_side(todo, sources, jobs, &signals::interrupt(), |run, results| {
        let name = format!("{} seed={}", run.label(), run.seed);
        let name = name.trim_start();
        match &results {
            Err(reason) => came.failed.push(format!("{name}: {reason}")),
            Ok(results) => {
                came.done += 1;
                say(&bar, &format!("{name}: {}", share(results.accuracy[1])));
            }
        }
        bar.inc(1);
        let written = match (events, &results) {
            (Some(events), Ok(results)) => write_events(events, run, &results.metrics),
            _ => Ok(()),
        };
        let kept = keep(database, run, &results, &bar).map_err(Failure::from);
        refused = kept.and(written).err();
        refused.is_none()
    });
    bar.finish_and_clear();
    refused.map_or(Ok(came), Err)
}

fn runs(count: usize) -> String {
    if count == 1 { "1 run".into() } else { format!("{count} runs") }
}

/// Refuses a plan with configurations that cannot be, before anything is run.
fn check(todo: &[Planned], sources: &Sources, plan: &Path) -> Result<(), Failure> {
    let mut wrong = vec![];
    // Runs of one configuration follow each other, and a seed makes none wrong.
    for runs in todo.chunk_by(|one, other| one.settings == other.settings) {
        if let Err(reason) = sources.check(&runs[0]) {
            wrong.push(format!("{}: {reason}", runs[0].label()));
        }
    }
    let Some(first) = wrong.first() else { return Ok(()) };
    let first = first.trim_start_matches(": ");
    let further = match wrong.len() {
        1 => String::new(),
        count => format!(" (and {} more configurations)", count - 1),
    };
    Err(Failure::usage(format!("{}: nothing was run: {first}{further}", plan.display())))
}

/// Writes the event files of runs that were done before and have none.
fn write_missing(database: &Database, plan: &Plan, events: &Path) -> Result<(), Failure> {
    for run in &plan.runs {
        if let Some(number) = database.number(run)?
            && !events.join(run.folder()).exists()
        {
            write_events(events, run, &database.metrics(number)?)?;
        }
    }
    Ok(())
}

fn write_events(events: &Path, run: &Planned, metrics: &[Metric]) -> Result<(), Failure> {
    Metric::write_all(&events.join(run.folder()), metrics)?;
    Ok(())
}

fn bar(runs: usize) -> ProgressBar {
    let bar = ProgressBar::new(runs as u64);
    let style = "{elapsed_precise} {bar:30.cyan} {pos} of {len} runs, {eta} left  {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    // Runs may take minutes each.
    bar.enable_steady_tick(std::time::Duration::from_secs(1));
    bar
}

/// Shows a run that has ended: in the bar, or where there is no terminal for it, on a line.
fn say(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() { tell(line) } else { bar.set_message(line.to_owned()) }
}

/// Keeps what came of a run. While another program holds the database, waits for it to let go.
fn keep(
    database: &mut Database,
    run: &Planned,
    results: &Result<Results, String>,
    bar: &ProgressBar,
) -> Result<(), DatabaseError> {
    let mut told = false;
    loop {
        match database.keep(run, results) {
            Err(DatabaseError::Locked { path }) if !interrupted() => {
                if !std::mem::replace(&mut told, true) {
                    let name = path.display();
                    bar.suspend(|| {
                        tell(&format!("{name}: another program holds it: waiting until it lets go"));
                    });
                }
            }
            kept => return kept,
        }
    }
}
