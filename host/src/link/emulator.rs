//! A board in QEMU: its serial line on a socket, its log, its model and what it keeps in a folder of its own.
//!
//! The folder is the board: `firmware.elf`, `model.evb`, `kept.bin` (flash for what was learned), `log.bin` (defmt), `link` (where
//! its line is), `pid`. So a board whose emulator was killed is started again as one whose power came back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::boards::{self, Board};
use super::elf::Firmware;
use super::line::{Line, LinkFailure, Port, open};

/// How long an emulator may take to open its line, or to end.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// How often another number is tried where somebody took the port in between.
const ATTEMPTS: u32 = 3;

/// Why an emulated board does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// There is none of this name.
    #[error("{0}")]
    Unknown(String),
    /// Nothing was flashed.
    #[error("{}: no board was flashed there: run `host flash MODEL --board qemu:{board}` first", folder.display())]
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

/// The command that runs `board` in `folder`, with its serial line where `serial` says (QEMU's option of this name).
///
/// It runs with exact counts of instructions, as fast as it can.
#[must_use]
pub fn command(board: &Board, firmware: &Path, model: (&str, u64), folder: &Path, serial: &str) -> Command {
    let mut command = Command::new(board.emulator);
    command
        .current_dir(folder)
        .args(["-M", board.machine.unwrap_or(board.name)])
        .args(board.arguments)
        .arg("-kernel")
        .arg(firmware)
        .args(["-device", &format!("loader,file={},addr={:#x},force-raw=on", model.0, model.1)])
        .args(["-icount", "shift=6,sleep=off", "-display", "none", "-serial", serial])
        .args(["-semihosting-config", "enable=on,target=native"])
        .stdin(Stdio::null());
    command
}

