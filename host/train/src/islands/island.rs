//! The life of an island: take in immigrants, search for an epoch, send the best away, save.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};

use evobit::image::genome_checksum;
use evobit_link::check_genome;
use serde::{Deserialize, Serialize};

use super::ancestry::{Ancestry, Change};
use super::epoch::{Epoch, live};
use super::exchange::{Door, Migrant, Parcel, Stopped};
use super::files;
use super::graph::Graph;
use crate::algorithm::{Immigrant, Place};
use crate::checkpoint::{Course, Search};
use crate::prepare::Prepared;
use crate::settings::{Config, GraphKind, MigrationKind};
use evobit_compute::Accelerator;
use evobit_search::{Interrupt, RunFolder, words};

/// A genome of which islands know that they both have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Known(#[serde(with = "words")] Vec<u32>);

/// A migrant that an island took in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The epoch of the island, counted from 0.
    pub epoch: u32,
    /// Whom and what it brought: enough to repeat it without the sender.
    pub migrant: Migrant,
}

/// What an epoch of an island came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The island.
    pub island: u16,
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Whom it mated with: the island, its epoch, the bits in which they differed and those that were taken over.
    pub mated: Vec<(u16, u32, u32, u32)>,
    /// Bits that the search changed.
    pub changed: u32,
    /// The training loss at its end.
    pub loss: i64,
    /// Validation samples that were right, as a share; NaN without any.
    pub validation: f64,
}

/// Everything that the rest of an island's life depends on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The island.
    pub island: u16,
    /// Epochs it has lived.
    pub epoch: u32,
    /// Where its search is; none before the first epoch.
    pub search: Option<Search>,
    /// What it found.
    pub course: Course,
    /// No single mutation improves its genome, so it need not search until somebody comes.
    pub settled: bool,
    /// Those of its emigrants that the islands they are for have not taken in at their checkpoints, as far as it knows.
    pub sent: Vec<Migrant>,
    /// The last genome that it sent to all that it sends to; none on random graphs, where these are others each time.
    pub told: Option<Known>,
    /// The last genome that each other sent to it; none on random graphs.
    pub known: BTreeMap<u16, Known>,
    /// Those who came, where nobody waited for them.
    pub arrivals: Vec<Arrival>,
    /// How its genome came to be.
    pub ancestry: Ancestry,
    /// What each epoch came to.
    pub records: Vec<Record>,
}

impl State {
    /// An island before its first epoch.
    pub(super) fn new(island: u16, start: &[u32]) -> Self {
        Self {
            island,
            epoch: 0,
            search: None,
            course: Course::default(),
            settled: false,
            sent: vec![],
            told: None,
            known: BTreeMap::new(),
            arrivals: vec![],
            ancestry: Ancestry::new(start.to_vec()),
            records: vec![],
        }
    }
}

impl State {
    /// Forgets what others know of it and it of them, and what is under way.
    pub(super) fn forget(&mut self) {
        self.told = None;
        self.known.clear();
        self.sent.clear();
    }
}

/// What an island leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finish {
    /// The island.
    pub island: u16,
    /// What it found.
    pub course: Course,
    /// How its last genome came to be.
    pub ancestry: Ancestry,
    /// What each epoch came to.
    pub records: Vec<Record>,
    /// Those who came, where nobody waited for them.
    pub arrivals: Vec<Arrival>,
    /// The run was stopped before its end.
    pub stopped: bool,
}

/// So many may compute at a time.
#[derive(Debug)]
pub(super) struct Permits {
    left: Mutex<usize>,
    returned: Condvar,
}

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        Self { left: Mutex::new(count.max(1)), returned: Condvar::new() }
    }

    fn with<T>(&self, work: impl FnOnce() -> T) -> T {
        // A thread that panicked left the count as it was.
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while *left == 0 {
            left = self.returned.wait(left).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *left -= 1;
        drop(left);
        let done = work();
        *self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        self.returned.notify_one();
        done
    }
}

/// What all islands of a process share.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) config: &'a Config,
    /// The genome that all islands begin with.
    pub(super) start: &'a [u32],
    pub(super) graph: Graph,
    /// Where to save, and the checksum of the configuration.
    pub(super) folder: Option<(&'a RunFolder, u32)>,
    /// Who came to each island in the run that is to be repeated.
    pub(super) replay: Option<&'a [Vec<Arrival>]>,
    pub(super) permits: Permits,
    /// Threads of an island.
    pub(super) threads: usize,
    /// Asks the run to end.
    pub(super) interrupt: Interrupt,
    /// What each island of this process computes with.
    pub(super) accelerators: BTreeMap<u16, Accelerator>,
}

impl World<'_> {
    /// Where an island searches.
    pub(super) fn place(&self, island: u16) -> Place<'_> {
        let accelerator = self.accelerators.get(&island).unwrap_or(&self.prepared.accelerator);
        Place { prepared: self.prepared, config: self.config, accelerator, island }
    }

    /// Whether islands send to the same islands each time, so that flips against what was sent last are few. On random graphs all
    /// changes are against the start: to remember a genome of every other island would take more than it saves.
    fn remembers(&self) -> bool {
        self.config.graph != GraphKind::Random
    }
}

/// Lives on from `state` to the end, or until the run stops.
///
/// # Errors
/// What keeps the island from going on, in one line.
pub(super) fn inhabit(world: &World<'_>, mut state: State, mut door: Door<'_>) -> Result<Finish, String> {
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
    let State { island, course, ancestry, records, arrivals, .. } = state;
    Ok(Finish { island, course, ancestry, records, arrivals, stopped })
}

/// Who enters at the beginning of this epoch.
fn arrivals(world: &World<'_>, state: &mut State, door: &mut Door<'_>) -> Result<Vec<Migrant>, Stopped> {
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
fn unpack(world: &World<'_>, state: &mut State, migrants: &[Migrant]) -> Result<Vec<Immigrant>, String> {
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
fn record(state: &mut State, immigrants: &[Immigrant], epoch: &Epoch) {
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
fn emigrate(world: &World<'_>, state: &mut State, epoch: &Epoch, door: &Door<'_>) {
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
