//! The files of checkpoints in a run folder: two, written in turn, so that one is whole whatever happens to the other.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Checkpoint, CheckpointError, Fingerprint, State, Stop};
use crate::Prepared;
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
        source: CheckpointError,
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
    let age = |checkpoint: &Checkpoint| {
        (checkpoint.state.course.now.step, checkpoint.stop.is_some(), checkpoint.complete)
    };
    for (file, name) in NAMES.iter().enumerate() {
        let path = folder.file(name);
        let read = match std::fs::read(&path) {
            Ok(bytes) => Checkpoint::from_bytes(&bytes).map_err(|source| ReadError::Bytes { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => Err(ReadError::Read { path, source }),
        };
        match read {
            Ok(found) if newest.as_ref().is_some_and(|(other, _)| age(other) >= age(&found)) => {}
            Ok(found) => newest = Some((found, file)),
            Err(fault) => faults.push(fault),
        }
    }
    Found { newest, faults }
}

/// Writes the checkpoints of a run, and the model of the best genome with them.
#[derive(Debug)]
pub struct Checkpoints {
    folder: RunFolder,
    interval: Duration,
    /// The configuration as TOML and the fingerprint: they stay the same.
    config: String,
    fingerprint: Fingerprint,
    /// Which file to write next.
    file: usize,
    written: Option<Instant>,
    /// The genome whose model was written last.
    model: Vec<u32>,
    /// The state in which the search ended.
    last: Option<Checkpoint>,
}

impl Checkpoints {
    /// Checkpoints in `folder`, every `interval`, of a run of `prepared` by the configuration `config`, as TOML. `read` is
    /// which file the run goes on from: it stays until the other is written.
    #[must_use]
    pub fn new(
        folder: &RunFolder,
        prepared: &Prepared,
        config: String,
        interval: Duration,
        read: Option<usize>,
    ) -> Self {
        let (folder, fingerprint) = (folder.clone(), Fingerprint::new(prepared));
        let file = usize::from(read == Some(0));
        Self { folder, interval, config, fingerprint, file, written: None, model: vec![], last: None }
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// What the run was begun on.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Is it time to write one? The first is due at once.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.written.is_none_or(|written| written.elapsed() >= self.interval)
    }

    /// Writes a checkpoint in place of the last but one, then the model. Of a search that has ended, the caller writes
    /// the model.
    ///
    /// # Errors
    /// What kept it from being written, in one line; the checkpoint before is as it was.
    pub fn write(&mut self, prepared: &Prepared, state: State, stop: Option<Stop>) -> Result<(), String> {
        let (config, fingerprint) = (self.config.clone(), self.fingerprint);
        let checkpoint = Checkpoint { config, fingerprint, state, stop, complete: false };
        let written = self.write_state(&checkpoint);
        // Also where it failed: not every step is to try again.
        self.written = Some(Instant::now());
        if stop.is_some() {
            self.last = Some(checkpoint);
            return written;
        }
        written.and_then(|()| self.write_model(prepared, checkpoint.state.best_genome()))
    }

    /// Takes the last checkpoint of a search that ended without its folder being completed.
    pub fn ended(&mut self, last: Checkpoint) {
        self.last = Some(last);
    }

    /// Says in a last checkpoint that the run folder is complete.
    ///
    /// # Errors
    /// What kept it from being written, in one line.
    pub fn complete(&mut self) -> Result<(), String> {
        let Some(last) = self.last.take() else { return Ok(()) };
        self.write_state(&Checkpoint { complete: true, ..last })
    }

    fn write_state(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        let bytes = checkpoint.to_bytes().ok_or("a checkpoint is too large for memory")?;
        self.folder.write(NAMES[self.file], &bytes).map_err(|error| error.to_string())?;
        self.file = 1 - self.file;
        Ok(())
    }

    fn write_model(&mut self, prepared: &Prepared, genome: &[u32]) -> Result<(), String> {
        // Islands have none before they are through.
        if !genome.is_empty() && self.model != genome {
            let model = prepared.model(genome).map_err(|error| error.to_string())?;
            self.folder.write("model.evb", model.bytes()).map_err(|error| error.to_string())?;
            self.model = genome.to_vec();
        }
        Ok(())
    }
}
