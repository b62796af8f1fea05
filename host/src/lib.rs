//! Trains networks of single bits by evolution.

pub mod augment;
pub mod backend;
pub mod bench;
pub mod command;
pub mod data;
pub mod encode;
pub mod evaluate;
pub mod forward;
pub mod link;
pub mod machine;
pub mod memory;
pub mod model;
pub mod report;
pub mod rule;
pub mod run_folder;
pub mod settings;
pub mod sweep;
pub mod task;
pub mod train;
