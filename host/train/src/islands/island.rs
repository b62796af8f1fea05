//! The life of an island: take in immigrants, search for an epoch, send the best away, save.

use evobit::image::genome_checksum;
use evobit_link::check_genome;

use super::ancestry::Change;
use super::epoch::{Epoch, live};
use super::exchange::{Door, Parcel, Stopped};
use super::files;
use super::records::{Arrival, Finish, Migrant, Record};
use super::state::{IslandState, Known};
use super::world::World;
use crate::algorithm::Immigrant;
use crate::settings::MigrationKind;

/// Lives on from `state` to the end, or until the run stops.
///
/// # Errors
/// What keeps the island from going on, in one line.
pub(super) fn inhabit(
    world: &World<'_>,
    mut state: IslandState,
    mut door: Door<'_>,
) -> Result<Finish, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(world.threads).build();
    let pool = pool.map_err(|error| format!("no threads for island {}: {error}", state.island))?;
    // What those who are behind still need.
    state.sent.iter().for_each(|migrant| door.send(Parcel::Migrant(migrant.clone())));
    while state.epoch < world.config.epochs() && !door.stopped() {
        let before = state.clone();
        let Ok(migrants) = arrivals(world, &mut state, &mut door) else {
            state = before;
            break;
        };
        let immigrants = unpack(world, &mut state, &migrants)?;
        let (rows, stop) = (state.course.rows.len(), door.stop);
        let lived = world.permits.with(|| pool.install(|| live(world, &mut state, &immigrants, stop)))?;
        let Some(epoch) = lived else {
            // An epoch that is not over counts for nothing: a run that goes on repeats it.
            state = before;
            break;
        };
        for row in &state.course.rows[rows..] {
            door.send(Parcel::Row(state.island, *row));
        }
        record(&mut state, &immigrants, &epoch);
        emigrate(world, &mut state, &epoch, &door);
        state.epoch += 1;
        if let Some((folder, config)) = world.folder {
            let bytes = files::write(folder, config, &state)?;
            if let Some(old) = state.epoch.checked_sub(2) {
                files::remove(folder, state.island, old);
            }
            door.send(Parcel::Saved { island: state.island, epoch: state.epoch, bytes });
        }
    }
    let stopped = state.epoch < world.config.epochs();
    let IslandState { island, course, ancestry, records, arrivals, .. } = state;
    Ok(Finish { island, course, ancestry, records, arrivals, stopped })
}

/// Who enters at the beginning of this epoch.
fn arrivals(
    world: &World<'_>,
    state: &mut IslandState,
    door: &mut Door<'_>,
) -> Result<Vec<Migrant>, Stopped> {
    let (config, epoch) = (world.config, state.epoch);
    if let Some(recorded) = world.replay {
        let came = recorded.get(usize::from(state.island)).into_iter().flatten();
        return Ok(came
            .filter(|arrival| arrival.epoch == epoch)
            .map(|arrival| arrival.migrant.clone())
            .collect());
    }
    match config.migration {
        MigrationKind::Async => {
            let migrants = door.poll();
            state.arrivals.extend(migrants.iter().cloned().map(|migrant| Arrival { epoch, migrant }));
            Ok(migrants)
        }
        MigrationKind::Deterministic => {
            let Some(sent) = epoch.checked_sub(config.latency) else { return Ok(vec![]) };
            let sources = world.graph.sources(u32::from(state.island), sent);
            sources.into_iter().map(|source| door.wait(source as u16, sent)).collect()
        }
    }
}

/// The genomes of migrants.
fn unpack(
    world: &World<'_>,
    state: &mut IslandState,
    migrants: &[Migrant],
) -> Result<Vec<Immigrant>, String> {
    let mut immigrants = vec![];
    for migrant in migrants {
        let last = state.known.get(&migrant.from).map(|known| &known.0[..]);
        let base = [last, Some(world.start)]
            .into_iter()
            .flatten()
            .find(|base| genome_checksum(base) == migrant.base);
        let genome = base.and_then(|base| migrant.change.of(base));
        let genome = genome.filter(|genome| check_genome(&world.prepared.topology, genome).is_ok());
        let Migrant { from, epoch, loss, .. } = *migrant;
        let Some(genome) = genome else {
            return Err(format!(
                "island {}: what island {from} sent in epoch {epoch} is against no genome that both know",
                state.island
            ));
        };
        if world.remembers() {
            state.known.insert(from, Known(genome.clone()));
        }
        immigrants.push(Immigrant { from, epoch, loss, genome });
    }
    Ok(immigrants)
}

/// Notes what an epoch came to.
fn record(state: &mut IslandState, immigrants: &[Immigrant], epoch: &Epoch) {
    let mated = immigrants.iter().zip(&epoch.taken);
    state.records.push(Record {
        island: state.island,
        epoch: state.epoch,
        mated: mated.map(|(other, &[differed, taken])| (other.from, other.epoch, differed, taken)).collect(),
        changed: epoch.changed,
        loss: epoch.loss,
        validation: state.course.rows.last().map_or(f64::NAN, |row| row.validation_accuracy),
    });
}

/// Sends the best to where the graph says.
fn emigrate(world: &World<'_>, state: &mut IslandState, epoch: &Epoch, door: &Door<'_>) {
    // Those who do not wait are not sent the same again, and what is not saved is not gone on with.
    let keeps = world.folder.is_some() && world.config.migration == MigrationKind::Deterministic;
    let known = state.told.as_ref().map_or(world.start, |known| &known.0);
    let (base, change) = (genome_checksum(known), Change::between(known, &epoch.champion));
    for to in world.graph.targets(u32::from(state.island), state.epoch) {
        let to = to as u16;
        let migrant = Migrant {
            from: state.island,
            to,
            epoch: state.epoch,
            base,
            loss: epoch.loss,
            change: change.clone(),
        };
        if keeps {
            state.sent.push(migrant.clone());
        }
        door.send(Parcel::Migrant(migrant));
    }
    if world.remembers() {
        state.told = Some(Known(epoch.champion.clone()));
    }
    // One epoch more than the checkpoints ask for: where the newest of another is damaged it goes on from the one before.
    let oldest = door.oldest().saturating_sub(world.config.latency + 1);
    state.sent.retain(|migrant| migrant.epoch >= oldest);
}
