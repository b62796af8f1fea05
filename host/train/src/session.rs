//! What a run is given beside what it learns.

use std::time::Duration;

use evobit_search::checkpoint::Checkpoints;
use evobit_search::{Interrupt, Snapshots};

use crate::islands::Arrival;
use crate::islands::exchange::Transport;

/// What does not change the result of a run.
#[derive(Debug, Default)]
pub struct Session<'a> {
    /// When to stop. The search is cold for the last quarter of it, see [`Outcome::heats`](crate::Outcome::heats) for the heats that this made.
    pub budget: Option<Duration>,
    /// Where to save the state.
    pub checkpoints: Option<&'a mut Checkpoints>,
    /// Where to set aside what would be saved.
    pub snapshots: Option<&'a mut Snapshots>,
    /// Asks the search to end.
    pub interrupt: Interrupt,
    /// The other processes of a run of islands; none where it is one process.
    pub transport: Option<&'a dyn Transport>,
    /// Who came to each island in the run that this one is to repeat.
    pub replay: Option<Vec<Vec<Arrival>>>,
}
