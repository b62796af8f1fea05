//! `evobit lineage`: how the best genome of a run of islands came to be.

use std::collections::BTreeMap;
use std::path::Path;

use evobit::image::genome_checksum;
use evobit_link::Flips;
use serde_json::json;

use super::table::{count, lines, percent};
use super::{Failure, LineageArgs, print};
use evobit_model::Model;
use evobit_train::islands::ancestry::{Ancestry, Cause, Step};
use evobit_train::islands::lineage::{ANCESTRY, Winner, read};

/// Steps shown at either end of a long ancestry.
const SHOWN: usize = 20;

pub(super) fn run(args: &LineageArgs) -> Result<(), Failure> {
    let folder = args.run.display();
    let path = args.run.join(ANCESTRY);
    if !path.exists() {
        let message = format!(
            "{folder}: has no {ANCESTRY}: give the folder of a run that has finished, made with --islands"
        );
        return Err(Failure { code: 1, message });
    }
    let winner: Winner = read(&path).map_err(|message| Failure { code: 1, message })?;
    let exact = is_model(&args.run, winner.ancestry.genome().as_deref());
    show(&winner, exact, args.json)
}

/// Shows how a genome came to be; `exact` where base and flips give the one that is known.
pub(super) fn show(winner: &Winner, exact: bool, json: bool) -> Result<(), Failure> {
    let origins = origins(&winner.ancestry, winner.island);
    let steps = winner.ancestry.steps();
    let bytes: usize = steps.iter().map(|step| step.flips.len()).sum();
    if json {
        let genome = winner.ancestry.genome();
        let steps: Vec<_> = steps
            .iter()
            .map(|step| json!({ "sweep": step.sweep, "cause": step.cause, "flips": flips(step) }))
            .collect();
        let origins: BTreeMap<String, u32> =
            origins.iter().map(|(island, bits)| (island.to_string(), *bits)).collect();
        let json = json!({
            "island": winner.island,
            "islands": winner.islands,
            "base_crc": format!("{:08x}", winner.ancestry.base_checksum()),
            "genome_crc": genome.map(|genome| format!("{:08x}", genome_checksum(&genome))),
            "reconstructs": exact,
            "ancestry_bytes": bytes,
            "bits_by_island": origins,
            "validation_accuracy": winner.row.validation_accuracy,
            "steps": steps,
        });
        return print(&json.to_string());
    }
    let from = |(island, bits): (&u16, &u32)| {
        let own = if *island == winner.island { " (its own search)" } else { "" };
        format!("{} from island {island}{own}", count(u64::from(*bits)))
    };
    let mut text = lines(&[
        (
            "winner",
            format!("island {} of {}, after sweep {}", winner.island, winner.islands, winner.row.sweep),
        ),
        ("validation samples", percent(winner.row.validation_accuracy)),
        ("began with", format!("genome {:08x}, as all islands did", winner.ancestry.base_checksum())),
        ("ancestry", format!("{} steps, {} bytes of flips", steps.len(), count(bytes as u64))),
        ("bits that changed", origins.iter().map(from).collect::<Vec<String>>().join(", ")),
        (
            "base and flips give the model",
            if exact { "to the bit".into() } else { "NO: one of them was changed".to_string() },
        ),
    ]);
    text += "\nsweep  flips  by\n";
    for (index, step) in steps.iter().enumerate() {
        if (SHOWN..steps.len().saturating_sub(SHOWN)).contains(&index) {
            if index == SHOWN {
                text += &format!("  ... {} more (--json has all)\n", steps.len() - 2 * SHOWN);
            }
            continue;
        }
        let by = match step.cause {
            Cause::Search => "search".into(),
            Cause::Migrant { from, epoch } => format!("mating with island {from} of epoch {epoch}"),
        };
        text += &format!("{:>5}  {:>5}  {by}\n", step.sweep, flips(step));
    }
    print(text.trim_end())
}

fn flips(step: &Step) -> usize {
    Flips::new(&step.flips, 0).count()
}

/// Of the bits in which the genome differs from the one it began with, how many each island flipped last.
fn origins(ancestry: &Ancestry, own: u16) -> BTreeMap<u16, u32> {
    let mut last: BTreeMap<u32, (u16, bool)> = BTreeMap::new();
    for step in ancestry.steps() {
        let island = match step.cause {
            Cause::Search => own,
            Cause::Migrant { from, .. } => from,
        };
        for bit in Flips::new(&step.flips, 0).flatten() {
            let changed = last.get(&bit).is_some_and(|(_, changed)| *changed);
            last.insert(bit, (island, !changed));
        }
    }
    let mut origins = BTreeMap::new();
    for (island, _) in last.into_values().filter(|(_, changed)| *changed) {
        *origins.entry(island).or_default() += 1;
    }
    origins
}

/// Is that the genome of the run's model?
fn is_model(run: &Path, genome: Option<&[u32]>) -> bool {
    let model = Model::read(&run.join("model.evb"));
    model.is_ok_and(|model| Some(&model.genome()[..]) == genome)
}
