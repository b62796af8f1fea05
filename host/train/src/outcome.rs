//! What a search leaves.

use evobit_search::Stop;

use crate::islands::lineage::Lineage;
use crate::row::Row;

/// What a search found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The genome that did best on the validation part.
    pub genome: Vec<u32>,
    /// The row it belongs to.
    pub best: Row,
    /// All rows.
    pub rows: Vec<Row>,
    /// Why the search ended.
    pub stop: Stop,
    /// The heat of each sweep that was begun, in mean loss; none of a genetic algorithm.
    pub heats: Vec<f64>,
    /// Steps taken.
    pub steps: u64,
    /// Mutants scored.
    pub mutants: u64,
    /// Seconds of the search.
    pub seconds: f64,
    /// Of islands how the genome came to be.
    pub lineage: Option<Lineage>,
    /// False where the last checkpoint could not be written.
    pub is_saved: bool,
}

impl Outcome {
    /// Of a search that found nothing yet.
    pub(crate) fn empty(genome: Vec<u32>) -> Self {
        let (best, stop) = (Row::default(), Stop::Interrupted);
        let (rows, heats) = (vec![], vec![]);
        let (steps, mutants, seconds) = (0, 0, 0.0);
        Self { genome, best, rows, stop, heats, steps, mutants, seconds, lineage: None, is_saved: true }
    }
}
