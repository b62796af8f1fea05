//! The sizes of boards: what is stored, and the largest model that the arena is made for. A smaller model leaves room unused.

use evobit::topology::{Layer, Shape, Topology};

use crate::arena::Sizes;
use crate::learner::Learner;

const fn topology(input: Shape, layers: &[Layer]) -> Topology {
    match Topology::new(input, layers) {
        Ok(topology) => topology,
        Err(_) => panic!("a network that cannot be"),
    }
}

/// Boards with 16 KB of RAM: images of 8x8 pixels at three levels, 48 neurons, scores of one byte.
pub mod small {
    use super::*;

    /// The number that keeps a score.
    pub type Score = i8;
    /// What is stored.
    pub const SIZES: Sizes = Sizes { samples: 128, prototypes: 64 };
    /// The largest model.
    pub const LARGEST: Topology =
        topology(Shape { planes: 3, height: 8, width: 8 }, &[Layer::dense(48), Layer::dense(10)]);
    /// Words of the arena.
    pub const WORDS: usize = Learner::<Score>::layout(&LARGEST, SIZES).words();
    /// Bytes of the longest frame.
    pub const FRAME: usize = 96;
}

/// Boards with 16 KB of RAM that classify images of 28x28 pixels and store next to nothing.
#[cfg(feature = "full")]
pub mod images {
    use super::*;

    /// The number that keeps a score.
    pub type Score = i16;
    /// What is stored.
    pub const SIZES: Sizes = Sizes { samples: 4, prototypes: 0 };
    /// The largest model.
    pub const LARGEST: Topology = topology(
        Shape { planes: 1, height: 28, width: 28 },
        &[Layer::windows(256, 1, 8, 8), Layer::dense(10)],
    );
    /// Words of the arena.
    pub const WORDS: usize = Learner::<Score>::layout(&LARGEST, SIZES).words();
    /// Bytes of the longest frame.
    pub const FRAME: usize = 816;
}

/// Boards with 64 KB of RAM: images of 28x28 pixels, 256 neurons with windows of 8x8, 256 samples; or more samples of less.
#[cfg(feature = "full")]
pub mod large {
    use super::*;

    /// The number that keeps a score.
    pub type Score = i16;
    /// What is stored at most.
    pub const SIZES: Sizes = Sizes { samples: 600, prototypes: 64 };
    /// The largest model.
    pub const LARGEST: Topology = topology(
        Shape { planes: 1, height: 28, width: 28 },
        &[Layer::windows(256, 1, 8, 8), Layer::dense(10)],
    );
    /// Words of the arena.
    pub const WORDS: usize =
        Learner::<Score>::layout(&LARGEST, Sizes { samples: 256, prototypes: 64 }).words();
    /// Bytes of the longest frame.
    pub const FRAME: usize = 1024;
}
