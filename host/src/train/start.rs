//! The genome that a search starts from: that of a model, or random, but with windows where the images are.

use evobit::bits;
use evobit::genome::GenomeMut;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Field, Plan};

use super::Prepared;
use crate::settings::Config;

/// The genome that a search starts from: that of the model it goes on from, else that of its seed.
///
/// Weights are random. A window of the first layer is placed more often where its bits vary over the training samples: a corner that is
/// always dark would be a neuron wasted.
pub(crate) fn random_genome(prepared: &Prepared, config: &Config) -> Vec<u32> {
    if let Some(start) = &prepared.start {
        return start.clone();
    }
    let mut genome = vec![0; prepared.topology.genome_words()];
    let Ok(mut view) = GenomeMut::new(&prepared.topology, &mut genome) else { return genome };
    view.randomize(&mut Stream::new(config.seed, Purpose::Start, 0));
    let plan = prepared.topology.layer(0);
    if let Field::Window { .. } = plan.field {
        let mut rng = Stream::new(config.seed, Purpose::Start, 1);
        let places = place_shares(prepared, plan);
        let total = places.last().map_or(0, |&(share, _)| share);
        for neuron in 0..plan.neurons {
            let drawn = rng.below(total);
            let index = places.partition_point(|&(share, _)| share <= drawn);
            if let Some(&(_, [plane, row, column])) = places.get(index) {
                view.set_place(0, neuron, plane, row, column);
            }
        }
    }
    genome
}

/// Every place of a window with the running total of its shares: how often the bits in it take their rarer value.
fn place_shares(prepared: &Prepared, plan: &Plan) -> Vec<(u32, [u32; 3])> {
    let Field::Window { planes, height, width } = plan.field else { return vec![] };
    let rarer = rarer_values(prepared, plan);
    let (rows, columns) = (u32::from(plan.input.height), u32::from(plan.input.width));
    let (plane_places, row_places, column_places) = plan.places_range();
    let mut places = vec![];
    for plane in 0..plane_places {
        for row in 0..row_places {
            for column in 0..column_places {
                let mut sum = 0;
                for p in plane..plane + u32::from(planes) {
                    for r in row..row + u32::from(height) {
                        let line = ((p * rows + r) * columns + column) as usize;
                        sum += rarer[line..line + usize::from(width)].iter().sum::<u64>();
                    }
                }
                places.push((sum, [plane, row, column]));
            }
        }
    }
    // Shares of 2^31 in all, at least 1 each, so that no place is out of the question and totals fit.
    let all = places.iter().map(|&(sum, _)| u128::from(sum)).sum::<u128>().max(1);
    let mut total = 0;
    let share = |sum: u64| (u128::from(sum) * (1 << 31) / all) as u32 + 1;
    let running = |(sum, place): (u64, [u32; 3])| {
        total += share(sum);
        (total, place)
    };
    places.into_iter().map(running).collect()
}

/// For each unit of the input, how many training samples have its rarer value.
fn rarer_values(prepared: &Prepared, plan: &Plan) -> Vec<u64> {
    let samples = prepared.plain();
    let mut set = vec![0u64; plan.packing.units() as usize];
    for sample in 0..samples.len() {
        let input = samples.input(sample, plan.packing.words());
        for (unit, count) in (0u32..).zip(&mut set) {
            *count += u64::from(bits::get(input, plan.packing.position(unit)));
        }
    }
    set.into_iter().map(|count| count.min(samples.len() as u64 - count)).collect()
}
