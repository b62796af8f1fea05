//! What was learned, from a board to files and back.

use std::path::{Path, PathBuf};

use evobit::image::genome_checksum;
use evobit_link::{Part, Statistics};
use serde_json::json;

use super::super::table::{count, lines};
use super::super::{Failure, print};
use super::{Session, midway};
use evobit_boards::learned::{LearnedPart, Pulled};
use evobit_boards::update::Update;
use evobit_boards::{Entry, LinkFailure};
use evobit_model::Model;

/// How often a pull begins anew where the board changed.
const TRIES: u32 = 20;
/// Bytes of a memory entry on the wire and in a file beside its bits: its class.
const LABEL_BYTES: usize = 4;

/// What a board holds, and the bytes that its flips took on the line.
struct Held {
    statistics: Statistics,
    genome: Vec<u32>,
    samples: Vec<Entry>,
    prototypes: Vec<Entry>,
    wire_bytes: u64,
}

/// Pulls until nothing changed meanwhile: pieces of two genomes make none.
fn steady(session: &mut Session<'_>, base: &Model) -> Result<Held, Failure> {
    let again = |error: LinkFailure| {
        midway(error, "while pulling", "nothing was written: start the board again, then repeat the command")
    };
    let client = &mut session.client;
    for _ in 0..TRIES {
        let before = client.statistics().map_err(again)?;
        let start = client.bytes();
        let (_, genome) = client.pull(&base.genome()).map_err(again)?;
        let bytes = client.bytes();
        let wire_bytes = bytes.0 - start.0 + bytes.1 - start.1;
        let samples = client.entries(Part::Samples).map_err(again)?;
        let prototypes = client.entries(Part::Prototypes).map_err(again)?;
        let statistics = client.statistics().map_err(again)?;
        // Prototypes evolve in place.
        let state = |s: &Statistics| {
            (s.genome, s.seen, s.stored, s.prototypes, u64::from(s.prototypes > 0) * s.mutants)
        };
        if state(&before) == state(&statistics) && genome_checksum(&genome) == statistics.genome {
            return Ok(Held { statistics, genome, samples, prototypes, wire_bytes });
        }
    }
    let message = "the board changed while it was pulled, again and again: wait until it owes no mutants (`evobit link PORT watch`), then repeat the command";
    Err(Failure { code: 1, message: message.into() })
}

pub(super) fn pull(session: &mut Session<'_>, out: Option<&Path>) -> Result<(), Failure> {
    let (base, _) = session.base()?;
    let Held { statistics, genome, samples, prototypes, wire_bytes: flip_bytes } = steady(session, &base)?;
    let made = genome_checksum(&genome);
    let input_words = base.image().topology().input_words();
    let fits = |entry: &Entry| entry.words.len() == input_words && entry.label < session.info.classes;
    if !samples.iter().chain(&prototypes).all(fits) {
        return Err(LinkFailure::Other.into());
    }
    let evolved = base.with_genome(&genome).map_err(|_| LinkFailure::Other)?;
    let back = Update { base: base.image().checksum(), ..Update::between(&evolved, &base.genome()) };
    let learned = LearnedPart { back, samples, held_back: statistics.held_back.into(), prototypes };
    let model = evolved.with_learned(&learned)?;
    let update = Update::between(&base, &genome);

    let path = out.map_or_else(|| Path::new("runs").join(format!("pulled-{made:08x}.evb")), Path::to_owned);
    let flips_path = path.with_extension("flips");
    write(&flips_path, &update.to_bytes())?;
    write(&path, model.bytes())?;
    let entries = learned.samples.len() + learned.prototypes.len();
    let entry_bytes = LABEL_BYTES + 4 * input_words;
    if session.args.json {
        let json = json!({
            "model": path.display().to_string(),
            "flips_file": flips_path.display().to_string(),
            "flips": update.count(),
            "flips_bytes": update.flips.len(),
            "wire_bytes": flip_bytes,
            "samples": learned.samples.len(),
            "prototypes": learned.prototypes.len(),
            "bytes_per_entry": entry_bytes,
            "genome_crc": format!("{made:08x}"),
            "base_crc": format!("{:08x}", learned.back.base),
            "memory_answers": statistics.memory_answers,
        });
        return print(&json.to_string());
    }
    print(&lines(&[
        (
            "flips",
            format!(
                "{} against the base {:08x}, {} bytes, {} on the wire",
                count(update.count() as u64),
                learned.back.base,
                update.flips.len(),
                flip_bytes
            ),
        ),
        (
            "memory",
            format!(
                "{} samples, {} prototypes: {entries} entries of {entry_bytes} bytes",
                learned.samples.len(),
                learned.prototypes.len()
            ),
        ),
        ("model", format!("{}, genome {made:08x}", path.display())),
        ("update", flips_path.display().to_string()),
    ]))?;
    print(&format!(
        "next: evobit eval {0} DATA     evobit inspect {0}     evobit train --from {0} --data DATA",
        path.display()
    ))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let beside: PathBuf = path.with_extension("part");
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let written = parent
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&beside, bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| Failure {
        code: 1,
        message: format!("{}: cannot be written ({error}): choose another --out", path.display()),
    })
}

pub(super) fn push(session: &mut Session<'_>, path: &Path) -> Result<(), Failure> {
    let is_model = std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(&evobit::image::MAGIC));
    let update = if is_model {
        let model = Model::read(path)?;
        let (base, _) = session.base()?;
        Update::to_model(&base, &model)?
    } else {
        Update::read(path)?
    };
    if update.base != session.info.base {
        let (update, board) = (update.base, session.info.base);
        return Err(evobit_boards::update::UpdateError::Base { update, board }.into());
    }
    let start = session.client.bytes();
    session.client.push(&update, session.info.message_bytes).map_err(|error| {
        midway(
            error,
            "while pushing",
            "the board has the old genome or the new one, whole: repeat the command",
        )
    })?;
    let end = session.client.bytes();
    let (sent, received) = (end.0 - start.0, end.1 - start.1);
    let statistics = session.client.statistics()?;
    if statistics.genome != update.genome {
        return Err(LinkFailure::Other.into());
    }
    if session.args.json {
        let json = json!({
            "flips": update.count(),
            "flips_bytes": update.flips.len(),
            "wire_bytes": sent + received,
            "sent_bytes": sent,
            "received_bytes": received,
            "genome_crc": format!("{:08x}", statistics.genome),
        });
        return print(&json.to_string());
    }
    print(&lines(&[
        ("flips", format!("{} in {} bytes", count(update.count() as u64), update.flips.len())),
        ("on the wire", format!("{sent} bytes to the board, {received} back")),
        ("genome", format!("{:08x}, now answers", statistics.genome)),
        ("saved", "not yet: `evobit link PORT save` keeps it over a loss of power".into()),
    ]))
}
