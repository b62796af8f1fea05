//! What a firmware is made of: the regions that flashing it writes, and where it expects its model.

use std::ops::Range;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind, Object, ObjectSymbol};

/// Why a firmware cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirmwareError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({source}): give the firmware's ELF file with --firmware", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no ELF file.
    #[error("{}: is no firmware ({reason}): give the ELF file that firmware/build made", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It names no region for a model.
    #[error("{}: names no region for a model (_model_start, _model_end): give the ELF file that firmware/build made", path.display())]
    NoModel {
        /// The file.
        path: PathBuf,
    },
    /// The firmware lies in the region of the model.
    #[error("{}: its code reaches into the region of the model at {start:#010x}: its memory.x is wrong", path.display())]
    Overlap {
        /// The file.
        path: PathBuf,
        /// Where the region begins.
        start: u64,
    },
}

/// Bytes and where they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `firmware` or `model`.
    pub what: &'static str,
    /// The first address.
    pub address: u64,
    /// What is written there.
    pub bytes: Vec<u8>,
}

/// A firmware.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// Its file.
    pub path: PathBuf,
    /// What flashing writes, in ascending order.
    pub regions: Vec<Region>,
    /// Where a model goes.
    pub model: Range<u64>,
    /// Where it keeps what it learned, if it says so.
    pub kept: Option<Range<u64>>,
}

impl Firmware {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// A file that cannot be read or is no firmware.
    pub fn read(path: &Path) -> Result<Self, FirmwareError> {
        let path = path.to_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(FirmwareError::Read { path, source }),
        };
        let (regions, symbols) = match parse(&bytes) {
            Ok(parsed) => parsed,
            Err(reason) => return Err(FirmwareError::Format { path, reason }),
        };
        let [model, kept] = symbols;
        let Some(model) = model else { return Err(FirmwareError::NoModel { path }) };
        let inside = |region: &Region| {
            region.address < model.end && region.address + region.bytes.len() as u64 > model.start
        };
        if regions.iter().any(inside) {
            return Err(FirmwareError::Overlap { path, start: model.start });
        }
        Ok(Self { path, regions, model, kept })
    }

    /// What flashing it with a model writes, in ascending order.
    #[must_use]
    pub fn with_model(&self, model: &[u8]) -> Vec<Region> {
        let model = Region { what: "model", address: self.model.start, bytes: model.to_vec() };
        let mut regions = self.regions.clone();
        regions.push(model);
        regions.sort_by_key(|region| region.address);
        regions
    }
}

/// Where a model goes, and what was learned.
type Reserved = [Option<Range<u64>>; 2];

/// The regions that are written, and those between `_model_start` and `_model_end`, `_kept_start` and `_kept_end`.
fn parse(bytes: &[u8]) -> Result<(Vec<Region>, Reserved), String> {
    let regions = match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => regions::<FileHeader32<Endianness>>(bytes)?,
        Ok(FileKind::Elf64) => regions::<FileHeader64<Endianness>>(bytes)?,
        _ => return Err("not an ELF file".into()),
    };
    let file = object::File::parse(bytes).map_err(|error| error.to_string())?;
    let symbol =
        |name: &str| file.symbols().find(|symbol| symbol.name() == Ok(name)).map(|symbol| symbol.address());
    let between = |start, end| Some(symbol(start)?..symbol(end)?);
    Ok((regions, [between("_model_start", "_model_end"), between("_kept_start", "_kept_end")]))
}

fn regions<Header: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Vec<Region>, String> {
    let header = Header::parse(bytes).map_err(|error| error.to_string())?;
    let endian = header.endian().map_err(|error| error.to_string())?;
    let mut regions = vec![];
    for segment in header.program_headers(endian, bytes).map_err(|error| error.to_string())? {
        if segment.p_type(endian) != PT_LOAD || segment.p_filesz(endian).into() == 0 {
            continue;
        }
        let content =
            segment.data(endian, bytes).map_err(|()| "a segment reaches behind the file".to_string())?;
        let address = segment.p_paddr(endian).into();
        regions.push(Region { what: "firmware", address, bytes: content.to_vec() });
    }
    regions.sort_by_key(|region| region.address);
    Ok(regions)
}
