//! Landscapes for large sample sets: memory for core's scalar landscape, and threads over samples.

mod memory;
mod sharded;

pub use memory::{Memory, scalar_bytes};
pub use sharded::{Sharded, shard_count};
