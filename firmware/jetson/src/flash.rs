//! Flash in a file: erased bytes are ones, writing clears bits. What is written lies safe on the disk when [`FileFlash::sync`] comes back.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use anyhow::Context;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// Bytes of the file, and of a page.
pub(crate) const BYTES: u32 = 4 << 20;
const PAGE: usize = 4096;

/// A file could not be read or written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileError;

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// Flash in a file; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct FileFlash {
    file: Rc<File>,
    written: Rc<Cell<bool>>,
}

impl FileFlash {
    /// Opens the file, or makes it, erased.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file =
            opened.with_context(|| format!("{}: cannot be opened for what is kept", path.display()))?;
        let there = file.seek(SeekFrom::End(0))?;
        // Also where making it was interrupted.
        if let Some(missing) = u64::from(BYTES).checked_sub(there) {
            std::io::copy(&mut std::io::repeat(0xff).take(missing), &mut file)?;
            file.flush()?;
            file.sync_all()?;
        }
        Ok(Self { file: Rc::new(file), written: Rc::default() })
    }

    /// Waits until what was written is on the disk.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        if self.written.take() { self.file.sync_data() } else { Ok(()) }
    }
}

impl ErrorType for FileFlash {
    type Error = FileError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.file.read_exact_at(bytes, offset.into()).map_err(|_| FileError)
    }

    fn capacity(&self) -> usize {
        BYTES as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        // What was written before must not come after it.
        self.sync().map_err(|_| FileError)?;
        self.written.set(true);
        let ones = vec![0xff; to.saturating_sub(from) as usize];
        self.file.write_all_at(&ones, from.into()).map_err(|_| FileError)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        self.written.set(true);
        let mut present = vec![0; bytes.len()];
        self.read(offset, &mut present)?;
        present.iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        self.file.write_all_at(&present, offset.into()).map_err(|_| FileError)
    }
}

/// The counter of keyed requests, in a file of its own: written whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct CounterFile(pub(crate) std::path::PathBuf);

impl CounterFile {
    /// The counter; 0 where none was kept.
    pub(crate) fn read(&self) -> anyhow::Result<u32> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().with_context(|| {
                format!("{}: holds no counter: put the highest that was used there", self.0.display())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).with_context(|| format!("{}: cannot be read", self.0.display())),
        }
    }

    /// Keeps it.
    pub(crate) fn write(&self, counter: u32) -> std::io::Result<()> {
        let beside = self.0.with_extension("part");
        let mut file = File::create(&beside)?;
        writeln!(file, "{counter}")?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.0)?;
        // The folder holds the name.
        let folder =
            self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_behaves_as_flash_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.bin");
        let mut flash = FileFlash::open(&path).unwrap();
        flash.write(8, &[0xf0, 0x0f, 0, 1]).unwrap();
        flash.write(8, &[0xff, 0xf8, 1, 3]).unwrap();
        let mut bytes = [0; 5];
        FileFlash::open(&path).unwrap().read(8, &mut bytes).unwrap();
        assert_eq!(bytes, [0xf0, 0x08, 0, 1, 0xff]);
        flash.erase(0, PAGE as u32).unwrap();
        flash.read(8, &mut bytes).unwrap();
        assert_eq!(bytes, [0xff; 5]);
        assert!(flash.read(BYTES - 2, &mut bytes).is_err());
        let counter = CounterFile(folder.path().join("counter"));
        assert_eq!(counter.read().unwrap(), 0);
        counter.write(7).unwrap();
        assert_eq!(counter.read().unwrap(), 7);
    }
}
