//! The shape of a plastic network: how wide its layers are and where their weights lie.
//!
//! Weights lie layer after layer, neuron after neuron; a neuron has one for each unit of the layer before and one for the
//! constant input ([`PlasticShape::BIAS`]), the last. Units lie layer after layer, the input's first.

/// Most layers of weights.
pub const MAX_LAYERS: usize = 5;
/// Most units of a layer: sums of products fit `i32` and sums of weights do, too.
const MAX_WIDTH: u16 = 4096;

/// Why a plastic network cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ShapeError {
    /// Not 1 to [`MAX_LAYERS`] layers: how many.
    Depth(usize),
    /// A layer without units, or with too many: which (0 the input), its width.
    Width(usize, u16),
    /// A single class.
    Classes,
    /// A buffer is too short: its elements needed, there.
    Buffer(usize, usize),
}

impl core::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Depth(depth) => {
                write!(f, "{depth} layers: a plastic network has 1 to {MAX_LAYERS}; use fewer hidden layers")
            }
            Self::Width(layer, width) => {
                write!(f, "layer {layer} would have {width} units: a layer has 1 to {MAX_WIDTH}")
            }
            Self::Classes => f.write_str("a plastic network needs two classes at least"),
            Self::Buffer(needed, there) => {
                write!(
                    f,
                    "the plastic network needs room for {needed} elements, {there} are there; make it smaller"
                )
            }
        }
    }
}

impl core::error::Error for ShapeError {}

/// Widths of the input and of all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PlasticShape {
    widths: [u16; MAX_LAYERS + 1],
    depth: u8,
}

/// One layer of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PlasticLayer {
    /// Units before it.
    pub inputs: usize,
    /// Its neurons.
    pub neurons: usize,
    /// The first of its weights.
    pub weights: usize,
    /// The first unit before it.
    pub before: usize,
    /// Its first neuron, as a unit.
    pub after: usize,
    /// How far sums over a neuron's inputs shift right, in bits.
    pub fan_in_shift: u32,
    /// How far sums over a unit's outputs shift right, in bits.
    pub fan_out_shift: u32,
}

impl PlasticLayer {
    /// Weights of a neuron: one for each input and one for the constant.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.inputs + 1
    }
}

impl PlasticShape {
    /// The constant input of every neuron.
    pub const BIAS: i16 = 64;

    /// `widths` of the input, the hidden layers if any, and the output, which has one neuron per class.
    ///
    /// # Errors
    /// Too few or too many layers, or a layer too narrow or too wide.
    pub const fn new(widths: &[u16]) -> Result<Self, ShapeError> {
        let count = widths.len();
        if count < 2 || count > MAX_LAYERS + 1 {
            return Err(ShapeError::Depth(count.saturating_sub(1)));
        }
        let mut shape = Self { widths: [0; MAX_LAYERS + 1], depth: count as u8 - 1 };
        let mut index = 0;
        while index < count {
            let width = widths[index];
            if width == 0 || width > MAX_WIDTH {
                return Err(ShapeError::Width(index, width));
            }
            shape.widths[index] = width;
            index += 1;
        }
        if widths[count - 1] < 2 { Err(ShapeError::Classes) } else { Ok(shape) }
    }

    /// Layers of weights.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth as usize
    }

    /// Widths of the input and of all layers, `[depth + 1]`.
    #[must_use]
    pub fn widths(&self) -> &[u16] {
        &self.widths[..=self.depth()]
    }

    /// Units of the input.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.widths[0] as usize
    }

    /// Classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.widths[self.depth()] as usize
    }

    /// Units of all layers, the input's as well.
    #[must_use]
    pub const fn units(&self) -> usize {
        let (mut units, mut index) = (0, 0);
        while index <= self.depth() {
            units += self.widths[index] as usize;
            index += 1;
        }
        units
    }

    /// Weights of all layers.
    #[must_use]
    pub const fn weights(&self) -> usize {
        let (mut weights, mut index) = (0, 0);
        while index < self.depth() {
            weights += (self.widths[index] as usize + 1) * self.widths[index + 1] as usize;
            index += 1;
        }
        weights
    }

    /// Inputs of the widest layer, its constant included: what a rule keeps of the units before a layer.
    #[must_use]
    pub const fn widest_row(&self) -> usize {
        let (mut widest, mut index) = (0, 0);
        while index < self.depth() {
            let row = self.widths[index] as usize + 1;
            widest = if row > widest { row } else { widest };
            index += 1;
        }
        widest
    }

    /// PlasticLayer `index`; the last one for an index beyond.
    #[must_use]
    pub fn layer(&self, index: usize) -> PlasticLayer {
        let index = index.min(self.depth() - 1);
        let (mut weights, mut before) = (0, 0);
        for pair in self.widths[..=index].windows(2) {
            weights += (usize::from(pair[0]) + 1) * usize::from(pair[1]);
            before += usize::from(pair[0]);
        }
        let (inputs, neurons) = (usize::from(self.widths[index]), usize::from(self.widths[index + 1]));
        PlasticLayer {
            inputs,
            neurons,
            weights,
            before,
            after: before + inputs,
            fan_in_shift: half_logarithm(inputs + 1),
            fan_out_shift: half_logarithm(neurons),
        }
    }
}

/// Half the logarithm of `count` to base 2, rounded up: a sum of `count` values without a common sign grows by that much.
const fn half_logarithm(count: usize) -> u32 {
    count.next_power_of_two().ilog2().div_ceil(2)
}
