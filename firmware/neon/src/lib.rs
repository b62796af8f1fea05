//! Inference with NEON, the vector instructions that every 64-bit Arm processor has. What it gives equals [`Network::run`] to the bit.
//!
//! What pays is the layer that sees windows of 8 by 8 in an image whose rows are words, as of 28 by 28 pixels: there a window is eight
//! words, which two shifts and two halvings make eight bytes, and 16 neurons' mismatches are counted, added up and held against their
//! thresholds together. Other layers run as they do everywhere. This is a crate of its own because its instructions need `unsafe`, which
//! core and application do without.

#![no_std]

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod square;
#[cfg(test)]
mod tests;

use evobit::bits::Words;
use evobit::network::{Network, best_class};
use evobit::topology::WINDOW_WORDS;

/// [`Network::classify`]: the class of one packed sample.
///
/// # Panics
/// When a buffer is shorter than the topology says.
pub fn classify<W: Words>(
    network: &Network<'_, W>,
    input: &[u32],
    hidden: &mut [u32],
    scores: &mut [i32],
) -> usize {
    run(network, input, hidden, scores);
    best_class(&scores[..network.topology().classes()])
}

/// [`Network::run`]: runs the network on one packed sample.
///
/// # Panics
/// When a buffer is shorter than the topology says.
pub fn run<W: Words>(network: &Network<'_, W>, input: &[u32], hidden: &mut [u32], scores: &mut [i32]) {
    let topology = network.topology();
    let last = topology.depth() - 1;
    let (mut rest, mut current) = (hidden, input);
    for layer in 0..last {
        let (output, behind) = rest.split_at_mut(topology.layer(layer + 1).packing.words());
        run_layer(network, layer, current, output);
        (current, rest) = (output, behind);
    }
    let mut window = [0; WINDOW_WORDS];
    for (score, class) in scores[..topology.classes()].iter_mut().zip(0..) {
        *score = network.preactivation(last, class, current, &mut window);
    }
}

fn run_layer<W: Words>(network: &Network<'_, W>, layer: usize, input: &[u32], output: &mut [u32]) {
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    if let Some(words) = network.words().native() {
        let topology = network.topology();
        let next = topology.layer(layer + 1).packing;
        if square::fits(topology.layer(layer), next) {
            return square::write_signs(topology.layer(layer), words, input, output);
        }
    }
    network.run_layer(layer, input, output);
}
