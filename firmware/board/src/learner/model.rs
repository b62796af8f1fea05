//! The model that a board was given.

use evobit::bits::LittleEndian;
use evobit::encode::Encoder;
use evobit::evolve::landscape::LandscapeError;
use evobit::image::{Content, ImageError};
use evobit::loss::LossTable;
use evobit::topology::Topology;

/// Why a model cannot be used on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// It needs more words than the arena has: needed, there.
    Arena(usize, usize),
    /// It has not exactly one hidden layer, or too many inputs of an output neuron.
    Shape(LandscapeError),
}

/// A model where it was flashed, and its topology in memory.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    topology: &'a Topology,
    content: Content<'a>,
}

impl<'a> Model<'a> {
    /// The model of an image in flash; `topology` is where its topology is put.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub fn parse(bytes: &'a [u8], topology: &'a mut Topology) -> Result<Self, ImageError> {
        let content = Content::parse(bytes, topology)?;
        Ok(Self { topology, content })
    }

    /// The network's shape.
    #[must_use]
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// From raw values to bits.
    #[must_use]
    pub const fn encoder(&self) -> &Encoder<LittleEndian<'a>> {
        self.content.encoder()
    }

    /// The loss.
    #[must_use]
    pub const fn loss(&self) -> &LossTable<LittleEndian<'a>> {
        self.content.loss()
    }

    /// The genome that was flashed.
    #[must_use]
    pub const fn genome(&self) -> LittleEndian<'a> {
        self.content.genome()
    }

    /// Bytes of the image.
    #[must_use]
    pub const fn image_bytes(&self) -> usize {
        self.content.image_bytes()
    }

    /// The image's checksum.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.content.checksum()
    }
}
