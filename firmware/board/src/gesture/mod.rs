//! Gestures: from accelerations to answers, taught by two buttons with no computer attached.
//!
//! A sensor is asked fifty times a second. What it said in the last 1.28 s is a [`window`], which becomes 27 bytes, the raw sample of a model
//! such as [`model::blank`] writes: it knows nothing, but has levels for these bytes. From there on a gesture is a sample like any other: it goes
//! through the requests that a host would make, so that a host can look on, pull what was taught, or teach itself.
//!
//! | buttons | what happens |
//! |---|---|
//! | A, tapped or held | the next label, another one every 0.8 s |
//! | B, tapped or held | the next 1.28 s are a sample of the label, and so on while it is held |
//! | both, for two seconds | everything that was taught is forgotten |
//! | none | the answer is shown, three times a second |
//!
//! [`teach`] is that table, [`hands`] puts it over pins and a sensor, [`display`] is what can be seen.

pub mod display;
pub mod hands;
#[cfg(feature = "lsm303agr")]
pub mod lsm303agr;
pub mod model;
pub mod teach;
pub mod window;

/// Milliseconds between two readings of the sensor.
pub const PERIOD: u32 = 20;

/// A sensor of acceleration.
pub trait Accelerometer {
    /// Why it could not be read.
    type Error;

    /// The acceleration along x, y and z, in thousandths of that of gravity.
    ///
    /// # Errors
    /// What the bus reports.
    fn acceleration(&mut self) -> Result<[i16; 3], Self::Error>;
}
