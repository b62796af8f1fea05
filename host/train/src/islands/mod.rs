//! Islands: searches that evolve apart and exchange their best, on threads of one process or on processes of many machines.
//!
//! All islands begin with one genome and draw from streams of their own. After every epoch an island sends its best to others, as
//! flips, and mates with what they sent, by the [matings](super::operators) of the genetic algorithm: in the spectrum-guided search each
//! neuron of the child must prove itself on the exact landscape, in the genetic algorithm immigrants join the population.
//!
//! With deterministic migration what is sent in epoch g enters in epoch g + latency, so the outcome depends on the seed and the number
//! of islands, not on threads, processes or time. Otherwise who came when is recorded with what it brought, and repeated from that.
//!
//! ```text
//! island    its life: arrivals, an epoch of search, emigrants, a checkpoint      graph     who sends to whom
//! epoch     that search                                                          world     what all islands of a process share
//! records   migrants, and what islands leave                                     state     what an island goes on from
//! exchange  doors, parcels, transports                                           post      carries parcels
//! ancestry  genomes as a base and flips                                          files     checkpoints
//! lineage   what the run folder keeps of all that                                ledger    which epochs are saved
//! traffic   messages and bytes, measured                                         simulation  what more islands need
//! mpi       the transport of clusters
//! ```

pub mod ancestry;
mod epoch;
pub mod exchange;
mod files;
pub mod graph;
mod island;
mod ledger;
pub mod lineage;
#[cfg(feature = "mpi")]
pub mod mpi;
mod post;
mod records;
pub mod simulation;
mod state;
pub mod traffic;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use evobit::image::checksum;

use super::checkpoint::{self, Best, Checkpoint, Course, Fingerprint, Search};
use super::error::TrainError;
use super::outcome::Outcome;
use super::prepare::Prepared;
use super::prepare::random_genome;
use super::row::Row;
use super::session::Session;
use crate::settings::{MigrationKind, TrainConfig};
use evobit_search::RunFolder;
use evobit_search::{Stop, Watch};
use exchange::{Alone, Door, Parcel, Transport};
use graph::Graph;
use ledger::Ledger;
use lineage::Lineage;
use post::{Post, home};
use records::winner;
pub use records::{Arrival, Finish, Migrant, Record};
use state::IslandState;
use traffic::{TRAFFIC, Traffic};
use world::{Permits, World};

/// The islands of this process; none where a configuration has none.
#[must_use]
pub fn here(config: &TrainConfig, transport: Option<&dyn Transport>) -> Vec<u16> {
    let transport = transport.unwrap_or(&Alone);
    let islands = 0..config.islands.unwrap_or(0);
    islands.filter(|&island| home(island, transport.size()) == transport.rank()).collect()
}

/// Where a run of islands begins.
struct Beginning {
    folder: Option<RunFolder>,
    /// The epoch of each island.
    epochs: Vec<u32>,
    /// What processes that began sooner sent already: messages are in order only between each two.
    early: Vec<Parcel>,
}

