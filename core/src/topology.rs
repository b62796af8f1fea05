//! The shape of a network, and where each of its parts lies in the packed genome.
//!
//! A network is up to [`MAX_LAYERS`] layers over a three-dimensional input (planes, rows, columns).
//! Every layer has the same form: a neuron sees `inputs` bits, counts how many of them differ from
//! its weights, and is +1 while these *mismatches* do not exceed its *threshold*. In a dense layer a
//! neuron sees every unit of the layer before; in a windowed layer it sees a small box of planes,
//! rows and columns at a place of its own. A window may *slide*: the neuron then counts anew at each of several neighbouring
//! positions, with the same weights, and the least count decides. The last layer is dense and has one neuron per class.
//!
//! The genome is one buffer of words, layer after layer:
//!
//! ```text
//! places      windowed layers only: u16 per neuron, two to a word, padded to a whole word
//! thresholds  u8 per neuron where a neuron has at most 256 inputs, else u16; padded to a whole word
//! weights     [neurons][row_words], bit set for +1, rows padded with zero bits
//! ```
//!
//! Everything here is `const`, so that a board sizes its buffers at compile time.

mod error;
mod plan;

use crate::bits::words_for;
pub use error::TopologyError;
pub use plan::{Packing, Plan};

/// Most layers of a network.
pub const MAX_LAYERS: usize = if cfg!(feature = "full") { 8 } else { 2 };
/// Most classes, that is neurons of the last layer: 256, or 32 without the feature `full`.
pub const MAX_CLASSES: u32 = if cfg!(feature = "full") { 256 } else { 32 };
/// Most inputs of one neuron, and most neurons of one layer: pre-activations fit an `i16`.
pub const MAX_UNITS: u32 = i16::MAX as u32;
/// Most inputs of a windowed neuron: its window is gathered on the stack. Without the feature `full` there are no windows.
pub const MAX_WINDOW_BITS: u32 = if cfg!(feature = "full") { 1024 } else { 0 };
/// Most rows and columns by which a window slides.
pub const MAX_SLIDE: u16 = 7;
/// Words that hold the largest window.
pub const WINDOW_WORDS: usize = words_for(MAX_WINDOW_BITS) as usize;
/// Most words a windowed layer's input may take: a place is a bit address of 16 bits.
const MAX_WINDOWED_INPUT_WORDS: u32 = 1 << 11;
/// Most words of a genome (256 MiB).
const MAX_GENOME_WORDS: u32 = 1 << 26;

/// A three-dimensional arrangement of units; a flat one has one plane of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Planes, for example the levels of a thermometer code.
    pub planes: u16,
    /// Rows of a plane.
    pub height: u16,
    /// Columns of a plane.
    pub width: u16,
}

impl Shape {
    /// `units` units in one row.
    #[must_use]
    pub const fn flat(units: u16) -> Self {
        Self { planes: 1, height: 1, width: units }
    }

    /// Number of units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.planes as u64 * self.height as u64 * self.width as u64
    }

    /// The same where there are 1 to `most`, at most 65,537, in 32 bits: small processors are slow with more.
    const fn units_up_to(self, most: u32) -> Option<u32> {
        let plane_rows = self.planes as u32 * self.height as u32;
        if plane_rows > most {
            return None;
        }
        let units = plane_rows * self.width as u32;
        if units == 0 || units > most { None } else { Some(units) }
    }
}

/// What a neuron of a layer sees of the layer before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Field {
    /// Everything.
    Dense,
    /// A box of units at the neuron's own place.
    Window {
        /// Planes of the box.
        planes: u16,
        /// Rows of the box.
        height: u16,
        /// Columns of the box, at most 32.
        width: u16,
        /// Rows and columns by which the box slides: the neuron is on where it is at any of `(slide + 1)^2` positions. At most
        /// [`MAX_SLIDE`].
        slide: u16,
    },
}

/// A layer as a user asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layer {
    /// What each neuron sees.
    pub field: Field,
    /// How the neurons are arranged for the layer after; matters when that layer is windowed.
    pub output: Shape,
}

impl Layer {
    /// A dense layer of `neurons` neurons.
    #[must_use]
    pub const fn dense(neurons: u16) -> Self {
        Self { field: Field::Dense, output: Shape::flat(neurons) }
    }

    /// `neurons` neurons, each with a window of `planes` x `height` x `width` units.
    #[must_use]
    pub const fn windows(neurons: u16, planes: u16, height: u16, width: u16) -> Self {
        Self { field: Field::Window { planes, height, width, slide: 0 }, output: Shape::flat(neurons) }
    }

