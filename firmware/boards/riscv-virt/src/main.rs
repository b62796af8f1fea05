//! RISC-V virt machine (RV32IMAC), as QEMU emulates it.

#![no_std]
#![no_main]

use emulated::{Machine, Uart};

/// The first serial port, an NS16550.
struct Port;

const PORT: *mut u8 = 0x1000_0000 as *mut u8;

impl Uart for Port {
    fn ready(&mut self) -> bool {
        // SAFETY: the line status register of the serial port.
        unsafe { PORT.add(5).read_volatile() & 1 != 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the data register of the serial port.
        unsafe { PORT.read_volatile() }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: line status and data register of the serial port.
        unsafe {
            while PORT.add(5).read_volatile() & 0x20 == 0 {}
            PORT.write_volatile(byte);
        }
    }
}

struct RiscvVirt;

impl Machine for RiscvVirt {
    const NAME: &'static str = "riscv-virt";
    // A tick is a nanosecond.
    const INSTRUCTIONS: (u64, u64) = (1, 64);
}

#[riscv_rt::entry]
fn main() -> ! {
    emulated::run_large::<RiscvVirt>(Port)
}
