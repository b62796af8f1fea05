//! Networks of single bits that are trained by evolution and go on evolving where they run.
//!
//! No heap, no `unsafe`, no floating point in any decision: this crate is what a host and a
//! microcontroller share, and the same seed gives the same genome on both, bit for bit.
//!
//! From a model image to an answer:
//!
//! ```
//! use evobit::image::Image;
//!
//! /// The class of one raw sample, say the bytes of a camera picture.
//! fn classify(model: &[u8], pixels: &[u8]) -> Option<usize> {
//!     let image = Image::parse(model).ok()?;
//!     let topology = image.topology();
//!     // A board has arrays of these sizes; `Topology` computes them at compile time.
//!     let (mut input, mut hidden, mut scores) = ([0; 64], [0; 64], [0; 16]);
//!     let fits = topology.input_words() <= 64 && topology.hidden_words() <= 64 && topology.classes() <= 16;
//!     if !fits || pixels.len() < image.encoder().features() as usize {
//!         return None;
//!     }
//!     let packing = topology.layer(0).packing;
//!     image.encoder().encode(|feature| pixels[feature as usize].into(), packing, &mut input);
//!     Some(image.network().classify(&input[..topology.input_words()], &mut hidden, &mut scores))
//! }
//!
//! assert_eq!(classify(b"not a model", &[]), None);
//! ```
//!
//! Where to look: [`topology`] says what a network is and where its parts lie, [`network`] runs it, [`evolve`] changes
//! it, [`memory`] is the network without training, [`image`] is the model as bytes, [`encode`] turns raw values into bits, [`environment`] is what networks act in, [`loss`] is what evolution minimises.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(all(test, not(feature = "small")))]
extern crate std;

pub mod bits;
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
