//! The LSM303AGR, an accelerometer on an I2C bus: the BBC micro:bit v2 has one.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use lsm303agr::interface::I2cInterface;
use lsm303agr::mode::MagOneShot;
use lsm303agr::{AccelMode, AccelOutputDataRate, AccelScale, Error};

use super::Accelerometer;

/// The sensor, measuring up to four times gravity.
#[derive(Debug)]
pub struct Lsm303agr<I2C>(lsm303agr::Lsm303agr<I2cInterface<I2C>, MagOneShot>);

impl<I2C: I2c> Lsm303agr<I2C> {
    /// Starts the sensor. `None` where none answers.
    pub fn start(bus: I2C, delay: &mut impl DelayNs) -> Option<Self> {
        let mut sensor = lsm303agr::Lsm303agr::new_with_i2c(bus);
        let there = sensor.accelerometer_id().is_ok_and(|id| id.is_correct());
        let started = there
            && sensor.init().is_ok()
            && sensor.set_accel_scale(AccelScale::G4).is_ok()
            && sensor.set_accel_mode_and_odr(delay, AccelMode::Normal, AccelOutputDataRate::Hz100).is_ok();
        started.then_some(Self(sensor))
    }
}

impl<I2C: I2c> Accelerometer for Lsm303agr<I2C> {
    type Error = Error<I2C::Error>;

    fn acceleration(&mut self) -> Result<[i16; 3], Self::Error> {
        let (x, y, z) = self.0.acceleration()?.xyz_mg();
        Ok([x, y, z].map(|axis| axis as i16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
    use std::vec;

    #[test]
    fn readings_are_thousandths_of_gravity() {
        // The data sheet's registers: identity; no mixing of two readings, thermometer on; the same for the magnetometer; four times gravity;
        // 10 bits; 100 Hz on all axes.
        let mut bus = Mock::new(&[
            Transaction::write_read(0x19, vec![0x0f], vec![0x33]),
            Transaction::write(0x19, vec![0x23, 0x80]),
            Transaction::write(0x19, vec![0x1f, 0xc0]),
            Transaction::write(0x1e, vec![0x62, 0x10]),
            Transaction::write(0x19, vec![0x23, 0x90]),
            Transaction::write(0x19, vec![0x23, 0x90]),
            Transaction::write(0x19, vec![0x20, 0x57]),
            // 10 bits, left in 16: 8 thousandths of gravity a step.
            Transaction::write_read(0x19, vec![0xa8], vec![0x00, 0x00, 0x40, 0x1f, 0xc0, 0xe0]),
        ]);
        let mut sensor = Lsm303agr::start(bus.clone(), &mut NoopDelay).unwrap();
        assert_eq!(sensor.acceleration().unwrap(), [0, 1000, -1000]);
        bus.done();
    }

    #[test]
    fn another_sensor_is_none() {
        let mut bus = Mock::new(&[Transaction::write_read(0x19, vec![0x0f], vec![0x32])]);
        assert!(Lsm303agr::start(bus.clone(), &mut NoopDelay).is_none());
        bus.done();
    }
}
