//! Messages between islands, and what carries them.
//!
//! Every island has a [`Door`]: it sends and receives through it and knows nothing else of the world. Behind the doors of a process
//! stands its post, which hands messages from thread to thread, and to other processes by a [`Transport`]. So
//! the same island runs on a thread beside others and on another machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::records::{Finish, Migrant};
use crate::checkpoint::Fingerprint;
use crate::row::Row;

/// How long to wait before looking whether the run is to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// What goes from island to post and from process to process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Parcel {
    /// To the first process, before anything else: who is there.
    Hello {
        /// The rank.
        rank: u32,
        /// The version of the program.
        version: String,
        /// Checksum of the configuration.
        config: u32,
        /// What the run is of.
        fingerprint: Fingerprint,
    },
    /// From the first process: begin in this folder, each island from its checkpoint of an epoch on.
    Begin {
        /// The run folder; none to save nothing.
        folder: Option<PathBuf>,
        /// The epoch of each island; 0 for the start.
        epochs: Vec<u32>,
    },
    /// From the first process: do not begin, or stop.
    Stop,
    /// To an island.
    Migrant(Migrant),
    /// To the first process: a row of an island's.
    Row(u16, Row),
    /// To the first process: an island has a checkpoint of this epoch.
    Saved {
        /// The island.
        island: u16,
        /// Epochs it has lived.
        epoch: u32,
        /// Bytes of the file.
        bytes: u64,
    },
    /// From the first process: all islands have a checkpoint of this epoch.
    Oldest(u32),
    /// To the first process: an island is through.
    Finished(Box<Finish>),
    /// To the first process: an island cannot go on.
    Failed(String),
    /// From the first process: all islands are through.
    Close,
}

/// Carries bytes between the processes of a run, in order between each two.
pub trait Transport: std::fmt::Debug {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// Sends without waiting for the receiver.
    fn send(&self, rank: usize, bytes: &[u8]);

    /// The next bytes that are there; does not wait.
    fn receive(&self) -> Option<Vec<u8>>;

    /// Ends all processes.
    fn abort(&self) -> !;
}

/// A run of one process.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Transport for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn send(&self, _: usize, _: &[u8]) {}

    fn receive(&self) -> Option<Vec<u8>> {
        None
    }

    fn abort(&self) -> ! {
        std::process::exit(1)
    }
}

/// The run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// The door of an island.
#[derive(Debug)]
pub struct Door<'a> {
    /// To the post.
    pub outbox: Sender<Parcel>,
    /// From the post.
    pub inbox: Receiver<Migrant>,
    /// The run is to stop.
    pub stop: &'a AtomicBool,
    /// The epoch that all islands have saved.
    pub oldest: &'a AtomicU32,
    /// Migrants that came before they were asked for, by the epoch they were sent in and their island.
    pub early: BTreeMap<(u32, u16), Migrant>,
}

impl Door<'_> {
    /// Is the run to stop?
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The epoch that all islands have saved, or an earlier one.
    #[must_use]
    pub fn oldest(&self) -> u32 {
        self.oldest.load(Ordering::Relaxed)
    }

    /// Sends. Where the post is gone the run is over, which the island will see.
    pub fn send(&self, parcel: Parcel) {
        let _ = self.outbox.send(parcel);
    }

    /// The migrant that `from` sent in `epoch`; waits for it.
    ///
    /// # Errors
    /// When the run stops first.
    pub fn wait(&mut self, from: u16, epoch: u32) -> Result<Migrant, Stopped> {
        loop {
            if let Some(migrant) = self.early.remove(&(epoch, from)) {
                return Ok(migrant);
            }
            match self.inbox.recv_timeout(PATIENCE) {
                Ok(migrant) => drop(self.early.insert((migrant.epoch, migrant.from), migrant)),
                Err(RecvTimeoutError::Timeout) if !self.stopped() => {}
                Err(_) => return Err(Stopped),
            }
        }
    }

    /// All migrants that are there, in the order in which they came.
    pub fn poll(&mut self) -> Vec<Migrant> {
        self.inbox.try_iter().collect()
    }
}
