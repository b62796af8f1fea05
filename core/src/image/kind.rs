//! How the genome of an image is read.

use super::sections::Index;
use super::{Change, ImageError, Section};
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
}

/// The number of prototype memories in the section.
const MEMORY: u32 = 1;
const MEMORY_PAYLOAD: [u8; 4] = MEMORY.to_le_bytes();

impl ModelKind {
    /// The changes that make an image one of this kind, for [`Sections::rewrite`](super::Sections::rewrite).
    #[must_use]
    pub const fn changes(self) -> [Change<'static>; 2] {
        let marked = match self {
            Self::Network => Change::remove(Section::Kind as u32),
            Self::Memory => Change::put(Section::Kind as u32, &MEMORY_PAYLOAD),
        };
        [marked, Change::remove(super::sections::FORMER_KIND)]
    }

    /// The kind that an image says it is.
    pub(super) fn find(index: &Index, words: LittleEndian<'_>) -> Result<Self, ImageError> {
        let Some((start, len)) = index.range(Section::Kind) else { return Ok(Self::Network) };
        let number = if len == 1 { words.word(start) } else { 0 };
        if number == MEMORY { Ok(Self::Memory) } else { Err(ImageError::Kind(number)) }
    }

    /// Whether a topology can be that of this kind.
    #[must_use]
    pub fn fits(self, topology: &Topology) -> bool {
        match self {
            Self::Network => true,
            Self::Memory => topology.depth() == 2 && topology.layers().iter().all(Plan::is_dense),
        }
    }
}
