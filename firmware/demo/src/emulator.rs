//! A board in QEMU: its serial port on a socket, its log in a file, its flash file in a folder of its own.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::board::Board;
use crate::client::Line;

/// A running emulator; it is killed when it is dropped, as a board whose power is cut.
pub(crate) struct Emulator {
    child: Child,
    line: UnixStream,
    folder: PathBuf,
    firmware: PathBuf,
}

impl Emulator {
    /// Starts `board` with a model flashed, in a folder that holds what it keeps.
    pub(crate) fn start(board: &Board, target: &Path, model: &[u8], folder: &Path) -> anyhow::Result<Self> {
        let there = board.model.1 as usize;
        ensure!(
            model.len() <= there,
            "the model has {} bytes, {} has {there} for it: train a smaller one",
            model.len(),
            board.name
        );
        let firmware = target.join(board.target.unwrap_or_default()).join("release").join(board.name);
        ensure!(firmware.is_file(), "{}: build the firmware first, with firmware/run", firmware.display());
        let firmware = std::fs::canonicalize(firmware)?;
        std::fs::write(folder.join("model.evb"), model)?;
        let mut child = Command::new(board.emulator)
            .current_dir(folder)
            .args(["-M", board.machine()])
            .args(board.machine)
            .arg("-kernel")
            .arg(&firmware)
            .args(["-device", &format!("loader,file=model.evb,addr={:#x},force-raw=on", board.model.0)])
            .args(["-icount", "shift=6,sleep=off", "-display", "none", "-monitor", "none"])
            .args(["-serial", "unix:line.sock,server=on,wait=on"])
            .args(["-semihosting-config", "enable=on,target=native"])
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("log.bin"))?)
            .spawn()
            .with_context(|| {
                format!("{} cannot be started: install it, see tests/run setup", board.emulator)
            })?;
        let line = connect(&mut child, &folder.join("line.sock"))?;
        Ok(Self { child, line, folder: folder.to_owned(), firmware })
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
fn connect(child: &mut Child, path: &Path) -> anyhow::Result<UnixStream> {
    for _ in 0..1000 {
        if let Ok(line) = UnixStream::connect(path) {
            line.set_read_timeout(Some(Duration::from_secs(60)))?;
            return Ok(line);
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
    fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.line.write_all(bytes).context("the emulator has ended")
    }

    fn receive(&mut self) -> anyhow::Result<Vec<u8>> {
        let (mut answer, mut byte) = (vec![], [0]);
        loop {
            match self.line.read(&mut byte) {
                Ok(1) if byte[0] == 0 => return Ok(answer),
                Ok(1) => answer.push(byte[0]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    bail!("the board does not answer")
                }
                _ => {
                    let code = self.child.wait()?;
                    bail!("the board stopped ({code}): {}", self.log()?.join("; "));
                }
            }
        }
    }
}
