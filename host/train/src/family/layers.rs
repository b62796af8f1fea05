//! Layered networks: neurons of +1 and -1 weights and integer thresholds, layer above layer.

use evobit::evolve::genetic::Genes;
use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::loss::LossTable;
use evobit::network::{GenomeError, Network};
use evobit::topology::{Field, Plan, Topology};
use evobit_compute::{Accelerator, SearchError, Shard};
use evobit_model::evaluate::Classify;

use super::{Family, Ground};
use crate::start;

/// Layers of neurons.
#[derive(Clone, Copy, Debug)]
pub struct Layers;

impl Family for Layers {
    fn name(&self) -> &'static str {
        "network"
    }

    fn help(&self) -> &'static str {
        "layers of neurons"
    }

    fn mark(&self) -> u32 {
        0
    }

    fn evolvable_bits(&self, topology: &Topology) -> u32 {
        topology.count()
    }

    fn start(&self, topology: &Topology, samples: Samples<'_>, seed: u64) -> Vec<u32> {
        start::layers(topology, samples, seed)
    }

    fn bytes_needed(&self, topology: &Topology, samples: usize) -> u64 {
        evobit_compute::bytes_needed(topology, samples)
    }

    fn landscape<'a>(&self, genome: &[u32], ground: Ground<'a>) -> Result<Shard<'a>, LandscapeError> {
        let Ground { topology, samples, loss, instructions } = ground;
        evobit_compute::landscape(instructions, topology, genome, samples, loss)
    }

    fn accelerated<'a>(
        &self,
        accelerator: &Accelerator,
        genome: &[u32],
        ground: Ground<'a>,
    ) -> Result<Option<Shard<'a>>, SearchError> {
        accelerator.landscape(ground.topology, genome, ground.samples, &ground.loss)
    }

    fn suits_gpus(&self, topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
        evobit_compute::suits_gpus(topology, loss)
    }

    fn landscape_description(&self, accelerator: &Accelerator, ground: &Ground<'_>) -> String {
        let &Ground { topology, loss, instructions, .. } = ground;
        if accelerator.takes(topology, &loss) {
            return "for one hidden layer, CUDA".into();
        }
        evobit_compute::describe(instructions, topology, &loss)
    }

    fn classifier<'a>(
        &self,
        topology: &'a Topology,
        genome: &'a [u32],
    ) -> Result<Box<dyn Classify + 'a>, GenomeError> {
        Ok(Box::new(Network::new(topology, genome)?))
    }

    fn description(&self, topology: &Topology) -> Vec<(&'static str, String)> {
        topology.layers().iter().map(|plan| ("layer", layer(plan))).collect()
    }

    fn wants(&self, network: &Network<'_, &[u32]>, neuron: u32, unit: u32) -> Option<bool> {
        let plan = network.topology().layer(0);
        let weight = weight_of(plan, || plan.corner(network.place(0, neuron)), unit)?;
        Some(evobit::bits::get(network.weights(0, neuron), weight))
    }
}

/// A layer for people.
fn layer(plan: &Plan) -> String {
    let field = match plan.field {
        Field::Dense => format!("dense, {} inputs", plan.inputs),
        Field::Window { planes, height, width, slide: 0 } => {
            format!("windows of {planes}x{height}x{width}, {} inputs", plan.inputs)
        }
        Field::Window { planes, height, width, slide } => {
            format!("windows of {planes}x{height}x{width} that slide by {slide}, {} inputs", plan.inputs)
        }
    };
    let bytes = 4 * (plan.end - plan.places);
    format!("{} neurons, {field}, thresholds of {} bits: {bytes} bytes", plan.neurons, plan.threshold_bits)
}

/// Which of its weights a neuron of `plan` has for a unit of the input; none where its window, from `corner` on, is elsewhere.
fn weight_of(plan: &Plan, corner: impl Fn() -> Option<(u32, u32, u32)>, unit: u32) -> Option<u32> {
    let Field::Window { planes, height, width, .. } = plan.field else { return Some(unit) };
    let (planes, height, width) = (u32::from(planes), u32::from(height), u32::from(width));
    let (rows, columns) = (u32::from(plan.input.height), u32::from(plan.input.width));
    let (first_plane, first_row, first_column) = corner()?;
    let plane = (unit / columns / rows).checked_sub(first_plane)?;
    let row = (unit / columns % rows).checked_sub(first_row)?;
    let column = (unit % columns).checked_sub(first_column)?;
    let inside = plane < planes && row < height && column < width;
    inside.then_some((plane * height + row) * width + column)
}
