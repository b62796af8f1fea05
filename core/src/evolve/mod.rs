//! Evolution: two searches over genomes of bits.
//!
//! - the *spectrum-guided search* ([`search`]) climbs a [`landscape`] that knows the exact loss of every single-bit
//!   mutant; [`scalar`] is the landscape of any network and the oracle for faster ones, [`compact`] the one that boards run;
//! - the *genetic algorithm* ([`genetic`]) breeds a population scored by any [`genetic::Fitness`].
//!
//! Both draw from one seeded stream and decide by integers: the same seed gives the same genome everywhere.

pub mod compact;
pub mod genetic;
pub mod landscape;
pub mod scalar;
pub mod search;
#[cfg(feature = "full")]
pub mod smooth;
