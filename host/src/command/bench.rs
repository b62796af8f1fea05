//! `evobit bench`: what this machine does.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar};

use super::table::{count, percent};
use super::{BenchArgs, BenchCommand, Failure, bench_time, print, tell};
use evobit_bench::{BenchError, Figures, Report, measure};
#[cfg(feature = "cuda")]
use evobit_bench::{GpuOptions, GpuReport, measure_gpu};
use evobit_compute::{Accelerator, Backend, Work};
use evobit_data::{LoadOptions, Loaded, load};

/// The longest that one may ask for.
const MOST_SECONDS: f64 = 3600.0;

pub(super) fn run(args: &BenchArgs) -> Result<(), Failure> {
    if let Some(BenchCommand::Time(args)) = &args.what {
        return bench_time::run(args);
    }
    // Also false for what is no number.
    if !(args.seconds > 0.0 && args.seconds <= MOST_SECONDS) {
        return Err(Failure::usage(format!("--seconds must be more than 0, up to {MOST_SECONDS}")));
    }
    let source = args.data.as_deref().unwrap_or("digits");
    // Drawn only on a terminal.
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner.set_message("reading the data");
    let loaded = load(source, &LoadOptions::default())?;
    // Before levels are chosen, of which images have one or more.
    let bits = (loaded.train.samples() * loaded.train.features()) as u64;
    let accelerator = Accelerator::open(args.backend, &Work { suits_gpus: true, bits, islands: vec![] })?
        .noting(super::tell);
    if args.backend == Backend::Auto {
        tell(&format!("backend: {}", accelerator.description()));
    }
    if accelerator.is_gpu() {
        return run_on_gpu(args, &loaded, source, &accelerator, &spinner);
    }
    let report = measure(&loaded, source, args.seconds, &|doing| spinner.set_message(doing.to_owned()));
    spinner.finish_and_clear();
    let report = report.map_err(failure)?;
    if args.json {
        return print(&serde_json::to_string(&report)?);
    }
    print(table(&report).trim_end())
}

fn failure(error: BenchError) -> Failure {
    match error {
        BenchError::NoImages | BenchError::Settings(_) => Failure::usage(error),
        _ => error.into(),
    }
}

#[cfg(feature = "cuda")]
fn run_on_gpu(
    args: &BenchArgs,
    loaded: &Loaded,
    source: &str,
    accelerator: &Accelerator,
    spinner: &ProgressBar,
) -> Result<(), Failure> {
    let options = GpuOptions::new(loaded, args.seconds).map_err(failure)?;
    let doing = |doing: &str| spinner.set_message(doing.to_owned());
    let report = measure_gpu(loaded, source, accelerator, &options, &doing);
    spinner.finish_and_clear();
    let report = report.map_err(failure)?;
    if args.json {
        return print(&serde_json::to_string(&report)?);
    }
    print(gpu_table(&report).trim_end())
}

/// Without CUDA there is no GPU.
#[cfg(not(feature = "cuda"))]
fn run_on_gpu(
    _: &BenchArgs,
    _: &Loaded,
    _: &str,
    accelerator: &Accelerator,
    _: &ProgressBar,
) -> Result<(), Failure> {
    Err(Failure::usage(accelerator.description()))
}

