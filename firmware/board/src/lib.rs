//! What every board runs: it classifies, stores labelled samples, evolves in idle time, answers a host and keeps what it learned
//! over a loss of power.
//!
//! Nothing here knows a board. A board brings a serial line ([`embedded_io`]), flash ([`embedded_storage`]), a counter of instructions and
//! an arena of words; how many it needs is known at compile time, see [`arena::Layout`]. On a host the same code runs in tests, so that
//! what a board does can be held against it bit for bit.
//!
//! - [`learner`] is the heart: a network, a memory, the stored samples, and the steps of evolution;
//! - [`store`] holds labelled samples and says which one a new one replaces; [`monitor`] notices drift;
//! - [`keep`] saves and loads what was learned, two generations of it;
//! - [`serve`] reads requests and answers them;
//! - [`gesture`] lets buttons and an accelerometer teach the board with no computer attached.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "threads"))]
extern crate std;

pub mod arena;
pub mod cart_pole;
pub mod genetic;
pub mod gesture;
mod infer;
pub mod keep;
pub mod learner;
pub mod monitor;
pub mod profile;
pub mod serve;
pub mod store;
mod turn;

/// Logs where the firmware has a log, and room for it.
#[macro_export]
macro_rules! log {
    ($($arguments:tt)*) => {
        #[cfg(all(feature = "defmt", feature = "full"))]
        defmt::info!($($arguments)*);
    };
}
