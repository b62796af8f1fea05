//! A model onto a board that runs Linux: program and model are copied over ssh, started, and asked.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::super::link::read_key;
use super::super::table::{count, lines};
use super::super::{Failure, FlashArgs, print};
use super::{build, check_running};
use evobit_boards::boards::{JETSON, find};
use evobit_boards::ssh::Remote;
use evobit_boards::{Client, LinkFailure};
use evobit_model::Model;

/// Processors that the program runs on.
const PROCESSOR: &str = "aarch64";
/// How often the program is asked before it counts as not started, and how long between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

const CONFIG: &str = include_str!("../../../jetson/evobit.toml");
const SERVICE: &str = include_str!("../../../jetson/evobit.service");

/// Puts the new files in place of the old ones, each whole, and starts the program: as a service of the user where systemd runs for users, else
/// in the background.
const START: &str = "cd evobit && chmod 755 jetson.part && \
if test ! -f evobit.toml; then mv evobit.toml.part evobit.toml; else rm -f evobit.toml.part; fi && \
mkdir -p ~/.config/systemd/user && mv evobit.service.part ~/.config/systemd/user/evobit.service && \
(systemctl --user stop evobit >/dev/null 2>&1; if test -f pid; then kill $(cat pid) 2>/dev/null; rm -f pid; fi; true) && \
mv jetson.part jetson && mv model.evb.part model.evb && \
if systemctl --user daemon-reload >/dev/null 2>&1 && systemctl --user enable --now evobit >/dev/null 2>&1; then echo systemd; \
else nohup ./jetson evobit.toml >log.txt 2>&1 </dev/null & echo $! >pid; echo background; fi";

pub(super) fn flash(args: &FlashArgs, model: &Model, host: &str) -> Result<(), Failure> {
    let remote = Remote::new(host)
        .ok_or_else(|| Failure::usage(format!("`{host}` is no host: write the board as ssh:user@host")))?;
    let image = model.image();
    let board = find(JETSON).map_err(Failure::usage)?;
    let room = board.check(&image, u64::MAX)?;
    let key = args.key.as_deref().map(read_key).transpose()?;
    let program = match &args.firmware {
        Some(path) => path.clone(),
        None => build(JETSON)?,
    };
    let bytes = std::fs::metadata(&program)
        .map_err(|error| Failure::usage(format!("{}: {error}: give the built program", program.display())))?
        .len();
    let mut rows = vec![
        ("program", format!("evobit/jetson on {host}, {} bytes", count(bytes))),
        (
            "model",
            format!(
                "evobit/model.evb, {} bytes, checksum {:08x}",
                count(image.len() as u64),
                image.checksum()
            ),
        ),
        ("memory", format!("{} bytes, with {} stored samples", count(room.there as u64), room.samples)),
    ];
    let mut said = json!({
        "board": args.board(),
        "program_bytes": bytes,
        "model_bytes": image.len(),
        "model_crc": format!("{:08x}", image.checksum()),
        "dry_run": args.dry_run,
    });
    if args.dry_run {
        rows.push(("written", "nothing: this was a dry run".into()));
    } else {
        let started = install(args, model, &remote, &program)?;
        let base = running(&remote, key)?;
        check_running(base, &image)?;
        rows.push(("running", format!("as {started}; its line is ssh:{host}")));
        said["link"] = format!("ssh:{host}").into();
        said["started"] = started.into();
    }
    if args.json { print(&said.to_string()) } else { print(lines(&rows).trim_end()) }
}

fn install(args: &FlashArgs, model: &Model, remote: &Remote, program: &Path) -> Result<String, Failure> {
    let processor = remote.run("looking at its processor", "mkdir -p evobit && uname -m")?;
    if processor != PROCESSOR {
        let message = format!(
            "{}: has a processor of kind {processor}, and the program is for {PROCESSOR}: give another host",
            remote.name()
        );
        return Err(Failure { code: 1, message });
    }
    let folder = std::env::temp_dir().join(format!("evobit-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let copied = (|| -> Result<(), Failure> {
        let key = if args.key.is_some() { "key = \"board.key\"\n" } else { "" };
        let files = [
            ("model.evb", model.bytes().to_vec()),
            ("evobit.toml", format!("{CONFIG}{key}").into_bytes()),
            ("evobit.service", SERVICE.into()),
        ];
        remote.copy("copying the program", program, "evobit/jetson.part")?;
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes)?;
            remote.copy(
                "copying the model and its settings",
                &folder.join(name),
                &format!("evobit/{name}.part"),
            )?;
        }
        if let Some(key) = &args.key {
            remote.copy("copying the key", key, "evobit/board.key")?;
            // Settings from before may have none.
            remote.run(
                "setting the key",
                "cd evobit && chmod 600 board.key && mv evobit.toml.part evobit.toml",
            )?;
        }
        Ok(())
    })();
    let _ = std::fs::remove_dir_all(&folder);
    copied?;
    if !args.keep {
        remote.run("forgetting what was learned", "rm -f evobit/kept.bin")?;
    }
    Ok(remote.run("starting the program", START)?)
}

/// The checksum of the model that runs there.
fn running(remote: &Remote, key: Option<evobit_link::key::Key>) -> Result<u32, Failure> {
    let mut tries = 0;
    loop {
        let mut client = Client::new(remote.line()?);
        if let Some(key) = &key {
            client.use_key(key.clone());
        }
        match client.greet() {
            Ok(info) => return Ok(info.base),
            // It takes a moment to listen.
            Err(LinkFailure::Ended(_)) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(PAUSE);
            }
            Err(error) => {
                let message = format!(
                    "{}: the program was started and does not answer ({error}): look at evobit/log.txt there",
                    remote.name()
                );
                return Err(Failure { code: 1, message: super::super::one_line(&message) });
            }
        }
    }
}
