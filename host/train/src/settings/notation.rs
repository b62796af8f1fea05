//! How shapes and layers are written: `28x28`, `128`, `512@8x8`, `512@8x8+4`, `4x10x10@1x5x5`.

use std::fmt;
use std::str::FromStr;

use evobit::topology::{Field, Layer, Plan, Shape, Topology, TopologyError};
use serde::{Deserialize, Serialize};

/// Height and width of images, and channels where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageShape(pub u16, pub u16, pub u16);

impl FromStr for ImageShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match numbers(text)[..] {
            [Some(height), Some(width)] => Ok(Self(1, height, width)),
            [Some(channels), Some(height), Some(width)] => Ok(Self(channels, height, width)),
            _ => Err(format!("'{text}' is not a shape such as 28x28 or 3x32x32")),
        }
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.0, self.1, self.2)
    }
}

/// The test part: a share of the data, or a file of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TestPart {
    /// So much of the data.
    Share(f64),
    /// This file.
    File(String),
}

impl TestPart {
    /// The share of the data that is held out.
    #[must_use]
    pub const fn share(&self) -> f64 {
        match self {
            Self::Share(share) => *share,
            Self::File(_) => 0.0,
        }
    }
}

impl FromStr for TestPart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(share) => Ok(Self::Share(share)),
            Err(_) if text.is_empty() => Err("a path is not empty".into()),
            Err(_) => Ok(Self::File(text.into())),
        }
    }
}

/// One hidden layer as a user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HiddenLayer {
    /// No hidden layer at all; stands alone.
    None,
    /// Every neuron sees everything.
    Dense(u16),
    /// Every neuron sees a window, of all planes of the layer before or of some.
    Window {
        /// Arrangement of the neurons, for the layer after.
        output: Shape,
        /// Planes of the window; 0 for all.
        planes: u16,
        /// Rows of the window.
        height: u16,
        /// Columns of the window.
        width: u16,
        /// Rows and columns by which it slides.
        slide: u16,
    },
}

impl HiddenLayer {
    /// The layer of a planned one.
    #[must_use]
    pub const fn of(plan: &Plan) -> Self {
        match plan.field {
            // Wider than a layer can be is none that was planned.
            Field::Dense => Self::Dense(plan.neurons as u16),
            Field::Window { planes, height, width, slide } => {
                Self::Window { output: plan.output, planes, height, width, slide }
            }
        }
    }
}

impl FromStr for HiddenLayer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is not a layer such as 128 (dense), 512@8x8 (windows), 512@8x8+4 (windows that slide by up to 4) or 4x10x10@1x5x5 (a grid of windows)"
            )
        };
        if text == "none" {
            return Ok(Self::None);
        }
        let (neurons, window) =
            text.split_once('@').map_or((text, None), |(neurons, window)| (neurons, Some(window)));
        let output = match numbers(neurons)[..] {
            [Some(neurons)] => Shape::flat(neurons),
            [Some(planes), Some(height), Some(width)] => Shape { planes, height, width },
            _ => return Err(wrong()),
        };
        let (window, slide) = match window.and_then(|window| window.split_once('+')) {
            Some((window, slide)) => (Some(window), slide.parse().map_err(|_| wrong())?),
            None => (window, 0),
        };
        let (planes, height, width) = match (window.map(numbers).as_deref(), output) {
            (None, Shape { planes: 1, height: 1, width }) => return Ok(Self::Dense(width)),
            (Some(&[Some(height), Some(width)]), _) => (0, height, width),
            (Some(&[Some(planes), Some(height), Some(width)]), _) => (planes, height, width),
            _ => return Err(wrong()),
        };
        Ok(Self::Window { output, planes, height, width, slide })
    }
}

impl fmt::Display for HiddenLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => f.write_str("none"),
            Self::Dense(neurons) => write!(f, "{neurons}"),
            Self::Window { output, planes, height, width, slide } => {
                match output {
                    Shape { planes: 1, height: 1, width } => write!(f, "{width}")?,
                    Shape { planes, height, width } => write!(f, "{planes}x{height}x{width}")?,
                }
                match planes {
                    0 => write!(f, "@{height}x{width}")?,
                    _ => write!(f, "@{planes}x{height}x{width}")?,
                }
                if slide > 0 { write!(f, "+{slide}") } else { Ok(()) }
            }
        }
    }
}

impl HiddenLayer {
    /// The layer over an input of `planes` planes; `None` for no layer.
    #[must_use]
    pub fn layer(self, input_planes: u16) -> Option<Layer> {
        match self {
            Self::None => None,
            Self::Dense(neurons) => Some(Layer::dense(neurons)),
            Self::Window { output, planes, height, width, slide } => {
                let planes = if planes == 0 { input_planes } else { planes };
                Some(Layer { field: Field::Window { planes, height, width, slide }, output })
            }
        }
    }
}

/// The network over an input of this shape.
///
/// # Errors
/// Layers that make none.
pub fn plan(input: Shape, hidden: &[HiddenLayer], classes: usize) -> Result<Topology, TopologyError> {
    let mut planes = input.planes;
    let mut layers: Vec<Layer> = vec![];
    for hidden in hidden {
        if let Some(layer) = hidden.layer(planes) {
            planes = layer.output.planes;
            layers.push(layer);
        }
    }
    layers.push(Layer::dense(classes as u16));
    Topology::new(input, &layers)
}

fn numbers(text: &str) -> Vec<Option<u16>> {
    text.split('x').map(|part| part.parse().ok().filter(|&number| number > 0)).collect()
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}
as_text!(ImageShape, HiddenLayer);
