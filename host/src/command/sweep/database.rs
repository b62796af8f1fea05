//! Sweeps into a database, and what it holds.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::super::progress::{catch_interrupts, interrupted};
use super::super::table::percent;
use super::super::{Failure, print, tell};
use super::{ListArgs, Over, PlotArgs, SweepArgs};
use crate::report::{self, Chart, Line};
use crate::sweep::{Database, DatabaseError, Kept, Metric, Plan, Planned, side_by_side};

/// Characters of a configuration in a table.
const LABEL: usize = 60;

pub(super) fn sweep(args: &SweepArgs, plan: &Plan, jobs: usize) -> Result<(), Failure> {
    let path = args.database.clone().unwrap_or_else(|| args.plan.with_extension("db"));
    let mut database = Database::write(&path)?;
    let mut todo: Vec<Planned> = vec![];
    for run in &plan.runs {
        if !database.has(run)? {
            todo.push(run.clone());
        }
    }
    let there = plan.runs.len() - todo.len();
    let before = if there == 0 { String::new() } else { format!(", {there} of them done before") };
    tell(&format!("{} runs{before}; {jobs} at a time, results in {}", plan.runs.len(), path.display()));
    catch_interrupts();
    let bar = ProgressBar::new(todo.len() as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed_precise} {bar:30.cyan} {pos} of {len} runs, {eta} left  {msg}")
    {
        bar.set_style(style);
    }
    let (mut failed, mut done) = (vec![], 0usize);
    let mut refused: Option<DatabaseError> = None;
    side_by_side(&todo, jobs, &interrupted, |run, results| {
        if let Err(reason) = &results {
            failed.push(format!("{} seed={}: {reason}", run.label(), run.seed));
        } else {
            done += 1;
        }
        bar.inc(1);
        if let Ok(results) = &results {
            let [_, validation, _] = results.accuracy;
            bar.set_message(format!("{} seed={}: {}", run.label(), run.seed, share(validation)));
        }
        match database.keep(run, &results) {
            Ok(()) => true,
            Err(error) => {
                refused = Some(error);
                false
            }
        }
    });
    bar.finish_and_clear();
    if let Some(error) = refused {
        return Err(error.into());
    }
    let left = todo.len() - done - failed.len();
    if args.json {
        let object = json!({
            "runs": plan.runs.len(), "done": done, "before": there, "failed": failed, "left": left,
            "database": path.display().to_string(),
        });
        print(&object.to_string())?;
    } else {
        let left = if left == 0 { String::new() } else { format!(", {left} left: the same command goes on") };
        print(&format!("{done} runs done, {there} before, {} failed{left}", failed.len()))?;
        print(&format!("next: host runs compare {}", path.display()))?;
    }
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(Failure {
            code: 1,
            message: format!("{} runs failed, the first of them: {first}", failed.len()).replace('\n', " "),
        }),
    }
}

/// A share in per cent, or a dash.
fn share(value: f64) -> String {
    if value.is_nan() { "-".into() } else { percent(value) }
}

/// A number of JSON, null where there is none.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(LABEL).collect();
    if cut.len() < text.len() { format!("{cut}...") } else { cut }
}

pub(super) fn list(args: &ListArgs) -> Result<(), Failure> {
    let runs = Database::read(&args.database)?.runs()?;
    if args.json {
        let object = |run: &Kept| {
            let [train, validation, test] = run.accuracy;
            let mut object = json!({
                "run": run.run, "configuration": run.configuration, "varied": run.varied, "seed": run.seed,
                "error": run.error, "train_accuracy": number(train), "validation_accuracy": number(validation),
                "model_bytes": run.model_bytes, "model_crc": run.model_crc, "mutants": run.mutants,
                "seconds": number(run.seconds),
            });
            if args.test {
                object["test_accuracy"] = number(test);
            }
            object
        };
        return print(&json!({ "runs": runs.iter().map(object).collect::<Vec<_>>() }).to_string());
    }
    let held_out = if args.test { " held out" } else { "" };
    print(&format!("  run   seed  training  choosing {held_out}   bytes  seconds  configuration"))?;
    for run in &runs {
        let [train, validation, test] = run.accuracy.map(share);
        let test = if args.test { format!(" {test:>8}") } else { String::new() };
        let rest = run.error.as_ref().map_or_else(|| short(&run.varied), |error| format!("failed: {error}"));
        let Kept { run: number, seed, model_bytes, seconds, .. } = run;
        print(&format!(
            "{number:5} {seed:6}  {train:>8}  {validation:>8}{test} {model_bytes:8} {seconds:8.1}  {rest}"
        ))?;
    }
    Ok(())
}

/// The runs of a configuration.
struct Configuration {
    label: String,
    configuration: String,
    runs: Vec<Kept>,
}

