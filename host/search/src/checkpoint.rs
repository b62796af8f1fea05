//! The state of a search between two steps, as bytes: what a run that was stopped or killed goes on from.
//!
//! A checkpoint holds everything that the rest of a search depends on, so that a run that goes on from it ends in the
//! same result, to the byte, as one that was never interrupted. The state itself is the search's own. Beside it stand the
//! configuration and checksums of the data, so that nothing goes on with other ones. It costs a copy of the state, a
//! checksum of it and a file written.

mod files;

use serde::{Deserialize, Serialize};

use crate::Stop;
use crate::seal::{Seal, SealError};
use crate::words::bytes;

pub use files::{Checkpoints, Found, ReadError, find};

/// Version 3 has the state as bytes of its own.
const SEAL: Seal = Seal { magic: *b"evck", version: 3 };

/// What a run is of: the same in all of its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The command that makes such runs, such as `train`.
    pub command: String,
    /// The configuration the run was begun with, as TOML.
    pub config: String,
    /// Checksums of what it was begun on.
    #[serde(with = "bytes")]
    pub fingerprint: Vec<u8>,
}

/// A state and what run it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the run is of.
    pub head: Head,
    /// The checkpoints of the run that were written before this one.
    pub number: u64,
    /// Steps of the search so far.
    pub step: u64,
    /// Seconds of the search so far.
    pub seconds: f64,
    /// Everything that the rest of the run depends on.
    #[serde(with = "bytes")]
    pub state: Vec<u8>,
    /// Why the search ended here, if it did.
    pub stop: Option<Stop>,
    /// The run folder was completed after that.
    pub complete: bool,
}

impl Checkpoint {
    /// The checkpoint as bytes. None only where memory is short.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        SEAL.close(self)
    }

    /// Reads a checkpoint. Whether the state is one of the run is for the search to say.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        SEAL.open(bytes)
    }

    /// Why the search ended, where it ended for good, so that there is nothing to go on with.
    #[must_use]
    pub fn ended(&self) -> Option<Stop> {
        self.stop.filter(|stop| !stop.is_early())
    }
}
