//! A rule as bytes, alone or with a plastic network that learns by it: what a host writes and a board reads.
//!
//! ```text
//! offset  bytes  what
//! 0       4      magic "evor"
//! 4       2      version, 2
//! 6       1      layers of the plastic network; 0 for a rule alone
//! 7       1      what its weights are: 0 bytes, 1 signs of counters
//! 8       4      length of the image in bytes, checksum included
//! 12      48     the genome of the rule, 12 words
//! 60      ...    with a network: the width of its input and of every layer (2 bytes each), zeros to a multiple of 4,
//!                then every weight: value, state (2 bytes each)
//! end-4   4      CRC-32 of all bytes before, as in `image`
//! ```
//!
//! All numbers are little-endian. Weights change while a board learns, so it copies them; the genome is read where it lies.

use super::shape::MAX_LAYERS;
use super::{EvolvedRule, GENOME_WORDS, Lanes, PlasticShape, RuleError, ShapeError, Weight, WeightKind};
use crate::image::checksum;

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"evor";
/// The version this library writes and reads.
pub const VERSION: u16 = 2;

/// Bytes before the genome.
const HEADER: usize = 12;
/// Bytes of header and genome.
const RULE: usize = HEADER + 4 * GENOME_WORDS;
/// Bytes of the checksum.
const CRC: usize = 4;

/// Why bytes are not a rule that this version can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RuleImageError {
    /// The bytes do not begin with [`MAGIC`].
    Magic,
    /// The image is of another version.
    Version(u16),
    /// The bytes end before the image does: bytes needed, bytes there.
    Truncated(usize, usize),
    /// The checksum does not fit, or the length does not.
    Damaged,
    /// The genome is none of this rule.
    Rule(RuleError),
    /// The plastic network cannot be.
    Shape(ShapeError),
    /// The buffer for writing is too short: bytes needed, bytes there.
    Buffer(usize, usize),
}

impl core::fmt::Display for RuleImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Magic => f.write_str(
                "not a rule (it does not begin with \"evor\"); give a file that `evobit rule train` made",
            ),
            Self::Version(version) => {
                write!(
                    f,
                    "a rule of version {version}, this program reads version {VERSION}; use a matching program"
                )
            }
            Self::Truncated(needed, there) => {
                write!(f, "the rule is cut off: {needed} bytes needed, {there} there; copy it again")
            }
            Self::Damaged => f.write_str("the rule is damaged: its checksum does not fit; copy it again"),
            Self::Rule(error) => error.fmt(f),
            Self::Shape(error) => error.fmt(f),
            Self::Buffer(needed, there) => write!(f, "the rule needs {needed} bytes, the buffer has {there}"),
        }
    }
}

impl core::error::Error for RuleImageError {}

/// A checked image.
#[derive(Clone, Copy, Debug)]
pub struct RuleImage<'a> {
    genome: [u32; GENOME_WORDS],
    rule: EvolvedRule,
    kind: WeightKind,
    shape: Option<PlasticShape>,
    weights: &'a [u8],
}

impl<'a> RuleImage<'a> {
    /// Reads an image; bytes behind it are not looked at.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RuleImageError> {
        let header = bytes.first_chunk::<HEADER>().ok_or(RuleImageError::Truncated(HEADER, bytes.len()))?;
        let [m0, m1, m2, m3, v0, v1, depth, kind, l0, l1, l2, l3] = *header;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(RuleImageError::Magic);
        }
        match u16::from_le_bytes([v0, v1]) {
            VERSION => {}
            version => return Err(RuleImageError::Version(version)),
        }
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let all = bytes.get(..len).ok_or(RuleImageError::Truncated(len, bytes.len()))?;
        let (content, crc) = all.split_last_chunk::<CRC>().ok_or(RuleImageError::Damaged)?;
        if content.len() < RULE || checksum(content) != u32::from_le_bytes(*crc) {
            return Err(RuleImageError::Damaged);
        }
        let mut genome = [0; GENOME_WORDS];
        for (word, bytes) in genome.iter_mut().zip(content[HEADER..].as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let rule = EvolvedRule::new(&genome).map_err(RuleImageError::Rule)?;
        let kind = match kind {
            0 => WeightKind::Bytes,
            1 => WeightKind::Signs,
            _ => return Err(RuleImageError::Damaged),
        };
        let (shape, weights) = network(usize::from(depth), &content[RULE..])?;
        Ok(Self { genome, rule, kind, shape, weights })
    }

    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> &EvolvedRule {
        &self.rule
    }

    /// Its genome.
    #[must_use]
    pub const fn genome(&self) -> &[u32; GENOME_WORDS] {
        &self.genome
    }

    /// What the weights of its plastic network are.
    #[must_use]
    pub const fn kind(&self) -> WeightKind {
        self.kind
    }

    /// The shape of its plastic network, if it has one.
    #[must_use]
    pub const fn shape(&self) -> Option<PlasticShape> {
        self.shape
    }

    /// Copies the network's weights; as many as both have.
    pub fn copy_weights(&self, to: &mut [Weight<1>]) {
        for (weight, &[a, b, c, d]) in to.iter_mut().zip(self.weights.as_chunks::<4>().0) {
            let (value, state) = (i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d]));
            // The only value out of bounds that means something: no weight.
            *weight = Weight { value: Lanes([value]), state: Lanes([state]) }.bounded();
        }
    }
}

