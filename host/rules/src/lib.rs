//! What evobit trains beside networks on samples: local rules, and controllers of environments.

pub mod rule;
pub mod task;
