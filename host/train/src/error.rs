//! Why a search cannot go on.

use evobit::evolve::landscape::LandscapeError;
use evobit_compute::SearchError;

/// Why a search cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// What was prepared makes no landscape.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// The search failed where it computes.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// An island cannot go on, for this reason.
    #[error("{0}")]
    Islands(String),
}