    /// The same with windows that slide by up to `slide` rows and columns, as in a convolution whose maximum over so small a
    /// neighbourhood is taken; nothing changes in a dense layer.
    #[must_use]
    pub const fn sliding(self, slide: u16) -> Self {
        match self.field {
            Field::Dense => self,
            Field::Window { planes, height, width, .. } => {
                Self { field: Field::Window { planes, height, width, slide }, output: self.output }
            }
        }
    }
}

/// The shape of a whole network, checked.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Topology {
    plans: [Plan; MAX_LAYERS],
    count: usize,
}

impl core::fmt::Debug for Topology {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list()
            .entries(self.layers().iter().map(|plan| (plan.input, plan.field, plan.output)))
            .finish()
    }
}

impl Topology {
    /// Checks and plans a network over `input`.
    ///
    /// # Errors
    /// When a layer does not fit the one before or a limit of this module.
    pub const fn new(input: Shape, layers: &[Layer]) -> Result<Self, TopologyError> {
        let mut topology = Self::NONE;
        match topology.plan(input, layers) {
            Ok(()) => Ok(topology),
            Err(error) => Err(error),
        }
    }

    /// A place for a topology, where [`plan`](Self::plan) has yet to put one: no network has no layers.
    pub const NONE: Self = Self { plans: [Plan::EMPTY; MAX_LAYERS], count: 0 };

    /// As [`new`](Self::new), in place: a topology takes half a kilobyte, which a small board's stack has no room to move about. After an error
    /// it is [`NONE`](Self::NONE).
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub const fn plan(&mut self, input: Shape, layers: &[Layer]) -> Result<(), TopologyError> {
        let planned = self.plan_layers(input, layers);
        if planned.is_err() {
            self.count = 0;
        }
        planned
    }

    const fn plan_layers(&mut self, input: Shape, layers: &[Layer]) -> Result<(), TopologyError> {
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            return Err(TopologyError::LayerCount);
        }
        self.count = layers.len();
        let (mut shape, mut offset, mut index) = (input, 0, 0);
        while index < layers.len() {
            let plan = match Plan::new(shape, layers[index], offset, index) {
                Ok(plan) => plan,
                Err(error) => return Err(error),
            };
            shape = plan.output;
            offset = plan.end;
            self.plans[index] = plan;
            index += 1;
        }
        let last = &self.plans[layers.len() - 1];
        match last.field {
            Field::Dense if last.neurons >= 2 && last.neurons <= MAX_CLASSES => Ok(()),
            _ => Err(TopologyError::Output),
        }
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Plan] {
        &self.plans[..self.count]
    }

    /// Number of layers.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.count
    }

    /// The layer at `index`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub const fn layer(&self, index: usize) -> &Plan {
        assert!(index < self.count);
        &self.plans[index]
    }

    /// Number of classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.plans[self.count - 1].neurons as usize
    }

    /// Shape of the input.
    #[must_use]
    pub const fn input(&self) -> Shape {
        self.plans[0].input
    }

    /// Words of one packed sample.
    #[must_use]
    pub const fn input_words(&self) -> usize {
        self.plans[0].packing.words()
    }

    /// Words of the genome.
    #[must_use]
    pub const fn genome_words(&self) -> usize {
        self.plans[self.count - 1].end as usize
    }

    /// Words of the packed activations between layers, for one sample.
    #[must_use]
    pub const fn hidden_words(&self) -> usize {
        let (mut words, mut index) = (0, 1);
        while index < self.count {
            words += self.plans[index].packing.words();
            index += 1;
        }
        words
    }

    /// Neurons of all layers but the last.
    #[must_use]
    pub const fn hidden_neurons(&self) -> u32 {
        let (mut neurons, mut index) = (0, 0);
        while index + 1 < self.count {
            neurons += self.plans[index].neurons;
            index += 1;
        }
        neurons
    }

    /// Neurons of all layers.
    #[must_use]
    pub const fn neurons(&self) -> u32 {
        self.hidden_neurons() + self.plans[self.count - 1].neurons
    }

    /// Weights of all layers.
    #[must_use]
    pub const fn weights(&self) -> u32 {
        let (mut weights, mut index) = (0, 0);
        while index < self.count {
            weights += self.plans[index].neurons * self.plans[index].inputs;
            index += 1;
        }
        weights
    }

    /// The longest spectrum of one neuron, in entries.
    #[must_use]
    pub const fn most_mutants(&self) -> usize {
        let (mut most, mut index) = (0, 0);
        while index < self.count {
            if self.plans[index].mutants() > most {
                most = self.plans[index].mutants();
            }
            index += 1;
        }
        most
    }
}

#[cfg(all(test, feature = "full"))]
mod tests;
