//! The demos: what is asked of a board, and what is reported.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use evobit::image::{Image, genome_checksum};
use evobit::link::{Evolve, Statistics};
use evobit::rng::{Draw, Purpose, Stream};
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::client::{Client, Line};
use crate::emulator::Emulator;
use crate::native::{Native, RamFlash};
use crate::problem::{Drift, Problem, Raw, digits};

/// Labelled samples before the change: what the monitor takes as usual.
const BEFORE: usize = 40;
/// Mutants of the idle time after the stream.
const IDLE_MUTANTS: u32 = 400_000;
/// Mutants of the memory's evolution.
const MEMORY_MUTANTS: u32 = 10_000;
const PROTOTYPES: u16 = 64;

/// Accuracies in percent: the board's answer, the network, the stored samples, the prototypes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Accuracy {
    answer: f64,
    network: f64,
    samples: f64,
    prototypes: f64,
}

fn accuracy<L: Line>(client: &mut Client<L>, test: &Raw) -> anyhow::Result<Accuracy> {
    let mut right = [0u32; 4];
    for (sample, label) in test.iter() {
        let class = client.classify(sample)?;
        let label = Some(u16::from(label));
        let answers = [Some(class.answer), Some(class.network), class.samples, class.prototypes];
        right.iter_mut().zip(answers).for_each(|(right, answer)| *right += u32::from(answer == label));
    }
    let percent = |right: u32| f64::from(right) * 100.0 / test.labels.len().max(1) as f64;
    let [answer, network, samples, prototypes] = right.map(percent);
    Ok(Accuracy { answer, network, samples, prototypes })
}

/// What a demo found: figures that must be equal on every board, and figures of this one.
struct Outcome {
    equal: Figures,
    own: Figures,
}

/// Runs a demo on a board and, unless it is to be alone, on the host, and compares.
pub(crate) fn run(board: &Board, arguments: &Arguments) -> anyhow::Result<Value> {
    let (small, demo) = (board.small, arguments.demo.as_str());
    let hidden = if small || demo == "vectors" { "48" } else { "64" };
    let problem = match demo {
        "digits" | "drift" | "vectors" | "hostile" | "cost" => digits(arguments.seed, hidden, None)?,
        "new-class" => digits(arguments.seed, hidden, Some(NEW_CLASS))?,
        "mnist" => return crate::demos::mnist(board, arguments),
        _ => bail!("no demo `{demo}`: there are digits, drift, new-class, vectors, hostile, cost and mnist"),
    };
    let say = !arguments.json;
    let folder = tempfile::tempdir()?;
    let mut outcome = match board.target {
        Some(_) => {
            let emulator = Emulator::start(board, &arguments.target, &problem.model, folder.path())?;
            let mut client = Client::new(emulator);
            let outcome = demonstrate(&mut client, &problem, board, arguments, say);
            let mut outcome = outcome.with_context(|| client.line.log().unwrap_or_default().join("; "))?;
            let log = client.line.log()?;
            if say {
                log.iter().for_each(|line| println!("log: {line}"));
            }
            ensure!(!log.is_empty(), "the board logged nothing");
            drop(client);
            if demo == "drift" && !small {
                outcome.own.push((
                    "kept_over_power_loss",
                    kept(board, arguments, &problem, folder.path(), &outcome)?.into(),
                ));
            }
            outcome
        }
        None => {
            let mut client = Client::new(Native::start(small, &problem.model, RamFlash::new(128 << 10))?);
            demonstrate(&mut client, &problem, board, arguments, say)?
        }
    };
    if !arguments.alone && board.target.is_some() {
        let mut twin = Client::new(Native::start(small, &problem.model, RamFlash::new(128 << 10))?);
        let other = demonstrate(&mut twin, &problem, board, arguments, false)?;
        ensure!(
            outcome.equal == other.equal,
            "{} and the host differ: {:?} against {:?}",
            board.name,
            outcome.equal,
            other.equal
        );
        outcome.own.push(("equals_host", true.into()));
    }
    let all = outcome.equal.into_iter().chain(outcome.own);
    let mut object = json!({ "board": board.name, "demo": demo, "seed": arguments.seed });
    for (key, value) in all {
        if say {
            println!("{key}: {value}");
        }
        object[key] = value;
    }
    Ok(object)
}

