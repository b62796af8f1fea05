//! The boards, and whether a model fits one.

use evobit::evolve::compact::Score;
use evobit::evolve::landscape::LandscapeError;
use evobit::image::Image;
use evobit_board::arena::{Layout, Sizes, fitting};
use evobit_board::learner::{Learner, ModelError};
use evobit_board::profile::{large, small};

/// A board that QEMU emulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its name, and that of its firmware.
    pub name: &'static str,
    /// QEMU's program.
    pub emulator: &'static str,
    /// What it emulates: the whole board, by this name; none where it runs the firmware as a program of this machine.
    pub machine: Option<&'static str>,
    /// What else it needs to be told.
    pub arguments: &'static [&'static str],
    /// How much it stores.
    pub profile: Profile,
}

/// What a board's memory is cut for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// 16 KB of RAM, scores of one byte.
    Small,
    /// 64 KB of RAM, scores of two bytes.
    Large,
    /// As much memory as the model and a thousand samples take.
    Linux,
}

const fn arm(name: &'static str, profile: Profile) -> Board {
    Board { name, emulator: "qemu-system-arm", machine: Some(name), arguments: &[], profile }
}

/// The Jetson Nano: its firmware is a Linux program.
pub const JETSON: &str = "jetson";
/// What its program stores and reads, as `firmware/jetson` has it.
const LINUX_SIZES: Sizes = Sizes { samples: 1000, prototypes: 256 };
const LINUX_FRAME: usize = 16 << 10;

/// The emulated boards.
pub const BOARDS: [Board; 7] = [
    arm("microbit", Profile::Small),
    arm("lm3s6965evb", Profile::Large),
    arm("mps2-an386", Profile::Large),
    arm("mps2-an505", Profile::Large),
    Board {
        name: "riscv-virt",
        emulator: "qemu-system-riscv32",
        machine: Some("virt"),
        arguments: &["-bios", "none"],
        profile: Profile::Large,
    },
    Board {
        name: "aarch64-virt",
        emulator: "qemu-system-aarch64",
        machine: Some("virt"),
        arguments: &["-cpu", "cortex-a57", "-nic", "none"],
        profile: Profile::Large,
    },
    Board {
        name: JETSON,
        emulator: "qemu-aarch64",
        machine: None,
        arguments: &["-cpu", "cortex-a57"],
        profile: Profile::Linux,
    },
];

/// Why a model does not fit a board.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The image is larger than the region.
    #[error(
        "the model has {len} bytes, and {board} has {room} for it: train a smaller one (--preset small, or fewer --hidden neurons)"
    )]
    Region {
        /// The board.
        board: String,
        /// Bytes of the image.
        len: u64,
        /// Bytes of the region.
        room: u64,
    },
    /// It cannot be learned in the board's memory.
    #[error(
        "the model needs {needed} bytes of memory, and {board} has {room}: train one with fewer --hidden neurons or --levels"
    )]
    Memory {
        /// The board.
        board: String,
        /// Bytes needed with the fewest samples.
        needed: usize,
        /// Bytes there.
        room: usize,
    },
    /// Boards learn one hidden layer.
    #[error(
        "boards run and learn networks with one hidden layer, and this one has {0}: train with one --hidden layer"
    )]
    Depth(usize),
    /// The hidden layer is too wide for a board's scores.
    #[error(
        "{board} keeps scores of at most {most} hidden neurons, and the model has {neurons}: train with --hidden {most} or fewer"
    )]
    Width {
        /// The board.
        board: String,
        /// Most hidden neurons.
        most: u32,
        /// Those of the model.
        neurons: u32,
    },
    /// Anything else that keeps a board from learning it.
    #[error("boards cannot run and learn this network: {0}")]
    Shape(LandscapeError),
    /// A sample does not fit a message.
    #[error(
        "a sample of {features} features does not fit a message to {board}, which holds {most}: train on fewer features"
    )]
    Features {
        /// The board.
        board: String,
        /// Features of the model.
        features: u32,
        /// Features that fit.
        most: usize,
    },
}

/// The board of this name; `Err` has the names that there are.
///
/// # Errors
/// No such board.
pub fn find(name: &str) -> Result<Board, String> {
    BOARDS.into_iter().find(|board| board.name == name).ok_or_else(|| {
        let names: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
        format!("no emulated board `{name}`: there are {}", names.join(", "))
    })
}

/// What a board will store with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Labelled samples.
    pub samples: usize,
    /// Bytes of memory that are used, and that are there.
    pub used: usize,
    /// See above.
    pub there: usize,
}

impl Board {
    /// Whether a model fits: its image into `room` bytes, its memory, its samples into messages.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self, image: &Image<'_>, room: u64) -> Result<Room, Unfit> {
        self.profile.check(self.name, image, room)
    }
}

impl Profile {
    /// Whether a model fits the board `name`: its image into `room` bytes, its memory, its samples into messages.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(self, name: &str, image: &Image<'_>, room: u64) -> Result<Room, Unfit> {
        let (board, len) = (name.to_owned(), image.len() as u64);
        if len > room {
            return Err(Unfit::Region { board, len, room });
        }
        let features = image.encoder().features();
        let (words, most, frame, score) = match self {
            Self::Small => (small::WORDS, small::SIZES, small::FRAME, size_of::<small::Score>()),
            Self::Large => (large::WORDS, large::SIZES, large::FRAME, size_of::<large::Score>()),
            Self::Linux => {
                let words = Layout::new(image.topology(), LINUX_SIZES, size_of::<i16>()).words();
                (words, LINUX_SIZES, LINUX_FRAME, size_of::<i16>())
            }
        };
        let topology = image.topology();
        let widest = match self {
            Self::Small => small::Score::MOST_INPUTS,
            Self::Large => large::Score::MOST_INPUTS,
            Self::Linux => i16::MOST_INPUTS,
        };
        let sizes = fitting(topology, words, most, score);
        let checked = match self {
            Self::Small => Learner::<small::Score>::check(topology, words, sizes),
            Self::Large => Learner::<large::Score>::check(topology, words, sizes),
            Self::Linux => Learner::<i16>::check(topology, words, sizes),
        };
        checked.map_err(|error| match error {
            ModelError::Arena(needed, there) => {
                Unfit::Memory { board: board.clone(), needed: needed * 4, room: there * 4 }
            }
            ModelError::Shape(LandscapeError::Depth) => Unfit::Depth(topology.depth() - 1),
            ModelError::Shape(LandscapeError::Scores) => {
                Unfit::Width { board: board.clone(), most: widest, neurons: topology.layer(0).neurons }
            }
            ModelError::Shape(shape) => Unfit::Shape(shape),
        })?;
        let most = frame - frame / 254 - 14;
        if features as usize > most {
            return Err(Unfit::Features { board, features, most });
        }
        Ok(Room { samples: sizes.samples, used: used(topology, sizes, score), there: words * 4 })
    }
}

fn used(topology: &evobit::topology::Topology, sizes: Sizes, score: usize) -> usize {
    Layout::new(topology, sizes, score).words() * 4
}
