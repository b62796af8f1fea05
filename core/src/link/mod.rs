//! The messages between a host and a board.
//!
//! A frame is one message, COBS-encoded (Cheshire and Baker, 1999) and ended by a zero byte, so that a reader finds the next frame after any
//! damage. Before that encoding it holds:
//!
//! ```text
//! offset  bytes  what
//! 0       1      version, 1
//! 1       1      sequence number: a reply has that of its request
//! 2       ...    a Request or a Reply in postcard's wire format
//! end-4   4      CRC-32 of all bytes before, little-endian, as in model images
//! ```
//!
//! The host asks, the board answers each request once, in order. What cannot be read is answered with [`LinkError`] where the
//! sequence number was readable, and with silence where not even the checksum was right: line noise gets no answers.
//!
//! Needs the feature `link`; no heap, nothing panics, messages borrow the buffer they were read from.

mod flips;
mod frame;
#[cfg(feature = "key")]
pub mod key;
mod message;

pub use flips::{FlipError, Flips, apply_flips, check_genome, write_flips};
pub use frame::{FrameError, read_frame, write_frame};
pub use message::{Evolve, Info, LinkError, Part, Reply, Request, Statistics};

/// The version of frames and messages.
pub const VERSION: u8 = 1;

/// The most that a frame takes on the line for a message of `len` bytes: version, sequence number and checksum, COBS's overhead, the zero.
#[must_use]
pub const fn frame_len(len: usize) -> usize {
    let body = len + 6;
    body + body / 254 + 2
}

#[cfg(all(test, feature = "full"))]
mod tests;
