//! Networks of single bits that are trained by evolution and go on evolving where they run.
//!
//! No heap, no `unsafe`, no floating point in any decision: this crate is what a host and a
//! microcontroller share, and the same seed gives the same genome on both, bit for bit.
//!
//! From a model that `evobit train` made to an answer:
//!
//! ```
//! # fn main() -> Result<(), evobit::ClassifierError> {
//! use evobit::{Classifier, include_model};
//!
//! // Words of a packed sample, words of activations, classes: `evobit inspect --rust MODEL` prints them.
//! type Digits<'m> = Classifier<'m, 24, 16, 10>;
//!
//! static MODEL: &[u8] = include_model!("../examples/digits.evb");
//! // A written 2, 8x8 pixels from 0 to 16.
//! let pixels: [u8; 64] = [
//!     0, 0, 0, 4, 15, 12, 0, 0, //
//!     0, 0, 3, 16, 15, 14, 0, 0, //
//!     0, 0, 8, 13, 8, 16, 0, 0, //
//!     0, 0, 1, 6, 15, 11, 0, 0, //
//!     0, 1, 8, 13, 15, 1, 0, 0, //
//!     0, 9, 16, 16, 5, 0, 0, 0, //
//!     0, 3, 13, 16, 16, 11, 5, 0, //
//!     0, 0, 0, 3, 11, 16, 9, 0,
//! ];
//! let mut digits = Digits::parse(MODEL)?;
//! assert_eq!(digits.classify(&pixels)?, 2);
//! # Ok(())
//! # }
//! ```
//!
//! Where to look: [`classifier`] is all that a program needs that only answers; [`topology`] says what a network is and where its parts lie, [`network`] runs it, [`evolve`] changes
//! it, [`memory`] is the network without training, [`image`] is the model as bytes, [`encode`] turns raw values into bits, [`environment`] is what networks act in, [`loss`] is what evolution minimises.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(all(test, feature = "full"))]
extern crate std;

pub mod bits;
pub mod classifier;
pub mod encode;
pub mod environment;
pub mod evolve;
pub mod genome;
pub mod image;
pub mod loss;
pub mod memory;
pub mod network;
pub mod rng;
pub mod rule;
pub mod topology;

pub use classifier::{BufferClassifier, Classifier, ClassifierError, Value};
