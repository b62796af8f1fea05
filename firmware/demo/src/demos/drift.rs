//! The input changes, labelled samples arrive, the board recovers.

use std::path::Path;

use anyhow::{Context, ensure};
use evobit::genome::GenomeMut;
use evobit::image::{Image, checksum, genome_checksum};
use evobit::rng::{Purpose, Stream};
use evobit_link::Evolve;

use super::{Accuracy, IDLE_MUTANTS, KEPT, Outcome, accuracy, tell};
use crate::Arguments;
use crate::board::Board;
use crate::client::{Client, Line};
use crate::emulator::Emulator;
use crate::native::{Native, RamFlash};
use crate::problem::{Problem, Raw};

/// Labelled samples before the change: what the monitor takes as usual.
pub(super) const BEFORE: usize = 40;
/// Mutants of the memory's evolution.
const MEMORY_MUTANTS: u32 = 10_000;
const PROTOTYPES: u16 = 64;

pub(super) fn show<L: Line>(
    client: &mut Client<L>,
    problem: &Problem,
    board: &Board,
    arguments: &Arguments,
    say: bool,
) -> anyhow::Result<Outcome> {
    let after = arguments.samples.unwrap_or(if board.small { 200 } else { 600 });
    let (drift, seed) = (arguments.drift, arguments.seed);
    let (changed, stream) = (problem.test.changed(drift, seed), problem.pool.changed(drift, seed));
    let before = accuracy(client, &problem.test)?;
    tell(say, &format!("before the change: {:.1} % of held-out digits", before.answer));
    for (sample, label) in problem.pool.iter().take(BEFORE) {
        ensure!(!client.learn(sample, label)?, "drift where there is none");
    }
    let drifted = accuracy(client, &changed)?;
    tell(say, &format!("after it ({drift:?}): {:.1} %", drifted.answer));
    let noticed = teach(client, &stream, after, &changed, say)?;
    let streamed = client.statistics()?;
    let statistics = client.evolve(Evolve::Network, IDLE_MUTANTS)?;
    let recovered = accuracy(client, &changed)?;
    let last_instructions = client.statistics()?.last_instructions;
    tell(say, &format!("after idle time: {:.1} % (network {:.1})", recovered.answer, recovered.network));
    let (prototypes, [random, evolved]) = evolve_memory(client, &changed, seed, say)?;
    client.save()?;
    let (flips, flip_bytes, pulled) = client.pull(&problem.genome)?;
    ensure!(genome_checksum(&pulled) == statistics.genome, "what was pulled is not the board's genome");
    let from_scratch = accuracy(&mut scratch(problem, board, &stream, after, seed)?, &changed)?;
    Ok(Outcome::of(&statistics)
        .found([
            ("accuracy_before", before.answer.into()),
            ("accuracy_drifted", drifted.answer.into()),
            ("accuracy_drifted_network", drifted.network.into()),
            ("accuracy_after", recovered.answer.into()),
            ("accuracy_network", recovered.network.into()),
            ("accuracy_memory", recovered.samples.into()),
            ("accuracy_from_scratch", from_scratch.network.into()),
            ("prototypes_random", random.prototypes.into()),
            ("prototypes_evolved", evolved.prototypes.into()),
            ("prototypes", prototypes.into()),
            ("labelled_samples", after.into()),
            ("noticed_after", noticed.into()),
            ("flips", flips.into()),
            ("flip_bytes", flip_bytes.into()),
            ("streaming_mutants", streamed.mutants.into()),
        ])
        .own([
            ("instructions", last_instructions.into()),
            ("streaming_instructions", streamed.evolving_instructions.into()),
        ]))
}

