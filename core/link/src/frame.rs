//! Frames: from a message to bytes on the line and back.

use postcard::ser_flavors::{Cobs, Flavor, Slice};
use serde::{Deserialize, Serialize};

use super::VERSION;
use evobit::image::{Checksum, checksum};

/// Bytes before and behind the message.
const HEADER_BYTES: usize = 2;
const CRC_BYTES: usize = 4;

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// Damaged: broken encoding, too short or a wrong checksum. Gets no answer.
    Damaged,
    /// The frame with this sequence number is of another version.
    Version {
        /// Its sequence number.
        sequence: u8,
        /// Its version.
        version: u8,
    },
    /// The frame with this sequence number holds no message that this version knows, or bytes behind it.
    Message {
        /// Its sequence number.
        sequence: u8,
    },
    /// The buffer for writing is too short.
    BufferLength,
}

impl core::fmt::Display for FrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Damaged => f.write_str("a damaged frame"),
            Self::Version { version, .. } => {
                write!(
                    f,
                    "a frame of version {version}, this program speaks {VERSION}; use a matching program"
                )
            }
            Self::Message { .. } => f.write_str("a frame without a message that this version knows"),
            Self::BufferLength => f.write_str("the buffer is too short for this frame"),
        }
    }
}

impl core::error::Error for FrameError {}

/// Passes bytes on and ends them with their checksum. That there is no room is said at the end: a check at every byte takes code.
struct Checked<Inner> {
    inner: Inner,
    full: bool,
    checksum: Checksum,
}

impl<Inner: Flavor> Flavor for Checked<Inner> {
    type Output = Inner::Output;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.checksum.update(&[byte]);
        self.full |= self.inner.try_push(byte).is_err();
        Ok(())
    }

    fn finalize(mut self) -> postcard::Result<Self::Output> {
        if self.full {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.inner.try_extend(&self.checksum.value().to_le_bytes())?;
        self.inner.finalize()
    }
}

/// Writes a message as a frame, its zero byte included, and returns its bytes.
///
/// # Errors
/// [`FrameError::BufferLength`].
pub fn write_frame<'b>(
    sequence: u8,
    message: &impl Serialize,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], FrameError> {
    let cobs = Cobs::try_new(Slice::new(buffer)).map_err(|_| FrameError::BufferLength)?;
    let flavor = Checked { inner: cobs, full: false, checksum: Checksum::new() };
    let written = postcard::serialize_with_flavor(&(VERSION, sequence, message), flavor);
    written.map(|frame| &*frame).map_err(|_| FrameError::BufferLength)
}

/// Reads the frame in `bytes`, without its zero byte, and returns its sequence number and message. The bytes are decoded in place.
///
/// # Errors
/// What is wrong with it.
pub fn read_frame<'b, Message: Deserialize<'b>>(bytes: &'b mut [u8]) -> Result<(u8, Message), FrameError> {
    let len = cobs::decode_in_place(bytes).map_err(|_| FrameError::Damaged)?;
    let bytes = &bytes[..len.min(bytes.len())];
    let (body, stored) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(FrameError::Damaged)?;
    if checksum(body) != u32::from_le_bytes(*stored) {
        return Err(FrameError::Damaged);
    }
    let (&[version, sequence], body) = body.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Damaged)?;
    if version != VERSION {
        return Err(FrameError::Version { sequence, version });
    }
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok((sequence, message)),
        _ => Err(FrameError::Message { sequence }),
    }
}