fn demonstrate<L: Line>(
    client: &mut Client<L>,
    problem: &Problem,
    board: &Board,
    arguments: &Arguments,
    say: bool,
) -> anyhow::Result<Outcome> {
    client.seed(arguments.seed)?;
    match arguments.demo.as_str() {
        "digits" => show_digits(client, problem),
        "drift" => show_drift(client, problem, board, arguments, say),
        "new-class" => show_new_class(client, problem, say),
        "hostile" => show_hostile(client, problem),
        "cost" => show_cost(client, problem),
        _ => show_vectors(client, problem),
    }
}

/// Named figures.
type Figures = Vec<(&'static str, Value)>;

/// Statistics as figures: those that are equal on every board, those of this one.
fn figures(statistics: &Statistics) -> (Figures, Figures) {
    let equal = vec![
        ("genome_crc", format!("{:08x}", statistics.genome).into()),
        ("candidate_crc", format!("{:08x}", statistics.candidate).into()),
        ("mutants", statistics.mutants.into()),
        ("swaps", statistics.swaps.into()),
        ("loss", statistics.loss.into()),
        ("held_back", statistics.held_back.into()),
        ("network_right", statistics.network_right.into()),
        ("samples_right", statistics.samples_right.into()),
    ];
    let own = vec![
        ("evolving_instructions", statistics.evolving_instructions.into()),
        ("stack_bytes", statistics.stack_bytes.into()),
    ];
    (equal, own)
}

/// Classifies held-out digits, and every answer must be the host's.
fn show_digits<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    let mut model = vec![0u32; problem.model.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut model)[..problem.model.len()].copy_from_slice(&problem.model);
    let image = Image::parse(bytemuck::cast_slice(&model))?;
    let topology = image.topology();
    let (mut input, mut hidden, mut scores) =
        (vec![0; topology.input_words()], vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    let mut right = 0;
    for (sample, label) in problem.test.iter() {
        let packing = topology.layer(0).packing;
        image.encoder().encode(|feature| sample[feature as usize].into(), packing, &mut input);
        let expected = image.network().classify(&input, &mut hidden, &mut scores) as u16;
        let class = client.classify(sample)?;
        ensure!(class.network == expected, "the board says {}, the host {expected}", class.network);
        right += u32::from(class.answer == u16::from(label));
    }
    let statistics = client.statistics()?;
    let accuracy = f64::from(right) * 100.0 / problem.test.labels.len() as f64;
    let (mut equal, mut own) = figures(&statistics);
    equal.insert(0, ("accuracy_before", accuracy.into()));
    own.push(("instructions", statistics.last_instructions.into()));
    Ok(Outcome { equal, own })
}

/// The input changes, labelled samples arrive, the board recovers.
fn show_drift<L: Line>(
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
    let mut noticed = None;
    for (index, (sample, label)) in stream.iter().skip(BEFORE).take(after).enumerate() {
        if client.learn(sample, label)? && noticed.is_none() {
            noticed = Some(index + 1);
            tell(say, &format!("drift noticed after {} labelled samples", index + 1));
        }
        client.settle()?;
        if say && (index + 1) % 50 == 0 {
            let now = accuracy(client, &changed)?;
            println!(
                "{} labelled samples: {:.1} % (network {:.1}, stored samples {:.1})",
                index + 1,
                now.answer,
                now.network,
                now.samples
            );
        }
    }
    let streamed = client.statistics()?;
    let statistics = client.evolve(Evolve::Network, IDLE_MUTANTS)?;
    let recovered = accuracy(client, &changed)?;
    let last_instructions = client.statistics()?.last_instructions;
    tell(say, &format!("after idle time: {:.1} % (network {:.1})", recovered.answer, recovered.network));
    client.evolve(Evolve::Memory { prototypes: PROTOTYPES }, 0)?;
    let random = accuracy(client, &changed)?;
    let memory = client.evolve(Evolve::Memory { prototypes: PROTOTYPES }, 0)?;
    client.seed(seed)?;
    let evolved = {
        client.evolve(Evolve::Memory { prototypes: PROTOTYPES }, MEMORY_MUTANTS)?;
        accuracy(client, &changed)?
    };
    tell(
        say,
        &format!(
            "{PROTOTYPES} prototypes: {:.1} % at random, {:.1} % evolved",
            random.prototypes, evolved.prototypes
        ),
    );
    client.save()?;
    let base = evobit_genome(problem);
    let (flips, flip_bytes, pulled) = client.pull(&base)?;
    ensure!(genome_checksum(&pulled) == statistics.genome, "what was pulled is not the board's genome");
    let scratch = scratch(problem, board, &stream, after, seed)?;
    let mut scratch_client = scratch;
    let from_scratch = accuracy(&mut scratch_client, &changed)?;
    let (mut equal, mut own) = figures(&statistics);
    equal.splice(
        0..0,
        [
            ("accuracy_before", before.answer.into()),
            ("accuracy_drifted", drifted.answer.into()),
            ("accuracy_drifted_network", drifted.network.into()),
            ("accuracy_after", recovered.answer.into()),
            ("accuracy_network", recovered.network.into()),
            ("accuracy_memory", recovered.samples.into()),
            ("accuracy_from_scratch", from_scratch.network.into()),
            ("prototypes_random", random.prototypes.into()),
            ("prototypes_evolved", evolved.prototypes.into()),
            ("prototypes", memory.prototypes.into()),
            ("labelled_samples", after.into()),
            ("noticed_after", noticed.into()),
            ("flips", flips.into()),
            ("flip_bytes", flip_bytes.into()),
            ("streaming_mutants", streamed.mutants.into()),
        ],
    );
    own.push(("instructions", last_instructions.into()));
    own.push(("streaming_instructions", streamed.evolving_instructions.into()));
    Ok(Outcome { equal, own })
}

/// A network evolved from a random genome on the same samples.
fn scratch(
    problem: &Problem,
    board: &Board,
    stream: &Raw,
    after: usize,
    seed: u64,
) -> anyhow::Result<Client<Native>> {
    let base = evobit_genome(problem);
    let mut words = vec![0u32; problem.model.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..problem.model.len()].copy_from_slice(&problem.model);
    let image = Image::parse(bytemuck::cast_slice(&words))?;
    let mut random = base.clone();
    let mut genome = evobit::genome::GenomeMut::new(image.topology(), &mut random)?;
    genome.randomize(&mut Stream::new(seed, Purpose::Start, 9));
    // A model of its own: nothing of the trained one is there to go back to.
    let model = replace_genome(&problem.model, &base, &random)?;
    let mut client = Client::new(Native::start(board.small, &model, RamFlash::new(128 << 10))?);
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
    let crc = evobit::image::checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    Ok(bytes)
}

fn evobit_genome(problem: &Problem) -> Vec<u32> {
    problem.genome.clone()
}

/// The emulator was killed; started anew, the board has what it saved.
fn kept(
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

/// The digit that is taught on the board.
const NEW_CLASS: u8 = 9;
const ANCHORS: usize = 10;
const NEW_SAMPLES: usize = 20;

/// A tenth digit is taught to a network of nine.
fn show_new_class<L: Line>(client: &mut Client<L>, problem: &Problem, say: bool) -> anyhow::Result<Outcome> {
    let (old, new) =
        (problem.test.only(|label| label != NEW_CLASS), problem.test.only(|label| label == NEW_CLASS));
    let (old_before, new_before) = (accuracy(client, &old)?, accuracy(client, &new)?);
    tell(say, &format!("nine digits: {:.1} %; the tenth: {:.1} %", old_before.answer, new_before.answer));
    let mut anchors = [0; 10];
    for (sample, label) in problem.pool.iter() {
        let seen = &mut anchors[usize::from(label)];
        if label != NEW_CLASS && *seen < ANCHORS {
            *seen += 1;
            client.learn(sample, label)?;
        }
    }
    for (sample, label) in problem.pool.only(|label| label == NEW_CLASS).iter().take(NEW_SAMPLES) {
        client.learn(sample, label)?;
        client.settle()?;
    }
    let statistics = client.evolve(Evolve::Network, IDLE_MUTANTS)?;
    let (old_after, new_after) = (accuracy(client, &old)?, accuracy(client, &new)?);
    let last_instructions = client.statistics()?.last_instructions;
    tell(
        say,
        &format!(
            "after {NEW_SAMPLES} samples: {:.1} %; the tenth: {:.1} %",
            old_after.answer, new_after.answer
        ),
    );
    let (mut equal, mut own) = figures(&statistics);
    equal.splice(
        0..0,
        [
            ("accuracy_before", old_before.answer.into()),
            ("accuracy_after", old_after.answer.into()),
            ("new_before", new_before.answer.into()),
            ("new_after", new_after.answer.into()),
            ("new_network", new_after.network.into()),
            ("old_network", old_after.network.into()),
            ("new_memory", new_after.samples.into()),
            ("old_memory", old_after.samples.into()),
            ("labelled_samples", NEW_SAMPLES.into()),
        ],
    );
    own.push(("instructions", last_instructions.into()));
    Ok(Outcome { equal, own })
}

/// The same work on every board, small enough that sizes do not matter: 96 samples, a network and a memory evolved.
fn show_vectors<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    for (sample, label) in problem.pool.changed(Drift::Permute, 1).iter().take(96) {
        client.learn(sample, label)?;
        client.settle()?;
    }
    let network = client.evolve(Evolve::Network, 60_000)?;
    let memory = client.evolve(Evolve::Memory { prototypes: 24 }, 500)?;
    let mut votes = 0u32;
    for (sample, _) in problem.test.iter().take(60) {
        let class = client.classify(sample)?;
        let answers =
            [class.answer, class.network, class.samples.unwrap_or(99), class.prototypes.unwrap_or(99)];
        votes =
            answers.into_iter().fold(votes, |sum, answer| sum.wrapping_mul(31).wrapping_add(answer.into()));
    }
    let before = genome_checksum(&problem.genome);
    client.push(image_checksum(problem), &problem.genome, &problem.genome)?;
    ensure!(client.statistics()?.genome == before, "an empty update is the base genome");
    let (mut equal, own) = figures(&network);
    equal.push(("memory_loss", memory.loss.into()));
    equal.push(("prototypes", memory.prototypes.into()));
    equal.push(("votes", format!("{votes:08x}").into()));
    Ok(Outcome { equal, own })
}

/// Random bytes, damaged and truncated frames, wrong versions, absurd lengths, flips out of range: a typed error or silence, and nothing changes.
fn show_hostile<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    for (sample, label) in problem.pool.iter().take(20) {
        client.learn(sample, label)?;
    }
    let before = client.statistics()?;
    let mut errors = 0;
    let corpus = evobit_corpus();
    for bytes in &corpus {
        let (now, answered) = client.disturb(bytes)?;
        errors += answered.len();
        let same = (now.genome, now.candidate, now.stored, now.seen, now.generation);
        let was = (before.genome, before.candidate, before.stored, before.seen, before.generation);
        ensure!(same == was, "{bytes:02x?} changed something");
    }
    let (equal, own) = figures(&client.statistics()?);
    let counted = [("frames", corpus.len().into()), ("errors", errors.into())];
    Ok(Outcome { equal: equal.into_iter().chain(counted).collect(), own })
}

