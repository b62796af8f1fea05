//! The files of checkpoints in a run folder: two, written in turn, so that one is whole whatever happens to the other.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Checkpoint, Head, SealError, Stop};
use crate::run_folder::RunFolder;

/// The two files.
const NAMES: [&str; 2] = ["checkpoint-a.bin", "checkpoint-b.bin"];

/// Why a file of a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It cannot be read.
    #[error("{}: cannot be read ({source})", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is no checkpoint.
    #[error("{}: {source}", path.display())]
    Bytes {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SealError,
    },
}

/// What a run folder has to go on from.
#[derive(Debug)]
pub struct Found {
    /// The newest checkpoint that can be used, and which of the two files it is in.
    pub newest: Option<(Checkpoint, usize)>,
    /// What is wrong with the files that cannot be used. One that is not there is no fault.
    pub faults: Vec<ReadError>,
}

/// Reads the checkpoints of a run.
#[must_use]
pub fn find(folder: &RunFolder) -> Found {
    let (mut newest, mut faults): (Option<(Checkpoint, usize)>, _) = (None, vec![]);
    for (file, name) in NAMES.iter().enumerate() {
        let path = folder.file(name);
        let read = match std::fs::read(&path) {
            Ok(bytes) => Checkpoint::from_bytes(&bytes).map_err(|source| ReadError::Bytes { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => Err(ReadError::Read { path, source }),
        };
        match read {
            Ok(found) if newest.as_ref().is_some_and(|(other, _)| other.number >= found.number) => {}
            Ok(found) => newest = Some((found, file)),
            Err(fault) => faults.push(fault),
        }
    }
    Found { newest, faults }
}

/// Writes the checkpoints of a run.
#[derive(Debug)]
pub struct Checkpoints {
    folder: RunFolder,
    interval: Duration,
    head: Head,
    /// Which file to write next, and the number of what is written.
    file: usize,
    number: u64,
    written: Option<Instant>,
    /// The state in which the search ended.
    last: Option<Checkpoint>,
}

impl Checkpoints {
    /// Checkpoints in `folder`, every `interval`, of a run of `head`. `read` is what the run goes on from and which file that
    /// is in: it stays until the other is written.
    #[must_use]
    pub fn new(
        folder: &RunFolder,
        head: Head,
        interval: Duration,
        read: Option<&(Checkpoint, usize)>,
    ) -> Self {
        let file = read.map_or(0, |&(_, file)| 1 - file.min(1));
        let number = read.map_or(0, |(checkpoint, _)| checkpoint.number.saturating_add(1));
        Self { folder: folder.clone(), interval, head, file, number, written: None, last: None }
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Is it time to write one? The first is due at once.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.written.is_none_or(|written| written.elapsed() >= self.interval)
    }

    /// Writes a checkpoint after so many steps and seconds in place of the last but one.
    ///
    /// # Errors
    /// What kept it from being written, in one line; the checkpoint before is as it was.
    pub fn write(
        &mut self,
        (step, seconds): (u64, f64),
        state: Vec<u8>,
        stop: Option<Stop>,
    ) -> Result<(), String> {
        let (head, number) = (self.head.clone(), self.number);
        let checkpoint = Checkpoint { head, number, step, seconds, state, stop, complete: false };
        let written = self.write_file(&checkpoint);
        // Also where it failed: not every step is to try again.
        self.written = Some(Instant::now());
        if stop.is_some() {
            self.last = Some(checkpoint);
        }
        written
    }

    /// Takes the last checkpoint of a search that ended without its folder being completed.
    pub fn ended(&mut self, last: Checkpoint) {
        self.last = Some(last);
    }

    /// Why the search ended that has taken its last checkpoint.
    #[must_use]
    pub fn has_ended(&self) -> Option<Stop> {
        self.last.as_ref().and_then(Checkpoint::ended)
    }

    /// Says in a last checkpoint that the run folder is complete.
    ///
    /// # Errors
    /// What kept it from being written, in one line.
    pub fn complete(&mut self) -> Result<(), String> {
        let Some(last) = self.last.take() else { return Ok(()) };
        self.write_file(&Checkpoint { complete: true, number: self.number, ..last })
    }

    fn write_file(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        let bytes = checkpoint.to_bytes().ok_or("a checkpoint is too large for memory")?;
        self.folder.write(NAMES[self.file], &bytes).map_err(|error| error.to_string())?;
        self.file = 1 - self.file;
        self.number = self.number.saturating_add(1);
        Ok(())
    }
}