/// Evolves islands from the start or from where their checkpoints are.
pub(super) fn run<'a>(
    prepared: &'a Prepared,
    config: &'a TrainConfig,
    mut session: Session<'a>,
    from: Option<Checkpoint>,
    watch: &mut dyn Watch<Row>,
) -> Result<Outcome, TrainError> {
    let started = Instant::now();
    let transport = session.transport.unwrap_or(&Alone);
    let islands = config.islands.unwrap_or(1);
    let digest = checksum(config.to_toml().as_bytes());
    let beginning = match transport.rank() {
        0 => lead(prepared, config, &mut session, (transport, digest), from.is_some()).map(Some),
        _ => follow(prepared, transport, digest),
    };
    let Some(Beginning { folder, epochs, early }) = beginning.map_err(TrainError::Islands)? else {
        return Ok(Outcome::empty(random_genome(prepared, config)));
    };
    if transport.rank() == 0 && epochs.iter().any(|&epoch| epoch > 0) {
        watch.note(&beginnings(&epochs));
    }
    let here = here(config, Some(transport));
    let start = random_genome(prepared, config);
    let state = |island: u16| match (&folder, epochs[usize::from(island)]) {
        (Some(folder), epoch @ 1..) => files::read(folder, digest, island, epoch),
        _ => Ok(IslandState::new(island, &start)),
    };
    let mut states: Vec<IslandState> =
        here.iter().copied().map(state).collect::<Result<_, String>>().map_err(TrainError::Islands)?;
    if config.migration == MigrationKind::Async {
        // Islands that did not wait for each other no longer agree on what both know, but for the start.
        states.iter_mut().for_each(IslandState::forget);
    }
    let threads = rayon::current_num_threads();
    let each = (threads / states.len().max(1)).max(1);
    let accelerators = prepared.accelerator.of_islands(&here, islands);
    let accelerators = accelerators.map_err(|error| TrainError::Islands(error.to_string()))?;
    // Threads that wait for a GPU compute nothing.
    let at_once = if prepared.accelerator.is_gpu() { states.len() } else { threads / each };
    let world = World {
        prepared,
        config,
        start: &start,
        graph: Graph::new(config.graph, islands.into(), config.seed),
        folder: folder.as_ref().map(|folder| (folder, digest)),
        replay: session.replay.as_deref(),
        permits: Permits::new(at_once),
        threads: each,
        interrupt: session.interrupt.clone(),
        accelerators: here.into_iter().zip(accelerators).collect(),
    };
    let evolved = evolve(&world, (states, early), Ledger::new(epochs), transport, watch);
    let (finished, stopped, traffic) = evolved.map_err(TrainError::Islands)?;
    if transport.rank() > 0 {
        return Ok(Outcome::empty(start));
    }
    let stop = if stopped { Stop::Interrupted } else { Stop::Sweeps };
    let (lineage, mut is_saved) = (Lineage::new(&finished), true);
    if let Some(folder) = &folder {
        if !stopped {
            lineage.write(folder).map_err(TrainError::Islands)?;
            let written = folder.write(TRAFFIC, &traffic.to_csv());
            written.map_err(|error| TrainError::Islands(error.to_string()))?;
        }
        if let Some(checkpoints) = &mut session.checkpoints {
            let last = winner(&finished).map(|finish| finish.course.clone());
            let course = if stopped { Course::default() } else { last.unwrap_or_default() };
            let at = (course.now.step, started.elapsed().as_secs_f64());
            let state = checkpoint::State { course, search: Search::Islands };
            if let Err(reason) = checkpoints.write(at, state.to_bytes(), Some(stop)) {
                watch.unsaved(&reason);
                is_saved = false;
            }
        }
        if !stopped {
            files::remove_all(folder);
        }
    }
    Ok(Outcome { lineage: Some(lineage), is_saved, ..gather(&finished, stop, started, start) })
}

/// Where islands go on, in one line.
fn beginnings(epochs: &[u32]) -> String {
    let mut at: BTreeMap<u32, u32> = BTreeMap::new();
    epochs.iter().for_each(|&epoch| *at.entry(epoch).or_default() += 1);
    let at: Vec<String> = at.iter().map(|(epoch, islands)| format!("{epoch} ({islands})")).collect();
    format!("goes on from epoch (islands): {}", at.join(", "))
}

/// The first process: makes sure that all are of one mind and says where to begin.
fn lead(
    prepared: &Prepared,
    config: &TrainConfig,
    session: &mut Session<'_>,
    (transport, digest): (&dyn Transport, u32),
    goes_on: bool,
) -> Result<Beginning, String> {
    let mut difference = None;
    for _ in 1..transport.size() {
        match post::next(transport) {
            Some(Parcel::Hello { version, .. }) if version != env!("CARGO_PKG_VERSION") => {
                let own = env!("CARGO_PKG_VERSION");
                difference = Some(format!(
                    "one rank is of version {version}, another of {own}: install one on all machines"
                ));
            }
            Some(Parcel::Hello { rank, config, fingerprint: other, .. }) => {
                let mut parts = Fingerprint::new(prepared).differences(&other);
                if config != digest {
                    parts.insert(0, "the settings");
                }
                if !parts.is_empty() {
                    let parts = parts.join(", ");
                    difference = Some(format!(
                        "rank {rank} has another run than rank 0: {parts}: start all with the same files"
                    ));
                }
            }
            _ => difference = Some(
                "another rank does not speak this program's language: install one version on all machines"
                    .into(),
            ),
        }
    }
    let folder = session.checkpoints.as_ref().map(|checkpoints| checkpoints.folder().clone());
    let begin = || {
        if let Some(difference) = difference {
            return Err(difference);
        }
        let at_the_start = vec![0; config.islands.unwrap_or(1).into()];
        let Some(folder) = &folder else { return Ok(at_the_start) };
        files::prepare(folder)?;
        if goes_on { files::beginnings(folder, config, digest) } else { Ok(at_the_start) }
    };
    let epochs = begin();
    for rank in 1..transport.size() {
        let path = folder.as_ref().map(|folder| folder.path().to_owned());
        let begin = |epochs: &Vec<u32>| Parcel::Begin { folder: path, epochs: epochs.clone() };
        post::send(transport, rank, &epochs.as_ref().map_or(Parcel::Stop, begin));
    }
    let epochs = epochs?;
    if let Some(checkpoints) = session.checkpoints.as_mut().filter(|_| epochs.contains(&0)) {
        // So that a run that is killed before every island saved itself can be gone on with as well.
        let state = checkpoint::State { course: Course::default(), search: Search::Islands };
        checkpoints.write((0, 0.0), state.to_bytes(), None)?;
    }
    Ok(Beginning { folder, epochs, early: vec![] })
}

