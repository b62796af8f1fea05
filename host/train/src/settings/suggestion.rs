//! What stands where a user sets nothing: what a preset fills in, and rules that need no other setting.

use evobit::evolve::smooth::MAX_RADIUS;
use evobit_data::Schema;

use super::HiddenLayer;

/// What a preset, or none, sets for some data; where the user sets something else, that stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Suggestion {
    pub(super) levels: u16,
    pub(super) hidden: Vec<HiddenLayer>,
    pub(super) copies: u16,
    pub(super) together: u16,
    pub(super) shift: f64,
    pub(super) warp: f64,
    pub(super) sweeps: u32,
    pub(super) heat: f64,
}

/// Margin and temperature of the loss where a single neuron votes; they grow with the square root of the neurons.
pub(super) const fn loss_scale(schema: &Schema) -> (f64, f64) {
    match schema {
        Schema::Image { .. } => (0.7, 0.35),
        // Tables are noisier: a softer loss lets single samples weigh less.
        Schema::Table(_) => (2.0, 2.0),
    }
}

/// The share of the samples that are validation samples. Tables have few rows, and the choice is between cold genomes that are
/// much alike.
pub(super) const fn validation(schema: &Schema) -> f64 {
    match schema {
        Schema::Image { .. } => 0.1,
        Schema::Table(_) => 0.05,
    }
}

/// Over how many levels to either side the spectra of a hot search are smoothed.
pub(super) fn smoothing(schema: &Schema, levels: u16) -> u16 {
    match schema {
        Schema::Image { .. } => 0,
        Schema::Table(_) => (levels / 2).min(MAX_RADIUS as u16),
    }
}

/// Three quarters of a number of sweeps.
pub(super) fn three_quarters(sweeps: u32) -> u32 {
    (u64::from(sweeps) * 3 / 4) as u32
}
