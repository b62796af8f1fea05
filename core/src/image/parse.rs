//! Reading an image.

use super::{
    CRC_BYTES, HEADER_BYTES, LAYER_WORDS, MAGIC, Names, SECTION_BYTES, SKIPPABLE, Section, TOPOLOGY_WORDS,
    VERSION, checksum,
};
use crate::bits::{LittleEndian, Words};
use crate::encode::{Encoder, EncoderError};
use crate::loss::{LossError, LossTable};
use crate::network::{GenomeError, Network};
use crate::topology::{Field, Layer, MAX_LAYERS, Shape, Topology, TopologyError};

/// Why bytes are not a model image that this version can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// The bytes do not begin at a multiple of 4.
    Alignment,
    /// The bytes end before the image does: bytes needed, bytes there.
    Truncated(usize, usize),
    /// The bytes do not begin with [`MAGIC`].
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
    /// The names are broken or do not fit classes and columns.
    Names,
    /// The genome is broken.
    Genome(GenomeError),
    /// The encoder makes another number of bits than the network reads: bits made, bits read.
    Width(u32, u32),
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
            Self::Names => f.write_str("the model image's names do not fit its classes and columns"),
            Self::Genome(error) => error.fmt(f),
            Self::Width(made, read) => {
                write!(f, "the encoder makes {made} bits, the network reads {read}")
            }
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
    /// Checks the image at the start of `bytes`, which may be longer (a flash partition, say) and must be
    /// aligned to 4 bytes.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let mut topology = Topology::NONE;
        let content = Content::parse(bytes, &mut topology)?;
        Ok(Self { topology, content })
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

    /// The network, ready to run.
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
        let (words, bytes, stored) = check_envelope(bytes)?;
        let sections = Sections::find(words, read(words, 1)? >> 16)?;
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
            _ if cfg!(feature = "small") => None,
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

/// Word `index`, or an error where the image ends before.
fn read(words: LittleEndian<'_>, index: usize) -> Result<u32, ImageError> {
    if index < words.len() { Ok(words.word(index)) } else { Err(ImageError::Sections) }
}

/// Magic, version, length and checksum: the image's words and bytes, and its checksum.
fn check_envelope(bytes: &[u8]) -> Result<(LittleEndian<'_>, &[u8], u32), ImageError> {
    let least = HEADER_BYTES + CRC_BYTES;
    let header = bytes.get(..HEADER_BYTES).ok_or(ImageError::Truncated(least, bytes.len()))?;
    if header[..4] != MAGIC {
        return Err(ImageError::Magic);
    }
    let header = LittleEndian::new(header).ok_or(ImageError::Alignment)?;
    let version = header.word(1) as u16;
    if version != VERSION {
        return Err(ImageError::Version(version));
    }
    let len = header.word(2) as usize;
    if len < least || !len.is_multiple_of(4) {
        return Err(ImageError::Sections);
    }
    let bytes = bytes.get(..len).ok_or(ImageError::Truncated(len, bytes.len()))?;
    let words = LittleEndian::new(bytes).ok_or(ImageError::Alignment)?;
    let stored = words.word(words.len() - 1);
    let computed = checksum(&bytes[..len - CRC_BYTES]);
    if stored != computed {
        return Err(ImageError::Checksum(stored, computed));
    }
    Ok((words.slice(0, words.len() - 1), bytes, stored))
}

/// Where the payload of each known section lies: first word and number of words.
struct Sections([Option<(usize, usize)>; 6]);

impl Sections {
    fn find(words: LittleEndian<'_>, count: u32) -> Result<Self, ImageError> {
        let mut found = [None; 6];
        let (mut at, mut previous) = (HEADER_BYTES / 4, 0);
        for _ in 0..count {
            let (kind, bytes) = (read(words, at)?, read(words, at + 1)? as usize);
            at += SECTION_BYTES / 4;
            if kind <= previous || !bytes.is_multiple_of(4) || bytes / 4 > words.len() - at {
                return Err(ImageError::Sections);
            }
            match found.get_mut(kind as usize) {
                Some(slot) => *slot = Some((at, bytes / 4)),
                None if kind >= SKIPPABLE => {}
                None => return Err(ImageError::Sections),
            }
            (at, previous) = (at + bytes / 4, kind);
        }
        if at == words.len() { Ok(Self(found)) } else { Err(ImageError::Sections) }
    }

    fn range(&self, section: Section) -> Option<(usize, usize)> {
        self.0[section as usize]
    }

    fn get<'a>(&self, words: LittleEndian<'a>, section: Section) -> Result<LittleEndian<'a>, ImageError> {
        let (start, len) = self.range(section).ok_or(ImageError::Missing(section))?;
        Ok(words.slice(start, len))
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
