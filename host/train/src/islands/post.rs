//! The post of a process: takes parcels from door to door, from thread to thread and from process to process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::exchange::{Parcel, Transport};
use super::ledger::Ledger;
use super::records::{Finish, Migrant};
use super::traffic::Traffic;
use crate::row::Row;
use evobit_search::{Interrupt, Watch};

/// How long to wait for parcels of the own islands: alone, and where other processes may have sent something.
const WAIT_ALONE: Duration = Duration::from_millis(50);
const WAIT: Duration = Duration::from_micros(300);

/// The process that an island lives in.
pub(super) fn home(island: u16, processes: usize) -> usize {
    usize::from(island) % processes
}

/// The post.
pub(super) struct Post<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) islands: u16,
    /// Sweeps of an epoch.
    pub(super) sweeps: u32,
    /// The inboxes of the islands here.
    pub(super) inboxes: BTreeMap<u16, Sender<Migrant>>,
    pub(super) outbox: Receiver<Parcel>,
    pub(super) stop: &'a AtomicBool,
    /// Asks the run to end.
    pub(super) interrupt: Interrupt,
    /// The epoch that all islands have saved.
    pub(super) oldest: &'a AtomicU32,
    /// That of each island, in the first process.
    pub(super) ledger: Ledger,
    pub(super) finished: BTreeMap<u16, Finish>,
    /// Mutants of each island.
    pub(super) mutants: BTreeMap<u16, u64>,
    /// Of all of them.
    pub(super) scored: u64,
    /// What the islands here said.
    pub(super) traffic: Traffic,
    pub(super) closed: bool,
    /// Islands of this process that are through.
    pub(super) through: usize,
}

impl Post<'_> {
    /// Works until all islands of all processes are through.
    ///
    /// # Errors
    /// Why one could not go on.
    pub(super) fn work(&mut self, watch: &mut dyn Watch<Row>) -> Result<(), String> {
        let alone = self.transport.size() == 1;
        while !self.closed {
            match self.outbox.recv_timeout(if alone { WAIT_ALONE } else { WAIT }) {
                Ok(parcel) => self.route(parcel, watch)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if self.through < self.inboxes.len() => {
                    return Err("an island ended without a word: this is a bug, please report it".into());
                }
                // The islands here are through; those elsewhere may not be.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(WAIT),
            }
            while let Ok(parcel) = self.outbox.try_recv() {
                self.route(parcel, watch)?;
            }
            while let Some(bytes) = self.transport.receive() {
                self.arrived(&bytes, watch)?;
            }
            if self.interrupt.is_set() && !self.stop.swap(true, Ordering::Relaxed) {
                self.to_others(&Parcel::Stop);
            }
            if self.transport.rank() == 0 && self.finished.len() == usize::from(self.islands) {
                self.to_others(&Parcel::Close);
                self.closed = true;
            }
        }
        Ok(())
    }

    /// Bytes of another process.
    pub(super) fn arrived(&mut self, bytes: &[u8], watch: &mut dyn Watch<Row>) -> Result<(), String> {
        let parcel = postcard::from_bytes(bytes);
        self.handle(parcel.map_err(|_| "another process sent what this one does not understand")?, watch)
    }

    /// To where a parcel belongs.
    fn route(&mut self, parcel: Parcel, watch: &mut dyn Watch<Row>) -> Result<(), String> {
        self.traffic.note(&parcel, self.sweeps);
        self.through += usize::from(matches!(parcel, Parcel::Finished(_)));
        let to = match &parcel {
            Parcel::Migrant(migrant) => home(migrant.to, self.transport.size()),
            _ => 0,
        };
        if to == self.transport.rank() {
            return self.handle(parcel, watch);
        }
        send(self.transport, to, &parcel);
        Ok(())
    }

    /// A parcel for this process.
    pub(super) fn handle(&mut self, parcel: Parcel, watch: &mut dyn Watch<Row>) -> Result<(), String> {
        match parcel {
            // One that is through needs it no more.
            Parcel::Migrant(migrant) => {
                if let Some(inbox) = self.inboxes.get(&migrant.to) {
                    let _ = inbox.send(migrant);
                }
            }
            Parcel::Row(island, row) => self.row(island, &row, watch),
            Parcel::Saved { island, epoch, .. } => {
                if let Some(oldest) = self.ledger.save(u32::from(island), epoch) {
                    self.oldest.store(oldest, Ordering::Relaxed);
                    self.to_others(&Parcel::Oldest(oldest));
                }
            }
            Parcel::Oldest(epoch) => self.oldest.store(epoch, Ordering::Relaxed),
            Parcel::Finished(finish) => drop(self.finished.insert(finish.island, *finish)),
            Parcel::Failed(reason) => {
                self.stop.store(true, Ordering::Relaxed);
                return Err(reason);
            }
            Parcel::Stop => self.stop.store(true, Ordering::Relaxed),
            Parcel::Close => self.closed = true,
            Parcel::Hello { .. } | Parcel::Begin { .. } => {}
        }
        Ok(())
    }

    fn row(&mut self, island: u16, row: &Row, watch: &mut dyn Watch<Row>) {
        let before = self.mutants.insert(island, row.mutants).unwrap_or(0);
        self.scored = self.scored.wrapping_sub(before).wrapping_add(row.mutants);
        watch.step(row.step.next_multiple_of(16), self.scored);
        if island == 0 {
            watch.row(row);
        }
    }

    fn to_others(&self, parcel: &Parcel) {
        (0..self.transport.size())
            .filter(|&rank| rank != self.transport.rank())
            .for_each(|rank| send(self.transport, rank, parcel));
    }
}

/// Sends a parcel to another process.
pub(super) fn send(transport: &dyn Transport, rank: usize, parcel: &Parcel) {
    // It is made of plain values: writing it cannot fail.
    if let Ok(bytes) = postcard::to_stdvec(parcel) {
        transport.send(rank, &bytes);
    }
}

/// The next parcel of another process; waits for it.
pub(super) fn next(transport: &dyn Transport) -> Option<Parcel> {
    loop {
        match transport.receive() {
            Some(bytes) => return postcard::from_bytes(&bytes).ok(),
            None => std::thread::sleep(WAIT),
        }
    }
}
