//! How the genome of an image is read.

use super::sections::Index;
use super::{Change, ImageError, SKIPPABLE, Section};
use crate::bits::{LittleEndian, Words};
use crate::topology::{Plan, Topology};

/// How the genome of an image is read. A reader that does not know the kind of an image refuses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ModelKind {
    /// Layers of neurons. These images have no [`Section::Kind`].
    #[default]
    Network,
    /// Prototypes, the nearest of which answers: the weights of the first of two dense layers are the prototypes, those of the
    /// second say which of them belong to a class.
    Memory,
    /// A kind of the reader's own, of a number from 0x80000000 on.
    Own(u32),
}

/// The number of prototype memories in the section.
const MEMORY: u32 = 1;

impl ModelKind {
    /// The kind of this number, 0 for layered networks.
    ///
    /// # Errors
    /// [`ImageError::Kind`] for numbers below 0x80000000 that this version does not know.
    pub const fn of(number: u32) -> Result<Self, ImageError> {
        match number {
            0 => Ok(Self::Network),
            MEMORY => Ok(Self::Memory),
            SKIPPABLE.. => Ok(Self::Own(number)),
            _ => Err(ImageError::Kind(number)),
        }
    }

    /// Its number in images; 0 for layered networks, whose images have none.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Network => 0,
            Self::Memory => MEMORY,
            Self::Own(number) => number,
        }
    }

    /// The changes that make an image one of this kind, for [`Sections::rewrite`](super::Sections::rewrite). The number of the kind goes
    /// into `payload`.
    #[must_use]
    pub const fn changes(self, payload: &mut [u8; 4]) -> [Change<'_>; 2] {
        *payload = self.number().to_le_bytes();
        let marked = match self {
            Self::Network => Change::remove(Section::Kind as u32),
            Self::Memory | Self::Own(_) => Change::put(Section::Kind as u32, payload),
        };
        [marked, Change::remove(super::sections::FORMER_KIND)]
    }

    /// The kind that an image says it is.
    pub(super) fn find(index: &Index, words: LittleEndian<'_>) -> Result<Self, ImageError> {
        let Some((start, len)) = index.range(Section::Kind) else { return Ok(Self::Network) };
        // Networks are marked by no section.
        match if len == 1 { words.word(start) } else { 0 } {
            0 => Err(ImageError::Kind(0)),
            number => Self::of(number),
        }
    }

    /// Whether a topology can be that of this kind.
    #[must_use]
    pub fn fits(self, topology: &Topology) -> bool {
        match self {
            Self::Network | Self::Own(_) => true,
            Self::Memory => topology.depth() == 2 && topology.layers().iter().all(Plan::is_dense),
        }
    }
}
