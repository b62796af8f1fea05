//! Evolution: two searches over genomes of bits.
//!
//! - the *spectrum-guided search* ([`search`]) climbs a [`landscape`] that knows the exact loss of every single-bit
//!   mutant; [`scalar`] is the landscape as boards run it and the oracle for faster ones;
//! - the *genetic algorithm* ([`genetic`]) breeds a population scored by any [`genetic::Fitness`].
//!
//! Both draw from one seeded stream and decide by integers: the same seed gives the same genome everywhere.

pub mod genetic;
pub mod landscape;
pub mod scalar;
pub mod search;
pub mod smooth;
