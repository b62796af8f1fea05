//! The shape of a network, and where each of its parts lies in the packed genome.
//!
//! A network is up to [`MAX_LAYERS`] layers over a three-dimensional input (planes, rows, columns).
//! Every layer has the same form: a neuron sees `inputs` bits, counts how many of them differ from
//! its weights, and is +1 while these *mismatches* do not exceed its *threshold*. In a dense layer a
//! neuron sees every unit of the layer before; in a windowed layer it sees a small box of planes,
//! rows and columns at a place of its own. The last layer is dense and has one neuron per class.
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

use crate::bits::words_for;

/// Most layers of a network.
pub const MAX_LAYERS: usize = if cfg!(feature = "small") { 2 } else { 8 };
/// Most classes, that is neurons of the last layer.
pub const MAX_CLASSES: u32 = 256;
/// Most inputs of one neuron, and most neurons of one layer: pre-activations fit an `i16`.
pub const MAX_UNITS: u32 = i16::MAX as u32;
/// Most inputs of a windowed neuron: its window is gathered on the stack.
pub const MAX_WINDOW_BITS: u32 = 1024;
/// Words that hold the largest window.
pub const WINDOW_WORDS: usize = words_for(MAX_WINDOW_BITS) as usize;
/// Most words a windowed layer's input may take: a place is a bit address of 16 bits.
const MAX_WINDOWED_INPUT_WORDS: u32 = 1 << 11;
/// Most words of a genome (256 MiB).
const MAX_GENOME_WORDS: u32 = 1 << 26;

/// A three-dimensional arrangement of units; a flat one has one plane of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// What a neuron of a layer sees of the layer before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    },
}

/// A layer as a user asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Self { field: Field::Window { planes, height, width }, output: Shape::flat(neurons) }
    }
}

/// How the units of a layer's input are packed into words: rows of `row_bits` units, each row padded
/// to whole words. A dense layer reads one long row; a windowed layer reads one row per image row, so
/// that a window never has to be pieced together from odd places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Number of rows.
    pub rows: u32,
    /// Units in a row.
    pub row_bits: u32,
    /// Words of a row.
    pub row_words: u32,
}

impl Packing {
    const fn new(input: Shape, field: Field) -> Self {
        let (rows, row_bits) = match field {
            Field::Dense => (1, input.units() as u32),
            Field::Window { .. } => (input.planes as u32 * input.height as u32, input.width as u32),
        };
        Self { rows, row_bits, row_words: words_for(row_bits) }
    }

    /// Words of all rows.
    #[must_use]
    pub const fn words(&self) -> usize {
        (self.rows * self.row_words) as usize
    }

    /// Number of units.
    #[must_use]
    pub const fn units(&self) -> u32 {
        self.rows * self.row_bits
    }

    /// The bit address of unit `index`, rows first.
    #[must_use]
    pub const fn position(&self, index: u32) -> u32 {
        (index / self.row_bits * self.row_words) * 32 + index % self.row_bits
    }
}

/// A layer with everything that follows from its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What each neuron sees.
    pub field: Field,
    /// Shape of the units the layer reads.
    pub input: Shape,
    /// Shape of its neurons.
    pub output: Shape,
    /// How the units it reads are packed.
    pub packing: Packing,
    /// Number of neurons.
    pub neurons: u32,
    /// Bits each neuron sees.
    pub inputs: u32,
    /// Words of one neuron's weights.
    pub row_words: u32,
    /// Bits of a stored threshold: 8 or 16.
    pub threshold_bits: u32,
    /// First word of the places in the genome (equal to `thresholds` in a dense layer).
    pub places: u32,
    /// First word of the thresholds in the genome.
    pub thresholds: u32,
    /// First word of the weights in the genome.
    pub weights: u32,
    /// First word after this layer in the genome.
    pub end: u32,
}

impl Plan {
    const EMPTY: Self = Self {
        field: Field::Dense,
        input: Shape::flat(0),
        output: Shape::flat(0),
        packing: Packing { rows: 0, row_bits: 0, row_words: 0 },
        neurons: 0,
        inputs: 0,
        row_words: 0,
        threshold_bits: 8,
        places: 0,
        thresholds: 0,
        weights: 0,
        end: 0,
    };

    /// Entries of one neuron's spectrum: a flip of each weight, then the threshold raised, then lowered.
    #[must_use]
    pub const fn mutants(&self) -> usize {
        self.inputs as usize + 2
    }

    /// Evolvable bits of one threshold: as many as its range `0..inputs` needs.
    #[must_use]
    pub const fn threshold_genes(&self) -> u32 {
        if self.inputs <= 1 { 0 } else { u32::BITS - (self.inputs - 1).leading_zeros() }
    }

