//! What lies in the card's memory, and how much of it there will be.

use bytemuck::{Pod, Zeroable};
use evobit::loss::LossTable;
use evobit::topology::{Field, Plan, Topology};

use crate::cuda::device::{DeviceError, THREADS};

/// Samples that a warp takes at a time.
pub(super) const TILE: usize = 1024;
/// A change of loss by one flip of a hidden neuron is below this, either way: so the sums of a tile fit 32 bits.
const MOST_CHANGE: i64 = 1 << 21;
/// Most bytes of sums that are fetched at a time.
const SUMS: usize = 64 << 20;
/// Classes whose bit planes are kept at a time.
pub(super) const TOGETHER: usize = 16;
/// Most views: a visit has 16 bits for one.
const MOST_SLOTS: usize = 1 << 16;

/// Entries of the ring of results: a trial takes up to [`SETS`] of them, all of which are 0 before.
pub(super) const RESULTS: usize = 512;
/// Most sets that a trial scores: 64 mutations, 32 and so on.
pub(super) const SETS: usize = 8;

/// `Landscape` of kernels/cuda/landscape.cuh: addresses, then numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct CardState {
    pub(super) genome: u64,
    pub(super) inputs: u64,
    pub(super) labels: u64,
    pub(super) terms: u64,
    pub(super) views: u64,
    pub(super) on: u64,
    pub(super) boundary: u64,
    pub(super) ahead: u64,
    pub(super) moves: u64,
    pub(super) samples: u32,
    pub(super) sample_words: u32,
    pub(super) neurons: u32,
    pub(super) fan_in: u32,
    pub(super) row_words: u32,
    pub(super) classes: u32,
    pub(super) class_slots: u32,
    pub(super) zero: u32,
    pub(super) thresholds: u32,
    pub(super) threshold_bits: u32,
    pub(super) weights: u32,
    pub(super) out_thresholds: u32,
    pub(super) out_threshold_bits: u32,
    pub(super) out_weights: u32,
    pub(super) out_row_words: u32,
    pub(super) view_words: u32,
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) slide: u32,
    pub(super) padding: u32,
}

/// `Trial` of kernels/cuda/apply.cu.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Trial {
    pub(super) visit: u32,
    pub(super) count: u32,
    pub(super) scored: u64,
    pub(super) steps: [u32; 64],
}

/// `Window` of kernels/cuda/apply.cu.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Window {
    pub(super) planes: u32,
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) input_height: u32,
    pub(super) line_words: u32,
    pub(super) input_words: u32,
}

// The kernels assert the same.
const _: () =
    assert!(size_of::<CardState>() == 152 && size_of::<Trial>() == 272 && size_of::<Window>() == 24);

/// Most lines and columns of a window that slides.
const SIDE: u16 = 8;

/// Words of what a neuron sees: of a window that slides those of a field, see kernels/cuda/sliding.cuh.
pub(super) fn view_words(plan: &Plan) -> u32 {
    match plan.field {
        Field::Window { height, slide, .. } if slide > 0 => {
            // Two lines to a word, in fours.
            4 * u32::from(height + slide).div_ceil(8)
        }
        _ => plan.row_words,
    }
}

/// True where windows do not slide, or are of one plane and small.
pub(super) fn has_views(plan: &Plan) -> bool {
    match plan.field {
        Field::Window { planes, height, width, slide } if slide > 0 => {
            planes == 1 && height <= SIDE && width <= SIDE
        }
        _ => true,
    }
}

/// The loss of every difference of scores that can be, and what follows from it.
pub(super) struct Terms {
    /// From `-zero` on.
    pub(super) terms: Vec<i32>,
    pub(super) zero: u32,
    /// Bits that hold what a step up and one down of a score differ by.
    pub(super) planes: u32,
}

