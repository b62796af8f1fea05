//! Spectra of several networks in one launch.
//!
//! Islands on one card ask for spectra whenever they come to it. Whoever asks while the card is free launches what all have asked for; who asks
//! meanwhile joins the next launch. Nobody waits for anybody who may not come, and sums do not depend on who was launched together.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytemuck::{Pod, Zeroable};

use crate::cuda::device::{Buffer, Device, DeviceError, THREADS, launch};

/// Jobs of one launch.
const MOST_JOBS: usize = 1 << 10;
/// Warps that keep a multiprocessor busy, and most tiles that one of them takes.
const WARPS: u32 = 64;
const MOST_TILES: u32 = 4;
/// The compute capability from which on spectra are made on tensor cores.
const TENSOR: u32 = 80;

/// `Job` of kernels/cuda/spectrum.cu.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Job {
    /// The network's state on the card.
    pub(super) landscape: u64,
    /// Where its sums are added.
    pub(super) sums: u64,
    pub(super) visit: u32,
    pub(super) padding: u32,
}

// The kernels assert the same.
const _: () = assert!(size_of::<Job>() == 24);

/// What the networks of a launch have in common: whether their windows slide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JobKind {
    pub(super) slides: bool,
}

/// Launches spectra on one card.
pub(in super::super) struct Together {
    device: Arc<dyn Device>,
    queue: Mutex<Queue>,
    launched: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Jobs for the next round; who asks for others waits for the one after it.
    jobs: Vec<Job>,
    kind: Option<JobKind>,
    /// Most tiles of samples of one of them.
    tiles: u32,
    /// Rounds that have begun.
    begun: u64,
    /// Rounds that are launched.
    done: u64,
    busy: bool,
    failed: Option<DeviceError>,
    memory: Option<Arc<Buffer<Job>>>,
}

impl Together {
    pub(in super::super) fn new(device: &Arc<dyn Device>) -> Self {
        Self { device: Arc::clone(device), queue: Mutex::default(), launched: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A thread that panicked left it as it was.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allocates what launches need, before memory is planned.
    pub(in super::super) fn prepare(&self) -> Result<(), DeviceError> {
        let mut queue = self.queue();
        if queue.memory.is_none() {
            queue.memory = Some(Arc::new(Buffer::new(&self.device, MOST_JOBS)?));
        }
        Ok(())
    }

    /// Launches these jobs, of so many tiles of samples, with those of others that have come meanwhile.
    pub(super) fn launch(&self, jobs: &[Job], kind: JobKind, tiles: u32) -> Result<(), DeviceError> {
        let mut queue = self.queue();
        while queue.kind.is_some_and(|other| other != kind) {
            queue = self.wait(queue);
        }
        queue.jobs.extend(jobs);
        queue.kind = Some(kind);
        queue.tiles = queue.tiles.max(tiles);
        let round = queue.begun;
        while queue.busy && queue.done <= round {
            queue = self.wait(queue);
        }
        if queue.done > round {
            return queue.failed.clone().map_or(Ok(()), Err);
        }
        queue.busy = true;
        queue.begun += 1;
        queue.kind = None;
        let (jobs, tiles) = (std::mem::take(&mut queue.jobs), std::mem::take(&mut queue.tiles));
        let memory = queue.memory.clone();
        drop(queue);
        let launched = memory.as_ref().map_or(Ok(()), |memory| self.launch_all((&jobs, kind, tiles), memory));
        let mut queue = self.queue();
        queue.failed = launched.clone().err().or(queue.failed.take());
        (queue.busy, queue.done) = (false, round + 1);
        self.launched.notify_all();
        launched
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.launched.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    fn launch_all(
        &self,
        (jobs, kind, all): (&[Job], JobKind, u32),
        memory: &Buffer<Job>,
    ) -> Result<(), DeviceError> {
        for jobs in jobs.chunks(MOST_JOBS).filter(|_| all > 0) {
            // After the launch before, which reads them.
            memory.write(jobs)?;
            let (address, count) = (memory.address(), jobs.len() as u32);
            // Few warps with much work each add up less in memory, but not fewer than keep the card busy.
            let busy = WARPS * self.device.multiprocessors();
            let tiles = (all * count / busy).clamp(1, MOST_TILES);
            let grid = [count.div_ceil(THREADS / 32), all.div_ceil(tiles)];
            match (kind.slides, self.device.capability() >= TENSOR) {
                (false, false) => launch!(self.device, SpectrumMasked, grid, address, count, tiles),
                (false, true) => launch!(self.device, SpectrumTensor, grid, address, count, tiles),
                (true, false) => launch!(self.device, SpectrumSlidingMasked, grid, address, count, tiles),
                (true, true) => launch!(self.device, SpectrumSlidingTensor, grid, address, count, tiles),
            }?;
        }
        Ok(())
    }
}