impl Configuration {
    /// Mean, standard deviation, lowest and highest of an accuracy over seeds.
    fn spread(&self, part: usize) -> [f64; 4] {
        let values: Vec<f64> = self.runs.iter().map(|run| run.accuracy[part]).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if values.len() < 2 { 0.0 } else { (squares / (count - 1.0)).sqrt() };
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        [mean, deviation, lowest, highest]
    }

    /// What it is ranked by: what chose between genomes, or where nothing did, the training samples.
    fn part(&self) -> usize {
        usize::from(self.runs.iter().all(|run| !run.accuracy[1].is_nan()))
    }
}

/// The configurations of a database without the runs that failed, the best first.
fn configurations(runs: Vec<Kept>) -> Vec<Configuration> {
    let mut all: Vec<Configuration> = vec![];
    for run in runs.into_iter().filter(|run| run.error.is_none()) {
        match all.iter_mut().find(|known| known.configuration == run.configuration) {
            Some(known) => known.runs.push(run),
            None => {
                let (label, configuration) = (run.varied.clone(), run.configuration.clone());
                all.push(Configuration { label, configuration, runs: vec![run] });
            }
        }
    }
    // Sweeps that vary the same over different bases are told apart by all that is set.
    let labels: Vec<String> = all.iter().map(|known| known.label.clone()).collect();
    for known in &mut all {
        if labels.iter().filter(|label| **label == known.label).count() > 1 {
            known.label.clone_from(&known.configuration);
        }
    }
    all.sort_by(|a, b| b.spread(b.part())[0].total_cmp(&a.spread(a.part())[0]));
    all
}

pub(super) fn compare(args: &ListArgs) -> Result<(), Failure> {
    let all = configurations(Database::read(&args.database)?.runs()?);
    if args.json {
        let spread = |[mean, deviation, lowest, highest]: [f64; 4]| json!({ "mean": number(mean), "deviation": number(deviation), "lowest": number(lowest), "highest": number(highest) });
        let object = |known: &Configuration| {
            let mut object = json!({
                "configuration": known.configuration, "varied": known.label, "seeds": known.runs.len(),
                "train": spread(known.spread(0)), "validation": spread(known.spread(1)),
            });
            if args.test {
                object["test"] = spread(known.spread(2));
            }
            object
        };
        return print(&json!({ "configurations": all.iter().map(object).collect::<Vec<_>>() }).to_string());
    }
    let held_out = if args.test { "  held out           " } else { "" };
    print(&format!(
        "seeds  training            choosing           {held_out}   bytes  seconds  configuration"
    ))?;
    for known in &all {
        let cell = |part: usize| {
            let [mean, deviation, lowest, _] = known.spread(part).map(|value| 100.0 * value);
            if mean.is_nan() { "-".into() } else { format!("{mean:.2} +- {deviation:.2} ({lowest:.1})") }
        };
        let mean =
            |value: fn(&Kept) -> f64| known.runs.iter().map(value).sum::<f64>() / known.runs.len() as f64;
        let test = if args.test { format!("  {:<19}", cell(2)) } else { String::new() };
        print(&format!(
            "{:5}  {:<19} {:<19}{test} {:7.0} {:8.1}  {}",
            known.runs.len(),
            cell(0),
            cell(1),
            mean(|run| run.model_bytes as f64),
            mean(|run| run.seconds),
            short(&known.label)
        ))?;
    }
    print("per cent: mean +- standard deviation over seeds (lowest)")
}

pub(super) fn plot(args: &PlotArgs) -> Result<(), Failure> {
    let database = Database::read(&args.database)?;
    let mut all = configurations(database.runs()?);
    all.truncate(args.most);
    let mut chart = Chart { title: "accuracy that chooses, per cent".into(), lines: vec![] };
    for known in &all {
        for run in &known.runs {
            let metrics = database.metrics(run.run)?;
            let x = |metric: &Metric| match args.over {
                Over::Mutants => metric.mutants as f64,
                Over::Sweeps => f64::from(metric.sweep),
                Over::Seconds => metric.seconds,
            };
            let y = |metric: &Metric| 100.0 * [metric.train[1], metric.validation[1]][known.part()];
            let points = metrics.iter().map(|metric| (x(metric), y(metric))).collect();
            chart.lines.push(Line { name: short(&known.label), points });
        }
    }
    let out = args.out.clone().unwrap_or_else(|| args.database.with_extension("svg"));
    let over = match args.over {
        Over::Mutants => "mutants scored",
        Over::Sweeps => "sweeps or generations",
        Over::Seconds => "seconds",
    };
    draw(&out, over, chart)?;
    print(&format!("{}: {} configurations", out.display(), all.len()))
}

fn draw(path: &Path, over: &str, chart: Chart) -> Result<(), Failure> {
    Ok(report::lines(path, over, &[chart])?)
}
