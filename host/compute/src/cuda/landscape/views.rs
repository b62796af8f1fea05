//! What neurons see, packed for every sample: one view for each place of a window, of one that slides with all that it slides over.
//!
//! Places are not evolved, so views are made once where the card holds them all; where not, in batches, those that were made first
//! going first. Neurons of a dense layer see the inputs as they are.

use std::sync::Arc;

use evobit::topology::{Field, Plan};

use super::state::{CardState, Window, blocks};
use crate::cuda::device::{Buffer, Device, DeviceError, launch};

/// No view.
const NONE: u32 = u32::MAX;

pub(super) struct Views {
    device: Arc<dyn Device>,
    window: Option<Window>,
    /// `[slots][samples][view words]`.
    buffer: Option<Buffer<u32>>,
    /// The place of each slot.
    places: Vec<Option<u16>>,
    /// The slot of each place, or [`NONE`].
    slots: Vec<u32>,
    /// The slot that goes next.
    oldest: usize,
    loads: Buffer<u32>,
}

impl Views {
    /// Room for `slots` views of `words` words; none of either for a dense layer.
    pub(super) fn new(
        device: &Arc<dyn Device>,
        plan: &Plan,
        slots: usize,
        words: usize,
    ) -> Result<Self, DeviceError> {
        let window = match plan.field {
            Field::Dense => None,
            // Of a window that slides all that it slides over.
            Field::Window { planes, height, width, slide } => Some(Window {
                planes: planes.into(),
                height: (height + slide).into(),
                width: (width + slide).into(),
                input_height: plan.input.height.into(),
                line_words: plan.packing.row_words,
                input_words: plan.packing.words() as u32,
            }),
        };
        let buffer = window.map(|_| Buffer::new(device, slots * words)).transpose()?;
        Ok(Self {
            device: Arc::clone(device),
            window,
            buffer,
            places: vec![None; slots],
            slots: vec![NONE; 1 << 16],
            oldest: 0,
            loads: Buffer::new(device, slots)?,
        })
    }

    /// Where the views begin; `None` where the inputs are what neurons see.
    pub(super) fn address(&self) -> Option<u64> {
        self.buffer.as_ref().map(Buffer::address)
    }

    /// Makes the views of the first of some neurons with these places, as many as there is room for, at least one. Each as a visit:
    /// the neuron, and from bit 16 on the slot of its view.
    pub(super) fn visits(
        &mut self,
        state: &CardState,
        neurons: &[u16],
        place_of: impl Fn(u16) -> u16,
    ) -> Result<Vec<u32>, DeviceError> {
        let Some(window) = self.window else {
            return Ok(neurons.iter().map(|&neuron| neuron.into()).collect());
        };
        let mut used = vec![false; self.places.len()];
        let (mut visits, mut loads) = (Vec::with_capacity(neurons.len()), vec![]);
        for &neuron in neurons {
            let place = place_of(neuron);
            let mut slot = self.slots[usize::from(place)];
            if slot == NONE {
                let Some(free) = self.free_slot(&used) else { break };
                slot = free as u32;
                if let Some(old) = self.places[free].replace(place) {
                    self.slots[usize::from(old)] = NONE;
                }
                self.slots[usize::from(place)] = slot;
                loads.push(u32::from(place) | slot << 16);
            }
            used[slot as usize] = true;
            visits.push(u32::from(neuron) | slot << 16);
        }
        if !loads.is_empty() && state.samples > 0 {
            self.loads.write(&loads)?;
            let grid = [blocks(state), loads.len() as u32];
            if state.slide > 0 {
                launch!(self.device, ApplyFields, grid, *state, window, self.loads.address())?;
            } else {
                launch!(self.device, ApplyViews, grid, *state, window, self.loads.address())?;
            }
        }
        Ok(visits)
    }

    /// A slot that is not in use.
    fn free_slot(&mut self, used: &[bool]) -> Option<usize> {
        let count = self.places.len();
        let free = (0..count).map(|step| (self.oldest + step) % count).find(|&slot| !used[slot])?;
        self.oldest = (free + 1) % count;
        Some(free)
    }
}
