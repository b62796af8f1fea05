//! Evolution.
pub mod landscape;
pub mod scalar;
pub mod search;
