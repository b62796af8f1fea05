//! The sections of an image: found, listed, and put together anew.

use super::{
    CRC_BYTES, HEADER_BYTES, ImageError, MAGIC, SECTION_BYTES, SKIPPABLE, Section, VERSION, checksum,
};
use crate::bits::{LittleEndian, Words};

/// What marked prototype memories before [`Section::Kind`] did, with the same payload.
pub(super) const FORMER_KIND: u32 = 0x8000_0002;
/// Sections that this version knows, and one more: their kinds begin at 1.
const KNOWN: usize = Section::Kind as usize + 1;

/// One section of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSection<'a> {
    /// What it holds: a [`Section`], or a kind of the reader's own from 0x80000000 on.
    pub kind: u32,
    /// What it holds, whole words.
    pub payload: &'a [u8],
}

/// What [`Sections::rewrite`] does to one section.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The section.
    pub kind: u32,
    /// Its new payload, padded with zeros to whole words; `None` removes the section, if it is there.
    pub payload: Option<&'a [u8]>,
}

impl<'a> Change<'a> {
    /// Replaces the payload of a section, or adds the section.
    #[must_use]
    pub const fn put(kind: u32, payload: &'a [u8]) -> Self {
        Self { kind, payload: Some(payload) }
    }

    /// Removes a section.
    #[must_use]
    pub const fn remove(kind: u32) -> Self {
        Self { kind, payload: None }
    }
}

/// The sections of an image whose header, order of sections and checksum are right. What they hold is for
/// [`Image::parse`](super::Image::parse) to say.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    /// The image to its end.
    bytes: &'a [u8],
    /// Bytes of header and sections.
    end: usize,
}

