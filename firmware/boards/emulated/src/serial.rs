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

/// The serial port of Arm's Cortex-M System Design Kit.
#[derive(Debug)]
pub struct CmsdkUart(*mut u32);

impl CmsdkUart {
    /// Starts the port.
    ///
    /// # Safety
    /// Such a port must lie at this address, and nothing else may use it.
    #[must_use]
    pub unsafe fn start(address: usize) -> Self {
        let port = Self(address as *mut u32);
        // SAFETY: the caller vouches for the port: its divider, then its control register to send and receive.
        unsafe {
            port.register(0x10).write_volatile(16);
            port.register(8).write_volatile(3);
        }
        port
    }

    fn register(&self, offset: usize) -> *mut u32 {
        self.0.wrapping_byte_add(offset)
    }
}

impl Uart for CmsdkUart {
    fn ready(&mut self) -> bool {
        // SAFETY: the state register, of a port that the maker of this vouched for.
        unsafe { self.register(4).read_volatile() & 2 != 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the data register, as above.
        unsafe { self.register(0).read_volatile() as u8 }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: state and data register, as above.
        unsafe {
            while self.register(4).read_volatile() & 1 != 0 {}
            self.register(0).write_volatile(byte.into());
        }
    }
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