    /// Rows, columns and planes at which a window may begin: (planes, rows, columns).
    #[must_use]
    pub const fn places_range(&self) -> (u32, u32, u32) {
        match self.field {
            Field::Dense => (1, 1, 1),
            Field::Window { planes, height, width } => (
                (self.input.planes - planes) as u32 + 1,
                (self.input.height - height) as u32 + 1,
                (self.input.width - width) as u32 + 1,
            ),
        }
    }

    /// The place of a window whose first unit is at this plane, row and column: its bit address.
    #[must_use]
    pub const fn place(&self, plane: u32, row: u32, column: u32) -> u16 {
        ((plane * self.input.height as u32 + row) * self.packing.row_words * 32 + column) as u16
    }

    /// The (plane, row, column) of a place, or `None` where no window fits.
    #[must_use]
    pub const fn corner(&self, place: u16) -> Option<(u32, u32, u32)> {
        let line = place as u32 / 32 / self.packing.row_words;
        let column = place as u32 - line * self.packing.row_words * 32;
        let (plane, row) = (line / self.input.height as u32, line % self.input.height as u32);
        let (planes, rows, columns) = self.places_range();
        if plane < planes && row < rows && column < columns { Some((plane, row, column)) } else { None }
    }
}

/// Why a topology cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyError {
    /// A network has one to [`MAX_LAYERS`] layers.
    LayerCount,
    /// A layer has no neurons or no input, or more than [`MAX_UNITS`] (a windowed layer's input may be larger).
    Units {
        /// Layer, counted from 0.
        layer: usize,
    },
    /// A window is empty, larger than its input, wider than 32 or of more than [`MAX_WINDOW_BITS`] bits.
    Window {
        /// Layer, counted from 0.
        layer: usize,
    },
    /// The input of a windowed layer takes more than 2048 words.
    WindowedInput {
        /// Layer, counted from 0.
        layer: usize,
    },
    /// The last layer must be dense, with 2 to [`MAX_CLASSES`] neurons.
    Output,
    /// The genome would take more than 256 MiB.
    GenomeSize,
}

impl core::fmt::Display for TopologyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::LayerCount => write!(f, "a network needs 1 to {MAX_LAYERS} layers"),
            Self::Units { layer } => {
                write!(f, "layer {layer}: neurons, and inputs of a dense layer, must number 1 to {MAX_UNITS}")
            }
            Self::Window { layer } => write!(
                f,
                "layer {layer}: the window must fit its input, be at most 32 wide and hold at most {MAX_WINDOW_BITS} bits"
            ),
            Self::WindowedInput { layer } => {
                write!(f, "layer {layer}: the input of a windowed layer is limited to 2048 words")
            }
            Self::Output => {
                write!(f, "the last layer must be dense with one neuron per class, 2 to {MAX_CLASSES}")
            }
            Self::GenomeSize => write!(f, "the genome would take more than 256 MiB"),
        }
    }
}

impl core::error::Error for TopologyError {}

