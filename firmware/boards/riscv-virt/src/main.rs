//! RISC-V virt machine (RV32IMAC), as QEMU emulates it.

#![no_std]
#![no_main]

use emulated::app::arena::Arena;
use emulated::app::keep::Keeper;
use emulated::app::profile::large::{FRAME, SIZES, Score, WORDS};
use emulated::app::serve::Board;
use emulated::{Counters, FileFlash, Uart};

static mut ARENA: Arena<WORDS> = Arena::new();
/// Bytes of flash for what is kept.
const KEPT: usize = 128 * 1024;

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

struct ThisBoard(Counters);

impl Board for ThisBoard {
    const NAME: &'static str = "riscv-virt";

    fn instructions(&mut self) -> u64 {
        // QEMU counts nanoseconds here; an instruction takes 64.
        self.0.instructions() / 64
    }

    fn stack_bytes(&mut self) -> u32 {
        self.0.stack_bytes()
    }
}

#[riscv_rt::entry]
fn main() -> ! {
    let keeper = FileFlash::<KEPT>::open(c"kept.bin").map(|flash| Keeper::new(flash, 0..KEPT as u32));
    // SAFETY: this is the only place that names the arena, and it runs once.
    let arena = unsafe { &mut *(&raw mut ARENA) };
    emulated::run::<Score, _, _, _, WORDS, FRAME>(arena, SIZES, Port, keeper, ThisBoard(Counters))
}
