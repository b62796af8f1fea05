//! `evobit flash`: a model onto a board.

mod args;
mod checkout;
// Without the feature there are functions of the same names that say how to build with it.
#[cfg_attr(not(feature = "probe"), path = "flash/without_driver.rs")]
mod driver;
mod jetson;
mod probe;

use std::path::PathBuf;
use std::process::Command;

use evobit::image::Image;
use serde_json::{Value, json};

use super::link::read_key;
use super::table::{count, lines};
use super::{Failure, print, tell};
use evobit_boards::Client;
use evobit_boards::boards::Room;
use evobit_boards::elf::{Firmware, Region};
use evobit_boards::emulator::Emulated;
use evobit_boards::learned::Pulled;
use evobit_model::Model;
use evobit_train::family::FamilyName;

pub use args::FlashArgs;

pub(super) fn run(args: &FlashArgs) -> Result<(), Failure> {
    if args.list {
        return driver::list(args.json);
    }
    // What a pulled model carries beside its network stays at home.
    let model = Model::read(args.model())?.plain()?;
    if let Some(message) = FamilyName::of(&model).and_then(|kind| kind.not_on_boards()) {
        return Err(Failure { code: 1, message: format!("{}: {message}", args.model().display()) });
    }
    let (kind, name) = match args.board().split_once(':') {
        Some((kind, name)) => (kind, Some(name)),
        None => (args.board(), None),
    };
    if kind != "probe" && (args.model_only || args.unlock || args.chip.is_some() || args.probe.is_some()) {
        let message = "--model-only, --chip, --probe and --unlock are for boards on a debug probe: give one with --board probe";
        return Err(Failure::usage(message));
    }
    match (kind, name) {
        ("qemu", Some(name)) => emulated(args, &model, name),
        ("ssh", Some(host)) => jetson::flash(args, &model, host),
        ("probe", name) => probe::flash(args, &model, name),
        _ => Err(Failure::usage(format!(
            "`{}` is no board: give an emulated one such as qemu:microbit, one on a debug probe as probe:microbit2, or ssh:user@host",
            args.board()
        ))),
    }
}

/// Checks, writes and starts an emulated board.
fn emulated(args: &FlashArgs, model: &Model, name: &str) -> Result<(), Failure> {
    let emulated = Emulated::new(name, args.folder.as_deref()).map_err(Failure::usage)?;
    let path = match &args.firmware {
        Some(path) => path.clone(),
        None => build(name)?,
    };
    let image = model.image();
    // A Linux program finds its model in a file.
    let (room, regions) = if emulated.board().machine.is_some() {
        let firmware = Firmware::read(&path)?;
        let room = emulated.board().check(&image, firmware.model.end - firmware.model.start)?;
        (room, firmware.with_model(model.bytes()))
    } else {
        (emulated.board().check(&image, u64::MAX)?, vec![])
    };
    if args.dry_run {
        return report(args, &image, &regions, room, json!({ "board": args.board(), "dry_run": true }));
    }
    let key = args.key.as_deref().map(read_key).transpose()?;
    emulated.flash(&path, model.bytes(), key.as_ref(), args.keep)?;
    // Beside the model, what tells which samples its run held out.
    let config = args.model().with_file_name("config.toml");
    if config.is_file() {
        std::fs::copy(&config, emulated.file("config.toml"))?;
    }
    let mut client = Client::new(emulated.start()?);
    let info = client.greet()?;
    check_running(info.base, &image)?;
    // Firmware without keys does not know the question.
    if key.is_some() && !matches!(client.counter(), Ok((Some(_), _))) {
        let message = format!(
            "the firmware of {name} takes no key: give one with --firmware that does (firmware/build {name} key), or leave --key out"
        );
        return Err(Failure { code: 1, message });
    }
    let link = emulated.link().unwrap_or_default();
    let running = json!({
        "board": info.board,
        "link": link,
        "folder": emulated.folder().display().to_string(),
        "model_crc": format!("{:08x}", info.base),
        "firmware_version": info.firmware,
    });
    report(args, &image, &regions, room, running)
}

/// Whether the board runs the model that it should.
fn check_running(base: u32, image: &Image<'_>) -> Result<(), Failure> {
    if base == image.checksum() {
        return Ok(());
    }
    let message = format!(
        "the board runs a model with checksum {base:08x}, not the one that was flashed, {:08x}: repeat the command",
        image.checksum()
    );
    Err(Failure { code: 1, message })
}

/// Builds a board's firmware with the repository's own script.
fn build(board: &str) -> Result<PathBuf, Failure> {
    let script = checkout::script(board)?;
    let failed = |why: String| Failure {
        code: 1,
        message: super::one_line(&format!(
            "{}: the firmware of {board} was not built ({why}): give a built one with --firmware",
            script.display()
        )),
    };
    tell(&format!("building the firmware of {board}"));
    let output = Command::new(&script).arg(board).output().map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let line = errors.lines().find(|line| line.starts_with("error")).or_else(|| errors.lines().last());
        return Err(failed(line.unwrap_or("it said nothing").to_owned()));
    }
    said.lines().last().map(PathBuf::from).ok_or_else(|| failed("it named no file".into()))
}

/// What was written, or would be.
fn report(
    args: &FlashArgs,
    image: &Image<'_>,
    regions: &[Region],
    room: Room,
    mut said: Value,
) -> Result<(), Failure> {
    if args.json {
        said["regions"] = regions
            .iter()
            .map(|region| {
                json!({ "region": region.what, "address": region.address, "bytes": region.bytes.len() })
            })
            .collect();
        said["model_bytes"] = image.len().into();
        said["model_crc"] = format!("{:08x}", image.checksum()).into();
        said["stored_samples"] = room.samples.into();
        said["memory_used"] = room.used.into();
        said["memory_bytes"] = room.there.into();
        return print(&said.to_string());
    }
    let mut rows: Vec<(&str, String)> = regions
        .iter()
        .map(|region| (region.what, range(region.address, region.bytes.len() as u64)))
        .collect();
    if let Some(kept) = said["erased"].as_array() {
        let [start, end] = [0, 1].map(|place| kept[place].as_u64().unwrap_or_default());
        rows.push(("erased", range(start, end - start)));
    }
    let (used, there) = (count(room.used as u64), count(room.there as u64));
    rows.push(("memory", format!("{used} of {there} bytes, with {} stored samples", room.samples)));
    rows.push(("model", format!("checksum {:08x}", image.checksum())));
    if args.dry_run {
        rows.push(("written", "nothing: this was a dry run".into()));
        return print(lines(&rows).trim_end());
    }
    if said["link"].is_null() {
        rows.push((
            "written",
            format!("and read back; {} was started", said["board"].as_str().unwrap_or_default()),
        ));
        return print(
            &(lines(&rows)
                + "\nnext: evobit link PORT info, with the port of its serial line, such as /dev/ttyACM0"),
        );
    }
    let link = said["link"].as_str().unwrap_or_default().to_owned();
    rows.push(("running", format!("{}, its line is {link}", said["board"].as_str().unwrap_or_default())));
    let text = lines(&rows);
    let next = format!(
        "\nnext: evobit link {board} info     evobit link {board} eval     evobit link {board} off (ends the emulator)",
        board = args.board()
    );
    print(&(text + &next))
}

/// Where bytes lie, in words.
fn range(address: u64, bytes: u64) -> String {
    format!("{address:#010x} to {:#010x}, {} bytes", address + bytes, count(bytes))
}
