//! A board in QEMU: its serial port on a socket, its log in a file, its flash file in a folder of its own.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use evobit_boards::elf::Firmware;
use evobit_boards::emulator::command;
use evobit_boards::{LinkFailure, Wire};

use crate::board::Board;
use crate::client::Line;

/// A running emulator; it is killed when it is dropped, as a board whose power is cut.
pub(crate) struct Emulator {
    child: Child,
    line: Wire<UnixStream>,
    folder: PathBuf,
    firmware: PathBuf,
}

impl Emulator {
    /// Starts `board` with a model flashed, in a folder that holds what it keeps.
    pub(crate) fn start(board: &Board, target: &Path, model: &[u8], folder: &Path) -> anyhow::Result<Self> {
        let firmware = target.join(board.target.unwrap_or_default()).join("release").join(board.name);
        ensure!(firmware.is_file(), "{}: build the firmware first, with firmware/run", firmware.display());
        let firmware = std::fs::canonicalize(firmware)?;
        let region = Firmware::read(&firmware)?.model;
        let there = (region.end - region.start) as usize;
        ensure!(
            model.len() <= there,
            "the model has {} bytes, {} has {there} for it: train a smaller one",
            model.len(),
            board.name
        );
        std::fs::write(folder.join("model.evb"), model)?;
        let board = board.emulated()?;
        let serial = "unix:line.sock,server=on,wait=on";
        let mut child = command(&board, &firmware, ("model.evb", region.start), folder, serial)
            .args(["-monitor", "none"])
            .stdout(std::fs::File::create(folder.join("log.bin"))?)
            .spawn()
            .with_context(|| {
                format!("{} cannot be started: install it, see tests/run setup", board.emulator)
            })?;
        let line = connect(&mut child, &folder.join("line.sock"))?;
        Ok(Self { child, line, folder: folder.to_owned(), firmware })
    }

    /// The lines that a board logs that works and then ends by itself.
    pub(crate) fn log_to_the_end(mut self) -> anyhow::Result<Vec<String>> {
        let status = self.child.wait()?;
        ensure!(status.success(), "the board ended with {status}: {:?}", self.log()?);
        self.log()
    }

    /// The lines that the board logged.
    pub(crate) fn log(&self) -> anyhow::Result<Vec<String>> {
        let firmware = std::fs::read(&self.firmware)?;
        let Some(table) = defmt_decoder::Table::parse(&firmware)? else { return Ok(vec![]) };
        let mut decoder = table.new_stream_decoder();
        decoder.received(&std::fs::read(self.folder.join("log.bin")).unwrap_or_default());
        let mut lines = vec![];
        while let Ok(frame) = decoder.decode() {
            lines.push(frame.display(false).to_string());
        }
        Ok(lines)
    }
}

/// The emulator makes its socket after a while, and waits for somebody there before it starts.
fn connect(child: &mut Child, path: &Path) -> anyhow::Result<Wire<UnixStream>> {
    for _ in 0..1000 {
        if let Ok(line) = UnixStream::connect(path) {
            line.set_read_timeout(Some(Duration::from_millis(100)))?;
            return Ok(Wire::new(line));
        }
        if let Some(code) = child.try_wait()? {
            bail!("the emulator ended ({code})");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the emulator does not open its serial line")
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Line for Emulator {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure> {
        self.line.send(bytes)
    }

    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkFailure> {
        self.line.receive(patience).map_err(|failure| match failure {
            LinkFailure::Ended(cause) => {
                let code = self.child.wait().map_or(cause, |code| code.to_string());
                LinkFailure::Ended(format!("{code}: {}", self.log().unwrap_or_default().join("; ")))
            }
            failure => failure,
        })
    }

    fn idle(&mut self) {
        std::thread::sleep(Duration::from_millis(2));
    }
}
