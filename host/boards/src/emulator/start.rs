//! Switching an emulated board on.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use evobit_link::key::KEY_BYTES;

use super::super::boards::Board;
use super::super::elf::Firmware;
use super::super::line::{Line, Port, open};
use super::{Emulated, EmulatorError, FIRMWARE, KEY, PATIENCE, PAUSE};

/// How often another number is tried where somebody took the port in between.
const ATTEMPTS: u32 = 3;

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

impl Emulated {
    /// Switches it on; it goes on running when this program ends.
    ///
    /// # Errors
    /// A board that was not flashed or does not start.
    pub fn start(&self) -> Result<Box<dyn Line>, EmulatorError> {
        let firmware = self.file(FIRMWARE);
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
            // Who finds the emulator running knows where its line is, also where this program was killed in between.
            self.write("link", format!("tcp:{address}\n").as_bytes())?;
            let mut child = match self.board.machine {
                Some(_) => self.spawn(model, &address)?,
                None => self.spawn_program(&address)?,
            };
            self.write("pid", format!("{}\n", child.id()).as_bytes())?;
            match self.connect(&mut child, &address)? {
                Ok(line) => return Ok(line),
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
        let mut command =
            command(&self.board, Path::new(FIRMWARE), ("model.evb", model), &self.folder, &serial);
        if self.file(KEY).is_file() {
            let behind = model + fs::metadata(self.file("model.evb")).map_or(0, |file| file.len());
            command.args(["-device", &format!("loader,file={KEY},addr={behind:#x},force-raw=on")]);
        }
        command
            .args(["-monitor", "none"])
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
        let mut config = format!("listen = \"{address}\"\nmodel = \"model.evb\"\nkept = \"kept.bin\"\n");
        if let Ok(key) = fs::read(self.file(KEY)) {
            // A program has its key as digits.
            let (_, bytes) = key.split_at(key.len().saturating_sub(KEY_BYTES));
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.write("board.key", digits.as_bytes())?;
            config += "key = \"board.key\"\n";
        }
        self.write("evobit.toml", config.as_bytes())?;
        let folder = self.folder.canonicalize().map_err(failed(self.folder.clone()))?;
        let file = |name: &str| fs::File::create(self.file(name)).map_err(failed(self.file(name)));
        Command::new(self.board.emulator)
            .current_dir(&folder)
            .args(self.board.arguments)
            .arg(folder.join(FIRMWARE))
            .arg(folder.join("evobit.toml"))
            .stdin(Stdio::null())
            .stdout(file("log.bin")?)
            .stderr(file("errors.txt")?)
            .process_group(0)
            .spawn()
            .map_err(|source| EmulatorError::Start { program: self.board.emulator, source })
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
