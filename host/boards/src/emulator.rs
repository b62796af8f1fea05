//! A board in QEMU: its serial line on a socket, its log, its model and what it keeps in a folder of its own.
//!
//! The folder is the board: `firmware.elf`, `model.evb`, `kept.bin` (flash for what was learned), `log.bin` (defmt), `link` (where
//! its line is), `pid`, `key.bin` where it has a key. So a board whose emulator was killed is started again as one whose power came back.

mod start;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use evobit_link::key::Key;

use super::boards::{self, Board};
use super::line::{Line, LinkFailure, open};

pub use start::{command, exit_reason};

/// How long an emulator may take to open its line, or to end.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// The file of its firmware.
const FIRMWARE: &str = "firmware.elf";
/// The file of a board's key, as it lies in flash behind the model.
const KEY: &str = "key.bin";

/// Why an emulated board does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// There is none of this name.
    #[error("{0}")]
    Unknown(String),
    /// Nothing was flashed.
    #[error("{}: no board was flashed there: run `evobit flash MODEL --board qemu:{board}` first", folder.display())]
    NotFlashed {
        /// Where its folder would be.
        folder: PathBuf,
        /// The board.
        board: &'static str,
    },
    /// A file of its folder cannot be read or written.
    #[error("{}: {source}: choose a folder that you may write with --folder", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// QEMU cannot be started.
    #[error(
        "{program} cannot be started ({source}): install QEMU, on Debian qemu-system-arm and qemu-system-misc"
    )]
    Start {
        /// QEMU's program.
        program: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// It ended.
    #[error("the emulated board stopped: {0}")]
    Stopped(String),
    /// It does not open its line.
    #[error(
        "the emulator does not open the board's line: see whether this machine is overloaded, then repeat the command"
    )]
    Silent,
    /// It does not end.
    #[error("{}: the emulator that runs there does not end: end it yourself, then repeat the command", folder.display())]
    StillThere {
        /// Its folder.
        folder: PathBuf,
    },
    /// The line.
    #[error(transparent)]
    Link(#[from] LinkFailure),
}

/// A board in its folder.
#[derive(Clone, Debug)]
pub struct Emulated {
    board: Board,
    folder: PathBuf,
}

impl Emulated {
    /// The board of this name, in `folder` or where boards are by default: `runs/qemu-NAME`.
    ///
    /// # Errors
    /// No such board.
    pub fn new(name: &str, folder: Option<&Path>) -> Result<Self, EmulatorError> {
        let board = boards::find(name).map_err(EmulatorError::Unknown)?;
        let folder = folder.map_or_else(|| Path::new("runs").join(format!("qemu-{name}")), Path::to_owned);
        Ok(Self { board, folder })
    }

    /// The board.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn remove(&self, name: &str) -> Result<(), EmulatorError> {
        let path = self.file(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(EmulatorError::File { path, source })
            }
            _ => Ok(()),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), EmulatorError> {
        // Whole or not at all: a board whose flashing was interrupted has the old content or the new.
        let (path, beside) = (self.file(name), self.file(&format!("{name}.part")));
        let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|source| EmulatorError::File { path, source })
    }

    /// Puts firmware, model and key into the folder; the board is switched off first. What it kept is forgotten unless `keep`.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn flash(
        &self,
        firmware: &Path,
        model: &[u8],
        key: Option<&Key>,
        keep: bool,
    ) -> Result<(), EmulatorError> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| EmulatorError::File { path: self.folder.clone(), source })?;
        self.power_off()?;
        if !keep {
            self.remove("kept.bin")?;
        }
        match key {
            Some(key) => self.write(KEY, &key.to_flash())?,
            None => self.remove(KEY)?,
        }
        let elf =
            fs::read(firmware).map_err(|source| EmulatorError::File { path: firmware.to_owned(), source })?;
        self.write(FIRMWARE, &elf)?;
        // What runs as a program must be one.
        let program = self.file(FIRMWARE);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
            .map_err(|source| EmulatorError::File { path: program, source })?;
        // The model last: with it the board is complete.
        self.write("model.evb", model)
    }

    /// True while its emulator runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process().is_some()
    }

    /// The number of its emulator's process.
    fn process(&self) -> Option<u32> {
        let pid: u32 = fs::read_to_string(self.file("pid")).ok()?.trim().parse().ok()?;
        // Numbers are used again: an emulator works in its board's folder, on its firmware.
        let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let runs = arguments.split(|&byte| byte == 0).any(|argument| argument.ends_with(FIRMWARE.as_bytes()));
        (runs && folder == self.folder.canonicalize().ok()?).then_some(pid)
    }

    /// Cuts its power, if its emulator runs. What it did not save is lost.
    ///
    /// # Errors
    /// An emulator that does not end.
    pub fn power_off(&self) -> Result<bool, EmulatorError> {
        let started = Instant::now();
        let Some(pid) = self.process() else { return Ok(false) };
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        while self.is_running() {
            if started.elapsed() > PATIENCE {
                return Err(EmulatorError::StillThere { folder: self.folder.clone() });
            }
            std::thread::sleep(PAUSE);
        }
        Ok(true)
    }

    /// Where its line is while it runs: a port such as `tcp:127.0.0.1:40001`.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        fs::read_to_string(self.file("link")).ok().map(|link| link.trim().to_owned())
    }

    /// Its line; it is started where it is off. True where it was.
    ///
    /// # Errors
    /// A board that was not flashed or does not start.
    pub fn attach(&self) -> Result<(Box<dyn Line>, bool), EmulatorError> {
        let started = Instant::now();
        while self.is_running()
            && let Some(link) = self.link()
        {
            match open(&link.parse()?, 0) {
                Ok(line) => return Ok((line, false)),
                // Who started it may have been killed before it opened its line.
                Err(_) if started.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
        self.start().map(|line| (line, true))
    }
}