impl Terms {
    /// `None` where a change of loss by one flip does not fit the kernels' numbers.
    pub(super) fn new(topology: &Topology, loss: &LossTable<&[u32]>) -> Option<Self> {
        let inputs = topology.layer(topology.depth() - 1).inputs as i32;
        // Scores lie in -inputs..inputs, so differences within twice that, and 2 more for a flip.
        let zero = 2 * inputs + 4;
        let terms: Vec<i32> = (-zero..=zero).map(|difference| loss.term(difference)).collect();
        let largest = terms.windows(3).map(|terms| (terms[2] - terms[0]).abs()).max()?;
        let wrong = topology.classes() as i64 - 1;
        if largest > i32::from(i16::MAX) || i64::from(largest) * wrong >= MOST_CHANGE {
            return None;
        }
        let planes = 2 + (i64::from(largest) * wrong).checked_ilog2().unwrap_or(0);
        Some(Self { terms, zero: zero as u32, planes })
    }
}

/// Sizes of buffers, in values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) sample_words: usize,
    pub(super) class_slots: usize,
    /// Spectra fetched at a time, in entries.
    pub(super) sums: usize,
    /// Words of bit planes.
    pub(super) planes: usize,
    /// Words of one view; 0 where the inputs are what neurons see.
    pub(super) view: usize,
}

impl Sizes {
    pub(super) fn new(topology: &Topology, samples: usize, planes: u32) -> Self {
        let (plan, classes) = (topology.layer(0), topology.classes());
        let sample_words = samples.div_ceil(TILE) * (TILE / 32);
        let spectra = (plan.neurons as usize * plan.mutants()).max(classes * (plan.neurons as usize + 2));
        let most = topology.most_mutants().max(SUMS / size_of::<i64>());
        Self {
            sample_words,
            class_slots: classes.next_multiple_of(8),
            sums: spectra.min(most),
            planes: classes.min(TOGETHER) * planes as usize * sample_words,
            view: if plan.is_dense() { 0 } else { samples * view_words(plan) as usize },
        }
    }

    /// Bytes of everything but the views.
    pub(super) fn bytes(&self, topology: &Topology, samples: usize, terms: &Terms) -> u64 {
        let (plan, classes) = (topology.layer(0), topology.classes());
        let neurons = plan.neurons as usize;
        let words = topology.genome_words()
            + samples * topology.input_words()
            + terms.terms.len()
            + 2 * neurons * self.sample_words
            + samples * classes
            + samples * self.class_slots
            + 2 * neurons.max(classes)
            + self.planes;
        let state = size_of::<CardState>() as u64;
        state + 4 * words as u64 + samples as u64 + 8 * (self.sums + RESULTS) as u64
    }

    /// How many views there is room for beside `fixed` bytes where `free` are free, at most `wanted`.
    pub(super) fn slots(&self, fixed: u64, free: u64, wanted: usize) -> Result<usize, DeviceError> {
        // Some is lost to the granularity of allocations.
        let usable = free - free / 32;
        let view = 4 * self.view as u64;
        let needed = fixed + view;
        if needed > usable {
            return Err(DeviceError::OutOfMemory { bytes: needed });
        }
        // Without samples views take nothing: there is room for all.
        let room = (usable - fixed).checked_div(view).unwrap_or(u64::MAX);
        Ok(usize::try_from(room).unwrap_or(usize::MAX).min(wanted).min(MOST_SLOTS))
    }
}

/// Blocks of threads that take one sample each.
pub(super) fn blocks(state: &CardState) -> u32 {
    state.samples.div_ceil(THREADS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit::topology::{Layer, Shape};

    #[test]
    fn views_take_what_is_left() {
        let image = Shape { planes: 1, height: 28, width: 28 };
        let topology = Topology::new(image, &[Layer::windows(1024, 1, 8, 8), Layer::dense(10)]).unwrap();
        let sizes = Sizes::new(&topology, 60_000, 12);
        assert_eq!((sizes.sample_words, sizes.class_slots, sizes.view), (59 * 32, 16, 120_000));
        let view = 480_000;
        assert_eq!(sizes.slots(1 << 20, 64 << 30, 441), Ok(441));
        assert_eq!(sizes.slots(1 << 20, (1 << 20) + 110 * view, 441), Ok(106));
        let needed = (1 << 20) + view;
        assert_eq!(sizes.slots(1 << 20, needed, 441), Err(DeviceError::OutOfMemory { bytes: needed }));
        let no_samples = Sizes::new(&topology, 0, 12);
        assert_eq!((no_samples.view, no_samples.slots(1 << 20, 64 << 30, 441)), (0, Ok(441)));
    }
}
