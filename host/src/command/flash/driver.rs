//! What `evobit flash` does with debug probes.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::{Failure, FlashArgs, print};
use evobit_boards::microcontroller::Plan;
use evobit_boards::probe::{self, Job, ProbeFailure, Step};

/// Shows the probes that are plugged in.
pub(super) fn list(json: bool) -> Result<(), Failure> {
    let probes = probe::list();
    if json {
        let probes: Vec<_> = probes
            .iter()
            .map(|probe| json!({ "name": probe.name, "probe": probe.selector, "accessible": probe.accessible }))
            .collect();
        return print(&json!({ "probes": probes }).to_string());
    }
    if probes.is_empty() {
        return Err(ProbeFailure::NoProbe.into());
    }
    for probe in &probes {
        print(&format!("{}  {}", probe.selector, probe.name))?;
    }
    match probes.into_iter().find(|probe| !probe.accessible) {
        Some(probe) => Err(ProbeFailure::Permission(probe.name).into()),
        None => Ok(()),
    }
}

/// Whether there is a probe to write with.
pub(super) fn ready(probe: Option<&str>) -> Result<(), Failure> {
    probe::choose(probe)?;
    Ok(())
}

pub(super) fn detect(probe: Option<&str>) -> Result<String, Failure> {
    Ok(probe::detect(probe)?)
}

/// Writes, under a progress bar.
pub(super) fn write(args: &FlashArgs, chip: &str, plan: &Plan) -> Result<(), Failure> {
    let job = Job {
        probe: args.probe.clone(),
        chip: chip.to_owned(),
        insist: args.chip.is_some(),
        unlock: args.unlock,
    };
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:30.cyan} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    let written = probe::flash(&job, plan, &mut |step| match step {
        Step::Ahead(bytes) => bar.inc_length(bytes),
        Step::Begins(what) => bar.set_message(what),
        Step::Done(bytes) => bar.inc(bytes),
    });
    bar.finish_and_clear();
    Ok(written?)
}
