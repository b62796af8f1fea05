//! The random genome of a layered network: with windows where the images are, and those of a grid in its order.

use evobit::bits;
use evobit::evolve::landscape::Samples;
use evobit::genome::GenomeMut;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Field, Plan, Topology};

/// The genome that a search of layers starts from.
///
/// Weights are random. A window of the first layer is placed more often where its bits vary over the training samples: a corner that is
/// always dark would be a neuron wasted. The windows of a layer that is arranged as a grid are placed row by row and column by column, as densely
/// as by chance: so a window over that layer sees neurons whose windows are neighbours.
pub(crate) fn layers(topology: &Topology, samples: Samples<'_>, seed: u64) -> Vec<u32> {
    let mut genome = vec![0; topology.genome_words()];
    let Ok(mut view) = GenomeMut::new(topology, &mut genome) else { return genome };
    view.randomize(&mut Stream::new(seed, Purpose::Start, 0));
    let mut rng = Stream::new(seed, Purpose::Start, 1);
    for (layer, plan) in topology.layers().iter().enumerate() {
        let is_grid = plan.output.height > 1 && plan.output.width > 1;
        if plan.field == Field::Dense || layer > 0 && !is_grid {
            continue;
        }
        let places = if layer == 0 { place_shares(samples, plan) } else { vec![] };
        if is_grid {
            lay_out(&mut view, layer, plan, &places);
            continue;
        }
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

/// Places the windows of a grid of neurons. Planes stay as they are drawn; rows and columns hold equal shares, where `places` gives any.
fn lay_out(view: &mut GenomeMut<'_>, layer: usize, plan: &Plan, places: &[(u32, [u32; 3])]) {
    let (_, row_places, column_places) = plan.places_range();
    let (mut rows, mut columns) = (vec![0; row_places as usize], vec![0; column_places as usize]);
    let mut before = 0;
    for &(total, [_, row, column]) in places {
        rows[row as usize] += u64::from(total - before);
        columns[column as usize] += u64::from(total - before);
        before = total;
    }
    if places.is_empty() {
        rows.fill(1);
        columns.fill(1);
    }
    let (height, width) = (u32::from(plan.output.height), u32::from(plan.output.width));
    for neuron in 0..plan.neurons {
        let plane = plan.corner(view.network().place(layer, neuron)).map_or(0, |(plane, _, _)| plane);
        let row = quantile(&rows, neuron / width % height, height);
        view.set_place(layer, neuron, plane, row, quantile(&columns, neuron % width, width));
    }
}

/// The place in the middle of part `index` of `parts` equal parts.
fn quantile(shares: &[u64], index: u32, parts: u32) -> u32 {
    let total: u64 = shares.iter().sum();
    let target = (2 * u64::from(index) + 1) * total / (2 * u64::from(parts));
    let running = shares.iter().scan(0, |sum, &share| {
        *sum += share;
        Some(*sum)
    });
    running.take_while(|&sum| sum <= target).count() as u32
}

/// Every place of a window with the running total of its shares: how often the bits that it sees, wherever it slides, take their rarer value.
fn place_shares(samples: Samples<'_>, plan: &Plan) -> Vec<(u32, [u32; 3])> {
    let Field::Window { planes, height, width, slide } = plan.field else { return vec![] };
    let rarer = rarer_values(samples, plan);
    let (rows, columns) = (u32::from(plan.input.height), u32::from(plan.input.width));
    let (plane_places, row_places, column_places) = plan.places_range();
    let mut places = vec![];
    for plane in 0..plane_places {
        for row in 0..row_places {
            for column in 0..column_places {
                let mut sum = 0;
                for p in plane..plane + u32::from(planes) {
                    for r in row..row + u32::from(height + slide) {
                        let line = ((p * rows + r) * columns + column) as usize;
                        sum += rarer[line..line + usize::from(width + slide)].iter().sum::<u64>();
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
fn rarer_values(samples: Samples<'_>, plan: &Plan) -> Vec<u64> {
    let mut set = vec![0u64; plan.packing.units() as usize];
    for sample in 0..samples.len() {
        let input = samples.input(sample, plan.packing.words());
        for (unit, count) in (0u32..).zip(&mut set) {
            *count += u64::from(bits::get(input, plan.packing.position(unit)));
        }
    }
    set.into_iter().map(|count| count.min(samples.len() as u64 - count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::topology::{Layer, Shape};

    /// Rows and columns of the windows of a layer, as [`lay_out`] places them.
    fn corners(topology: &Topology, layer: usize, places: &[(u32, [u32; 3])]) -> Vec<(u32, u32)> {
        let mut genome = vec![0; topology.genome_words()];
        let mut view = GenomeMut::new(topology, &mut genome).unwrap();
        let plan = topology.layer(layer);
        lay_out(&mut view, layer, plan, places);
        let corner = |neuron| plan.corner(view.network().place(layer, neuron)).unwrap();
        (0..plan.neurons).map(corner).map(|(_, row, column)| (row, column)).collect()
    }

    #[test]
    fn a_grid_of_windows_lies_in_its_order() {
        let image = Shape { planes: 1, height: 6, width: 7 };
        let grid = Shape { planes: 2, height: 2, width: 3 };
        let first = Layer { field: Field::Window { planes: 1, height: 3, width: 3, slide: 0 }, output: grid };
        let topology = Topology::new(image, &[first, Layer::dense(2)]).unwrap();
        // Four rows and five columns of places: the middles of halves and of thirds, in either plane.
        let even = [(1, 0), (1, 2), (1, 4), (3, 0), (3, 2), (3, 4)];
        assert_eq!(corners(&topology, 0, &[]), [even, even].concat());
        // Where all lies in one place, so do they.
        let one = [(0, [0, 1, 1]), (9, [0, 2, 3])];
        assert_eq!(corners(&topology, 0, &one), [(2, 3); 12]);
    }

    #[test]
    fn parts_are_as_large_as_shares() {
        let of = |shares: &[u64], parts| (0..parts).map(|i| quantile(shares, i, parts)).collect::<Vec<u32>>();
        assert_eq!(of(&[1, 1, 1], 3), [0, 1, 2]);
        assert_eq!(of(&[1, 1], 4), [0, 0, 1, 1]);
        assert_eq!(of(&[0, 6, 1, 1], 4), [1, 1, 1, 3]);
    }
}
