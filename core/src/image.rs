//! The model as bytes: what is trained on a host, flashed to a board and mapped there without a copy.
//!
//! All numbers are little-endian, all parts begin at multiples of 4 bytes, so on a little-endian board the words are
//! used where they lie. A word is 4 bytes.
//!
//! ```text
//! offset  bytes  what
//! 0       4      magic "evob"
//! 4       2      version, 1
//! 6       2      number of sections
//! 8       4      length of the image in bytes, checksum included
//! 12      ...    the sections, each: kind (4 bytes), length of the payload in bytes, a multiple of 4 (4 bytes), payload
//! end-4   4      CRC-32 (ISO-HDLC, the one of Ethernet and zip) of all bytes before
//! ```
//!
//! Sections, each at most once, in ascending order of kind; only `names` and `kind` may be missing. A kind from 0x80000000 on that
//! a reader does not know is skipped, any other is an error. So a reader that does not know `kind` refuses every model but
//! layered networks, which have no such section.
//!
//! ```text
//! kind 1, topology
//!   0       2    input planes          2   2   input rows
//!   4       2    input columns         6   2   number of layers
//!   then 16 bytes a layer:
//!   0       2    0 dense, 1 windowed   2   2   window planes (0 when dense, so are rows and columns)
//!   4       2    window rows           6   2   window columns
//!   8       2    output planes         10  2   output rows
//!   12      2    output columns        14  2   rows and columns by which a window slides (0 when dense)
//! kind 2, encoder: the words of `encode`
//! kind 3, loss: the words of `loss`
//! kind 4, names: UTF-8 strings, each behind its length in bytes (2 bytes); zeros to a multiple of 4
//!   0       2    number of classes     2   2   number of columns, 0 or the encoder's features
//!   then the class names; then for each column its name and, where it is one-hot, the names of its categories
//! kind 5, genome: the words of `topology`
//! kind 6, kind: how the genome is read, where it is no layered network
//!   0       4    1 prototype memory
//! ```
//!
//! Prototype memories were marked by a section of kind 0x80000002 with the same payload before, which readers skipped that did not
//! know it; this version reads either mark alike.
//!
//! [`Image::parse`] checks all of it, down to every threshold, after which running the network cannot fail. [`Sections`] lists the
//! sections and writes an image with some of them changed.

mod kind;
mod names;
mod parse;
mod sections;
mod write;

#[cfg(all(test, feature = "full"))]
mod tests;

pub use kind::ModelKind;
pub use names::{Names, Strings};
pub use parse::{Content, Image, ImageError};
pub use sections::{Change, RawSection, Sections};
pub use write::{Parts, image_len, write};

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// The first four bytes of an image.
pub const MAGIC: [u8; 4] = *b"evob";
/// The version this library writes and reads.
pub const VERSION: u16 = 1;

/// Bytes before the sections.
const HEADER_BYTES: usize = 12;
/// Bytes before a section's payload.
const SECTION_BYTES: usize = 8;
/// Bytes of the checksum.
const CRC_BYTES: usize = 4;
/// Kinds from here on may be skipped.
const SKIPPABLE: u32 = 0x8000_0000;
/// Words of a topology section before its layers, and of each layer.
const TOPOLOGY_WORDS: usize = 2;
const LAYER_WORDS: usize = 4;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Section {
    /// The network's shape.
    Topology = 1,
    /// From raw values to bits.
    Encoder = 2,
    /// The loss table.
    Loss = 3,
    /// Names of classes and columns.
    Names = 4,
    /// Places, thresholds and weights.
    Genome = 5,
    /// How the genome is read, where the model is no layered network.
    Kind = 6,
}

static CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// The CRC-32 of bytes of which the first have this one; that of no bytes is 0. The one place that computes it, so that it is compiled once
/// and for these parameters alone.
#[inline(never)]
fn extend(checksum: u32, bytes: &[u8]) -> u32 {
    let mut digest = CRC.digest_with_initial((!checksum).reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

/// The CRC-32 of bytes, as images use it.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

/// The CRC-32 of bytes that come piece by piece.
#[derive(Clone, Default)]
pub struct Checksum(u32);

impl Checksum {
    /// Of no bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = extend(self.0, bytes);
    }

    /// The CRC-32 of all bytes so far.
    #[must_use]
    pub const fn value(&self) -> u32 {
        self.0
    }
}

impl core::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Checksum({:08x})", self.value())
    }
}

/// The CRC-32 of a genome's words in little-endian order: equal on every machine that evolved the same genome.
#[must_use]
pub fn genome_checksum(words: &[u32]) -> u32 {
    words.iter().fold(0, |checksum, word| extend(checksum, &word.to_le_bytes()))
}
