//! The command line of evobit.

pub mod command;
