use super::{MAX_CLASSES, MAX_LAYERS, MAX_SLIDE, MAX_UNITS, MAX_WINDOW_BITS};

/// Why a topology cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopologyError {
    /// A network has one to [`MAX_LAYERS`] layers.
    LayerCount,
    /// A layer has no neurons or no input, or more than [`MAX_UNITS`] (a windowed layer's input may be larger).
    Units {
        /// Layer, counted from 0.
        layer: usize,
    },
    /// A window is empty, does not fit its input wherever it slides, slides by more than [`MAX_SLIDE`], is wider than 32 or of more than
    /// [`MAX_WINDOW_BITS`] bits.
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
                "layer {layer}: the window must fit its input wherever it slides, slide by at most {MAX_SLIDE}, be at most 32 wide and hold at most {MAX_WINDOW_BITS} bits"
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
