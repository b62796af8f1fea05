//! The checkpoints of islands: a file for each island and epoch in the run folder, `islands/ISLAND-EPOCH.bin`.
//!
//! Islands are not at the same epoch at the same time, but each saves itself at the end of every epoch, and goes on from its own newest
//! checkpoint: nobody loses more than the epoch it was in. What others still need of it, because they are behind, is in the checkpoint
//! of the island that sent it. An island keeps two files, so that one that is damaged costs an epoch and not the run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::graph::Graph;
use super::state::IslandState;
use crate::settings::{MigrationKind, TrainConfig};
use evobit_search::RunFolder;
use evobit_search::seal::{Seal, SealError};

/// Version 3 has searches that did not begin.
const SEAL: Seal = Seal { magic: *b"evis", version: 3 };
const FOLDER: &str = "islands";

fn name(island: u16, epoch: u32) -> String {
    format!("{FOLDER}/{island:04}-{epoch:06}.bin")
}

/// Makes the folder of the checkpoints.
pub(super) fn prepare(folder: &RunFolder) -> Result<(), String> {
    let path = folder.file(FOLDER);
    fs::create_dir_all(&path).map_err(|error| format!("{}: cannot be made ({error})", path.display()))
}

/// Writes the checkpoint of an island, of a run of the configuration of this checksum.
///
/// Says how many bytes it has.
pub(super) fn write(folder: &RunFolder, config: u32, state: &IslandState) -> Result<u64, String> {
    let bytes = SEAL.close(&(config, state)).ok_or("a checkpoint is too large for memory")?;
    folder.write(&name(state.island, state.epoch), &bytes).map_err(|error| error.to_string())?;
    Ok(bytes.len() as u64)
}

/// Reads the checkpoint of an island.
pub(super) fn read(folder: &RunFolder, config: u32, island: u16, epoch: u32) -> Result<IslandState, String> {
    let path = folder.file(&name(island, epoch));
    let bytes = fs::read(&path).map_err(|error| format!("{}: cannot be read ({error})", path.display()))?;
    let shown = path.display();
    let (of, state): (u32, IslandState) = SEAL.open(&bytes).map_err(|error| match error {
        SealError::Version { .. } => format!("{shown}: of another version of this program"),
        _ => format!("{shown}: damaged"),
    })?;
    if of != config {
        return Err(format!("{shown}: of a run with other settings, such as another network or graph"));
    }
    if (state.island, state.epoch) == (island, epoch) { Ok(state) } else { Err(format!("{shown}: damaged")) }
}

/// The epochs of which there is a file of an island.
fn epochs(folder: &Path, island: u16) -> BTreeSet<u32> {
    let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else { return BTreeSet::new() };
    let epoch = |name: &str| {
        let (of, epoch) = name.strip_suffix(".bin")?.split_once('-')?;
        (of.parse::<u16>() == Ok(island)).then(|| epoch.parse().ok())?
    };
    entries.filter_map(|entry| epoch(entry.ok()?.file_name().to_str()?)).collect()
}

/// The newest checkpoint of an island that can be used; none where it has no files.
///
/// # Errors
/// Where it has files and none of them can be used.
fn newest(folder: &RunFolder, config: u32, island: u16) -> Result<Option<IslandState>, String> {
    let mut fault = None;
    for &epoch in epochs(folder.path(), island).iter().rev() {
        match read(folder, config, island, epoch) {
            Ok(state) => return Ok(Some(state)),
            Err(reason) => fault = fault.or(Some(reason)),
        }
    }
    fault.map_or(Ok(None), Err)
}

/// The epoch that each island goes on from, its own newest; 0 for one that saved nothing yet.
///
/// # Errors
/// Where files cannot be used, or what an island still needs of another is in none.
pub(super) fn beginnings(folder: &RunFolder, config: &TrainConfig, digest: u32) -> Result<Vec<u32>, String> {
    let refused =
        |reason: String| format!("{reason}: the islands cannot go on from it: train anew with --config");
    let islands = config.islands.unwrap_or(1);
    let mut epochs = vec![];
    let mut kept = BTreeSet::new();
    for island in 0..islands {
        let state = newest(folder, digest, island).map_err(refused)?;
        kept.extend(state.iter().flat_map(|state| &state.sent).map(|sent| (sent.to, sent.from, sent.epoch)));
        epochs.push(state.map_or(0, |state| state.epoch));
    }
    if config.migration == MigrationKind::Deterministic {
        let graph = Graph::new(config.graph, u32::from(islands), config.seed);
        for (from, &lived) in (0..islands).zip(&epochs) {
            // What those who are behind will ask for.
            let oldest = epochs.iter().min().map_or(0, |oldest| oldest.saturating_sub(config.latency));
            for epoch in oldest..lived {
                for to in graph.targets(u32::from(from), epoch) {
                    let needed = epoch + config.latency >= epochs[to as usize];
                    if needed && !kept.contains(&(to as u16, from, epoch)) {
                        let folder = folder.file(FOLDER);
                        return Err(refused(format!(
                            "{}: what island {to} still needs from island {from} of epoch {epoch} is in no checkpoint",
                            folder.display()
                        )));
                    }
                }
            }
        }
    }
    Ok(epochs)
}

/// Removes the checkpoint of an island and epoch. One that stays does no harm.
pub(super) fn remove(folder: &RunFolder, island: u16, epoch: u32) {
    let _ = fs::remove_file(folder.file(&name(island, epoch)));
}

/// Removes all of them.
pub(super) fn remove_all(folder: &RunFolder) {
    let _ = fs::remove_dir_all(folder.file(FOLDER));
}
