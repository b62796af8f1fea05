//! The nRF51's flash, by its controller (NVMC): pages of 1 KB, words of 4 bytes.

use core::convert::Infallible;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// Bytes of flash for what is kept; the region is in `memory.x`.
pub(crate) const KEPT: u32 = 24 * 1024;
const START: usize = 0x3_0000;
const READY: *const u32 = 0x4001_e400 as *const u32;
const CONFIG: *mut u32 = 0x4001_e504 as *mut u32;
const ERASE_PAGE: *mut u32 = 0x4001_e508 as *mut u32;

const READ: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

/// The flash controller, and the region for what is kept.
#[derive(Debug)]
pub(crate) struct Flash;

impl Flash {
    fn wait() {
        // SAFETY: the controller's ready register.
        while unsafe { READY.read_volatile() } & 1 == 0 {}
    }

    fn allow(what: u32) {
        // SAFETY: the controller's configuration register.
        unsafe { CONFIG.write_volatile(what) };
        Self::wait();
    }
}

impl ErrorType for Flash {
    type Error = Infallible;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        for (byte, at) in bytes.iter_mut().zip(START + offset as usize..) {
            // SAFETY: an address in flash.
            *byte = unsafe { (at as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        KEPT as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        Self::allow(ERASE);
        for page in (from..to.min(KEPT)).step_by(Self::ERASE_SIZE) {
            // SAFETY: a page of the region for what is kept.
            unsafe { ERASE_PAGE.write_volatile(START as u32 + page) };
            Self::wait();
        }
        Self::allow(READ);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        Self::allow(WRITE);
        for (word, at) in bytes.chunks_exact(4).zip((START + offset as usize..).step_by(4)) {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            // SAFETY: a word of the region for what is kept; writing is allowed.
            unsafe { (at as *mut u32).write_volatile(word) };
            Self::wait();
        }
        Self::allow(READ);
        Ok(())
    }
}
