//! Stellaris LM3S6965 (Cortex-M3), as QEMU emulates it.

#![no_std]
#![no_main]

use emulated::{Machine, Uart};

/// The first serial port, a PL011.
struct Port;

const PORT: usize = 0x4000_c000;

fn register(offset: usize) -> *mut u32 {
    (PORT + offset) as *mut u32
}

impl Uart for Port {
    fn ready(&mut self) -> bool {
        // SAFETY: the flag register of the serial port.
        unsafe { register(0x18).read_volatile() & 0x10 == 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the data register of the serial port.
        unsafe { register(0).read_volatile() as u8 }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: flag and data register of the serial port.
        unsafe {
            while register(0x18).read_volatile() & 0x20 != 0 {}
            register(0).write_volatile(byte.into());
        }
    }
}

struct Lm3s6965evb;

impl Machine for Lm3s6965evb {
    const NAME: &'static str = "lm3s6965evb";
    // 12.5 MHz: a tick takes 80 ns.
    const INSTRUCTIONS: (u64, u64) = (5, 4);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    emulated::run_large::<Lm3s6965evb>(Port)
}
