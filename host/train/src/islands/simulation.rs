//! How a run would do on more islands: its migration graph, simulated, with the messages that it measured.
//!
//! Everything but the time of the first process is counted in integers and follows from graph, seed and table. What is assumed: messages
//! are as large as those that were measured, epoch by epoch; an island is a process of its own; and for the takeover, that whoever is
//! sent the best genome has it from then on, so that it is the soonest that all can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::exchange::{Parcel, Transport};
use super::graph::Graph;
use super::ledger::Ledger;
use super::post::Post;
use super::traffic::{ParcelKind, Traffic};
use crate::row::Row;
use crate::settings::GraphKind;
use evobit_search::{Interrupt, Silent};

/// Epochs that the first process is timed for.
const TIMED_EPOCHS: u32 = 3;

/// So many islands of a graph.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The graph.
    pub kind: GraphKind,
    /// How many islands.
    pub islands: u32,
    /// The seed of random graphs.
    pub seed: u64,
    /// Epochs after which a migrant enters.
    pub latency: u32,
    /// How often an island tells in an epoch how it does.
    pub rows: u32,
}

/// What they need.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Needs {
    /// Islands that an island sends to in an epoch, at most.
    pub targets: u64,
    /// Islands that an island hears of in an epoch, at most.
    pub sources: u64,
    /// Messages between islands in an epoch.
    pub migrants: u64,
    /// Bytes that an island sends to others in an epoch, in the mean of all epochs, rounded up.
    pub island_bytes: u64,
    /// In the epoch with the largest messages.
    pub island_peak_bytes: u64,
    /// Bytes between islands in an epoch, in the mean, rounded up.
    pub bytes: u64,
    /// Genomes that an island remembers, against which others are sent and received.
    pub genomes: u64,
    /// Messages to the first process in an epoch, and from it.
    pub coordinator_messages: [u64; 2],
    /// Their bytes.
    pub coordinator_bytes: [u64; 2],
    /// Bytes that the first process receives and keeps at the end.
    pub finish_bytes: u64,
    /// Bytes of the checkpoints of an epoch, in the mean, rounded up.
    pub checkpoint_bytes: u64,
    /// Epochs until half of the islands, and all, can have a genome of one.
    pub takeover: [u32; 2],
}

/// What islands of this plan need where messages are as in `traffic`.
#[must_use]
pub fn needs(plan: Plan, traffic: &Traffic) -> Needs {
    let graph = Graph::new(plan.kind, plan.islands, plan.seed);
    let ([targets, sources], migrants) = degrees(plan, graph);
    let (islands, epochs) = (u64::from(plan.islands), u64::from(traffic.epochs().max(1)));
    let sizes = || (0..traffic.epochs()).map(|epoch| traffic.of(ParcelKind::Migrant, epoch).each());
    let [row, saved, checkpoint, finish] =
        [ParcelKind::Row, ParcelKind::Saved, ParcelKind::Checkpoint, ParcelKind::Finished]
            .map(|kind| traffic.total(kind).each());
    let oldest = postcard::to_stdvec(&Parcel::Oldest(traffic.epochs())).map_or(0, |bytes| bytes.len() as u64);
    let others = islands.saturating_sub(1);
    Needs {
        targets,
        sources,
        migrants,
        island_bytes: (targets * sizes().sum::<u64>()).div_ceil(epochs),
        island_peak_bytes: targets * sizes().max().unwrap_or(0),
        bytes: (migrants * sizes().sum::<u64>()).div_ceil(epochs),
        // The last that it sent, and the last of each source; on a random graph flips are against the start, which is there anyway.
        genomes: if plan.kind == GraphKind::Random { 0 } else { 1 + sources },
        coordinator_messages: [islands * (u64::from(plan.rows) + 1), others],
        coordinator_bytes: [islands * (u64::from(plan.rows) * row + saved), others * oldest],
        finish_bytes: islands * finish,
        checkpoint_bytes: islands * checkpoint,
        takeover: takeover(plan, graph),
    }
}

/// The most targets and sources of an island, and the messages of an epoch.
fn degrees(plan: Plan, graph: Graph) -> ([u64; 2], u64) {
    let islands = u64::from(plan.islands);
    if plan.kind == GraphKind::All {
        // Counted one by one they would be ten billion.
        let others = islands.saturating_sub(1);
        return ([others; 2], islands * others);
    }
    let ring = graph.ring(0);
    let mut into = vec![0u64; plan.islands as usize];
    let (mut most, mut all) = (0, 0);
    for island in 0..plan.islands {
        let targets = graph.on_ring(island, &ring);
        targets.iter().for_each(|&target| into[target as usize] += 1);
        most = most.max(targets.len() as u64);
        all += targets.len() as u64;
    }
    ([most, into.into_iter().max().unwrap_or(0)], all)
}

/// Epochs until half of the islands and until all have what island 0 has at the end of epoch 0.
fn takeover(plan: Plan, graph: Graph) -> [u32; 2] {
    let mut has = vec![false; plan.islands as usize];
    // Who has it from which epoch on; arrivals that are under way.
    let (mut holders, mut arriving) = (vec![], BTreeMap::from([(0, vec![0])]));
    let (mut half, mut epoch) = (None, 0);
    loop {
        let mut new = vec![];
        for island in arriving.remove(&epoch).unwrap_or_default() {
            if !std::mem::replace(&mut has[island as usize], true) {
                new.push(island);
            }
        }
        holders.extend_from_slice(&new);
        if half.is_none() && holders.len() >= has.len().div_ceil(2) {
            half = Some(epoch);
        }
        if holders.len() >= has.len() {
            return [half.unwrap_or(epoch), epoch];
        }
        // On a graph that stays, who was sent to once needs it no more.
        let senders = if plan.kind == GraphKind::Random { &holders } else { &new };
        let ring = graph.ring(epoch);
        let sent = senders.iter().flat_map(|&island| graph.on_ring(island, &ring));
        let sent: Vec<u32> = sent.filter(|&target| !has[target as usize]).collect();
        if !sent.is_empty() {
            arriving.entry(epoch + plan.latency.max(1)).or_default().extend(sent);
        }
        // Every graph joins all islands, so there is always somebody on the way.
        epoch = if plan.kind == GraphKind::Random {
            epoch + 1
        } else {
            *arriving.keys().next().unwrap_or(&epoch)
        };
    }
}