/// What must never do anything, made anew from one seed.
fn evobit_corpus() -> Vec<Vec<u8>> {
    use evobit::link::{Request, write_frame};
    let mut rng = Stream::new(1, Purpose::Test, 0);
    let mut corpus: Vec<Vec<u8>> = vec![];
    for len in (0..120).chain([300, 1100, 5000]) {
        corpus.push((0..len).map(|_| 1 + rng.below(255) as u8).collect());
    }
    let sealed = |body: &[u8]| {
        let bytes = [body, &evobit::image::checksum(body).to_le_bytes()].concat();
        // COBS, for frames under 254 bytes.
        let mut framed = vec![];
        for block in bytes.split(|&byte| byte == 0) {
            framed.push(block.len() as u8 + 1);
            framed.extend(block);
        }
        framed
    };
    let frame = |request: &Request<'_>| {
        let mut buffer = [0; 200];
        let mut bytes = write_frame(7, request, &mut buffer).unwrap_or_default().to_vec();
        bytes.pop();
        bytes
    };
    let learn = frame(&Request::Learn { sample: &[1; 64], label: 3 });
    (0..learn.len()).for_each(|len| corpus.push(learn[..len].to_vec()));
    for at in 0..learn.len() {
        let mut damaged = learn.clone();
        damaged[at] ^= 1 << rng.below(8);
        corpus.push(damaged);
    }
    // Right checksums, wrong content: versions, kinds, lengths, widths, labels, updates of another base, without beginning, out of range.
    (0..=255).filter(|&version| version != 1).for_each(|version| corpus.push(sealed(&[version, 7, 0])));
    (14..=255).for_each(|kind| corpus.push(sealed(&[1, 7, kind])));
    corpus.push(sealed(&[1, 7, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]));
    corpus.push(sealed(&[1, 7, 2, 5, 1, 2, 3]));
    corpus.push(sealed(&[1, 7]));
    for width in [0, 1, 63, 65] {
        corpus.push(frame(&Request::Classify { sample: &vec![1; width] }));
        corpus.push(frame(&Request::Learn { sample: &vec![1; width], label: 3 }));
    }
    [10, 255, 256, u16::MAX]
        .iter()
        .for_each(|&label| corpus.push(frame(&Request::Learn { sample: &[1; 64], label })));
    corpus.push(frame(&Request::PushBegin { base: 12345, genome: 0 }));
    corpus.push(frame(&Request::Push { flips: &[1, 2, 3] }));
    corpus.push(frame(&Request::PushEnd));
    corpus.push(frame(&Request::Spectrum { layer: 9, neurons: 1 }));
    corpus
}

