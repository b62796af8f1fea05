//! Bytes that show when they are damaged: magic, version, contents, checksum.
//!
//! All numbers are little-endian:
//!
//! ```text
//! offset  bytes  what
//! 0       4      magic
//! 4       2      version
//! 6       ...    contents
//! end-4   4      CRC-32, that of model images, of all bytes before
//! ```

use evobit::image::checksum;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes before the contents, and of the checksum behind them.
const HEADER_BYTES: usize = 6;
const CRC_BYTES: usize = 4;

/// Why bytes cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// They are cut off, changed, or something else.
    #[error("damaged")]
    Damaged,
    /// They are of another version.
    #[error("of version {found}, and this program reads version {wanted}")]
    Version {
        /// That of the bytes.
        found: u16,
        /// That of this program.
        wanted: u16,
    },
}

/// A kind of sealed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    /// What the bytes begin with.
    pub magic: [u8; 4],
    /// The version that this program writes and reads.
    pub version: u16,
}

impl Seal {
    /// A value as sealed bytes. None only where memory is short.
    #[must_use]
    pub fn close(self, value: &impl Serialize) -> Option<Vec<u8>> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        let mut bytes = postcard::to_extend(value, bytes).ok()?;
        bytes.extend(checksum(&bytes).to_le_bytes());
        Some(bytes)
    }

    /// The value of sealed bytes.
    ///
    /// # Errors
    /// Bytes that are damaged or of another version.
    pub fn open<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, SealError> {
        let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(SealError::Damaged)?;
        if u32::from_le_bytes(*crc) != checksum(body) || !body.starts_with(&self.magic) {
            return Err(SealError::Damaged);
        }
        let (header, contents) = body.split_at_checked(HEADER_BYTES).ok_or(SealError::Damaged)?;
        let found = u16::from_le_bytes([header[4], header[5]]);
        if found != self.version {
            return Err(SealError::Version { found, wanted: self.version });
        }
        match postcard::take_from_bytes(contents) {
            Ok((value, [])) => Ok(value),
            _ => Err(SealError::Damaged),
        }
    }
}

/// Puts the checksum of changed bytes right, for tests.
pub fn reseal(bytes: &mut [u8]) {
    if let Some((body, crc)) = bytes.split_last_chunk_mut::<CRC_BYTES>() {
        *crc = checksum(body).to_le_bytes();
    }
}
