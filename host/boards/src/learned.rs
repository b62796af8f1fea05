//! What a board learned, in the model that was pulled from it.
//!
//! A pulled model is an image like any other: its genome is the one that evolved on the board. Beside it, in a section that readers skip
//! who do not know it, lie the memory entries and the way back to the image that was flashed, so that a host can answer as the board does.
//!
//! ```text
//! section 0x80000001, learned
//!   0   4    CRC-32 of the base image
//!   4   4    CRC-32 of the base genome
//!   8   2    stored samples     10  2   of these held back, the last ones
//!   12  2    prototypes         14  2   0
//!   16  4    bytes of the flips that turn this genome into the base image's
//!   20  ...  the flips, zeros to a multiple of 4
//!   then each sample, then each prototype: its class (4), its packed bits (words of the input)
//! ```

use evobit::image::{Change, ImageError};
use evobit::topology::Topology;
use evobit_board::arena::Sizes;
use evobit_board::learner::{Answers, Learner, LearnerConfig, Model as BoardModel};
use evobit_link::LinkError;

use crate::Entry;
use crate::update::Update;
use evobit_model::Model;

/// The section's kind.
const KIND: u32 = 0x8000_0001;
/// Bytes of the section before the flips.
const LEARNED_BYTES: usize = 20;

/// What a board learned beside its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedPart {
    /// From the pulled genome back to the base image's.
    pub back: Update,
    /// The stored samples, those for training first.
    pub samples: Vec<Entry>,
    /// How many of them, at the end, are held back.
    pub held_back: usize,
    /// The prototypes.
    pub prototypes: Vec<Entry>,
}

/// A model that may have been pulled from a board.
pub trait Pulled: Sized {
    /// The model without what was learned beside its network.
    ///
    /// # Errors
    /// Sections that do not make a model.
    fn plain(&self) -> Result<Self, ImageError>;

    /// The model with what was learned beside its network.
    ///
    /// # Errors
    /// [`ImageError::TooLong`].
    fn with_learned(&self, learned: &LearnedPart) -> Result<Self, ImageError>;

    /// What was learned beside the network, if this model was pulled from a board. What is damaged is taken for none.
    #[must_use]
    fn learned(&self) -> Option<LearnedPart>;

    /// The image that was flashed before the board learned.
    #[must_use]
    fn base(&self) -> Option<Self>;
}

impl Pulled for Model {
    fn plain(&self) -> Result<Self, ImageError> {
        self.with_changes(&[Change::remove(KIND)])
    }

    fn with_learned(&self, learned: &LearnedPart) -> Result<Self, ImageError> {
        let payload = learned.to_bytes().ok_or(ImageError::TooLong)?;
        self.with_changes(&[Change::put(KIND, &payload)])
    }

    fn learned(&self) -> Option<LearnedPart> {
        LearnedPart::parse(self.sections().get(KIND)?, self.image().topology().input_words())
    }

    fn base(&self) -> Option<Self> {
        let learned = self.learned()?;
        let mut genome = self.genome();
        evobit_link::apply_flips(&learned.back.flips, 0, &mut genome).ok()?;
        let base = self.plain().and_then(|plain| plain.with_genome(&genome)).ok()?;
        (base.image().checksum() == learned.back.base).then_some(base)
    }
}

impl LearnedPart {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let number = |len: usize| u16::try_from(len).ok().map(u16::to_le_bytes);
        let flips = &self.back.flips;
        let mut bytes = [self.back.base.to_le_bytes(), self.back.genome.to_le_bytes()].concat();
        for len in [self.samples.len(), self.held_back, self.prototypes.len(), 0] {
            bytes.extend(number(len)?);
        }
        bytes.extend(u32::try_from(flips.len()).ok()?.to_le_bytes());
        bytes.extend(flips);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        for entry in self.samples.iter().chain(&self.prototypes) {
            bytes.extend(u32::from(entry.label).to_le_bytes());
            bytes.extend(entry.words.iter().flat_map(|word| word.to_le_bytes()));
        }
        Some(bytes)
    }

    fn parse(bytes: &[u8], input_words: usize) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<LEARNED_BYTES>()?;
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let half = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let (samples, held_back, prototypes, flips) = (half(8), half(10), half(12), word(16) as usize);
        let back = Update { base: word(0), genome: word(4), flips: rest.get(..flips)?.to_vec() };
        let rows = rest.get(flips.next_multiple_of(4)..)?;
        let row_bytes = 4 * (1 + input_words);
        if rows.len() != (samples + prototypes) * row_bytes || held_back > samples {
            return None;
        }
        let entry = |row: &[u8]| {
            let mut words = row.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word));
            Some(Entry { label: u16::try_from(words.next()?).ok()?, words: words.collect() })
        };
        let mut entries = rows.chunks_exact(row_bytes).map(entry).collect::<Option<Vec<_>>>()?;
        let prototypes = entries.split_off(samples);
        Some(Self { back, samples: entries, held_back, prototypes })
    }
}

/// Answers as a board does that learned what a pulled model says: the board's own code, on its stored samples.
pub fn answers(
    model: &Model,
    samples: impl Iterator<Item = Vec<u8>>,
) -> Option<Result<Vec<Answers>, LinkError>> {
    let (learned, base) = (model.learned()?, model.base()?);
    let mut topology = Topology::NONE;
    let board = BoardModel::parse(base.bytes(), &mut topology).ok()?;
    let training = learned.samples.len() - learned.held_back;
    // A quarter of the places is for held-back samples; at least 4 for the store to hold any back.
    let places = (training.max(learned.held_back) * 4).next_multiple_of(4).max(4);
    let sizes = Sizes { samples: places, prototypes: learned.prototypes.len() };
    let words = Learner::<i16>::layout(board.topology(), sizes).words();
    Learner::<i16>::check(board.topology(), words, sizes).ok()?;
    // 64-bit numbers keep it aligned.
    let mut arena = vec![0u64; words.div_ceil(2)];
    let arena = &mut bytemuck::cast_slice_mut(&mut arena)[..words];
    let mut learner = Learner::<i16>::new(board, arena, sizes, LearnerConfig::default());
    learner.begin_restore();
    learner.begin_update();
    learner.update().copy_from_slice(&model.genome());
    let mut restored = true;
    for (index, entry) in learned.samples.iter().enumerate() {
        learner.row().copy_from_slice(&entry.words);
        restored &= learner.restore_sample(u8::try_from(entry.label).ok()?, index >= training);
    }
    for entry in &learned.prototypes {
        learner.row().copy_from_slice(&entry.words);
        restored &= learner.restore_prototype(u8::try_from(entry.label).ok()?);
    }
    let genome = evobit::image::genome_checksum(&model.genome());
    if !restored || learner.end_restore(genome).is_err() {
        return None;
    }
    Some(samples.map(|sample| learner.classify(&sample)).collect())
}
