//! Evolution: how a population of genomes, or a single one, gets better.

pub mod genetic;
