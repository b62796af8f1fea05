//! The checkpoints of islands: a file for each island and epoch in the run folder, `islands/ISLAND-EPOCH.bin`.
//!
//! Islands are not at the same epoch at the same time, but each saves itself at the end of every epoch. A run goes on from the
//! newest epoch that all islands have saved; older ones are removed. What was under way then is in the checkpoint of the island
//! that sent it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use evobit::image::checksum;

use super::island::State;
use crate::run_folder::RunFolder;

const MAGIC: [u8; 4] = *b"evis";
const VERSION: u16 = 1;
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
pub(super) fn write(folder: &RunFolder, config: u32, state: &State) -> Result<(), String> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(config.to_le_bytes());
    let mut bytes = postcard::to_extend(state, bytes).map_err(|_| "a checkpoint is too large for memory")?;
    bytes.extend(checksum(&bytes).to_le_bytes());
    folder.write(&name(state.island, state.epoch), &bytes).map_err(|error| error.to_string())
}

/// Reads the checkpoint of an island.
pub(super) fn read(folder: &RunFolder, config: u32, island: u16, epoch: u32) -> Result<State, String> {
    let path = folder.file(&name(island, epoch));
    let bytes = fs::read(&path).map_err(|error| format!("{}: cannot be read ({error})", path.display()))?;
    let state = || {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let state = body.strip_prefix(&MAGIC)?.strip_prefix(&VERSION.to_le_bytes())?;
        let state = state.strip_prefix(&config.to_le_bytes())?;
        if u32::from_le_bytes(*crc) != checksum(body) {
            return None;
        }
        let state: State = postcard::from_bytes(state).ok()?;
        (state.island == island && state.epoch == epoch).then_some(state)
    };
    state().ok_or_else(|| format!("{}: damaged, or of another configuration or version", path.display()))
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

/// The newest epoch of which every island has a checkpoint that can be used; 0 where they have none in common.
///
/// # Errors
/// Where they have, and none of these can be used.
pub(super) fn newest(folder: &RunFolder, config: u32, islands: u16) -> Result<u32, String> {
    let mut common = epochs(folder.path(), 0);
    for island in 1..islands {
        common.retain(|epoch| epochs(folder.path(), island).contains(epoch));
    }
    let mut fault = None;
    for &epoch in common.iter().rev() {
        match (0..islands).try_for_each(|island| read(folder, config, island, epoch).map(drop)) {
            Ok(()) => return Ok(epoch),
            Err(reason) => fault = fault.or(Some(reason)),
        }
    }
    fault.map_or(Ok(0), |fault| {
        Err(format!("{fault}: the islands cannot go on from it: train anew with --config"))
    })
}

/// Removes the files of an island of epochs before `oldest`. One that stays does no harm.
pub(super) fn remove(folder: &RunFolder, island: u16, oldest: u32) {
    for epoch in epochs(folder.path(), island).into_iter().filter(|&epoch| epoch < oldest) {
        let _ = fs::remove_file(folder.file(&name(island, epoch)));
    }
}

/// Removes all of them.
pub(super) fn remove_all(folder: &RunFolder) {
    let _ = fs::remove_dir_all(folder.file(FOLDER));
}