#[cfg(feature = "cuda")]
fn gpu_table(report: &GpuReport) -> String {
    let ceiling = |ceiling: Option<f64>| ceiling.map_or("none".into(), short);
    let mut text = format!("{}: {}; {} threads\n\n", report.data, report.device, report.threads);
    for (name, value) in [
        ("bit operations by population counts, a second", short(report.ceiling_counts)),
        ("  on tensor cores, exclusive or", ceiling(report.ceiling_differ)),
        ("  on tensor cores, and", ceiling(report.ceiling_both)),
    ] {
        text += &format!("  {name:52} {value:>12}\n");
    }
    for of in &report.networks {
        text += &format!(
            "\n  {}, {} samples, {} of them right\n",
            of.hidden,
            count(of.samples as u64),
            percent(of.train_accuracy)
        );
        for (name, value) in [
            ("mutants scored exactly, a second", of.mutants_per_second),
            ("  brought to the host", of.mutants_per_second_read),
            ("  in blocks as training visits them", of.mutants_per_second_blocks),
            ("  of eight networks at once", of.mutants_per_second_together),
            ("  on the processor", of.mutants_per_second_cpu),
            ("the whole network on all samples, a second, processor", of.evaluations_per_second_cpu),
        ] {
            text += &format!("  {name:52} {:>12}\n", short(value));
        }
        for form in &of.population {
            let name = format!("  as a population on the GPU, {}", form.form);
            let (bits, share) = (short(form.bit_operations_per_second), percent(form.of_ceiling_counts));
            text += &format!(
                "  {name:52} {:>12}  {bits} bit operations, {share} of the ceiling of counts\n",
                short(form.evaluations_per_second)
            );
        }
    }
    if let Some(training) = &report.training {
        let [ninety, ninety_five, ninety_seven] = training
            .seconds_to
            .map(|seconds| seconds.map_or("never".into(), |seconds| format!("{seconds:.2} s")));
        text += &format!(
            "\n  {}: 90 % of the validation samples after {ninety}, 95 % after {ninety_five}, 97 % after {ninety_seven}\n",
            training.hidden
        );
    }
    text
}

/// Four digits, and a letter for what they are multiplied by.
fn short(number: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let unit = UNITS.into_iter().find(|&(unit, _)| number >= unit);
    let (unit, name) = unit.unwrap_or((1.0, ""));
    format!("{:.*}{name}", if number / unit < 100.0 { 1 } else { 0 }, number / unit)
}

/// One figure as text.
type Show<'a> = &'a dyn Fn(&Figures) -> String;

fn table(report: &Report) -> String {
    let (dense, windows) = (&report.dense, &report.windows);
    let times = |ratio: f64| format!("{} x", HumanCount(ratio.round() as u64));
    let rows: [(&str, Show<'_>); 11] = [
        ("hidden layer", &|of| of.hidden.clone()),
        ("training accuracy at the checkpoint", &|of| percent(of.train_accuracy)),
        ("samples on a neuron's boundary", &|of| percent(of.boundary_share)),
        ("mutants scored exactly, a second", &|of| short(of.mutants_per_second)),
        ("the whole network on all samples, a second", &|of| short(of.full_evaluations_per_second)),
        ("  bit operations, a second", &|of| short(of.baseline_bit_operations_per_second)),
        ("  the spectrum scores so many times as many", &|of| times(of.ratio_full)),
        ("one neuron on all samples, a second", &|of| short(of.neuron_evaluations_per_second)),
        ("  the spectrum scores so many times as many", &|of| times(of.ratio_neuron)),
        ("samples classified, a second", &|of| short(of.inference_samples_per_second)),
        ("  on one thread", &|of| short(of.inference_samples_per_second_one_thread)),
    ];
    let mut text = format!(
        "{}: {} samples; {} threads; spectra by {}, the rest by {}\n\n",
        report.data,
        count(dense.samples as u64),
        report.threads,
        report.instructions,
        report.baseline_instructions
    );
    for (name, value) in rows {
        text += &format!("  {name:44} {:>12}  {:>12}\n", value(dense), value(windows));
    }
    let small = &report.small;
    text += &format!(
        "\n  samples classified by a network of --preset small ({}), a second: {}, on one thread {}\n",
        small.hidden,
        short(small.inference_samples_per_second),
        short(small.inference_samples_per_second_one_thread)
    );
    text += "\n  training with default settings, seconds to a validation accuracy of\n";
    let time = &report.time_to_accuracy;
    for (name, seconds) in [("90 %", time.ninety), ("95 %", time.ninety_five), ("97 %", time.ninety_seven)] {
        let seconds = seconds.map_or("not in time".into(), |seconds| format!("{seconds:.1}"));
        text += &format!("  {name:44} {seconds:>12}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.5, 12.34, 999.0, 1000.0, 20_400_000.0, 1.5e12];
        assert_eq!(numbers.map(short), ["0.5", "12.3", "999", "1.0 k", "20.4 M", "1.5 T"]);
    }
}
