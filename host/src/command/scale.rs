//! `evobit scale`: what more islands of a run would need, from its messages and its migration graph.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::table::{count, lines};
use super::{Failure, print, read_settings};
use evobit_train::islands::simulation::{Needs, Plan, coordinator_time, needs};
use evobit_train::islands::traffic::{ParcelKind, TRAFFIC, Traffic};
use evobit_train::settings::{GraphKind, Settings};

/// Islands that can be asked for: the tables of the simulation fit into memory.
const MOST_ISLANDS: u32 = 1_000_000;

/// Arguments of `scale`.
#[derive(Args, Debug)]
pub struct ScaleArgs {
    /// The folder of a run of islands that has finished, such as runs/digits-1
    pub run: PathBuf,
    /// Islands to simulate, separated by commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10, 1000, 100_000])]
    pub islands: Vec<u32>,
    /// Seconds that an island takes for an epoch [default: those that the best island of the run took for its sweeps, in the mean]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub epoch_seconds: Option<f64>,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
}

/// A run as its folder tells of it.
struct Measured {
    settings: Settings,
    traffic: Traffic,
    /// Of an epoch of an island.
    seconds: f64,
}

pub(super) fn run(args: &ScaleArgs) -> Result<(), Failure> {
    let Measured { settings, traffic, seconds } = measured(args)?;
    if let Some(wrong) = args.islands.iter().find(|islands| !(2..=MOST_ISLANDS).contains(*islands)) {
        return Err(Failure::usage(format!("--islands must be 2 to {MOST_ISLANDS}, not {wrong}")));
    }
    let rows =
        traffic.total(ParcelKind::Row).messages.div_ceil(traffic.total(ParcelKind::Saved).messages.max(1));
    let kind = settings.graph.unwrap_or(GraphKind::Ring);
    let plan = |islands| Plan {
        kind,
        islands,
        seed: settings.seed.unwrap_or(1),
        latency: settings.latency.unwrap_or(1),
        rows: u32::try_from(rows).unwrap_or(u32::MAX).min(1000),
    };
    let mut all = vec![];
    let mut text = String::new();
    for &islands in &args.islands {
        let plan = plan(islands);
        let (needs, time) = (needs(plan, &traffic), coordinator_time(plan).as_secs_f64());
        if !args.json {
            text += &format!("{} islands\n{}\n", count(islands.into()), table(&needs, seconds, time));
        }
        all.push(json!({
            "islands": islands, "needs": needs, "coordinator_seconds_per_epoch": time,
            "island_bytes_per_second": needs.island_bytes as f64 / seconds,
            "bytes_per_second": needs.bytes as f64 / seconds,
            "coordinator_bytes_per_second": needs.coordinator_bytes.map(|bytes| bytes as f64 / seconds),
            "checkpoint_bytes_per_second": needs.checkpoint_bytes as f64 / seconds,
        }));
    }
    let migrants: Vec<u64> =
        (0..traffic.epochs()).map(|epoch| traffic.of(ParcelKind::Migrant, epoch).each()).collect();
    if args.json {
        let json = json!({
            "graph": kind, "epoch_seconds": seconds, "migrant_bytes_by_epoch": migrants, "scales": all,
        });
        return print(&json.to_string());
    }
    let each = |kind| traffic.total(kind).each();
    let header = lines(&[
        ("graph", serde_json::to_value(kind)?.as_str().unwrap_or_default().to_string()),
        ("an epoch", format!("{seconds:.3} s of an island")),
        (
            "a migrant",
            format!("{} bytes in the mean, by epoch: {}", each(ParcelKind::Migrant), shortened(&migrants)),
        ),
        (
            "an island to the first process",
            format!(
                "{rows} rows of {} bytes and {} in an epoch, {} at the end",
                each(ParcelKind::Row),
                each(ParcelKind::Saved),
                count(each(ParcelKind::Finished))
            ),
        ),
        ("a checkpoint", format!("{} bytes", count(each(ParcelKind::Checkpoint)))),
    ]);
    print(format!("{header}\n{text}").trim_end())
}

