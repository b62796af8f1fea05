//! Whatever crosses crates.
