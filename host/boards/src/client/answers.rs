//! What a board answers, as values of their own.

use evobit_link::Info;
use serde::Serialize;

/// Who a board is: [`evobit_link::Info`] with names of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of Info")]
pub struct BoardInfo {
    pub board: String,
    pub firmware: String,
    pub image_version: u16,
    #[serde(skip)]
    pub base: u32,
    pub features: u32,
    pub classes: u16,
    pub message_bytes: u16,
    pub capacity: u16,
    pub prototypes: u16,
    pub used_words: u32,
    pub arena_words: u32,
}

impl From<Info<'_>> for BoardInfo {
    fn from(info: Info<'_>) -> Self {
        Self {
            board: info.board.into(),
            firmware: info.firmware.into(),
            image_version: info.image_version,
            base: info.base,
            features: info.features,
            classes: info.classes,
            message_bytes: info.message_bytes,
            capacity: info.capacity,
            prototypes: info.prototypes,
            used_words: info.used_words,
            arena_words: info.arena_words,
        }
    }
}

/// The answers to one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The board's.
    pub answer: u16,
    /// The network's.
    pub network: u16,
    /// The stored samples', where there are any.
    pub samples: Option<u16>,
    /// The prototypes', where there are any.
    pub prototypes: Option<u16>,
}

/// What learning a sample did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Samples stored.
    pub stored: u16,
    /// True where it took the place of another.
    pub replaced: bool,
    /// True where the answer was right before.
    pub right: bool,
    /// True where the drift monitor just began learning.
    pub drifted: bool,
}

/// A stored sample or prototype.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its class.
    pub label: u16,
    /// Its packed bits.
    pub words: Vec<u32>,
}
