//! What a card can do at most, measured.

use std::sync::Arc;
use std::time::Instant;

use super::device::{Buffer, Device, DeviceError, THREADS, launch};

/// Blocks: enough for every card to be busy.
const BLOCKS: u32 = 1 << 12;
/// Chains of a thread, as in kernels/cuda/ceiling.cu.
const CHAINS: f64 = 8.0;

/// Bit operations a second; those on tensor cores only where there are such.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Population counts of 32 bits.
    pub counts: f64,
    /// Products of bits with exclusive or.
    pub differ: Option<f64>,
    /// Products of bits with and.
    pub both: Option<f64>,
}

impl Ceilings {
    /// Measures, each with chains of `rounds` instructions.
    ///
    /// # Errors
    /// Failures of the card.
    pub fn measure(device: &Arc<dyn Device>, rounds: u32) -> Result<Self, DeviceError> {
        let buffer: Buffer<u32> = Buffer::new(device, 1)?;
        let out = buffer.address();
        let all = f64::from(BLOCKS) * f64::from(rounds) * CHAINS;
        let threads = f64::from(THREADS);
        let per_second = |work: f64, launch: &dyn Fn() -> Result<(), DeviceError>| {
            // Once to warm up: a card at rest runs slowly.
            launch()?;
            device.finish()?;
            let started = Instant::now();
            launch()?;
            device.finish()?;
            Ok(work / started.elapsed().as_secs_f64())
        };
        let grid = [BLOCKS, 1];
        let products = all * threads / 32.0 * (16 * 8 * 128) as f64;
        let counts = per_second(all * threads * 32.0, &|| launch!(device, CeilingCounts, grid, out, rounds))?;
        let differ = || per_second(products, &|| launch!(device, CeilingDiffer, grid, out, rounds));
        let both = || per_second(products, &|| launch!(device, CeilingBoth, grid, out, rounds));
        Ok(Self {
            counts,
            differ: (device.capability() >= 75).then(differ).transpose()?,
            both: (device.capability() >= 80).then(both).transpose()?,
        })
    }
}
