//! Trains networks of single bits by evolution.

pub mod backend;
pub mod data;
pub mod report;