impl<'a> Sections<'a> {
    /// The sections of the image at the start of `bytes`, which must be aligned to 4 bytes.
    ///
    /// # Errors
    /// What is wrong with header, sections or checksum.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let (words, bytes, _) = check_envelope(bytes)?;
        Index::find(words)?;
        Ok(Self { bytes, end: bytes.len() - CRC_BYTES })
    }

    /// All sections, in ascending order of kind.
    pub fn iter(&self) -> impl Iterator<Item = RawSection<'a>> + use<'a> {
        let mut rest = self.bytes.get(HEADER_BYTES..self.end).unwrap_or_default();
        core::iter::from_fn(move || {
            let (kind, after) = rest.split_first_chunk::<4>()?;
            let (len, after) = after.split_first_chunk::<4>()?;
            let (payload, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = after;
            Some(RawSection { kind: u32::from_le_bytes(*kind), payload })
        })
    }

    /// The payload of a section.
    #[must_use]
    pub fn get(&self, kind: u32) -> Option<&'a [u8]> {
        self.iter().find(|section| section.kind == kind).map(|section| section.payload)
    }

    /// Bytes of the image that [`rewrite`](Self::rewrite) makes of the same changes.
    #[must_use]
    pub fn rewritten_len(&self, changes: &[Change<'_>]) -> usize {
        let bytes = |section: RawSection<'_>| SECTION_BYTES + section.payload.len().next_multiple_of(4);
        HEADER_BYTES + self.changed(changes).map(bytes).sum::<usize>() + CRC_BYTES
    }

    /// Writes an image with changed sections, in their order, with its own length and checksum, to the start of `out`, and returns
    /// its length. All other sections stay, also those that this version does not know. Of two changes of one section the last counts.
    ///
    /// # Errors
    /// [`ImageError::BufferLength`] when `out` is shorter than [`rewritten_len`](Self::rewritten_len),
    /// [`ImageError::Sections`] for a change of kind 0, [`ImageError::TooLong`] for more than an image can hold. Whether the sections fit each other is for
    /// [`Image::parse`](super::Image::parse) to say.
    pub fn rewrite(&self, changes: &[Change<'_>], out: &mut [u8]) -> Result<usize, ImageError> {
        let (len, there) = (self.rewritten_len(changes), out.len());
        let count = u16::try_from(self.changed(changes).count()).map_err(|_| ImageError::TooLong)?;
        let len_word = u32::try_from(len).map_err(|_| ImageError::TooLong)?;
        if changes.iter().any(|change| change.kind == 0) {
            return Err(ImageError::Sections);
        }
        let out = out.get_mut(..len).ok_or(ImageError::BufferLength(len, there))?;
        let (body, crc) = out.split_at_mut(len - CRC_BYTES);
        let mut rest = &mut *body;
        let mut put = |part: &[u8]| {
            let (target, after) = core::mem::take(&mut rest).split_at_mut(part.len());
            target.copy_from_slice(part);
            rest = after;
        };
        put(&MAGIC);
        put(&VERSION.to_le_bytes());
        put(&count.to_le_bytes());
        put(&len_word.to_le_bytes());
        for RawSection { kind, payload } in self.changed(changes) {
            let padded = payload.len().next_multiple_of(4);
            put(&kind.to_le_bytes());
            // No longer than the image, whose length fits.
            put(&(padded as u32).to_le_bytes());
            put(payload);
            put(&[0; 3][..padded - payload.len()]);
        }
        crc.copy_from_slice(&checksum(body).to_le_bytes());
        Ok(len)
    }

    /// The sections as changes leave them, in ascending order of kind.
    fn changed<'b>(&self, changes: &'b [Change<'b>]) -> impl Iterator<Item = RawSection<'b>> + use<'b>
    where
        'a: 'b,
    {
        let (sections, mut previous) = (*self, 0);
        core::iter::from_fn(move || {
            loop {
                let kinds = sections.iter().map(|section| section.kind);
                let kinds = kinds.chain(changes.iter().map(|change| change.kind));
                let kind = kinds.filter(|&kind| kind > previous).min()?;
                previous = kind;
                let changed = changes.iter().rev().find(|change| change.kind == kind);
                let payload = changed.map_or_else(|| sections.get(kind), |change| change.payload);
                if let Some(payload) = payload {
                    return Some(RawSection { kind, payload });
                }
            }
        })
    }
}

/// Magic, version, length and checksum: the image's words without the checksum, its bytes with it, and its checksum.
pub(super) fn check_envelope(bytes: &[u8]) -> Result<(LittleEndian<'_>, &[u8], u32), ImageError> {
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

/// Word `index`, or an error where the image ends before.
fn read(words: LittleEndian<'_>, index: usize) -> Result<u32, ImageError> {
    if index < words.len() { Ok(words.word(index)) } else { Err(ImageError::Sections) }
}

/// Where the payload of each known section lies: first word and number of words.
pub(super) struct Index([Option<(usize, usize)>; KNOWN]);

impl Index {
    /// Finds the sections of the words of an image without its checksum.
    pub(super) fn find(words: LittleEndian<'_>) -> Result<Self, ImageError> {
        let mut found = [None; KNOWN];
        let (mut at, mut previous) = (HEADER_BYTES / 4, 0);
        for _ in 0..read(words, 1)? >> 16 {
            let (kind, bytes) = (read(words, at)?, read(words, at + 1)? as usize);
            at += SECTION_BYTES / 4;
            if kind <= previous || !bytes.is_multiple_of(4) || bytes / 4 > words.len() - at {
                return Err(ImageError::Sections);
            }
            let known = if kind == FORMER_KIND { Section::Kind as u32 } else { kind };
            match found.get_mut(known as usize) {
                Some(slot) => *slot = Some((at, bytes / 4)),
                None if kind >= SKIPPABLE => {}
                None => return Err(ImageError::Sections),
            }
            (at, previous) = (at + bytes / 4, kind);
        }
        if at == words.len() { Ok(Self(found)) } else { Err(ImageError::Sections) }
    }

    pub(super) fn range(&self, section: Section) -> Option<(usize, usize)> {
        self.0[section as usize]
    }

    pub(super) fn get<'a>(
        &self,
        words: LittleEndian<'a>,
        section: Section,
    ) -> Result<LittleEndian<'a>, ImageError> {
        let (start, len) = self.range(section).ok_or(ImageError::Missing(section))?;
        Ok(words.slice(start, len))
    }
}
