//! Microcontrollers on a debug probe, through probe-rs.

use std::error::Error;

use probe_rs::architecture::arm::ArmError;
use probe_rs::config::{MemoryRegion, Registry, TargetSelector};
use probe_rs::flashing::{
    DownloadOptions, FlashError, FlashLoader, FlashProgress, ProgressEvent, ProgressOperation, erase,
};
use probe_rs::probe::list::{Accessibility, Lister, ProbeListItem};
use probe_rs::probe::{DebugProbeSelector, Probe};
use probe_rs::{Permissions, Session};

use super::microcontroller::Plan;

/// Why a board on a probe was not flashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeFailure {
    /// No probe is seen.
    #[error(
        "no debug probe was found: plug the board in, and where it is (`lsusb` shows it) let users reach probes with the udev rules of \
         https://probe.rs/docs/getting-started/probe-setup"
    )]
    NoProbe,
    /// One is there that the user may not use.
    #[error(
        "{0}: no permission to use it: put the udev rules of https://probe.rs/docs/getting-started/probe-setup into /etc/udev/rules.d, run `sudo \
         udevadm control --reload` and `sudo udevadm trigger`, then plug it in again"
    )]
    Permission(String),
    /// What was said of the probe chooses none.
    #[error("no probe is `{0}`: `evobit flash --list` shows what to give with --probe")]
    Selector(String),
    /// More than one is there.
    #[error("there are {} probes: choose one with --probe: {}", .0.len(), .0.join(", "))]
    Several(Vec<String>),
    /// It is there and does not open.
    #[error("{probe}: does not open ({cause}): end other programs that use it, or plug it in again")]
    Busy {
        /// The probe.
        probe: String,
        /// What it said.
        cause: String,
    },
    /// No chip, or an unknown one.
    #[error(
        "{0}: cannot tell which chip is on it: check power and wires, and name the board, such as --board probe:pico2 (a locked chip is not seen either)"
    )]
    Undetected(String),
    /// probe-rs knows no such chip.
    #[error("no chip `{0}` is known: give one by the name that probe-rs has for it, such as nRF52833_xxAA")]
    UnknownChip(String),
    /// Another chip than expected.
    #[error(
        "the chip is {found} and the firmware is for {expected}: name the right board with --board, or say --chip {found} if it is right"
    )]
    WrongChip {
        /// What the board should have.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It is protected.
    #[error("the {0} is locked: repeat with --unlock, which erases all that is on it")]
    Locked(String),
    /// The chip does not answer.
    #[error("the {chip} does not answer ({cause}): check power and wires, and whether it is the right chip")]
    NoAnswer {
        /// The chip.
        chip: String,
        /// What failed.
        cause: String,
    },
    /// It has no flash there.
    #[error(
        "the {chip} has no flash at {address:#010x}: the firmware is for another chip, give the right one with --board or --firmware"
    )]
    Outside {
        /// The chip.
        chip: String,
        /// Where something should be written.
        address: u64,
    },
    /// What was read back differs.
    #[error(
        "the {0} holds other bytes than were written: repeat the command; if it stays so, its flash is worn"
    )]
    Differs(String),
    /// Writing ended early.
    #[error(
        "writing the {chip} failed ({cause}): what it holds is not complete, plug it in again and repeat the command"
    )]
    Write {
        /// The chip.
        chip: String,
        /// What failed.
        cause: String,
    },
}

/// A probe that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it calls itself.
    pub name: String,
    /// What chooses it: vendor, product and serial number.
    pub selector: String,
    /// Whether this user may use it.
    pub accessible: bool,
}

impl From<&ProbeListItem> for Listed {
    fn from(item: &ProbeListItem) -> Self {
        let info = &item.info;
        let serial = info.serial_number.as_ref().map_or(String::new(), |serial| format!(":{serial}"));
        Self {
            name: info.identifier.clone(),
            selector: format!("{:04x}:{:04x}{serial}", info.vendor_id, info.product_id),
            accessible: item.accessibility == Accessibility::Accessible,
        }
    }
}

/// Which chip is flashed over which probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// The probe, as [`Listed::selector`] has it; none if there is one only.
    pub probe: Option<String>,
    /// The chip.
    pub chip: String,
    /// Whether it is flashed even where another one is detected.
    pub insist: bool,
    /// Whether a locked chip may be erased.
    pub unlock: bool,
}

/// How far flashing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes will be worked on.
    Ahead(u64),
    /// This begins.
    Begins(&'static str),
    /// So many bytes are done.
    Done(u64),
}

/// The probes that are plugged in.
#[must_use]
pub fn list() -> Vec<Listed> {
    let mut probes: Vec<Listed> = Lister::new().list_all_with_access().iter().map(Listed::from).collect();
    // A probe may have several interfaces, of which one that may be used is enough.
    probes.sort_by(|a, b| (&a.selector, !a.accessible).cmp(&(&b.selector, !b.accessible)));
    probes.dedup_by(|a, b| a.selector == b.selector);
    probes
}

/// The one probe that is meant.
///
/// # Errors
/// There is none, more than one, or one without permission.
pub fn choose(wanted: Option<&str>) -> Result<Listed, ProbeFailure> {
    choose_from(list(), wanted)
}

