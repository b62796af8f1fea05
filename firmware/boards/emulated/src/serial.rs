//! A serial line over a board's registers.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

/// The registers of a serial port.
pub trait Uart {
    /// True where a byte has come.
    fn ready(&mut self) -> bool;
    /// The byte that has come.
    fn read(&mut self) -> u8;
    /// Sends a byte, when the one before is gone.
    fn write(&mut self, byte: u8);
}

/// A serial port as `embedded-io` sees it.
#[derive(Debug)]
pub struct Serial<U>(pub U);

impl<U> ErrorType for Serial<U> {
    type Error = Infallible;
}

impl<U: Uart> Read for Serial<U> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(byte) = bytes.first_mut() else { return Ok(0) };
        while !self.0.ready() {}
        *byte = self.0.read();
        Ok(1)
    }
}

impl<U: Uart> ReadReady for Serial<U> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.ready())
    }
}

impl<U: Uart> Write for Serial<U> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        bytes.iter().for_each(|&byte| self.0.write(byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