/// The first process of a run that has ended already: tells all others, whatever they read of it, that there is nothing to do, and
/// removes the checkpoints that were left when it was killed right then.
pub(super) fn dismiss(transport: &dyn Transport, folder: Option<&RunFolder>) {
    for _ in 1..transport.size() {
        post::next(transport);
    }
    (1..transport.size()).for_each(|rank| post::send(transport, rank, &Parcel::Close));
    folder.into_iter().for_each(files::remove_all);
}

/// Every other process: says what it has and waits for where to begin; `None` where there is nothing to do.
fn follow(prepared: &Prepared, transport: &dyn Transport, digest: u32) -> Result<Option<Beginning>, String> {
    let hello = Parcel::Hello {
        rank: transport.rank() as u32,
        version: env!("CARGO_PKG_VERSION").into(),
        config: digest,
        fingerprint: Fingerprint::new(prepared),
    };
    post::send(transport, 0, &hello);
    let mut early = vec![];
    loop {
        match post::next(transport) {
            Some(Parcel::Begin { folder, epochs }) => {
                let folder = folder.as_deref().map(RunFolder::join);
                return Ok(Some(Beginning { folder, epochs, early }));
            }
            Some(Parcel::Close) => return Ok(None),
            Some(parcel @ Parcel::Migrant(_)) => early.push(parcel),
            _ => return Err("rank 0 does not begin, and says why".into()),
        }
    }
}

/// Lets the islands of this process live, each on a thread. True where the run was stopped.
fn evolve(
    world: &World<'_>,
    (states, early): (Vec<IslandState>, Vec<Parcel>),
    ledger: Ledger,
    transport: &dyn Transport,
    watch: &mut dyn Watch<Row>,
) -> Result<(Vec<Finish>, bool, Traffic), String> {
    let stop = AtomicBool::new(false);
    let (outbox, parcels) = channel();
    let oldest = AtomicU32::new(ledger.oldest());
    let mut post = Post {
        transport,
        islands: world.config.islands.unwrap_or(1),
        sweeps: world.config.epoch,
        inboxes: BTreeMap::new(),
        outbox: parcels,
        stop: &stop,
        interrupt: world.interrupt.clone(),
        oldest: &oldest,
        ledger,
        finished: BTreeMap::new(),
        mutants: BTreeMap::new(),
        scored: 0,
        traffic: Traffic::default(),
        closed: false,
        through: 0,
    };
    let worked = std::thread::scope(|scope| {
        for state in states {
            let (inbox, door) = channel::<Migrant>();
            post.inboxes.insert(state.island, inbox);
            let (stop, oldest) = (&stop, &oldest);
            let door = Door { outbox: outbox.clone(), inbox: door, stop, oldest, early: BTreeMap::new() };
            let outbox: Sender<Parcel> = outbox.clone();
            scope.spawn(move || {
                let parcel = match island::inhabit(world, state, door) {
                    Ok(finish) => Parcel::Finished(Box::new(finish)),
                    Err(reason) => Parcel::Failed(reason),
                };
                let _ = outbox.send(parcel);
            });
        }
        drop(outbox);
        early.into_iter().try_for_each(|parcel| post.handle(parcel, watch))?;
        post.work(watch)
    });
    worked?;
    let finished: Vec<Finish> = std::mem::take(&mut post.finished).into_values().collect();
    let stopped = finished.iter().any(|finish| finish.stopped);
    Ok((finished, stopped, std::mem::take(&mut post.traffic)))
}

/// What all of them found together.
fn gather(finished: &[Finish], stop: Stop, started: Instant, start: Vec<u32>) -> Outcome {
    let sum = |of: fn(&Finish) -> u64| finished.iter().map(of).sum();
    let seconds = started.elapsed().as_secs_f64();
    let Some(course) = winner(finished).map(|finish| finish.course.clone()) else {
        return Outcome::empty(start);
    };
    let Course { now, mut rows, best, heats } = course;
    // What all of them had scored when the winner was there.
    for row in &mut rows {
        let until = |finish: &Finish| {
            let before = finish.course.rows.iter().rfind(|other| other.sweep <= row.sweep);
            before.map_or(0, |other| other.mutants)
        };
        row.mutants = finished.iter().map(until).sum();
    }
    let (genome, best) = best.map_or((start, now), |Best { genome, row, .. }| (genome, row));
    let (steps, mutants) = (sum(|finish| finish.course.now.step), sum(|finish| finish.course.now.mutants));
    Outcome { genome, best, rows, stop, heats, steps, mutants, seconds, lineage: None, is_saved: true }
}

#[cfg(test)]
mod tests;
