//! `evobit bench time`: how long training takes to an accuracy.

use std::time::Instant;

use indicatif::ProgressBar;

use super::signals;
use super::table::{count, percent};
use super::{Failure, TimeArgs, print, read_settings, seconds};
use evobit_bench::{TimeError, TimeOptions, TimeReport, measure_time};
use evobit_search::Watch;
use evobit_train::Row;

/// Runs that one may ask for.
const MOST_SEEDS: u32 = 1000;

pub(super) fn run(args: &TimeArgs) -> Result<(), Failure> {
    let started = Instant::now();
    if args.targets.iter().any(|target| !(*target > 0.0 && *target <= 100.0)) {
        return Err(Failure::usage("--targets must be per cent of the test samples, such as 95,97"));
    }
    if !(1..=MOST_SEEDS).contains(&args.seeds) {
        return Err(Failure::usage(format!("--seeds must be 1 to {MOST_SEEDS}")));
    }
    let budget = args.budget.map(|value| seconds("--budget", value)).transpose()?;
    let mut settings = args.settings.clone();
    if let Some(path) = &args.config {
        settings = settings.or(read_settings(path)?);
    }
    let options = TimeOptions {
        settings,
        targets: args.targets.clone(),
        seeds: args.seeds,
        budget,
        backend: args.backend,
    };
    // Ctrl-C ends the run at hand, which counts, and leaves out those to come.
    signals::catch();
    let mut spinner = Spinner(ProgressBar::new_spinner());
    let report = measure_time(&options, started, &signals::interrupt(), &mut spinner);
    spinner.0.finish_and_clear();
    let report = report.map_err(|error| match &error {
        TimeError::Settings(_) | TimeError::NoTest(_) => Failure::usage(error),
        TimeError::Prepare(prepare) if prepare.is_setting() => Failure::usage(error),
        _ => error.into(),
    })?;
    if args.json {
        return print(&serde_json::to_string(&report)?);
    }
    print(table(&report).trim_end())
}

/// Shows how far a search is.
struct Spinner(ProgressBar);

impl Watch<Row> for Spinner {
    fn row(&mut self, row: &Row) {
        self.0.set_message(format!("sweep {}: training {}", row.sweep, percent(row.train_accuracy)));
        self.0.tick();
    }
}

fn table(report: &TimeReport) -> String {
    let mut text = format!(
        "{}: {} threads, {}; seconds from the start, data loading included, to an accuracy on test samples\n",
        report.data, report.threads, report.instructions
    );
    text += &format!("backend: {}", report.backend);
    if report.opening_seconds > 0.0 {
        text += &format!("; opening it took {:.1} seconds more", report.opening_seconds);
    }
    text += "\n\n";
    let cell = |seconds: Option<f64>| seconds.map_or("never".into(), |seconds| format!("{seconds:.1}"));
    let mut line = |name: String, cells: Vec<String>, rest: String| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>10}")).collect();
        text += &format!("  {name:10}{cells}{rest}\n");
    };
    let heads = report.targets.iter().map(|target| format!("{} %", target.accuracy)).collect();
    line("seed".into(), heads, "   all seconds  accuracy   model bytes".into());
    for seed in &report.seeds {
        let cells = seed.seconds_to.iter().map(|&seconds| cell(seconds)).collect();
        let (seconds, bytes) = (seed.seconds, count(seed.model_bytes as u64));
        let rest = format!("{seconds:>14.1} {:>9} {bytes:>13}", percent(seed.test_accuracy));
        line(seed.seed.to_string(), cells, rest);
    }
    let of = |value: fn(&evobit_bench::Target) -> Option<f64>| {
        report.targets.iter().map(|target| cell(value(target))).collect()
    };
    line("median".into(), of(|target| target.median), String::new());
    line("fastest".into(), of(|target| target.fastest), String::new());
    line("slowest".into(), of(|target| target.slowest), String::new());
    text
}
