//! In place of event files, where the program was built without them.

use std::path::Path;

use super::ReportError;

/// An event file of TensorBoard, which this program cannot write.
#[derive(Debug)]
pub enum Events {}

impl Events {
    /// Says whether there are any.
    ///
    /// # Errors
    /// Always [`ReportError::NoEvents`].
    pub const fn available() -> Result<(), ReportError> {
        Err(ReportError::NoEvents)
    }

    /// Makes none.
    ///
    /// # Errors
    /// Always [`ReportError::NoEvents`].
    pub fn create(_folder: &Path, _seconds: f64) -> Result<Self, ReportError> {
        Err(ReportError::NoEvents)
    }

    /// There are none to write to.
    ///
    /// # Errors
    /// None.
    pub fn scalars(&mut self, _seconds: f64, _step: u64, _values: &[(&str, f64)]) -> Result<(), ReportError> {
        match *self {}
    }
}