/// Instructions of one mutant scored exactly, with as many samples as the board of 16 KB trains on, and of one labelled digit.
fn show_cost<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    let samples = 170;
    for (sample, label) in problem.pool.iter().take(samples) {
        client.learn(sample, label)?;
    }
    let learning = client.statistics()?.last_instructions;
    let mut own = vec![("learn_instructions", learning.into())];
    let mut equal = vec![];
    let statistics = client.statistics()?;
    equal.push(("training_samples", (statistics.stored - statistics.held_back).into()));
    for (layer, name) in [(0, "hidden_mutant_instructions"), (1, "output_mutant_instructions")] {
        // The landscape has to be made first: that is not what a mutant costs.
        client.spectrum(layer, 0)?;
        let making = client.statistics()?.last_instructions;
        let counts = client.spectrum(layer, u16::MAX)?;
        let mutants: u32 = counts.iter().sum();
        let instructions = client.statistics()?.last_instructions.saturating_sub(making);
        own.push((name, (instructions as f64 / f64::from(mutants)).into()));
        equal.push(("spectrum", counts.to_vec().into()));
    }
    Ok(Outcome { equal, own })
}

fn image_checksum(problem: &Problem) -> u32 {
    let end = problem.model.len() - 4;
    evobit::image::checksum(&problem.model[..end])
}

