//! An animation of a layer's weights while a network learns.
//!
//! A neuron is a row, an input a column, a weight a square: orange above 0, blue below, grey where there is none. Eight neurons of
//! at most 64 inputs are a readable strip; of more, tiles stand beside each other as squares as they can.

use std::path::Path;

use evobit::rule::{PlasticShape, Weight};
use gif::{Encoder, Frame, Repeat};

use super::LANES;
use evobit_report::ReportError;

/// Pixels of a weight.
const SCALE: usize = 6;
/// Pixels between neurons.
const GAP: usize = 3;
/// Neurons that are drawn at most.
const MOST_NEURONS: usize = 64;
/// Hundredths of a second that a frame stays.
const DELAY: u16 = 12;
/// The colour of a gap, and of no weight.
const WHITE: u8 = 255;

/// Draws the first layer of lane 0 in each frame's weights as GIF.
///
/// # Errors
/// A file that cannot be written.
pub fn animate(path: &Path, shape: &PlasticShape, frames: &[Vec<Weight<LANES>>]) -> Result<(), ReportError> {
    let bytes = encode(shape, frames).map_err(|error| ReportError::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    std::fs::write(path, bytes).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

fn encode(shape: &PlasticShape, frames: &[Vec<Weight<LANES>>]) -> Result<Vec<u8>, gif::EncodingError> {
    let layer = shape.layer(0);
    let neurons = layer.neurons.min(MOST_NEURONS);
    // A tile is near a square, and so is the sheet of tiles.
    let breadth = (1..).find(|breadth| breadth * breadth >= layer.inputs).unwrap_or(1);
    let (tile_width, tile_height) = (breadth * SCALE + GAP, layer.inputs.div_ceil(breadth) * SCALE + GAP);
    let across = (1..=neurons).find(|across| across * across >= neurons).unwrap_or(1);
    let (width, height) = (across * tile_width + GAP, neurons.div_ceil(across) * tile_height + GAP);
    let mut bytes = vec![];
    let mut encoder = Encoder::new(&mut bytes, width as u16, height as u16, &palette())?;
    encoder.set_repeat(Repeat::Infinite)?;
    for weights in frames {
        let mut pixels = vec![WHITE; width * height];
        for neuron in 0..neurons {
            for input in 0..layer.inputs {
                let weight = &weights[layer.weights + neuron * layer.row() + input];
                let colour = (weight.weight().0[0] + 127) as u8;
                let left = GAP + neuron % across * tile_width + input % breadth * SCALE;
                let top = GAP + neuron / across * tile_height + input / breadth * SCALE;
                for line in top..top + SCALE {
                    pixels[line * width + left..][..SCALE].fill(colour);
                }
            }
        }
        let frame = Frame {
            delay: DELAY,
            width: width as u16,
            height: height as u16,
            buffer: pixels.into(),
            ..Frame::default()
        };
        encoder.write_frame(&frame)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// Colours of -127 to 127, then white: from blue over a light grey to orange.
fn palette() -> Vec<u8> {
    let blend = |from: [i32; 3], to: [i32; 3], share: i32| {
        [0, 1, 2].map(|channel| (from[channel] + (to[channel] - from[channel]) * share / 127) as u8)
    };
    let (middle, plus, minus) = ([0xF2, 0xF2, 0xF2], [0xD9, 0x6A, 0x00], [0x12, 0x4A, 0x94]);
    let colour = |weight: i32| {
        // Most weights are small: their colours are spread.
        let share = (f64::from(weight.abs()) / 127.0).sqrt() * 127.0;
        blend(middle, if weight < 0 { minus } else { plus }, share as i32)
    };
    (-127..=127).flat_map(colour).chain([0xFF; 3]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::rule::Lanes;

    #[test]
    fn every_frame_is_in_the_animation() {
        let shape = PlasticShape::new(&[5, 3, 2]).unwrap();
        let frame =
            |value: i16| vec![Weight { value: Lanes::all(value), state: Lanes::ZERO }; shape.weights()];
        let bytes = encode(&shape, &[frame(0), frame(127 << 8), frame(-127 << 8)]).unwrap();
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
        let mut last = vec![];
        let mut count = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let colours: std::collections::BTreeSet<u8> = frame.buffer.iter().copied().collect();
            assert_ne!(last, frame.buffer.to_vec());
            assert_eq!(colours.len(), 2, "a gap and one weight");
            last = frame.buffer.to_vec();
            count += 1;
        }
        assert_eq!(count, 3);
    }
}
