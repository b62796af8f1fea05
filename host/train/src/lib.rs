//! Training: from loaded data to the best genome found.
//!
//! [`prepare`] splits, learns the encoder, encodes and plans the network; [`run`] searches. What chooses between genomes is the
//! validation part: after every sweep the genome is scored on it and the best is kept. The test part is
//! only carried along; nothing here looks at it. A search is saved between steps, see [`checkpoint`], and goes on from
//! there as if nothing had happened.

mod algorithm;
mod breeding;
pub mod checkpoint;
mod cooling;
mod error;
pub mod family;
pub mod islands;
mod objective;
pub mod operators;
mod outcome;
mod plain;
mod prepare;
mod row;
mod session;
pub mod settings;
mod source;
mod spectrum;
mod start;
mod tracker;

use crate::settings::TrainConfig;
use algorithm::Place;
use checkpoint::{Checkpoint, Course};
use evobit_search::{Pace, drive};
use plain::Plain;
use tracker::Tracker;

pub use error::TrainError;
pub use evobit_search::{Interrupt, Silent, Snapshots, Stop, Watch};
pub use outcome::Outcome;
pub use prepare::{PrepareError, Prepared, parts, prepare, prepare_from, random_genome};
pub use row::Row;
pub use session::Session;
pub use source::{Source, SourceError, with_test_file};
pub use spectrum::{landscape, layer_spectrum};

/// Searches for a genome, from the start or from where another run was.
///
/// # Errors
/// None for what [`prepare`] made and a checkpoint that [`Checkpoint::fits`], but for failures of a GPU; of islands what keeps one of them from
/// going on, such as a full disk.
pub fn run<'a>(
    prepared: &'a Prepared,
    config: &'a TrainConfig,
    session: Session<'a>,
    from: Option<Checkpoint>,
    watch: &'a mut dyn Watch<Row>,
) -> Result<Outcome, TrainError> {
    if config.islands.is_some() {
        let transport = session.transport.unwrap_or(&islands::exchange::Alone);
        // Others go by what the first process read, which may be writing while they read.
        if transport.rank() > 0 || from.as_ref().is_none_or(|from| from.ended().is_none()) {
            return islands::run(prepared, config, session, from, watch);
        }
        islands::dismiss(transport, session.checkpoints.as_ref().map(|checkpoints| checkpoints.folder()));
    }
    let Session { budget, checkpoints, snapshots, interrupt, .. } = session;
    let (course, search) = from
        .as_ref()
        .map_or((Course::default(), None), |from| (from.state.course.clone(), Some(&from.state.search)));
    let before = (course.now.step, course.now.seconds);
    if let Some((from, stop)) = from.as_ref().and_then(|from| Some((from, from.ended()?))) {
        if let Some(checkpoints) = checkpoints {
            checkpoints.ended(from.sealed.clone());
        }
        return Ok(plain::found(course, stop, before.1, &[]));
    }
    let mut session = evobit_search::Session { budget, before, checkpoints, snapshots, interrupt };
    let pace = Pace::new(&session);
    let place = Place { prepared, config, accelerator: &prepared.accelerator, island: 0 };
    let tracker = Tracker::new(prepared, config, course, pace.clone());
    let mut plain = Plain::new(place, algorithm::begin(place, search)?, tracker);
    let ended = drive(&mut plain, &pace, &mut session, watch)?;
    Ok(plain.finish(ended))
}
