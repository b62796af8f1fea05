//! The sections of a model's image: read, and put together anew.

use evobit::image::{Section, checksum};

use super::Model;

/// The kind of the genome's section.
const GENOME: u32 = Section::Genome as u32;
/// Bytes of an image before its sections, and of a section before its payload.
const HEADER_BYTES: usize = 12;
const SECTION_BYTES: usize = 8;
const CRC_BYTES: usize = 4;

impl Model {
    /// The sections: kind, first byte of the payload, its bytes.
    #[must_use]
    pub fn sections(&self) -> Vec<(u32, &[u8])> {
        let bytes = self.bytes();
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (mut sections, mut at) = (vec![], HEADER_BYTES);
        while at + SECTION_BYTES <= bytes.len() - CRC_BYTES {
            let (kind, len) = (word(at), word(at + 4) as usize);
            at += SECTION_BYTES;
            sections.push((kind, &bytes[at..at + len]));
            at += len;
        }
        sections
    }

    /// The words of a section that every model has, or of one that it has.
    #[must_use]
    pub fn section(&self, section: Section) -> Vec<u32> {
        let found = self.sections().into_iter().find(|(kind, _)| *kind == section as u32);
        let bytes = found.map_or(&[][..], |(_, payload)| payload);
        bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect()
    }

    /// An image of this one's version with other sections, if it is one.
    #[must_use]
    pub fn with_sections(&self, sections: &[(u32, &[u8])]) -> Option<Self> {
        let payloads: usize = sections.iter().map(|(_, payload)| SECTION_BYTES + payload.len()).sum();
        let len = HEADER_BYTES + payloads + CRC_BYTES;
        let mut bytes = self.bytes()[..6].to_vec();
        bytes.extend(u16::try_from(sections.len()).ok()?.to_le_bytes());
        bytes.extend(u32::try_from(len).ok()?.to_le_bytes());
        for (kind, payload) in sections {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(u32::try_from(payload.len()).ok()?.to_le_bytes());
            bytes.extend(*payload);
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        Self::parse(&bytes).ok().map(|(model, _)| model)
    }

    /// The model with another genome; `None` where it is not one of its shape.
    #[must_use]
    pub fn with_genome(&self, genome: &[u32]) -> Option<Self> {
        let genome: Vec<u8> = genome.iter().flat_map(|word| word.to_le_bytes()).collect();
        let sections: Vec<(u32, &[u8])> = self
            .sections()
            .into_iter()
            .map(|(kind, payload)| (kind, if kind == GENOME { &genome[..] } else { payload }))
            .collect();
        self.with_sections(&sections)
    }
}
