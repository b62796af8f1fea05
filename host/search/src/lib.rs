//! How evobit searches: one driver for training, local rules and controllers. It knows nothing of networks.
//!
//! A [`Searcher`] takes steps and can say where it is, as bytes. [`drive`] lets it take them until it ends by itself, the
//! time budget is spent or somebody interrupts it, and saves where it is. A searcher that is made from such bytes
//! goes on as if nothing had happened.
//!
//! ```text
//! drive       the loop: steps, rows, checkpoints, budget, interruption      run_folder  the folder of a run
//! session     what a run is given beside its search                         checkpoint  two files, written in turn
//! stop        why a search ends, and who interrupts it                      seal        magic, version and checksum
//! evolution   a genetic algorithm with memory of its own                    words       words as strings of bytes
//! ```

pub mod checkpoint;
mod drive;
mod evolution;
pub mod run_folder;
pub mod seal;
mod session;
mod stop;
pub mod words;

pub use drive::{Ended, Searcher, Silent, Step, Watch, drive};
pub use evolution::{Evolution, Saved};
pub use run_folder::{Line, RunFolder};
pub use session::{Pace, Session, Snapshots};
pub use stop::{Interrupt, Signal, Stop};
