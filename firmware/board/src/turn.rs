//! Large mutations of a first layer: what undoes a sensor that was turned, mirrored or inverted.
//!
//! A dense layer sees its input in one order; where that order changed in one of the eight ways in which a square lies on itself, or dark became
//! bright, one such step brings the network back. A thermometer that is inverted has its levels in reverse, so planes change places too.

use evobit::bits;
use evobit::topology::{Field, Plan};

/// How a first layer can be turned: bit 0 inverts, bits 1 to 3 mirror rows, mirror columns, exchange them.
pub(crate) const TURNS: u32 = 16;

/// Writes the weights of `from` (its words by index), turned, to `to`: rows of [`Plan::row_words`] words. False, and nothing written, where
/// the layer cannot be turned so.
pub(crate) fn turn(plan: &Plan, turn: u32, from: &dyn Fn(usize) -> u32, to: &mut [u32]) -> bool {
    let dense = plan.field == Field::Dense;
    let (planes, height, width) =
        (u32::from(plan.input.planes), u32::from(plan.input.height), u32::from(plan.input.width));
    let (invert, place) = (turn & 1 != 0, turn >> 1);
    if (place != 0 && !dense) || (place & 4 != 0 && height != width) {
        return false;
    }
    let words = plan.row_words as usize;
    for (neuron, to) in to.chunks_exact_mut(words).enumerate() {
        let start = neuron * words;
        to.fill(0);
        let mut index = 0;
        if !dense {
            to.iter_mut().enumerate().for_each(|(index, to)| *to = !from(start + index));
            to[words - 1] &= bits::tail_mask(plan.inputs);
            continue;
        }
        for plane in 0..planes {
            let plane = if invert { planes - 1 - plane } else { plane };
            for row in 0..height {
                for column in 0..width {
                    let row = if place & 1 != 0 { height - 1 - row } else { row };
                    let column = if place & 2 != 0 { width - 1 - column } else { column };
                    let (row, column) = if place & 4 != 0 { (column, row) } else { (row, column) };
                    let position = (plane * height + row) * width + column;
                    let bit = (from(start + (position / 32) as usize) >> (position % 32) & 1 != 0) != invert;
                    to[index / 32] |= u32::from(bit) << (index % 32);
                    index += 1;
                }
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::topology::{Layer, Shape, Topology};
    use std::vec::Vec;

    fn all(layer: Layer, input: Shape) -> Vec<Vec<u32>> {
        let topology = Topology::new(input, &[layer, Layer::dense(2)]).unwrap();
        let plan = topology.layer(0);
        let from: Vec<u32> = (1..=plan.neurons * plan.row_words)
            .map(|seed| seed.wrapping_mul(0x9e37_79b9) & bits::tail_mask(plan.inputs))
            .collect();
        (0..TURNS)
            .filter_map(|way| {
                let mut to = from.clone();
                turn(plan, way, &|index| from[index], &mut to).then_some(to)
            })
            .collect()
    }

    #[test]
    fn every_turn_is_another_and_the_first_is_none() {
        let square = all(Layer::dense(2), Shape { planes: 2, height: 4, width: 4 });
        assert_eq!(square.len(), 16);
        for (index, one) in square.iter().enumerate() {
            assert!(square[index + 1..].iter().all(|other| one != other));
        }
        assert_eq!(square[0][0], 0x9e37_79b9);
        assert_eq!(all(Layer::dense(2), Shape { planes: 1, height: 4, width: 5 }).len(), 8);
        assert_eq!(all(Layer::windows(2, 1, 3, 3), Shape { planes: 1, height: 4, width: 4 }).len(), 2);
    }

    #[test]
    fn mirrors_and_inversion_undo_themselves() {
        let topology =
            Topology::new(Shape { planes: 3, height: 5, width: 5 }, &[Layer::dense(1), Layer::dense(2)])
                .unwrap();
        let plan = topology.layer(0);
        let from: Vec<u32> = (0..3).map(|seed: u32| seed.wrapping_mul(0x85eb_ca6b) ^ 0x1234_5678).collect();
        let from = [from[0], from[1], from[2] & bits::tail_mask(75)];
        for way in [1, 2, 4, 8] {
            let (mut once, mut twice) = ([0; 3], [0; 3]);
            assert!(turn(plan, way, &|index| from[index], &mut once));
            assert!(turn(plan, way, &|index| once[index], &mut twice));
            assert_eq!(twice, from, "{way}");
        }
    }
}
