//! `evobit inspect`: what a model consists of, to the byte.

use evobit::bits::Words;
use evobit::evolve::scalar::Needs;
use evobit::topology::{Field, Topology, WINDOW_WORDS};
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
    let image = model.image();
    let topology = image.topology();
    let (encoder, loss) = (4 * image.encoder().words().len(), 4 * image.loss().words());
    let (genome, total) = (4 * topology.genome_words(), image.len());
    let (low, entries) = image.loss().range();
    let kind = super::kind(&model)?;
    let bits = kind.evolvable_bits(topology);
    if args.json {
        let layers: Vec<_> = topology
            .layers()
            .iter()
            .map(|plan| {
                json!({
                    "neurons": plan.neurons,
                    "inputs": plan.inputs,
                    "windowed": matches!(plan.field, Field::Window { .. }),
                    "slide": plan.slide(),
                    "bytes": 4 * (plan.end - plan.places),
                })
            })
            .collect();
        let json = json!({
            "model": args.model.display().to_string(),
            "model_bytes": total,
            "genome_bytes": genome,
            "encoder_bytes": encoder,
            "loss_bytes": loss,
            "other_bytes": total - genome - encoder - loss,
            "kind": kind,
            "genome_bits": bits,
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
        });
        return print(&json.to_string());
    }
    let input = match model.schema() {
        Schema::Image { channels, height, width } => format!("images of {channels}x{height}x{width}"),
        Schema::Table(columns) => format!("tables of {} columns", columns.len()),
    };
    let mut rows = vec![
        ("reads", format!("{input}, encoded to {} bits", count(image.encoder().bits().into()))),
        ("classes", model.classes().join(", ")),
    ];
    rows.extend(kind.description(topology));
    rows.extend([
        ("evolvable bits", format!("{} ({} weights)", count(bits.into()), count(topology.weights().into()))),
        ("loss table", format!("{entries} entries from difference {low}")),
        ("flash", format!("{} bytes, the size of the file", count(total as u64))),
        ("  genome", format!("{} bytes", count(genome as u64))),
        ("  encoder", format!("{} bytes", count(encoder as u64))),
        ("  loss", format!("{} bytes", count(loss as u64))),
        ("  names, shape, checksum", format!("{} bytes", count((total - genome - encoder - loss) as u64))),
        ("RAM to classify", format!("{} bytes", count(inference_ram(topology) as u64))),
        (
            "RAM to evolve",
            format!(
                "{} bytes with {STORED_SAMPLES} stored samples",
                count(learning_ram(topology, STORED_SAMPLES) as u64)
            ),
        ),
        (
            "checksums",
            format!("image {:08x}, genome {:08x}", image.checksum(), genome_checksum(image.genome())),
        ),
    ]);
    let text = lines(&rows);
    print(text.trim_end())
}

fn genome_checksum(genome: impl Words) -> u32 {
    let words: Vec<u32> = (0..genome.len()).map(|index| genome.word(index)).collect();
    evobit::image::genome_checksum(&words)
}
