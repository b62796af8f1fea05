//! A card with what all that work on it share.

use std::sync::Arc;

use super::device::{Device, DeviceError, Failure};
use super::landscape::Together;

/// See the module.
#[derive(Clone)]
pub struct Gpu {
    pub(super) device: Arc<dyn Device>,
    pub(super) failure: Failure,
    pub(super) spectra: Arc<Together>,
    /// Most bytes that one landscape may take.
    most: u64,
}

impl Gpu {
    /// A card that one landscape at a time has to itself.
    #[must_use]
    pub fn new(device: Arc<dyn Device>) -> Self {
        let spectra = Arc::new(Together::new(&device));
        Self { device, failure: Failure::default(), spectra, most: u64::MAX }
    }

    /// The same for several landscapes at a time, each with the same part of the memory that is free now.
    ///
    /// # Errors
    /// A failure of the driver.
    pub fn shared(&self, landscapes: u64) -> Result<Self, DeviceError> {
        self.spectra.prepare()?;
        let most = self.device.free_memory()? / landscapes.max(1);
        Ok(Self { most, ..self.clone() })
    }

    /// The card itself.
    #[must_use]
    pub fn device(&self) -> &Arc<dyn Device> {
        &self.device
    }

    /// Where its failures are recorded.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Bytes that a landscape may take now.
    pub(super) fn room(&self) -> Result<u64, DeviceError> {
        Ok(self.device.free_memory()?.min(self.most))
    }
}
