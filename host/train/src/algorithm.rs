//! What searches: one algorithm a file, for plain runs and for islands alike.
//!
//! A plain run is one island without mail. Both let an [`Algorithm`] take [steps](Algorithm::step) and tell a [`Tracker`] of them;
//! an island lets [immigrants in](Algorithm::welcome) before an epoch.

mod genetic;
mod mating;
mod one;
mod spectrum;

use crate::checkpoint::Search;
use crate::error::TrainError;
use crate::settings;

pub(crate) use one::{Algorithm, Immigrant, Place};

/// The algorithm that the configuration names, at its start or where it was.
pub(crate) fn begin<'a>(
    place: Place<'a>,
    from: Option<&Search>,
) -> Result<Box<dyn Algorithm + 'a>, TrainError> {
    Ok(match place.config.algorithm {
        settings::Algorithm::Spectrum => Box::new(spectrum::Spectrum::begin(place, from)?),
        settings::Algorithm::Genetic => Box::new(genetic::Genetic::begin(place, from)?),
    })
}
