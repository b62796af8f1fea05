//! What the run folder keeps of a run of islands: `lineage.csv` has a line for each island and epoch, `ancestry.bin` how the winner came to be,
//! `arrivals.bin` who came to whom where nobody waited.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ancestry::Ancestry;
use super::records::{Arrival, Finish, Record, winner};
use crate::row::Row;
use evobit_search::RunFolder;
use evobit_search::seal::Seal;

/// How the winner came to be.
pub const ANCESTRY: &str = "ancestry.bin";
/// Who came to whom.
pub const ARRIVALS: &str = "arrivals.bin";
/// Every island and epoch.
pub const LINEAGE: &str = "lineage.csv";

const SEAL: Seal = Seal { magic: *b"evli", version: 2 };

/// The best genome of all islands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Winner {
    /// Its island.
    pub island: u16,
    /// Islands of the run.
    pub islands: u16,
    /// Where it was best.
    pub row: Row,
    /// How it came to be.
    pub ancestry: Ancestry,
}

/// What is known of how the genomes of a run came to be.
#[derive(Clone, Debug)]
pub struct Lineage {
    /// The best genome of all islands; none where nothing was assessed.
    pub winner: Option<Winner>,
    /// What each epoch of each island came to.
    pub records: Vec<Record>,
    /// Those who came to each island, where nobody waited for them.
    pub arrivals: Vec<Vec<Arrival>>,
}

impl Lineage {
    /// That of islands at the end of a run.
    pub(super) fn new(finished: &[Finish]) -> Self {
        let winner = winner(finished).and_then(|finish| {
            let best = finish.course.best.as_ref()?;
            let mut ancestry = finish.ancestry.clone();
            ancestry.cut(best.row.sweep);
            Some(Winner { island: finish.island, islands: finished.len() as u16, row: best.row, ancestry })
        });
        Self {
            winner,
            records: finished.iter().flat_map(|finish| finish.records.clone()).collect(),
            arrivals: finished.iter().map(|finish| finish.arrivals.clone()).collect(),
        }
    }

    /// Writes all three.
    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), String> {
        let written = |name: &str, bytes: &[u8]| folder.write(name, bytes).map_err(|error| error.to_string());
        let mut text = String::from("island,epoch,mated,changed,loss,validation_accuracy\n");
        for record in &self.records {
            let accuracy =
                if record.validation.is_nan() { String::new() } else { format!("{:.6}", record.validation) };
            let Record { island, epoch, changed, loss, .. } = record;
            text += &format!("{island},{epoch},{},{changed},{loss},{accuracy}\n", record.matings());
        }
        written(LINEAGE, text.as_bytes())?;
        if let Some(winner) = &self.winner {
            written(ANCESTRY, &sealed(winner))?;
        }
        if self.arrivals.iter().any(|arrivals| !arrivals.is_empty()) {
            written(ARRIVALS, &sealed(&self.arrivals))?;
        }
        Ok(())
    }
}

fn sealed(value: &impl Serialize) -> Vec<u8> {
    // Plain values: this cannot fail.
    SEAL.close(value).unwrap_or_default()
}

/// Reads one of the files.
///
/// # Errors
/// One that is not there or is damaged, in one line.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes =
        std::fs::read(path).map_err(|error| format!("{}: cannot be read ({error})", path.display()))?;
    SEAL.open(&bytes)
        .map_err(|_| format!("{}: damaged, or written by another version of this program", path.display()))
}
