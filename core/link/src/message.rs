//! What is said.

use serde::{Deserialize, Serialize};

/// What a host asks of a board.
///
/// A raw sample has one byte for each feature, or four (an `i32` key, little-endian) where values do not fit a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Who are you? Answered by [`Reply::Info`].
    Info,
    /// The class of a raw sample. [`Reply::Class`].
    Classify {
        /// The raw sample.
        sample: &'a [u8],
    },
    /// A labelled sample to learn from. [`Reply::Learned`].
    Learn {
        /// The raw sample.
        sample: &'a [u8],
        /// Its class.
        label: u16,
    },
    /// Evolve so many mutants more in idle time. [`Reply::Done`] at once; [`Statistics::owed`] says when it is over.
    Evolve {
        /// What evolves.
        what: Evolve,
        /// Mutants scored.
        mutants: u32,
    },
    /// Begin the board's random numbers anew: the same seed, samples and requests give the same genome. [`Reply::Done`].
    Seed {
        /// The seed.
        seed: u64,
    },
    /// Forget the stored samples; the network and the prototypes stay. [`Reply::Done`].
    Forget,
    /// [`Reply::Statistics`].
    Statistics,
    /// The exact effect of every mutant of a layer's first neurons on the training samples: nothing changes. [`Reply::Spectrum`].
    Spectrum {
        /// The layer.
        layer: u8,
        /// How many neurons; all where it has no more.
        neurons: u16,
    },
    /// A piece of what was learned since the base image. [`Reply::Flips`] or [`Reply::Entry`].
    Pull {
        /// Of what.
        part: Part,
        /// From which bit or entry on.
        from: u32,
    },
    /// An update begins, from this base image to the genome with this checksum. [`Reply::Done`].
    PushBegin {
        /// CRC-32 of the base image.
        base: u32,
        /// CRC-32 of the genome that the update makes.
        genome: u32,
    },
    /// Flips of the update, in order, see [`Flips`](super::Flips); the first is counted from the bit behind the last of the message before.
    /// [`Reply::Done`].
    Push {
        /// The flips.
        flips: &'a [u8],
    },
    /// The update is complete: it is checked and takes the place of the present genome, or nothing changes. [`Reply::Done`].
    PushEnd,
    /// Save what was learned. [`Reply::Done`] when it is safe.
    Save,
    /// Back to the base image; what was saved is forgotten as well. [`Reply::Done`].
    Reset,
    /// Start anew, as after a loss of power: what was not saved is lost. [`Reply::Done`] before it does.
    Restart,
    /// What a board with a key asks for. [`Reply::Guard`]; with the feature `key` alone.
    #[cfg(feature = "key")]
    Guard,
    /// A request that changes something, for a board with a key, see [`key`](super::key). Answered as the one within.
    #[cfg(feature = "key")]
    Keyed {
        /// Higher than that of any request before.
        counter: u32,
        /// Made with the key.
        tag: [u8; 16],
        /// The request, in postcard's format.
        request: &'a [u8],
    },
}

#[cfg(feature = "key")]
impl Request<'_> {
    /// True for what a board with a key takes only with it: what may change the board, or what it is about to do.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Info
                | Self::Classify { .. }
                | Self::Statistics
                | Self::Pull { .. }
                | Self::Guard
                | Self::Keyed { .. }
        )
    }
}

/// What evolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Evolve {
    /// The network, on the stored samples.
    Network,
    /// A memory of so many prototypes, to be right on the stored samples.
    Memory {
        /// Prototypes; what the board holds at most where it is more.
        prototypes: u16,
    },
}

/// What can be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Part {
    /// The network's flips against the base image.
    Flips,
    /// The stored samples.
    Samples,
    /// The prototypes.
    Prototypes,
}

/// What a board answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// It is done, or on its way.
    Done,
    /// It is not, and nothing changed.
    Error(LinkError),
    /// Who the board is.
    Info(#[serde(borrow)] Info<'a>),
    /// The class of a sample.
    Class {
        /// The board's answer.
        answer: u16,
        /// The network's.
        network: u16,
        /// The stored samples', where there are any.
        samples: Option<u16>,
        /// The prototypes', where there are any.
        prototypes: Option<u16>,
    },
    /// A labelled sample is stored.
    Learned {
        /// Samples stored.
        stored: u16,
        /// True where it took the place of another: the store was full.
        replaced: bool,
        /// True where the board's answer was right before it learned.
        right: bool,
        /// True where the drift monitor just began learning.
        drifted: bool,
    },
    /// Statistics.
    Statistics(Statistics),
    /// Some flips, counted from the bit that was asked for.
    Flips {
        /// The flips.
        flips: &'a [u8],
        /// Where to go on, if these were not all.
        next: Option<u32>,
    },
    /// A stored sample or prototype.
    Entry {
        /// Its class.
        label: u16,
        /// Its packed bits, words in little-endian order.
        bits: &'a [u8],
        /// Where to go on, if it was not the last.
        next: Option<u32>,
    },
    /// There is no entry there.
    NoEntry,
    /// How many mutants would lower the loss, leave it as it is, raise it.
    Spectrum {
        /// Would lower it.
        better: u32,
        /// Would leave it.
        equal: u32,
        /// Would raise it.
        worse: u32,
    },
    /// What a board with a key asks for.
    #[cfg(feature = "key")]
    Guard {
        /// The lowest counter that it takes; none where it has no key.
        next: Option<u32>,
        /// Requests refused since the start: forged, replayed, without the key.
        refused: u32,
    },
}

