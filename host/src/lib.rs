//! Trains networks of single bits by evolution.

pub mod report;