/// What the exit code of a firmware says.
#[must_use]
pub fn exit_reason(code: Option<i32>) -> String {
    match code {
        Some(3) => "its model region holds no model that the firmware reads: flash one".into(),
        Some(4) => "the model does not fit its memory: train a smaller one".into(),
        Some(101) => "the firmware panicked".into(),
        Some(code) => format!("exit code {code}"),
        None => "it was killed: start it again by repeating the command".into(),
    }
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

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), EmulatorError> {
        // Whole or not at all: a board whose flashing was interrupted has the old content or the new.
        let (path, beside) = (self.file(name), self.file(&format!("{name}.part")));
        let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|source| EmulatorError::File { path, source })
    }

    /// Puts firmware and model into the folder; the board is switched off first. What it kept is forgotten unless `keep`.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn flash(&self, firmware: &Path, model: &[u8], keep: bool) -> Result<(), EmulatorError> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| EmulatorError::File { path: self.folder.clone(), source })?;
        self.power_off()?;
        if !keep {
            let kept = self.file("kept.bin");
            match fs::remove_file(&kept) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EmulatorError::File { path: kept, source: error });
                }
                _ => {}
            }
        }
        let elf =
            fs::read(firmware).map_err(|source| EmulatorError::File { path: firmware.to_owned(), source })?;
        self.write("firmware.elf", &elf)?;
        // What runs as a program must be one.
        let program = self.file("firmware.elf");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
            .map_err(|source| EmulatorError::File { path: program, source })?;
        // The model last: with it the board is complete.
        self.write("model.evb", model)
    }

    /// True while its emulator runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        if self.board.machine.is_some() { self.monitor().is_some() } else { self.program().is_some() }
    }

    /// The number of the process that runs the firmware as a program, if it is one of this board.
    fn program(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.file("pid")).ok()?.trim().parse().ok()?;
        let running = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        // Numbers are used again: its arguments name the folder.
        let folder =
            self.folder.canonicalize().ok()?.join("evobit.toml").into_os_string().into_encoded_bytes();
        running.split(|&byte| byte == 0).any(|argument| argument == folder).then_some(pid)
    }

    /// QEMU's monitor; it takes one guest at a time.
    fn monitor(&self) -> Option<UnixStream> {
        UnixStream::connect(self.file("monitor")).ok()
    }

    /// Cuts its power, if its emulator runs. What it did not save is lost.
    ///
    /// # Errors
    /// An emulator that does not end.
    pub fn power_off(&self) -> Result<bool, EmulatorError> {
        let started = Instant::now();
        if self.board.machine.is_some() {
            let Some(mut monitor) = self.monitor() else { return Ok(false) };
            // It reads what comes as long as somebody is there; at its end the line ends.
            let _ = monitor.set_read_timeout(Some(PATIENCE));
            let _ = monitor.write_all(b"quit\n");
            let _ = monitor.read_to_end(&mut vec![]);
        } else {
            let Some(pid) = self.program() else { return Ok(false) };
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
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
        if self.is_running()
            && let Some(link) = self.link()
        {
            return Ok((open(&link.parse()?, 0)?, false));
        }
        self.start().map(|line| (line, true))
    }

    /// Switches it on; it goes on running when this program ends.
    ///
    /// # Errors
    /// A board that was not flashed or does not start.
    pub fn start(&self) -> Result<Box<dyn Line>, EmulatorError> {
        let firmware = self.file("firmware.elf");
        if !firmware.is_file() || !self.file("model.evb").is_file() {
            return Err(EmulatorError::NotFlashed { folder: self.folder.clone(), board: self.board.name });
        }
        let model = match self.board.machine {
            Some(_) => {
                Firmware::read(&firmware)
                    .map_err(|error| EmulatorError::Stopped(error.to_string()))?
                    .model
                    .start
            }
            None => 0,
        };
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            let address =
                free_address().map_err(|source| EmulatorError::File { path: self.file("link"), source })?;
            let mut child = match self.board.machine {
                Some(_) => self.spawn(model, &address)?,
                None => self.spawn_program(&address)?,
            };
            match self.connect(&mut child, &address)? {
                Ok(line) => {
                    self.write("link", format!("tcp:{address}\n").as_bytes())?;
                    return Ok(line);
                }
                Err(ended) => reason = ended,
            }
            if !reason.contains("in use") {
                break;
            }
        }
        Err(EmulatorError::Stopped(reason))
    }

    fn spawn(&self, model: u64, address: &str) -> Result<Child, EmulatorError> {
        let file = |name: &str| {
            fs::File::create(self.file(name))
                .map_err(|source| EmulatorError::File { path: self.file(name), source })
        };
        let serial = format!("tcp:{address},server=on,wait=off,nodelay=on");
        let _ = fs::remove_file(self.file("monitor"));
        command(&self.board, Path::new("firmware.elf"), ("model.evb", model), &self.folder, &serial)
            .args(["-monitor", "unix:monitor,server=on,wait=off", "-pidfile", "pid"])
            .stdout(file("log.bin")?)
            .stderr(file("errors.txt")?)
            // Ctrl-C is for this program.
            .process_group(0)
            .spawn()
            .map_err(|source| EmulatorError::Start { program: self.board.emulator, source })
    }

    /// Starts the firmware as a program, with a configuration that listens at `address`.
    fn spawn_program(&self, address: &str) -> Result<Child, EmulatorError> {
        let failed = |path: PathBuf| move |source| EmulatorError::File { path, source };
        let config = format!("listen = \"{address}\"\nmodel = \"model.evb\"\nkept = \"kept.bin\"\n");
        self.write("evobit.toml", config.as_bytes())?;
        let folder = self.folder.canonicalize().map_err(failed(self.folder.clone()))?;
        let file = |name: &str| fs::File::create(self.file(name)).map_err(failed(self.file(name)));
        let child = Command::new(self.board.emulator)
            .args(self.board.arguments)
            .arg(folder.join("firmware.elf"))
            .arg(folder.join("evobit.toml"))
            .stdin(Stdio::null())
            .stdout(file("log.bin")?)
            .stderr(file("errors.txt")?)
            .process_group(0)
            .spawn()
            .map_err(|source| EmulatorError::Start { program: self.board.emulator, source })?;
        self.write("pid", format!("{}\n", child.id()).as_bytes())?;
        Ok(child)
    }

    /// The line, or why the emulator ended.
    fn connect(
        &self,
        child: &mut Child,
        address: &str,
    ) -> Result<Result<Box<dyn Line>, String>, EmulatorError> {
        let (started, port) = (Instant::now(), Port::Tcp(address.into()));
        while started.elapsed() < PATIENCE {
            if let Ok(line) = open(&port, 0) {
                return Ok(Ok(line));
            }
            if let Ok(Some(status)) = child.try_wait() {
                let said = fs::read_to_string(self.file("errors.txt")).unwrap_or_default();
                let said = said.lines().next().map_or_else(|| exit_reason(status.code()), str::to_owned);
                return Ok(Err(said));
            }
            std::thread::sleep(PAUSE);
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(EmulatorError::Silent)
    }
}

/// An address of this machine that nobody listens at.
fn free_address() -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.to_string())
}