/// Classifies MNIST with a model that was trained for it.
fn mnist(board: &Board, arguments: &Arguments) -> anyhow::Result<Value> {
    let model = arguments.model.as_ref().context("give a model with --model")?;
    let data = arguments.data.as_ref().context("give the folder of MNIST with --data")?;
    let model = host::model::Model::read(model)?;
    let loaded = host::data::load(&data.display().to_string(), &host::data::LoadOptions::default())?;
    let test = loaded.test.context("MNIST has a test part")?;
    let host::data::Values::Bytes(bytes) = &test.values else { bail!("images have values of a byte") };
    let folder = tempfile::tempdir()?;
    let mut client = Client::new(Emulator::start(board, &arguments.target, model.bytes(), folder.path())?);
    let (mut right, mut instructions) = (0u32, vec![]);
    let samples = arguments.samples.unwrap_or(200);
    let mut order: Vec<usize> = (0..test.labels.len()).collect();
    Stream::new(arguments.seed, Purpose::Samples, 0).shuffle(&mut order);
    for &index in order.iter().take(samples) {
        let class = client.classify(&bytes[index * 784..(index + 1) * 784])?;
        right += u32::from(class.answer == u16::from(test.labels[index]));
        instructions.push(client.statistics()?.last_instructions);
    }
    let mean = instructions.iter().sum::<u64>() / instructions.len().max(1) as u64;
    let statistics = client.statistics()?;
    let object = json!({
        "board": board.name, "demo": "mnist", "samples": samples, "accuracy": f64::from(right) * 100.0 / samples as f64,
        "instructions": mean, "most_instructions": instructions.iter().max(), "stack_bytes": statistics.stack_bytes,
    });
    if !arguments.json {
        println!("{object}");
    }
    Ok(object)
}

fn tell(say: bool, line: &str) {
    if say {
        println!("{line}");
    }
}
