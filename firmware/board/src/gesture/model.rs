//! A model that knows nothing yet: levels for the features of a [window](super::window), and a random network.
//!
//! A host writes it (`cargo run -p evobit-board --example gestures`) and flashes it like any other model.

use evobit::encode::Code;
use evobit::genome::GenomeMut;
use evobit::image::{ImageError, Parts, write};
use evobit::loss::{MAX_ENTRIES, write_logistic};
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};

use super::window::{ABOVE, BELOW, CHANGES, CROSSINGS, DEVIATION, FEATURES, KINDS, MEAN};

/// Labels that can be taught.
pub const CLASSES: u16 = 6;
/// Neurons between the bits and the scores.
pub const NEURONS: u16 = 32;
/// Margin and temperature of the loss, as the host has them for tables: twice the root of the neurons.
const SCALE: f64 = 11.3;
/// Bytes of the image, at most.
pub const MOST_BYTES: usize = 8192;

/// The values above which a feature sets its bits, one after the other.
const fn levels(feature: usize) -> &'static [u8] {
    if feature >= 3 * KINDS {
        return &[96, 117, 139, 160];
    }
    match feature % KINDS {
        // Flat, leaning, upright: 150, 450, 700 and 900 thousandths of gravity either way.
        MEAN => &[71, 84, 99, 118, 137, 156, 171, 184],
        // From 6 to 724 thousandths of gravity.
        DEVIATION => &[40, 56, 72, 88, 104, 120, 136, 152],
        ABOVE | BELOW => &[56, 80, 104, 120, 136, 152],
        CROSSINGS => &[2, 5, 9, 14, 20, 28],
        // The changes, of which CHANGES is the first: from 6 to 256 thousandths of gravity.
        CHANGES.. => &[40, 64, 80, 96, 112, 128],
    }
}

/// Bits of a sample.
pub const BITS: usize = {
    let (mut bits, mut feature) = (0, 0);
    while feature < FEATURES {
        bits += levels(feature).len();
        feature += 1;
    }
    bits
};

/// The network's shape.
pub const TOPOLOGY: Topology =
    match Topology::new(Shape::flat(BITS as u16), &[Layer::dense(NEURONS), Layer::dense(CLASSES)]) {
        Ok(topology) => topology,
        Err(_) => panic!("a network that cannot be"),
    };

/// Writes the image to the start of `bytes`, [`MOST_BYTES`] are enough, and returns its length.
///
/// # Errors
/// [`ImageError::BufferLength`].
pub fn blank(seed: u64, bytes: &mut [u8]) -> Result<usize, ImageError> {
    let mut encoder = [0; 3 + FEATURES + BITS];
    encoder[..3].copy_from_slice(&[1, FEATURES as u32, BITS as u32]);
    let mut value = 3 + FEATURES;
    for feature in 0..FEATURES {
        let levels = levels(feature);
        encoder[3 + feature] = (levels.len() as u32) << 8 | Code::Integer as u32;
        for &level in levels {
            encoder[value] = level.into();
            value += 1;
        }
    }
    let mut loss = [0; 4 + MAX_ENTRIES as usize / 2];
    let loss_words =
        write_logistic(SCALE, SCALE, 64, &mut loss).map_err(|_| ImageError::BufferLength(0, 0))?;
    let mut genome = [0; TOPOLOGY.genome_words()];
    if let Ok(mut genome) = GenomeMut::new(&TOPOLOGY, &mut genome) {
        genome.randomize(&mut Stream::new(seed, Purpose::Start, 0));
    }
    let parts = Parts {
        topology: &TOPOLOGY,
        encoder: &encoder[..],
        loss: &loss[..loss_words],
        genome: &genome[..],
        classes: &["A", "B", "C", "D", "E", "F"],
        columns: 0,
        column_names: &[],
    };
    write(&parts, bytes)
}
