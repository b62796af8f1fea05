//! `evobit inspect`: what a model consists of, to the byte.

use evobit::bits::Words;
use evobit::evolve::scalar::Needs;
use evobit::image::Image;
use evobit::topology::{Field, Plan, Topology, WINDOW_WORDS};
use serde_json::json;

use super::table::{count, lines};
use super::{Failure, InspectArgs, inspect_rust, print};
use evobit_data::Schema;
use evobit_model::Model;

/// Stored samples that the estimate of learning on a board is made for.
const STORED_SAMPLES: usize = 128;

/// Bytes of RAM that classifying takes: activations, input, scores and one window.
fn inference_ram(topology: &Topology) -> usize {
    4 * (topology.hidden_words() + topology.input_words() + topology.classes() + WINDOW_WORDS)
}

/// Bytes of RAM that evolving on stored samples takes on a board: genome, samples and a landscape without kept pre-activations.
fn learning_ram(topology: &Topology, samples: usize) -> usize {
    let needs = Needs::new(topology, samples);
    let words = topology.genome_words() + samples * topology.input_words() + needs.hidden + needs.scratch;
    4 * words
        + 2 * (needs.scores + needs.scratch_scores)
        + samples
        + 8 * topology.most_mutants()
        + 4 * topology.neurons() as usize
}

pub(super) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    if args.rust {
        return inspect_rust::print_rust(&model, &args.model);
    }
    if args.json {
        return print(&json(args, &model)?.to_string());
    }
    print(lines(&rows(&model)?).trim_end())
}

/// All that there is to know, for machines.
fn json(args: &InspectArgs, model: &Model) -> Result<serde_json::Value, Failure> {
    let image = model.image();
    let topology = image.topology();
    let kind = super::kind(model)?;
    let layer = |plan: &Plan| {
        json!({
            "neurons": plan.neurons,
            "inputs": plan.inputs,
            "windowed": matches!(plan.field, Field::Window { .. }),
            "slide": plan.slide(),
            "bytes": 4 * (plan.end - plan.places),
        })
    };
    let layers: Vec<_> = topology.layers().iter().map(layer).collect();
    let sizes = Sizes::of(&image);
    Ok(json!({
        "model": args.model.display().to_string(),
        "model_bytes": sizes.all,
        "genome_bytes": sizes.genome,
        "encoder_bytes": sizes.encoder,
        "loss_bytes": sizes.loss,
        "other_bytes": sizes.other(),
        "kind": kind,
        "genome_bits": kind.evolvable_bits(topology),
        "weights": topology.weights(),
        "neurons": topology.neurons(),
        "classes": model.classes(),
        "features": image.encoder().features(),
        "input_bits": image.encoder().bits(),
        "layers": layers,
        "inference_ram_bytes": inference_ram(topology),
        "learning_ram_bytes": learning_ram(topology, STORED_SAMPLES),
        "model_crc": format!("{:08x}", image.checksum()),
        "genome_crc": format!("{:08x}", genome_checksum(image.genome())),
    }))
}

/// Bytes of the parts of an image.
struct Sizes {
    all: usize,
    genome: usize,
    encoder: usize,
    loss: usize,
}

impl Sizes {
    fn of(image: &Image<'_>) -> Self {
        let (encoder, loss) = (4 * image.encoder().words().len(), 4 * image.loss().words());
        Self { all: image.len(), genome: 4 * image.topology().genome_words(), encoder, loss }
    }

    /// Names, shape and checksum.
    const fn other(&self) -> usize {
        self.all - self.genome - self.encoder - self.loss
    }
}

/// The same for people: names and texts.
fn rows(model: &Model) -> Result<Vec<(&'static str, String)>, Failure> {
    let image = model.image();
    let topology = image.topology();
    let kind = super::kind(model)?;
    let input = match model.schema() {
        Schema::Image { channels, height, width } => format!("images of {channels}x{height}x{width}"),
        Schema::Table(columns) if columns.len() == 1 => "tables of 1 column".into(),
        Schema::Table(columns) => format!("tables of {} columns", columns.len()),
    };
    let (low, entries) = image.loss().range();
    let sizes = Sizes::of(&image);
    let bytes = |bytes: usize| format!("{} bytes", count(bytes as u64));
    let mut rows = vec![
        ("reads", format!("{input}, encoded to {} bits", count(image.encoder().bits().into()))),
        ("classes", model.classes().join(", ")),
    ];
    rows.extend(kind.description(topology));
    let bits = kind.evolvable_bits(topology);
    let learning = learning_ram(topology, STORED_SAMPLES);
    rows.extend([
        ("evolvable bits", format!("{} ({} weights)", count(bits.into()), count(topology.weights().into()))),
        ("loss table", format!("{entries} entries from difference {low}")),
        ("flash", format!("{}, the size of the file", bytes(sizes.all))),
        ("  genome", bytes(sizes.genome)),
        ("  encoder", bytes(sizes.encoder)),
        ("  loss", bytes(sizes.loss)),
        ("  names, shape, checksum", bytes(sizes.other())),
        ("RAM to classify", bytes(inference_ram(topology))),
        ("RAM to evolve", format!("{} with {STORED_SAMPLES} stored samples", bytes(learning))),
        (
            "checksums",
            format!("image {:08x}, genome {:08x}", image.checksum(), genome_checksum(image.genome())),
        ),
    ]);
    Ok(rows)
}

fn genome_checksum(genome: impl Words) -> u32 {
    let words: Vec<u32> = (0..genome.len()).map(|index| genome.word(index)).collect();
    evobit::image::genome_checksum(&words)
}