fn choose_from(mut probes: Vec<Listed>, wanted: Option<&str>) -> Result<Listed, ProbeFailure> {
    if probes.is_empty() {
        return Err(ProbeFailure::NoProbe);
    }
    if let Some(wanted) = wanted {
        let fits = |probe: &Listed| {
            probe.selector.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        probes.retain(fits);
    }
    match probes.as_slice() {
        [] => Err(ProbeFailure::Selector(wanted.unwrap_or_default().to_owned())),
        [probe] if probe.accessible => Ok(probe.clone()),
        [probe] => Err(ProbeFailure::Permission(probe.name.clone())),
        several => Err(ProbeFailure::Several(several.iter().map(|probe| probe.selector.clone()).collect())),
    }
}

fn open(probe: &Listed) -> Result<Probe, ProbeFailure> {
    let selector: DebugProbeSelector =
        probe.selector.parse().map_err(|_| ProbeFailure::Selector(probe.selector.clone()))?;
    Lister::new()
        .open(selector)
        .map_err(|error| ProbeFailure::Busy { probe: probe.name.clone(), cause: cause(&error) })
}

/// The name of the chip on a probe.
///
/// # Errors
/// No such probe, or a chip that does not tell.
pub fn detect(wanted: Option<&str>) -> Result<String, ProbeFailure> {
    let probe = choose(wanted)?;
    let session = open(&probe)?.attach(TargetSelector::Auto, Permissions::default());
    session.map(|session| session.target().name.clone()).map_err(|_| ProbeFailure::Undetected(probe.name))
}

/// Writes, reads back and starts what was written.
///
/// # Errors
/// No such probe, another chip, a locked one, or what failed on the way.
pub fn flash(job: &Job, plan: &Plan, watch: &mut dyn FnMut(Step)) -> Result<(), ProbeFailure> {
    let mut session = attach(job)?;
    let loader = stage(&session, plan)?;
    let mut options = DownloadOptions::default();
    options.verify = true;
    options.progress = follow(watch);
    let failed = |error| write_failure(&job.chip, error);
    loader.commit(&mut session, options).map_err(failed)?;
    // Last: what was learned goes only once there is a new model.
    if let Some(kept) = &plan.erased {
        erase(&mut session, &mut follow(watch), kept.start, kept.end, false).map_err(failed)?;
    }
    session
        .core(0)
        .and_then(|mut core| core.reset())
        .map_err(|error| ProbeFailure::Write { chip: job.chip.clone(), cause: cause(&error) })
}

fn attach(job: &Job) -> Result<Session, ProbeFailure> {
    let probe = choose(job.probe.as_deref())?;
    let target = Registry::from_builtin_families()
        .get_target_by_name(&job.chip)
        .map_err(|_| ProbeFailure::UnknownChip(job.chip.clone()))?;
    // Not every chip tells what it is, and a locked one tells nothing: then it is the one that was named.
    if !job.insist
        && let Ok(session) = open(&probe)?.attach(TargetSelector::Auto, Permissions::default())
    {
        let found = session.target().name.clone();
        if found == target.name {
            return Ok(session);
        }
        return Err(ProbeFailure::WrongChip { expected: target.name, found });
    }
    let permissions = if job.unlock { Permissions::new().allow_erase_all() } else { Permissions::default() };
    attach_to(open(&probe)?, target.into(), permissions, &job.chip)
}

fn attach_to(
    probe: Probe,
    target: TargetSelector,
    permissions: Permissions,
    chip: &str,
) -> Result<Session, ProbeFailure> {
    use probe_rs::Error as E;
    probe.attach(target, permissions).map_err(|error| match error {
        E::MissingPermissions(_) | E::Arm(ArmError::MissingPermissions(_)) => {
            ProbeFailure::Locked(chip.to_owned())
        }
        error => ProbeFailure::NoAnswer { chip: chip.to_owned(), cause: cause(&error) },
    })
}

/// What will be written, checked against the chip's memory.
fn stage(session: &Session, plan: &Plan) -> Result<FlashLoader, ProbeFailure> {
    let target = session.target();
    let mut loader = target.flash_loader();
    for region in &plan.regions {
        let outside = || ProbeFailure::Outside { chip: target.name.clone(), address: region.address };
        // The loader takes RAM as well, and nothing stays there.
        if !target.memory_region_by_address(region.address).is_some_and(MemoryRegion::is_nvm) {
            return Err(outside());
        }
        loader.add_data(region.address, &region.bytes).map_err(|error| match error {
            FlashError::NoSuitableNvm { .. } => outside(),
            error => write_failure(&target.name, error),
        })?;
    }
    Ok(loader)
}

fn follow<'a>(watch: &'a mut dyn FnMut(Step)) -> FlashProgress<'a> {
    FlashProgress::new(move |event| match event {
        ProgressEvent::AddProgressBar { total: Some(bytes), .. } => watch(Step::Ahead(bytes)),
        ProgressEvent::Started(operation) => watch(Step::Begins(match operation {
            ProgressOperation::Fill => "reading",
            ProgressOperation::Erase => "erasing",
            ProgressOperation::Program => "writing",
            ProgressOperation::Verify => "reading back",
        })),
        ProgressEvent::Progress { size, .. } => watch(Step::Done(size)),
        _ => {}
    })
}

fn write_failure(chip: &str, error: FlashError) -> ProbeFailure {
    match error {
        FlashError::Verify => ProbeFailure::Differs(chip.to_owned()),
        error => ProbeFailure::Write { chip: chip.to_owned(), cause: cause(&error) },
    }
}

/// An error with what caused it.
fn cause(error: &dyn Error) -> String {
    let mut text = error.to_string().trim_end_matches('.').to_owned();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(error.to_string().trim_end_matches('.'));
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
