//! A model onto a board on a debug probe.

use evobit_link::key::FLASH_BYTES;
use serde_json::json;

use super::super::link::read_key;
use super::super::{Failure, FlashArgs};
use super::{build, driver, report};
use evobit_boards::elf::Firmware;
use evobit_boards::microcontroller::{self, Microcontroller, PROFILE, Plan};
use evobit_model::Model;

pub(super) fn flash(args: &FlashArgs, model: &Model, name: Option<&str>) -> Result<(), Failure> {
    let mut board = name.map(find).transpose()?;
    // Before anything is built for it.
    if !args.dry_run {
        driver::ready(args.probe.as_deref())?;
    }
    let chip = match (&args.chip, board) {
        (Some(chip), _) => chip.clone(),
        (None, Some(board)) => board.chip.to_owned(),
        (None, None) if args.dry_run => {
            return Err(Failure::usage(format!(
                "a dry run asks no probe: name the board as probe:NAME, with one of {}",
                microcontroller::names()
            )));
        }
        (None, None) => driver::detect(args.probe.as_deref())?,
    };
    board = board.or_else(|| microcontroller::with_chip(&chip));
    let name = board.map_or(chip.as_str(), |board| board.name);
    let (plan, end) = plan(args, model, board, &chip)?;
    let image = model.image();
    let key_bytes = if args.key.is_some() { FLASH_BYTES as u64 } else { 0 };
    let room = PROFILE.check(name, &image, end - key_bytes)?;
    let mut said = json!({ "board": name, "chip": chip, "dry_run": args.dry_run });
    if let Some(kept) = &plan.erased {
        said["erased"] = json!([kept.start, kept.end]);
    }
    if !args.dry_run {
        driver::write(args, &chip, &plan)?;
    }
    report(args, &image, &plan.regions, room, said)
}

fn find(name: &str) -> Result<Microcontroller, Failure> {
    microcontroller::find(name).ok_or_else(|| {
        Failure::usage(format!("no board `{name}` on a probe: there are {}", microcontroller::names()))
    })
}

/// What is written, and how many bytes model and key may have.
fn plan(
    args: &FlashArgs,
    model: &Model,
    board: Option<Microcontroller>,
    chip: &str,
) -> Result<(Plan, u64), Failure> {
    // The key lies behind the model.
    let mut bytes = model.bytes().to_vec();
    if let Some(path) = &args.key {
        bytes.extend(read_key(path)?.to_flash());
    }
    // The regions are the board's, whatever firmware it runs: none has to be built for the model alone.
    if let (true, None, Some(board)) = (args.model_only, &args.firmware, board) {
        let region = board.model();
        return Ok((Plan::model(region.start, &bytes), region.end - region.start));
    }
    let path = match (&args.firmware, board) {
        (Some(path), _) => path.clone(),
        (None, Some(board)) => build(board.name)?,
        (None, None) => {
            return Err(Failure::usage(format!(
                "no firmware for the chip {chip} is here: give one with --firmware, or a board as probe:NAME, with one of {}",
                microcontroller::names()
            )));
        }
    };
    let firmware = Firmware::read(&path)?;
    let region = firmware.model.clone();
    let plan = if args.model_only {
        Plan::model(region.start, &bytes)
    } else {
        Plan::whole(&firmware, &bytes, args.keep)
    };
    Ok((plan, region.end - region.start))
}
