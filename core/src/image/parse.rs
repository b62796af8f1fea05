//! Reading an image.

use super::sections::{Index, check_envelope};
use super::{LAYER_WORDS, ModelKind, Names, Section, TOPOLOGY_WORDS, VERSION};
use crate::bits::{LittleEndian, Words};
use crate::encode::{Encoder, EncoderError};
use crate::loss::{LossError, LossTable};
use crate::network::{GenomeError, Network};
use crate::topology::{Field, Layer, MAX_LAYERS, Shape, Topology, TopologyError};

/// Why bytes are not a model image that this version can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ImageError {
    /// The bytes do not begin at a multiple of 4.
    Alignment,
    /// The bytes end before the image does: bytes needed, bytes there.
    Truncated(usize, usize),
    /// The bytes do not begin with [`MAGIC`](super::MAGIC).
    Magic,
    /// The image is of another version.
    Version(u16),
    /// The checksum does not fit: stored, computed.
    Checksum(u32, u32),
    /// Sections do not fill the image, repeat, are out of order or unknown.
    Sections,
    /// A section is missing.
    Missing(Section),
    /// The topology section is malformed.
    TopologyFormat,
    /// The topology cannot be.
    Topology(TopologyError),
    /// The encoder is broken.
    Encoder(EncoderError),
    /// The loss table is broken.
    Loss(LossError),
    /// The model is no layered network: 1 for a prototype memory, else a kind that this version does not know.
    Kind(u32),
    /// The model says that it is a prototype memory, its shape is none.
    Memory,
    /// The names are broken or do not fit classes and columns.
    Names,
    /// The genome is broken.
    Genome(GenomeError),
    /// The encoder makes another number of bits than the network reads: bits made, bits read.
    Width(u32, u32),
    /// The image would have more bytes or sections than its header can say.
    TooLong,
    /// The buffer for writing is too short: bytes needed, bytes there.
    BufferLength(usize, usize),
}

impl core::fmt::Display for ImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Alignment => f.write_str("the model image is not aligned to 4 bytes"),
            Self::Truncated(needed, have) => {
                write!(f, "the model image is cut off: {needed} bytes needed, {have} there")
            }
            Self::Magic => f.write_str("not a model image (it does not begin with \"evob\")"),
            Self::Version(version) => write!(
                f,
                "model image of version {version}, this program reads version {VERSION}; use a matching program"
            ),
            Self::Checksum(stored, computed) => {
                write!(f, "the model image is damaged: checksum {stored:08x} stored, {computed:08x} computed")
            }
            Self::Sections => f.write_str("the model image's sections are malformed"),
            Self::Missing(section) => write!(f, "the model image lacks its {section:?} section"),
            Self::TopologyFormat => f.write_str("the model image's topology section is malformed"),
            Self::Topology(error) => error.fmt(f),
            Self::Encoder(error) => error.fmt(f),
            Self::Loss(error) => error.fmt(f),
            Self::Kind(1) => f.write_str(
                "the model is a prototype memory, which answers on hosts alone: train a network (`evobit train --kind network`)",
            ),
            Self::Kind(kind) => {
                write!(f, "the model is of kind {kind}, which this program does not know: use a newer program")
            }
            Self::Memory => f.write_str("the prototype memory is malformed: it needs two dense layers; train it again"),
            Self::Names => f.write_str("the model image's names do not fit its classes and columns"),
            Self::Genome(error) => error.fmt(f),
            Self::Width(made, read) => {
                write!(f, "the encoder makes {made} bits, the network reads {read}")
            }
            Self::TooLong => f.write_str("the model image would be longer than 4 GiB or of more than 65535 sections: store fewer samples beside it"),
            Self::BufferLength(needed, have) => {
                write!(f, "the model image needs {needed} bytes, the buffer has {have}")
            }
        }
    }
}

impl core::error::Error for ImageError {}

/// A checked model image, seen where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    kind: ModelKind,
    topology: Topology,
    content: Content<'a>,
}

/// A checked model image but for its topology, which lies where the caller put it.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    encoder: Encoder<LittleEndian<'a>>,
    loss: LossTable<LittleEndian<'a>>,
    names: Option<Names<'a>>,
    genome: LittleEndian<'a>,
    len: usize,
    checksum: u32,
}

impl<'a> Image<'a> {
    /// Checks the image of a layered network at the start of `bytes`, which may be longer (a flash partition, say) and must be
    /// aligned to 4 bytes.
    ///
    /// # Errors
    /// The first thing that is wrong; [`ImageError::Kind`] for models of other kinds, which would answer wrongly as a network.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let mut topology = Topology::NONE;
        let content = Content::parse(bytes, &mut topology)?;
        Ok(Self { kind: ModelKind::Network, topology, content })
    }

    /// As [`parse`](Self::parse), for readers that ask for the [`kind`](Self::kind) before they use the model.
    ///
    /// # Errors
    /// The first thing that is wrong; [`ImageError::Kind`] for kinds that this version does not know.
    pub fn parse_any(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let envelope = Envelope::open(bytes)?;
        let kind = ModelKind::find(&envelope.index, envelope.words)?;
        let mut topology = Topology::NONE;
        let content = Content::check(envelope, &mut topology)?;
        if kind.fits(&topology) { Ok(Self { kind, topology, content }) } else { Err(ImageError::Memory) }
    }

    /// How the genome is read.
    #[must_use]
    pub const fn kind(&self) -> ModelKind {
        self.kind
    }

    /// The network's shape.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// From raw values to the network's input.
    #[must_use]
    pub const fn encoder(&self) -> &Encoder<LittleEndian<'a>> {
        &self.content.encoder
    }

    /// The loss the network was trained with and goes on learning with.
    #[must_use]
    pub const fn loss(&self) -> &LossTable<LittleEndian<'a>> {
        &self.content.loss
    }

    /// Names, where the image carries them.
    #[must_use]
    pub const fn names(&self) -> Option<&Names<'a>> {
        self.content.names.as_ref()
    }

    /// The genome's words.
    #[must_use]
    pub const fn genome(&self) -> LittleEndian<'a> {
        self.content.genome
    }

    /// The network, ready to run. Of a model of another [`kind`](Self::kind) it holds the genome, its classes are meaningless.
    #[must_use]
    pub fn network(&self) -> Network<'_, LittleEndian<'a>> {
        Network::view(&self.topology, self.content.genome)
    }

    /// Bytes of the image.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.content.len
    }

    /// False: an image is never empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The CRC-32 that the image ends with.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.content.checksum
    }
}

