//! What a database of sweeps holds: lists, comparisons, pictures, lineage.

use evobit::image::genome_checksum;
use serde_json::{Value, json};

use super::super::table::percent;
use super::super::{Failure, lineage, print};
use super::{LineageArgs, ListArgs, Over, PlotArgs};
use evobit_report::{Chart, Line};
use evobit_sweeps::{Database, Kept, Metric};

/// Characters of a configuration in a table.
const LABEL: usize = 60;

/// A share in per cent, or a dash.
pub(super) fn share(value: f64) -> String {
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
                "genome_crc": run.genome_crc, "model_bytes": run.model_bytes, "model_crc": run.model_crc, "stop": run.stop, "mutants": run.mutants,
                "seconds": number(run.seconds),
            });
            if args.test {
                object["test_accuracy"] = number(test);
            }
            object
        };
        return print(&json!({ "runs": runs.iter().map(object).collect::<Vec<_>>() }).to_string());
    }
    let held_out = if args.test { "     test" } else { "" };
    print(&format!("  run   seed  training  validation{held_out}   bytes  seconds  configuration"))?;
    for run in &runs {
        let [train, validation, test] = run.accuracy.map(share);
        let test = if args.test { format!(" {test:>8}") } else { String::new() };
        let (number, seed) = (run.run, run.seed);
        let (bytes, seconds, rest) = match &run.error {
            Some(error) => ("-".into(), "-".into(), format!("{} failed: {error}", run.varied)),
            None => (run.model_bytes.to_string(), format!("{:.1}", run.seconds), short(&run.varied)),
        };
        print(&format!(
            "{number:5} {seed:6}  {train:>8}  {validation:>10}{test} {bytes:>8} {seconds:>8}  {}",
            rest.trim_start()
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
    // Of those that chose equally well the one that learned better.
    let key = |known: &Configuration| [known.part(), 0].map(|part| known.spread(part)[0]);
    all.sort_by(|a, b| {
        let [a, b] = [key(a), key(b)];
        b[0].total_cmp(&a[0]).then(b[1].total_cmp(&a[1]))
    });
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
    let held_out = if args.test { "  test               " } else { "" };
    print(&format!(
        "seeds  training            validation         {held_out}   bytes  seconds  configuration"
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
    all.truncate(args.most.into());
    let chart = |title: &str| Chart { title: title.into(), lines: vec![] };
    let mut charts = vec![chart("training accuracy, per cent"), chart("accuracy that chooses, per cent")];
    for known in &all {
        for run in &known.runs {
            let metrics = database.metrics(run.run)?;
            let x = |metric: &Metric| match args.over {
                Over::Mutants => metric.mutants as f64,
                Over::Sweeps => f64::from(metric.sweep),
                Over::Seconds => metric.seconds,
            };
            for (part, chart) in charts.iter_mut().enumerate() {
                let y = |metric: &Metric| 100.0 * [metric.train[1], metric.validation[1]][part];
                let points = metrics.iter().map(|metric| (x(metric), y(metric))).collect();
                chart.lines.push(Line { name: short(&known.label), points });
            }
        }
    }
    // Where nothing chose, there is one panel.
    charts.retain(|chart| chart.lines.iter().flat_map(|line| &line.points).any(|(_, y)| y.is_finite()));
    let out = args.out.clone().unwrap_or_else(|| args.database.with_extension("svg"));
    let over = match args.over {
        Over::Mutants => "mutants scored",
        Over::Sweeps => "sweeps or generations",
        Over::Seconds => "seconds",
    };
    evobit_report::lines(&out, over, &charts)?;
    print(&format!("{}: {} configurations", out.display(), all.len()))
}

pub(super) fn lineage(args: &LineageArgs) -> Result<(), Failure> {
    let database = Database::read(&args.database)?;
    let runs = database.runs()?;
    let refused = |message: String| Err(Failure { code: 1, message });
    let path = args.database.display();
    let Some(run) = runs.iter().find(|run| run.run == args.run) else {
        return refused(format!(
            "{path}: has no run {}: `evobit runs list {path}` shows which there are",
            args.run
        ));
    };
    let Some(winner) = database.winner(run.run)? else {
        return refused(format!(
            "{path}: run {} has no lineage, it had no islands: `islands = 4` under [base] makes some",
            run.run
        ));
    };
    let crc = winner.ancestry.genome().map(|genome| format!("{:08x}", genome_checksum(&genome)));
    lineage::show(&winner, crc.as_ref() == Some(&run.genome_crc), args.json)
}