/// The shape of a network and the bytes of its weights, which must be all there is.
fn network(depth: usize, bytes: &[u8]) -> Result<(Option<PlasticShape>, &[u8]), RuleImageError> {
    if depth == 0 {
        return if bytes.is_empty() { Ok((None, bytes)) } else { Err(RuleImageError::Damaged) };
    }
    if depth > MAX_LAYERS {
        return Err(RuleImageError::Shape(ShapeError::Depth(depth)));
    }
    let padded = (2 * (depth + 1)).next_multiple_of(4);
    let (head, weights) = bytes.split_at_checked(padded).ok_or(RuleImageError::Damaged)?;
    let mut widths = [0; MAX_LAYERS + 1];
    for (width, bytes) in widths.iter_mut().zip(head.as_chunks::<2>().0).take(depth + 1) {
        *width = u16::from_le_bytes(*bytes);
    }
    let shape = PlasticShape::new(&widths[..=depth]).map_err(RuleImageError::Shape)?;
    let fits = weights.len() == 4 * shape.weights();
    if fits { Ok((Some(shape), weights)) } else { Err(RuleImageError::Damaged) }
}

/// Bytes of the image of a rule, and of a network of `shape` if there is one.
#[must_use]
pub fn image_len(shape: Option<&PlasticShape>) -> usize {
    let network = |shape: &PlasticShape| (2 * shape.widths().len()).next_multiple_of(4) + 4 * shape.weights();
    RULE + shape.map_or(0, network) + CRC
}

/// Writes the image of a genome, and of a network's shape, kind of weights and weights, to the start of `bytes`, and returns its length.
///
/// # Errors
/// [`RuleImageError::Buffer`], also where the weights are fewer than the shape's.
pub fn write(
    genome: &[u32; GENOME_WORDS],
    network: Option<(&PlasticShape, WeightKind, &[Weight<1>])>,
    bytes: &mut [u8],
) -> Result<usize, RuleImageError> {
    let (len, there) = (image_len(network.map(|(shape, ..)| shape)), bytes.len());
    let bytes = bytes.get_mut(..len).ok_or(RuleImageError::Buffer(len, there))?;
    let (depth, kind) =
        network.map_or((0, WeightKind::Bytes), |(shape, kind, _)| (shape.depth() as u8, kind));
    let mut at = 0;
    let mut put = |part: &[u8]| {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    };
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&[depth, u8::from(kind == WeightKind::Signs)]);
    put(&(len as u32).to_le_bytes());
    genome.iter().for_each(|word| put(&word.to_le_bytes()));
    if let Some((shape, _, weights)) = network {
        if weights.len() < shape.weights() {
            return Err(RuleImageError::Buffer(shape.weights(), weights.len()));
        }
        shape.widths().iter().for_each(|width| put(&width.to_le_bytes()));
        if shape.widths().len() % 2 == 1 {
            put(&[0; 2]);
        }
        for weight in &weights[..shape.weights()] {
            put(&weight.value.0[0].to_le_bytes());
            put(&weight.state.0[0].to_le_bytes());
        }
    }
    let crc = checksum(&bytes[..len - CRC]);
    bytes[len - CRC..].copy_from_slice(&crc.to_le_bytes());
    Ok(len)
}