impl<'a> Content<'a> {
    /// Checks the image at the start of `bytes`, as [`Image::parse`] does, and plans its topology in place: for boards whose stack has no
    /// room for a topology.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(bytes: &'a [u8], topology: &mut Topology) -> Result<Self, ImageError> {
        let envelope = Envelope::open(bytes)?;
        match envelope.index.range(Section::Kind) {
            None => Self::check(envelope, topology),
            Some((start, len)) => {
                Err(ImageError::Kind(if len == 1 { envelope.words.word(start) } else { 0 }))
            }
        }
    }

    /// Checks what the sections of a network hold.
    fn check(envelope: Envelope<'a>, topology: &mut Topology) -> Result<Self, ImageError> {
        let Envelope { words, bytes, stored, index: sections } = envelope;
        parse_topology(sections.get(words, Section::Topology)?, topology)?;
        let topology = &*topology;
        let encoder = Encoder::new(sections.get(words, Section::Encoder)?).map_err(ImageError::Encoder)?;
        let input_units = topology.input().units() as u32;
        if encoder.bits() != input_units {
            return Err(ImageError::Width(encoder.bits(), input_units));
        }
        let loss = LossTable::new(sections.get(words, Section::Loss)?).map_err(ImageError::Loss)?;
        let names = match sections.range(Section::Names) {
            // Boards have no use for names, small ones no room to check them.
            _ if !cfg!(feature = "full") => None,
            None => None,
            Some((start, len)) => {
                let section = bytes.get(start * 4..(start + len) * 4).ok_or(ImageError::Sections)?;
                Some(Names::parse(section, topology.classes(), &encoder).ok_or(ImageError::Names)?)
            }
        };
        let genome = sections.get(words, Section::Genome)?;
        Network::new(topology, genome).and_then(|network| network.check()).map_err(ImageError::Genome)?;
        Ok(Self { encoder, loss, names, genome, len: bytes.len(), checksum: stored })
    }

    /// Bytes of the image.
    #[must_use]
    pub const fn image_bytes(&self) -> usize {
        self.len
    }

    /// From raw values to the network's input.
    #[must_use]
    pub const fn encoder(&self) -> &Encoder<LittleEndian<'a>> {
        &self.encoder
    }

    /// The loss the network was trained with and goes on learning with.
    #[must_use]
    pub const fn loss(&self) -> &LossTable<LittleEndian<'a>> {
        &self.loss
    }

    /// The genome's words.
    #[must_use]
    pub const fn genome(&self) -> LittleEndian<'a> {
        self.genome
    }

    /// The CRC-32 that the image ends with.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.checksum
    }
}

/// An image whose header, sections and checksum are right.
struct Envelope<'a> {
    words: LittleEndian<'a>,
    bytes: &'a [u8],
    stored: u32,
    index: Index,
}

impl<'a> Envelope<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let (words, bytes, stored) = check_envelope(bytes)?;
        Ok(Self { words, bytes, stored, index: Index::find(words)? })
    }
}

fn parse_topology(words: LittleEndian<'_>, topology: &mut Topology) -> Result<(), ImageError> {
    let format = ImageError::TopologyFormat;
    if words.len() < TOPOLOGY_WORDS {
        return Err(format);
    }
    let half = |index: usize| (words.word(index / 2) >> (index % 2 * 16)) as u16;
    let shape = |at: usize| Shape { planes: half(at), height: half(at + 1), width: half(at + 2) };
    let count = usize::from(half(3));
    if count > MAX_LAYERS || words.len() != TOPOLOGY_WORDS + count * LAYER_WORDS {
        return Err(format);
    }
    let mut layers = [Layer::dense(0); MAX_LAYERS];
    for (index, layer) in layers[..count].iter_mut().enumerate() {
        let at = 2 * (TOPOLOGY_WORDS + index * LAYER_WORDS);
        let window = shape(at + 1);
        let field = match (half(at), half(at + 7)) {
            (0, 0) if window == (Shape { planes: 0, height: 0, width: 0 }) => Field::Dense,
            (1, slide) => {
                let Shape { planes, height, width } = window;
                Field::Window { planes, height, width, slide }
            }
            _ => return Err(format),
        };
        *layer = Layer { field, output: shape(at + 4) };
    }
    topology.plan(shape(0), &layers[..count]).map_err(ImageError::Topology)
}
