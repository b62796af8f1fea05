//! Checks of several settings together.

use super::check::SHARES;
use super::{Algorithm, TrainConfig};

/// What a configuration must not be, and the complaint where it is.
type Fault = (fn(&TrainConfig) -> bool, &'static str);

/// What may be wrong with several settings together.
const TOGETHER: &[Fault] = &[
    (|config| config.test.share() + config.validation >= 1.0, SHARES),
    (
        |config| config.objective != "loss" && config.algorithm != Algorithm::Genetic,
        "objective is of the genetic algorithm: set algorithm to genetic as well",
    ),
    (
        |config| config.elites >= config.population || !(1..=config.population).contains(&config.tournament),
        "elites must be fewer than the population, tournament 1 to the population",
    ),
    (
        |config| config.islands.is_some() && (config.target.is_some() || config.steps.is_some()),
        "islands end after as many sweeps as they are told: set sweeps, and leave target and steps out",
    ),
];

impl TrainConfig {
    /// Checks every setting, then all of them together.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_each()?;
        if let Some(complaint) = self.kind.complaint(&self.hidden, self.algorithm == Algorithm::Spectrum) {
            return Err(complaint.into());
        }
        match TOGETHER.iter().find(|(is_wrong, _)| is_wrong(self)) {
            Some((_, complaint)) => Err((*complaint).into()),
            None => Ok(()),
        }
    }
}
