//! The flash beside the RP2350, written by functions of its boot ROM: pages of 4 KB.
//!
//! While flash is written or erased nothing can be read from it, code included: interrupts wait, and the second core is never started. The ROM
//! writes pieces of 256 bytes; what of a piece is ones stays what it is, so that words can be written one by one.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use rp235x_hal::rom_data::flash_op;

/// Bytes that the ROM writes at once.
const PIECE: usize = 256;

/// What the ROM is to do: bits 0 (an address as it is in flash), 8 and 9 (as secure code), 16 to 18 (erase or write).
const ERASE: u32 = 1 << 8;
const WRITE: u32 = 1 << 8 | 1 << 16;

/// The region for what is kept.
pub(crate) struct Flash {
    region: &'static mut [u8],
}

/// The ROM refused, or the range is none of the region's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlashError(NorFlashErrorKind);

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl Flash {
    /// Keeps in a region of flash.
    pub(crate) fn new(region: &'static mut [u8]) -> Self {
        Self { region }
    }

    /// Lets the ROM erase, or write `piece`.
    fn operate(&mut self, flags: u32, offset: usize, len: usize, piece: *mut u8) -> Result<(), FlashError> {
        let address = self.region.as_ptr() as u32 + offset as u32;
        // SAFETY: the range lies in the region, which the caller checked, so no code and no model is touched; the ROM reads `len` bytes of a
        // piece to be written. Nothing else runs meanwhile, and the ROM leaves flash readable.
        let result = cortex_m::interrupt::free(|_| unsafe { flash_op(flags, address, len as u32, piece) });
        if result == 0 { Ok(()) } else { Err(FlashError(NorFlashErrorKind::Other)) }
    }
}

impl ErrorType for Flash {
    type Error = FlashError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError)?;
        for (byte, flash) in bytes.iter_mut().zip(&self.region[offset as usize..]) {
            // SAFETY: a byte of the region; volatile, as the ROM changes it behind the compiler's back.
            *byte = unsafe { (&raw const *flash).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.region.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError)?;
        self.operate(ERASE, from as usize, (to - from) as usize, core::ptr::null_mut())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError)?;
        let (mut at, mut rest) = (offset as usize, bytes);
        while !rest.is_empty() {
            let inside = at % PIECE;
            let (now, later) = rest.split_at(rest.len().min(PIECE - inside));
            let mut piece = [0xff; PIECE];
            piece[inside..inside + now.len()].copy_from_slice(now);
            self.operate(WRITE, at - inside, PIECE, piece.as_mut_ptr())?;
            (at, rest) = (at + now.len(), later);
        }
        Ok(())
    }
}