/// What the run folder says.
fn measured(args: &ScaleArgs) -> Result<Measured, Failure> {
    let (path, shown) = (args.run.join(TRAFFIC), args.run.display());
    if !path.exists() {
        return Err(Failure::usage(format!(
            "{shown}: has no {TRAFFIC}: give the folder of a run that has finished, made with --islands"
        )));
    }
    let failed = |message| Failure { code: 1, message };
    let traffic = Traffic::read(&path).map_err(failed)?;
    if traffic.total(ParcelKind::Migrant).messages == 0 || traffic.total(ParcelKind::Saved).messages == 0 {
        return Err(failed(format!(
            "{shown}: nothing migrated in this run: give one of at least two islands"
        )));
    }
    let settings = read_settings(&args.run.join("config.toml"))?;
    let seconds = match args.epoch_seconds {
        Some(seconds) => seconds,
        None => seconds_of_a_sweep(&args.run.join("metrics.csv"))? * f64::from(settings.epoch.unwrap_or(1)),
    };
    if !(seconds.is_finite() && seconds > 0.0) {
        return Err(Failure::usage("--epoch-seconds must be a number of seconds such as 0.5"));
    }
    Ok(Measured { settings, traffic, seconds })
}

/// The mean over all sweeps that the metrics tell of.
fn seconds_of_a_sweep(metrics: &std::path::Path) -> Result<f64, Failure> {
    let failed = || Failure {
        code: 1,
        message: format!(
            "{}: tells of no sweeps: say with --epoch-seconds how long an epoch takes",
            metrics.display()
        ),
    };
    let mut reader = csv::Reader::from_path(metrics).map_err(|_| failed())?;
    let last = reader.records().filter_map(Result::ok).last().ok_or_else(failed)?;
    let field = |index: usize| last.get(index)?.parse::<f64>().ok();
    let (sweeps, seconds) = field(1).zip(field(3)).ok_or_else(failed)?;
    if sweeps > 0.0 && seconds > 0.0 { Ok(seconds / sweeps) } else { Err(failed()) }
}

fn table(needs: &Needs, seconds: f64, time: f64) -> String {
    let rate = |bytes: u64| format!("{} bytes/s", count((bytes as f64 / seconds).round() as u64));
    let [to, from] = needs.coordinator_bytes;
    let [to_messages, from_messages] = needs.coordinator_messages;
    let [half, all] = needs.takeover;
    lines(&[
        (
            "an island sends",
            format!(
                "{} in the mean, {} at its peak, to {} islands",
                rate(needs.island_bytes),
                rate(needs.island_peak_bytes),
                count(needs.targets)
            ),
        ),
        ("all together", format!("{}, {} messages an epoch", rate(needs.bytes), count(needs.migrants))),
        ("an island remembers", format!("{} genomes", count(needs.genomes))),
        (
            "the first process",
            format!(
                "receives {} in {} messages an epoch, sends {} in {}",
                rate(to),
                count(to_messages),
                rate(from),
                count(from_messages)
            ),
        ),
        ("its work", format!("{:.3} ms an epoch, {:.2} % of it", 1e3 * time, 100.0 * time / seconds)),
        ("it keeps at the end", format!("{} bytes", count(needs.finish_bytes))),
        ("checkpoints", rate(needs.checkpoint_bytes)),
        (
            "the best can be",
            format!(
                "on half of the islands after {} epochs, on all after {}",
                count(half.into()),
                count(all.into())
            ),
        ),
    ])
}

/// The first and the last of many.
fn shortened(numbers: &[u64]) -> String {
    let words = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<String>>().join(" ");
    if numbers.len() <= 12 {
        return words(numbers);
    }
    format!("{} ... {}", words(&numbers[..6]), words(&numbers[numbers.len() - 3..]))
}