/// The network of the first process, on which nothing goes anywhere.
#[derive(Debug)]
struct Nowhere(usize);

impl Transport for Nowhere {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        self.0
    }

    fn send(&self, _: usize, bytes: &[u8]) {
        std::hint::black_box(bytes);
    }

    fn receive(&self) -> Option<Vec<u8>> {
        None
    }

    fn abort(&self) -> ! {
        std::process::exit(1)
    }
}

/// The time that the first process takes for an epoch of so many islands, each a process, on this machine: the post itself, given what they
/// would send, without the system's part of receiving and sending.
#[must_use]
pub fn coordinator_time(plan: Plan) -> Duration {
    // Islands have numbers of 16 bits; what more of them take is in proportion.
    let islands = u16::try_from(plan.islands).unwrap_or(u16::MAX);
    let (stop, oldest) = (AtomicBool::new(false), AtomicU32::new(0));
    let (_sender, outbox) = channel();
    let transport = Nowhere(usize::from(islands));
    let mut post = Post {
        transport: &transport,
        islands,
        sweeps: 1,
        inboxes: BTreeMap::new(),
        outbox,
        stop: &stop,
        interrupt: Interrupt::default(),
        oldest: &oldest,
        ledger: Ledger::new(vec![0; usize::from(islands)]),
        finished: BTreeMap::new(),
        mutants: BTreeMap::new(),
        scored: 0,
        traffic: Traffic::default(),
        closed: false,
        through: 0,
    };
    let said = |island: u16, epoch: u32| {
        let row = |sweep| Row { sweep, mutants: u64::from(sweep) << 10, ..Row::default() };
        let rows = (1..=plan.rows).map(move |sweep| Parcel::Row(island, row(epoch * plan.rows + sweep)));
        rows.chain([Parcel::Saved { island, epoch: epoch + 1, bytes: 1 << 12 }])
    };
    let parcels =
        (0..TIMED_EPOCHS).flat_map(|epoch| (0..islands).flat_map(move |island| said(island, epoch)));
    let parcels: Vec<Vec<u8>> = parcels.filter_map(|parcel| postcard::to_stdvec(&parcel).ok()).collect();
    let began = Instant::now();
    for bytes in &parcels {
        // What is written here can be read.
        let _ = post.arrived(bytes, &mut Silent);
    }
    let each = began.elapsed() / TIMED_EPOCHS;
    each.mul_f64(f64::from(plan.islands) / f64::from(islands))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: GraphKind, islands: u32) -> Plan {
        Plan { kind, islands, seed: 1, latency: 1, rows: 2 }
    }

    fn traffic() -> Traffic {
        let text = "kind,epoch,messages,bytes\nmigrant,0,8,800\nmigrant,1,8,160\nrow,0,16,1600\nrow,1,16,1600\n\
                    saved,0,8,40\nsaved,1,8,40\ncheckpoint,0,8,8000\ncheckpoint,1,8,8000\nfinished,1,8,16000\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("traffic.csv");
        std::fs::write(&path, text).unwrap();
        Traffic::read(&path).unwrap()
    }

    #[test]
    fn a_ring_needs_what_one_counts_by_hand() {
        let needs = needs(plan(GraphKind::Ring, 10), &traffic());
        assert_eq!((needs.targets, needs.sources, needs.migrants), (1, 1, 10));
        assert_eq!((needs.island_bytes, needs.island_peak_bytes, needs.bytes), (60, 100, 600));
        assert_eq!(needs.coordinator_messages, [30, 9]);
        assert_eq!(needs.coordinator_bytes[0], 10 * (2 * 100 + 5));
        assert_eq!((needs.finish_bytes, needs.checkpoint_bytes, needs.genomes), (20_000, 10_000, 2));
        assert_eq!(needs.takeover, [4, 9]);
    }

    #[test]
    fn the_best_spreads_as_its_graph_lets_it() {
        let takeover =
            |kind, islands, latency| needs(Plan { latency, ..plan(kind, islands) }, &traffic()).takeover;
        assert_eq!(takeover(GraphKind::Ring, 1, 1), [0, 0]);
        assert_eq!(takeover(GraphKind::Ring, 10, 3), [12, 27]);
        // The opposite corner of a grid of 10 by 10: 9 to the right and 9 down.
        assert_eq!(takeover(GraphKind::Torus, 100, 1)[1], 18);
        assert_eq!(takeover(GraphKind::All, 1000, 2), [2, 2]);
        // No faster than twice as many in each epoch.
        let [half, all] = takeover(GraphKind::Random, 1 << 10, 1);
        assert!((9..=16).contains(&half) && (10..=40).contains(&all), "{half} {all}");
        assert_eq!(takeover(GraphKind::Random, 1 << 10, 1), [half, all]);
    }

    #[test]
    fn the_first_process_is_timed_on_what_it_does() {
        assert!(coordinator_time(plan(GraphKind::Ring, 50)) > Duration::ZERO);
    }
}
