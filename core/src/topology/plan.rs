//! One layer, with where its parts lie.

use super::{
    Field, Layer, MAX_GENOME_WORDS, MAX_SLIDE, MAX_UNITS, MAX_WINDOW_BITS, MAX_WINDOWED_INPUT_WORDS, Shape,
    TopologyError,
};
use crate::bits::words_for;

/// How the units of a layer's input are packed into words: rows of `row_bits` units, each row padded
/// to whole words. A dense layer reads one long row; a windowed layer reads one row per image row, so
/// that a window never has to be pieced together from odd places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
            Field::Dense => (1, input.planes as u32 * input.height as u32 * input.width as u32),
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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
    /// All zeros, so that a place for a topology takes no bytes of flash.
    pub(super) const EMPTY: Self = Self {
        field: Field::Dense,
        input: Shape { planes: 0, height: 0, width: 0 },
        output: Shape { planes: 0, height: 0, width: 0 },
        packing: Packing { rows: 0, row_bits: 0, row_words: 0 },
        neurons: 0,
        inputs: 0,
        row_words: 0,
        threshold_bits: 0,
        places: 0,
        thresholds: 0,
        weights: 0,
        end: 0,
    };

    /// Plans layer `index` over `input`, its genome from word `offset` on.
    pub(super) const fn new(
        input: Shape,
        layer: Layer,
        offset: u32,
        index: usize,
    ) -> Result<Self, TopologyError> {
        let most_units = match layer.field {
            Field::Dense => MAX_UNITS,
            Field::Window { .. } => MAX_WINDOWED_INPUT_WORDS * 32,
        };
        let (Some(units), Some(neurons)) =
            (input.units_up_to(most_units), layer.output.units_up_to(MAX_UNITS))
        else {
            return Err(TopologyError::Units { layer: index });
        };
        let packing = Packing::new(input, layer.field);
        let inputs = match layer.field {
            Field::Dense => units,
            Field::Window { .. } if !cfg!(feature = "full") => {
                return Err(TopologyError::Window { layer: index });
            }
            Field::Window { planes, height, width, slide } => {
                let bits = planes as u64 * height as u64 * width as u64;
                let fits = planes <= input.planes
                    && slide <= MAX_SLIDE
                    && height as u32 + slide as u32 <= input.height as u32
                    && width as u32 + slide as u32 <= input.width as u32;
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
        // Fits: a layer has fewer than 2^15 neurons of fewer than 2^11 words, and starts within the limit.
        let end = weights + neurons * row_words;
        if end > MAX_GENOME_WORDS {
            return Err(TopologyError::GenomeSize);
        }
        Ok(Self {
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
            end,
        })
    }

    /// True where a neuron sees every unit of the layer before: always without the feature `full`.
    #[must_use]
    pub const fn is_dense(&self) -> bool {
        !cfg!(feature = "full") || matches!(self.field, Field::Dense)
    }

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

    /// Rows and columns by which a window slides; 0 in a dense layer.
    #[must_use]
    #[inline]
    pub const fn slide(&self) -> u32 {
        match self.field {
            _ if self.is_dense() => 0,
            Field::Dense => 0,
            Field::Window { slide, .. } => slide as u32,
        }
    }

    /// The places of all positions of a window that begins at `place` and slides, `place` itself first.
    pub fn positions(&self, place: u16) -> impl Iterator<Item = u16> + use<> {
        let (slide, row_bits) = (self.slide(), self.packing.row_words * 32);
        (0..=slide)
            .flat_map(move |row| (0..=slide).map(move |column| place + (row * row_bits + column) as u16))
    }

    /// Rows, columns and planes at which a window may begin, so that all of its positions fit: (planes, rows, columns).
    #[must_use]
    pub const fn places_range(&self) -> (u32, u32, u32) {
        match self.field {
            _ if self.is_dense() => (1, 1, 1),
            Field::Dense => (1, 1, 1),
            Field::Window { planes, height, width, slide } => (
                (self.input.planes - planes) as u32 + 1,
                (self.input.height - height - slide) as u32 + 1,
                (self.input.width - width - slide) as u32 + 1,
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
