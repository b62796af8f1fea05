//! Flash in a file of the host, through semihosting: what a board saves outlives its emulator.
//!
//! It behaves as NOR flash does: erasing sets whole pages to ones, writing can only clear bits.

use core::ffi::CStr;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use semihosting::fs::{File, OpenOptions};
use semihosting::io::{Read, Seek, SeekFrom, Write};

/// Bytes of a page.
const PAGE: usize = 1024;

/// `BYTES` bytes of flash in a file.
#[derive(Debug)]
pub struct FileFlash<const BYTES: usize> {
    file: File,
}

/// The file could not be read or written.
#[derive(Clone, Copy, Debug)]
pub struct FileError;

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const BYTES: usize> FileFlash<BYTES> {
    /// Opens the file, or makes it, erased. `None` where neither can be done.
    #[must_use]
    pub fn open(path: &CStr) -> Option<Self> {
        if let Ok(file) = OpenOptions::new().read(true).write(true).open(path) {
            return Some(Self { file });
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path).ok()?;
        let mut flash = Self { file };
        flash.erase(0, BYTES as u32).ok()?;
        Some(flash)
    }

    fn seek(&mut self, offset: u32) -> Result<(), FileError> {
        self.file.seek(SeekFrom::Start(offset.into())).map(|_| ()).map_err(|_| FileError)
    }
}

impl<const BYTES: usize> ErrorType for FileFlash<BYTES> {
    type Error = FileError;
}

impl<const BYTES: usize> ReadNorFlash for FileFlash<BYTES> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.seek(offset)?;
        self.file.read_exact(bytes).map_err(|_| FileError)
    }

    fn capacity(&self) -> usize {
        BYTES
    }
}

impl<const BYTES: usize> NorFlash for FileFlash<BYTES> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        self.seek(from)?;
        let ones = [0xff; 64];
        (from..to).step_by(ones.len()).try_for_each(|_| self.file.write_all(&ones).map_err(|_| FileError))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        for (index, piece) in bytes.chunks(16).enumerate() {
            let at = offset + index as u32 * 16;
            let mut present = [0; 16];
            let present = &mut present[..piece.len()];
            self.read(at, present)?;
            present.iter_mut().zip(piece).for_each(|(old, new)| *old &= new);
            self.seek(at)?;
            self.file.write_all(present).map_err(|_| FileError)?;
        }
        Ok(())
    }
}
