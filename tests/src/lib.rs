//! Whatever crosses crates: the property suite that every backend of the landscape must pass.

pub mod corpus;
pub mod cut;
#[cfg(target_os = "linux")]
pub mod hosts;
pub mod landscape;
pub mod program;
