//! What was learned, as the bits in which a genome differs from the one it began with.
//!
//! Bit `i` of a genome is bit `i % 32` of word `i / 32`. Flips are written in ascending order, each as the gap to the one before (to -1 for
//! the first), less 1, in groups of seven bits, lowest first, the high bit set where more follow. So a flip takes one byte where they are
//! dense and two where they are rare.

use evobit::bits::{self, Words};
use evobit::network::Network;
use evobit::topology::Topology;

/// Why flips cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlipError {
    /// The bytes end within a number, or a number does not fit.
    Format,
    /// A flip lies behind the last bit of the genome.
    Range,
    /// The genome would not be one of the topology: a threshold or place out of range, or padding set.
    Genome,
}

/// The flips in some bytes, as bit positions; an error is the last item.
#[derive(Clone, Debug)]
pub struct Flips<'a> {
    bytes: &'a [u8],
    next: u32,
}

impl<'a> Flips<'a> {
    /// The flips in `bytes`, of which the first is counted from bit `from` on.
    #[must_use]
    pub const fn new(bytes: &'a [u8], from: u32) -> Self {
        Self { bytes, next: from }
    }

    fn read(&mut self) -> Option<u32> {
        let mut gap = 0u32;
        for (index, &byte) in self.bytes.iter().enumerate() {
            // Positions have 31 bits: a genome has at most 2^26 words.
            if index == 4 && byte > 7 {
                return None;
            }
            gap |= u32::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[index + 1..];
                return Some(gap);
            }
        }
        None
    }
}

impl Iterator for Flips<'_> {
    type Item = Result<u32, FlipError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let position = self.read().and_then(|gap| self.next.checked_add(gap));
        match position.and_then(|position| position.checked_add(1)) {
            Some(next) => {
                self.next = next;
                Some(Ok(next - 1))
            }
            None => {
                self.bytes = &[];
                Some(Err(FlipError::Format))
            }
        }
    }
}

/// Writes the flips from bit `from` on that turn `base` into `genome`, as many as `buffer` holds: the bytes written, and the bit to go on
/// from, `None` where all are written.
pub fn write_flips(base: impl Words, genome: &[u32], from: u32, buffer: &mut [u8]) -> (usize, Option<u32>) {
    let (mut len, mut next) = (0, from);
    let first = (from / bits::WORD_BITS) as usize;
    for (index, &word) in genome.iter().enumerate().skip(first) {
        let mut differing = word ^ base.word(index);
        if index == first {
            differing &= u32::MAX << (from % bits::WORD_BITS);
        }
        while differing != 0 {
            let position = index as u32 * bits::WORD_BITS + differing.trailing_zeros();
            let mut gap = position - next;
            let bytes = 1 + (1..5).take_while(|group| gap >> (7 * group) != 0).count();
            let Some(target) = buffer.get_mut(len..len + bytes) else { return (len, Some(next)) };
            for (byte, left) in target.iter_mut().zip((0..bytes).rev()) {
                *byte = (gap & 0x7f) as u8 | if left > 0 { 0x80 } else { 0 };
                gap >>= 7;
            }
            len += bytes;
            next = position + 1;
            differing &= differing - 1;
        }
    }
    (len, None)
}

/// Flips bits of a genome and returns the bit behind the last. The genome is checked by [`check_genome`] when all are there.
///
/// # Errors
/// Bytes that are not flips, or flips out of range; the genome is then changed in part.
pub fn apply_flips(bytes: &[u8], from: u32, genome: &mut [u32]) -> Result<u32, FlipError> {
    let mut flips = Flips::new(bytes, from);
    for position in &mut flips {
        let position = position?;
        let word = genome.get_mut((position / bits::WORD_BITS) as usize).ok_or(FlipError::Range)?;
        *word ^= 1 << (position % bits::WORD_BITS);
    }
    Ok(flips.next)
}

/// Whether words are a genome of a topology.
///
/// # Errors
/// [`FlipError::Genome`].
pub fn check_genome(topology: &Topology, genome: &[u32]) -> Result<(), FlipError> {
    Network::new(topology, genome).and_then(|network| network.check()).map_err(|_| FlipError::Genome)
}
