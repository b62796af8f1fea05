//! evobit.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod bits;
pub mod encode;
pub mod evolve;
pub mod genome;
pub mod image;
pub mod loss;
pub mod network;
pub mod rng;
pub mod topology;
