//! Whatever crosses crates: the property suite that every backend of the landscape must pass.

pub mod corpus;
pub mod cut;
#[cfg(target_os = "linux")]
pub mod hosts;
pub mod landscape;
pub mod program;
pub mod structure;

/// The examples of CONTRIBUTING.md, which must compile.
#[cfg(doctest)]
#[doc = include_str!("../../CONTRIBUTING.md")]
pub struct Contributing;