/// The shape of a whole network, checked.
#[derive(Clone, Copy, PartialEq, Eq)]
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
            let plan = match plan_layer(shape, layers[index], offset, index) {
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

const fn plan_layer(input: Shape, layer: Layer, offset: u32, index: usize) -> Result<Plan, TopologyError> {
    let (units, neurons) = (input.units(), layer.output.units());
    let most_units = match layer.field {
        Field::Dense => MAX_UNITS as u64,
        Field::Window { .. } => (MAX_WINDOWED_INPUT_WORDS * 32) as u64,
    };
    if units == 0 || units > most_units || neurons == 0 || neurons > MAX_UNITS as u64 {
        return Err(TopologyError::Units { layer: index });
    }
    let neurons = neurons as u32;
    let packing = Packing::new(input, layer.field);
    let inputs = match layer.field {
        Field::Dense => units as u32,
        Field::Window { planes, height, width } => {
            let bits = planes as u64 * height as u64 * width as u64;
            let fits = planes <= input.planes && height <= input.height && width <= input.width;
            if !fits || bits == 0 || bits > MAX_WINDOW_BITS as u64 || width > 32 {
                return Err(TopologyError::Window { layer: index });
            }
            if packing.rows as u64 * packing.row_words as u64 > MAX_WINDOWED_INPUT_WORDS as u64 {
                return Err(TopologyError::WindowedInput { layer: index });
            }
            bits as u32
        }
    };
    let row_words = words_for(inputs);
    let threshold_bits = if inputs <= 256 { 8 } else { 16 };
    let places = offset;
    let thresholds = places
        + match layer.field {
            Field::Dense => 0,
            Field::Window { .. } => neurons.div_ceil(2),
        };
    let weights = thresholds + words_for(neurons * threshold_bits);
    let end = weights as u64 + neurons as u64 * row_words as u64;
    if end > MAX_GENOME_WORDS as u64 {
        return Err(TopologyError::GenomeSize);
    }
    Ok(Plan {
        field: layer.field,
        input,
        output: layer.output,
        packing,
        neurons,
        inputs,
        row_words,
        threshold_bits,
        places,
        thresholds,
        weights,
        end: end as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_sizes_its_buffers_at_compile_time() {
        const TOPOLOGY: Topology = match Topology::new(
            Shape { planes: 1, height: 28, width: 28 },
            &[Layer::windows(640, 1, 8, 8), Layer::dense(10)],
        ) {
            Ok(topology) => topology,
            Err(_) => panic!(),
        };
        let genome = [0u32; TOPOLOGY.genome_words()];
        // 640 places of 2 bytes, thresholds of 1 byte, weights of 8 bytes; ten rows of 640 bits and 16-bit thresholds.
        assert_eq!(genome.len() * 4, 640 * (2 + 1 + 8) + 10 * (80 + 2));
        assert_eq!(TOPOLOGY.input_words(), 28);
        assert_eq!(TOPOLOGY.hidden_words(), 20);
        assert_eq!(TOPOLOGY.weights(), 640 * 64 + 6400);
    }

    #[test]
    fn places_address_the_corner_of_a_window() {
        let input = Shape { planes: 3, height: 10, width: 40 };
        let topology = Topology::new(input, &[Layer::windows(5, 2, 3, 9), Layer::dense(2)]).unwrap();
        let plan = topology.layer(0);
        let (planes, rows, columns) = plan.places_range();
        assert_eq!((planes, rows, columns), (2, 8, 32));
        let mut found = 0;
        for place in 0..=u16::MAX {
            if let Some((plane, row, column)) = plan.corner(place) {
                assert_eq!(plan.place(plane, row, column), place);
                found += 1;
            }
        }
        assert_eq!(found, planes * rows * columns);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let image = Shape { planes: 1, height: 28, width: 28 };
        let new = |layers: &[Layer]| Topology::new(image, layers);
        assert_eq!(new(&[]), Err(TopologyError::LayerCount));
        assert_eq!(new(&[Layer::dense(10); 9]), Err(TopologyError::LayerCount));
        assert_eq!(new(&[Layer::dense(0), Layer::dense(10)]), Err(TopologyError::Units { layer: 0 }));
        assert_eq!(new(&[Layer::dense(1)]), Err(TopologyError::Output));
        assert_eq!(new(&[Layer::dense(257)]), Err(TopologyError::Output));
        assert_eq!(new(&[Layer::windows(10, 1, 8, 8)]), Err(TopologyError::Output));
        assert_eq!(
            new(&[Layer::windows(10, 1, 29, 8), Layer::dense(2)]),
            Err(TopologyError::Window { layer: 0 })
        );
        assert_eq!(
            new(&[Layer::windows(10, 0, 8, 8), Layer::dense(2)]),
            Err(TopologyError::Window { layer: 0 })
        );
        assert_eq!(
            new(&[Layer::dense(32767), Layer::dense(32767), Layer::dense(32767), Layer::dense(2)]),
            Err(TopologyError::GenomeSize)
        );
        let window = |input, planes, height, width| {
            Topology::new(input, &[Layer::windows(1, planes, height, width), Layer::dense(2)]).map(|_| ())
        };
        let deep = Shape { planes: 2, height: 32, width: 600 };
        assert_eq!(window(deep, 1, 32, 32), Ok(()));
        assert_eq!(window(deep, 1, 1, 33), Err(TopologyError::Window { layer: 0 }));
        assert_eq!(window(deep, 2, 32, 17), Err(TopologyError::Window { layer: 0 }));
        let columns = |height| Shape { planes: 1, height, width: 1 };
        assert_eq!(window(columns(2048), 1, 1, 1), Ok(()));
        assert_eq!(window(columns(2049), 1, 1, 1), Err(TopologyError::WindowedInput { layer: 0 }));
        let wide = Shape { planes: 3, height: 100, width: 300 };
        assert_eq!(Topology::new(wide, &[Layer::dense(2)]), Err(TopologyError::Units { layer: 0 }));
    }

    #[test]
    fn threshold_genes_cover_their_range() {
        for (inputs, genes) in [(1u16, 0), (2, 1), (9, 4), (64, 6), (65, 7), (256, 8), (784, 10)] {
            let topology = Topology::new(Shape::flat(inputs), &[Layer::dense(2)]).unwrap();
            assert_eq!(topology.layer(0).threshold_genes(), genes, "{inputs}");
        }
    }
}
