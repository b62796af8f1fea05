//! An update as a file: the flips that lead from one model's genome to another's.
//!
//! ```text
//! offset  bytes  what
//! 0       4      magic "evof"
//! 4       4      CRC-32 of the base image
//! 8       4      CRC-32 of the genome that the flips make
//! 12      ...    the flips, see evobit_link::Flips
//! end-4   4      CRC-32 of all bytes before
//! ```
//!
//! All numbers are little-endian.

use std::path::{Path, PathBuf};

use evobit::image::{checksum, genome_checksum};
use evobit_link::{Flips, apply_flips, check_genome, write_flips};

use crate::learned::Pulled;
use evobit_model::Model;

const MAGIC: [u8; 4] = *b"evof";
const HEADER_BYTES: usize = 12;

/// Why an update cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({source}): give a file that `evobit link PORT pull` made", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no update.
    #[error("{}: is no update, or a damaged one: give a file of flips that `evobit link PORT pull` made, or a model", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// It is for another base.
    #[error(
        "the update is for the base image {update:08x}, and the board's is {board:08x}: flash the board with that model, or make the update for this one"
    )]
    Base {
        /// Checksum of the update's base.
        update: u32,
        /// Checksum of the board's.
        board: u32,
    },
    /// Its flips do not make the genome that it promises.
    #[error(
        "the update's flips do not make the genome {0:08x} that it promises: it is damaged, pull it again"
    )]
    Genome(u32),
    /// Two models that differ in more than the genome.
    #[error(
        "the model differs from the board's base image in more than its genome (shape, encoder, loss or names): flash it instead"
    )]
    Model,
}

/// Flips from a base to a genome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Checksum of the base image.
    pub base: u32,
    /// Checksum of the genome that they make.
    pub genome: u32,
    /// The flips.
    pub flips: Vec<u8>,
}

impl Update {
    /// The flips from the base model's genome to `genome`.
    #[must_use]
    pub fn between(base: &Model, genome: &[u32]) -> Self {
        let words = base.genome();
        // At most five bytes a flip; dense flips take one.
        let most = 5 * words.iter().zip(genome).map(|(a, b)| (a ^ b).count_ones() as usize).sum::<usize>();
        let mut flips = vec![0; most];
        let (len, _) = write_flips(&words[..], genome, 0, &mut flips);
        flips.truncate(len);
        Self { base: base.image().checksum(), genome: genome_checksum(genome), flips }
    }

    /// Number of flips.
    #[must_use]
    pub fn count(&self) -> usize {
        Flips::new(&self.flips, 0).count()
    }

    /// The genome that the flips make of the base model's.
    ///
    /// # Errors
    /// An update for another base, or a damaged one.
    pub fn apply(&self, base: &Model) -> Result<Vec<u32>, UpdateError> {
        let (image, mut genome) = (base.image(), base.genome());
        if image.checksum() != self.base {
            return Err(UpdateError::Base { update: self.base, board: image.checksum() });
        }
        let applied = apply_flips(&self.flips, 0, &mut genome);
        let whole = applied.is_ok()
            && genome_checksum(&genome) == self.genome
            && check_genome(image.topology(), &genome).is_ok();
        if whole { Ok(genome) } else { Err(UpdateError::Genome(self.genome)) }
    }

    /// The bytes of its file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            [&MAGIC[..], &self.base.to_le_bytes(), &self.genome.to_le_bytes(), &self.flips].concat();
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// The update from one model to another, which may differ in the genome alone.
    ///
    /// # Errors
    /// [`UpdateError::Model`].
    pub fn to_model(base: &Model, model: &Model) -> Result<Self, UpdateError> {
        // But for the genome and what was learned beside it, they must be the same bytes.
        let plain = |model: &Model| model.plain().map_err(|_| UpdateError::Model);
        let moved = plain(model)?.with_genome(&base.genome()).map_err(|_| UpdateError::Model)?;
        let same = moved.bytes() == plain(base)?.bytes();
        if same { Ok(Self::between(base, &model.genome())) } else { Err(UpdateError::Model) }
    }

    /// Reads an update.
    ///
    /// # Errors
    /// A file that cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, UpdateError> {
        let path = path.to_owned();
        match std::fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes).ok_or(UpdateError::Format { path }),
            Err(source) => Err(UpdateError::Read { path, source }),
        }
    }

    /// The flips in pieces of at most `most` bytes, none cut within.
    ///
    /// # Panics
    /// When `most` is less than 5, the most that a flip takes.
    pub fn pieces(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        assert!(most >= 5, "a flip takes up to 5 bytes");
        let mut left = &self.flips[..];
        std::iter::from_fn(move || {
            let reach = &left[..left.len().min(most)];
            // A flip ends with a byte whose high bit is clear.
            let end = reach.iter().rposition(|byte| byte & 0x80 == 0)? + 1;
            let (piece, rest) = left.split_at(end);
            left = rest;
            Some(piece)
        })
    }

    /// Reads the bytes of a file; `None` where they are no update.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, stored) = bytes.split_last_chunk::<4>()?;
        let (header, flips) = body.split_first_chunk::<HEADER_BYTES>()?;
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let sound = checksum(body) == u32::from_le_bytes(*stored)
            && header[..4] == MAGIC
            && Flips::new(flips, 0).all(|flip| flip.is_ok());
        sound.then(|| Self { base: word(4), genome: word(8), flips: flips.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_comes_back_and_damage_shows() {
        let flips = vec![3, 0x81, 2, 0xff, 0xff, 1, 0, 7];
        let update = Update { base: 5, genome: 6, flips };
        let bytes = update.to_bytes();
        assert_eq!(Update::parse(&bytes), Some(update.clone()));
        assert_eq!(update.count(), 5);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(Update::parse(&damaged), None, "{at}");
            assert_eq!(Update::parse(&bytes[..at]), None, "{at}");
        }
    }

    #[test]
    fn pieces_end_between_flips() {
        let flips = vec![3, 0x81, 2, 0xff, 0xff, 1, 0, 7];
        let update = Update { base: 5, genome: 6, flips };
        for most in 5..10 {
            let pieces: Vec<&[u8]> = update.pieces(most).collect();
            assert_eq!(pieces.concat(), update.flips);
            assert!(pieces.iter().all(|piece| piece.len() <= most && piece[piece.len() - 1] & 0x80 == 0));
        }
        let none = Update { flips: vec![], ..update };
        assert_eq!(none.pieces(5).count(), 0);
    }
}