/// The stream of labelled samples after the change; behind which one the board noticed it.
fn teach<L: Line>(
    client: &mut Client<L>,
    stream: &Raw,
    after: usize,
    changed: &Raw,
    say: bool,
) -> anyhow::Result<Option<usize>> {
    let mut noticed = None;
    for (number, (sample, label)) in (1..).zip(stream.iter().skip(BEFORE).take(after)) {
        if client.learn(sample, label)? && noticed.is_none() {
            noticed = Some(number);
            tell(say, &format!("drift noticed after {number} labelled samples"));
        }
        client.settle()?;
        if say && number % 50 == 0 {
            let Accuracy { answer, network, samples, .. } = accuracy(client, changed)?;
            println!(
                "{number} labelled samples: {answer:.1} % (network {network:.1}, stored samples {samples:.1})"
            );
        }
    }
    Ok(noticed)
}

/// Prototypes drawn from the stored samples, then evolved: how many, and what they make of the changed input before and after.
fn evolve_memory<L: Line>(
    client: &mut Client<L>,
    changed: &Raw,
    seed: u64,
    say: bool,
) -> anyhow::Result<(u16, [Accuracy; 2])> {
    let what = Evolve::Memory { prototypes: PROTOTYPES };
    client.evolve(what, 0)?;
    let random = accuracy(client, changed)?;
    let count = client.evolve(what, 0)?.prototypes;
    client.seed(seed)?;
    client.evolve(what, MEMORY_MUTANTS)?;
    let evolved = accuracy(client, changed)?;
    let [before, after] = [random.prototypes, evolved.prototypes];
    tell(say, &format!("{PROTOTYPES} prototypes: {before:.1} % at random, {after:.1} % evolved"));
    Ok((count, [random, evolved]))
}

/// A network evolved from a random genome on the same samples.
fn scratch(
    problem: &Problem,
    board: &Board,
    stream: &Raw,
    after: usize,
    seed: u64,
) -> anyhow::Result<Client<Native>> {
    let words = problem.model_words();
    let image = Image::parse(bytemuck::cast_slice(&words))?;
    let mut random = problem.genome.clone();
    let mut genome = GenomeMut::new(image.topology(), &mut random)?;
    genome.randomize(&mut Stream::new(seed, Purpose::Start, 9));
    // A model of its own: nothing of the trained one is there to go back to.
    let model = replace_genome(&problem.model, &problem.genome, &random)?;
    let mut client = Client::new(Native::start(board.small, &model, RamFlash::new(KEPT))?);
    client.seed(seed)?;
    for (sample, label) in stream.iter().skip(BEFORE).take(after) {
        client.learn(sample, label)?;
    }
    client.evolve(Evolve::Network, IDLE_MUTANTS)?;
    Ok(client)
}

/// The image with another genome of the same length.
fn replace_genome(model: &[u8], old: &[u32], new: &[u32]) -> anyhow::Result<Vec<u8>> {
    let (old, new): (&[u8], &[u8]) = (bytemuck::cast_slice(old), bytemuck::cast_slice(new));
    let mut bytes = model.to_vec();
    let end = bytes.len() - 4;
    let start = end.checked_sub(old.len()).context("the image is shorter than its genome")?;
    ensure!(bytes[start..end] == *old, "the genome is not the image's last section");
    bytes[start..end].copy_from_slice(new);
    let crc = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    Ok(bytes)
}

/// The emulator was killed; started anew, the board has what it saved.
pub(super) fn kept(
    board: &Board,
    arguments: &Arguments,
    problem: &Problem,
    folder: &Path,
    outcome: &Outcome,
) -> anyhow::Result<bool> {
    let mut client = Client::new(Emulator::start(board, &arguments.target, &problem.model, folder)?);
    let statistics = client.statistics()?;
    let genome = outcome.equal.iter().find(|(key, _)| *key == "genome_crc").map(|(_, value)| value.clone());
    ensure!(
        genome == Some(format!("{:08x}", statistics.genome).into()),
        "the saved genome did not come back"
    );
    ensure!(statistics.stored > 0 && statistics.generation > 0, "the saved samples did not come back");
    client.reset()?;
    drop(client);
    let mut client = Client::new(Emulator::start(board, &arguments.target, &problem.model, folder)?);
    let statistics = client.statistics()?;
    ensure!(
        statistics.genome == genome_checksum(&problem.genome) && statistics.stored == 0,
        "a reset does not last"
    );
    Ok(true)
}
