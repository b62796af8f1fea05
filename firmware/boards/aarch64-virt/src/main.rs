//! Arm virt machine with a Cortex-A57, the processor of the Jetson Nano, as QEMU emulates it without an operating system.

#![no_std]
#![no_main]

use aarch64_rt::{InitialPagetable, entry, initial_pagetable};
use emulated::{Machine, Uart};

/// A block of a page table: present, used, of memory kind 0 (devices) or 1 (memory that is cached); memory is shared.
const DEVICES: usize = 1 | 1 << 10;
const MEMORY: usize = 1 | 1 << 2 | 3 << 8 | 1 << 10;

// Every address is that of the byte it names: the first gigabyte has the devices, the second memory.
initial_pagetable!({
    let mut table = [0; 512];
    table[0] = DEVICES;
    table[1] = MEMORY | 1 << 30;
    InitialPagetable(table)
});

/// The serial port, a PL011.
struct Port;

const PORT: *mut u32 = 0x900_0000 as *mut u32;
const FLAGS: usize = 0x18 / 4;

impl Uart for Port {
    fn ready(&mut self) -> bool {
        // SAFETY: the flags of the serial port: nothing was received.
        unsafe { PORT.add(FLAGS).read_volatile() & 1 << 4 == 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the data register of the serial port.
        unsafe { PORT.read_volatile() as u8 }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: flags (no more can be sent) and data register of the serial port.
        unsafe {
            while PORT.add(FLAGS).read_volatile() & 1 << 5 != 0 {}
            PORT.write_volatile(byte.into());
        }
    }
}

struct Aarch64Virt;

impl Machine for Aarch64Virt {
    const NAME: &'static str = "aarch64-virt";
    // 62.5 MHz: a tick takes 16 ns.
    const INSTRUCTIONS: (u64, u64) = (1, 4);
}

// A stack of four pages, as `memory.x` has it.
entry!(main, 4);
fn main(_: u64, _: u64, _: u64, _: u64) -> ! {
    emulated::run_large::<Aarch64Virt>(Port)
}