/// Who a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// Name of the board.
    pub board: &'a str,
    /// Version of its firmware.
    pub firmware: &'a str,
    /// Version of model images that it reads.
    pub image_version: u16,
    /// Checksum of the base image.
    pub base: u32,
    /// Features of a raw sample.
    pub features: u32,
    /// Classes.
    pub classes: u16,
    /// Bytes of the longest message that it reads.
    pub message_bytes: u16,
    /// Labelled samples that it can store.
    pub capacity: u16,
    /// Prototypes that it can hold.
    pub prototypes: u16,
    /// Words of memory that the model and the store use, and that are there.
    pub used_words: u32,
    /// See above.
    pub arena_words: u32,
}

/// What a board has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Checksum of the genome that answers.
    pub genome: u32,
    /// Checksum of the genome that evolves.
    pub candidate: u32,
    /// Labelled samples seen since the start.
    pub seen: u32,
    /// Samples stored.
    pub stored: u16,
    /// Of these held back: what chooses between answers and genomes, never trained on.
    pub held_back: u16,
    /// How many of the held-back samples the network has right.
    pub network_right: u16,
    /// How many the stored samples have right, each left out in turn, together with the base network.
    pub samples_right: u16,
    /// Prototypes held.
    pub prototypes: u16,
    /// True where the stored samples and the base network answer, not the evolved network.
    pub memory_answers: bool,
    /// Right answers among the last labelled samples, and their number.
    pub window_right: u16,
    /// See above.
    pub window: u16,
    /// How often the drift monitor began learning.
    pub drifts: u16,
    /// Mutants still to be scored.
    pub owed: u32,
    /// Mutants scored since the start.
    pub mutants: u64,
    /// How often an evolved genome took over.
    pub swaps: u16,
    /// The loss of the genome that evolves, or of the memory.
    pub loss: i64,
    /// Number of the generation last saved, 0 for none.
    pub generation: u32,
    /// Instructions of all steps of evolution, by the board's counter.
    pub evolving_instructions: u64,
    /// Instructions of the answer to the request before this.
    pub last_instructions: u64,
    /// Bytes of the stack used at most.
    pub stack_bytes: u32,
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LinkError {
    /// The frame is of another version; the board's.
    Version(u8),
    /// No message that the board knows.
    Message,
    /// The frame is longer than the board can read; the longest message, in bytes.
    Length(u16),
    /// The sample is of another width; its features.
    Width(u32),
    /// No such class; how many there are.
    Label(u16),
    /// The update is for another base image; the board's.
    Base(u32),
    /// No update has begun.
    NoUpdate,
    /// Bytes that are no flips, or flips out of range.
    Flips,
    /// The genome that the update makes has another checksum, or is none; the one that was made.
    Genome(u32),
    /// No such layer.
    Layer,
    /// No samples to evolve on.
    NoSamples,
    /// Flash storage failed, or what was learned does not fit it.
    Storage,
    /// The board has no flash storage.
    NoStorage,
    /// The board has no room for prototypes.
    NoPrototypes,
    /// The board takes changes only with its key.
    Key,
    /// The request was not made with the board's key, or changed on the way.
    Forged,
    /// The request's counter was used; the lowest that the board takes.
    Replayed(u32),
}

impl core::fmt::Display for LinkError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "the board speaks version {version} of the link: use a matching program")
            }
            Self::Message => f.write_str("the board does not know this request"),
            Self::Length(most) => write!(f, "the board reads messages of at most {most} bytes"),
            Self::Width(features) => {
                write!(f, "a sample has {features} features: give one byte for each, or four")
            }
            Self::Label(classes) => write!(f, "labels are 0 to {}", classes.saturating_sub(1)),
            Self::Base(base) => write!(f, "the update is for another base: the board's image has {base:08x}"),
            Self::NoUpdate => f.write_str("no update has begun"),
            Self::Flips => f.write_str("the update's flips are malformed or out of range"),
            Self::Genome(made) => {
                write!(f, "the update makes a genome with checksum {made:08x}, not the promised one")
            }
            Self::Layer => f.write_str("the network has no such layer"),
            Self::NoSamples => f.write_str("no labelled samples are stored to evolve on"),
            Self::Storage => f.write_str("flash storage failed, or what was learned does not fit it"),
            Self::NoStorage => f.write_str("the board has no flash storage"),
            Self::Key => f.write_str("it takes changes only with its key: give it with --key"),
            Self::Forged => {
                f.write_str("the request was not made with its key: give the right one with --key")
            }
            Self::Replayed(next) => write!(f, "the request was made before: counters go on from {next}"),
            Self::NoPrototypes => f.write_str("the board has no room for prototypes"),
        }
    }
}

impl core::error::Error for LinkError {}
