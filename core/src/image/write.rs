//! Writing an image.

use super::{
    CRC_BYTES, HEADER_BYTES, ImageError, LAYER_WORDS, MAGIC, SECTION_BYTES, Section, TOPOLOGY_WORDS, VERSION,
    checksum,
};
use crate::bits::Words;
use crate::topology::{Field, Plan, Topology};

/// What an image is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a, W> {
    /// The network's shape.
    pub topology: &'a Topology,
    /// Words of the encoder, see [`crate::encode`].
    pub encoder: W,
    /// Words of the loss table, see [`crate::loss`].
    pub loss: W,
    /// Words of the genome, see [`crate::topology`].
    pub genome: W,
    /// Class names; none leaves the names section out.
    pub classes: &'a [&'a str],
    /// Number of columns that have names.
    pub columns: u16,
    /// For each such column its name and, where it is one-hot, the names of its categories.
    pub column_names: &'a [&'a str],
}

impl<W: Words> Parts<'_, W> {
    fn names_bytes(&self) -> Option<usize> {
        let strings = self.classes.iter().chain(self.column_names);
        let bytes = 4 + strings.map(|name| 2 + name.len()).sum::<usize>();
        (!self.classes.is_empty()).then_some(bytes.next_multiple_of(4))
    }
}

/// Bytes of the image of `parts`.
#[must_use]
pub fn image_len<W: Words>(parts: &Parts<'_, W>) -> usize {
    let topology = TOPOLOGY_WORDS + parts.topology.depth() * LAYER_WORDS;
    let words = topology + parts.encoder.len() + parts.loss.len() + parts.genome.len();
    let names = parts.names_bytes().map_or(0, |bytes| SECTION_BYTES + bytes);
    HEADER_BYTES + 4 * SECTION_BYTES + 4 * words + names + CRC_BYTES
}

/// Writes the image of `parts` to the start of `bytes` and returns its length.
///
/// # Errors
/// [`ImageError::BufferLength`] when `bytes` is shorter than [`image_len`], [`ImageError::Names`] when a name is longer than
/// 65 535 bytes. That the parts fit each other is for [`super::Image::parse`] to say.
pub fn write<W: Words>(parts: &Parts<'_, W>, bytes: &mut [u8]) -> Result<usize, ImageError> {
    let (len, have) = (image_len(parts), bytes.len());
    let bytes = bytes.get_mut(..len).ok_or(ImageError::BufferLength(len, have))?;
    let mut out = Output { bytes, at: 0 };
    let sections: u16 = if parts.classes.is_empty() { 4 } else { 5 };
    out.put(&MAGIC);
    out.put(&VERSION.to_le_bytes());
    out.put(&sections.to_le_bytes());
    out.put(&(len as u32).to_le_bytes());
    out.section(Section::Topology, 4 * (TOPOLOGY_WORDS + parts.topology.depth() * LAYER_WORDS));
    put_topology(&mut out, parts.topology);
    for (section, words) in [(Section::Encoder, parts.encoder), (Section::Loss, parts.loss)] {
        out.words(section, words);
    }
    if let Some(names) = parts.names_bytes() {
        out.section(Section::Names, names);
        let end = out.at + names;
        out.halves(&[parts.classes.len() as u16, parts.columns]);
        for name in parts.classes.iter().chain(parts.column_names) {
            out.put(&u16::try_from(name.len()).map_err(|_| ImageError::Names)?.to_le_bytes());
            out.put(name.as_bytes());
        }
        out.bytes[out.at..end].fill(0);
        out.at = end;
    }
    out.words(Section::Genome, parts.genome);
    let crc = checksum(&out.bytes[..out.at]);
    out.put(&crc.to_le_bytes());
    Ok(len)
}

struct Output<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn halves(&mut self, halves: &[u16]) {
        halves.iter().for_each(|half| self.put(&half.to_le_bytes()));
    }

    fn section(&mut self, section: Section, bytes: usize) {
        self.put(&(section as u32).to_le_bytes());
        self.put(&(bytes as u32).to_le_bytes());
    }

    fn words(&mut self, section: Section, words: impl Words) {
        self.section(section, 4 * words.len());
        (0..words.len()).for_each(|index| self.put(&words.word(index).to_le_bytes()));
    }
}

fn put_topology(out: &mut Output<'_>, topology: &Topology) {
    let input = topology.input();
    out.halves(&[input.planes, input.height, input.width, topology.depth() as u16]);
    for Plan { field, output, .. } in topology.layers() {
        let (kind, window, slide) = match *field {
            Field::Dense => (0, [0; 3], 0),
            Field::Window { planes, height, width, slide } => (1, [planes, height, width], slide),
        };
        let [planes, height, width] = window;
        out.halves(&[kind, planes, height, width, output.planes, output.height, output.width, slide]);
    }
}
