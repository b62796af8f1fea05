//! What a run finally uses.

use super::TrainConfig;

impl TrainConfig {
    /// The heat of a sweep, counted from 0, in mean loss: it falls in a straight line to 0 at the end of cooling, or is as
    /// recorded.
    #[must_use]
    pub fn heat_of(&self, sweep: u32) -> f64 {
        if let Some(heats) = &self.heats {
            return heats.get(sweep as usize).copied().unwrap_or(0.0);
        }
        let left = f64::from(self.cooling.saturating_sub(sweep)) / f64::from(self.cooling.max(1));
        // A product of exact numbers: the same on every machine.
        self.heat * left
    }

    /// Epochs of an island.
    #[must_use]
    pub const fn epochs(&self) -> u32 {
        self.sweeps.div_ceil(self.epoch)
    }

    /// The configuration as TOML, which is again a file of settings.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // All fields are plain values: this cannot fail.
        toml::to_string(self).unwrap_or_default()
    }
}
