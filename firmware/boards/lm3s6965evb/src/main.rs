//! Stellaris LM3S6965 (Cortex-M3), as QEMU emulates it.

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

struct ThisBoard(Counters);

impl Board for ThisBoard {
    const NAME: &'static str = "lm3s6965evb";

    fn instructions(&mut self) -> u64 {
        // 12.5 MHz: a tick takes 80 ns, an instruction 64.
        self.0.instructions() * 5 / 4
    }

    fn stack_bytes(&mut self) -> u32 {
        self.0.stack_bytes()
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let keeper = FileFlash::<KEPT>::open(c"kept.bin").map(|flash| Keeper::new(flash, 0..KEPT as u32));
    // SAFETY: this is the only place that names the arena, and it runs once.
    let arena = unsafe { &mut *(&raw mut ARENA) };
    emulated::run::<Score, _, _, _, WORDS, FRAME>(arena, SIZES, Port, keeper, ThisBoard(Counters))
}
