//! Arm MPS2 with the AN505 image (Cortex-M33), as QEMU emulates it.

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

/// The first serial port, of Arm's Cortex-M System Design Kit.
struct Port;

const PORT: usize = 0x5020_0000;

fn register(offset: usize) -> *mut u32 {
    (PORT + offset) as *mut u32
}

impl Port {
    fn start() -> Self {
        // SAFETY: divider and control register of the serial port: sending and receiving.
        unsafe {
            register(0x10).write_volatile(16);
            register(8).write_volatile(3);
        }
        Self
    }
}

impl Uart for Port {
    fn ready(&mut self) -> bool {
        // SAFETY: the state register of the serial port.
        unsafe { register(4).read_volatile() & 2 != 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the data register of the serial port.
        unsafe { register(0).read_volatile() as u8 }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: state and data register of the serial port.
        unsafe {
            while register(4).read_volatile() & 1 != 0 {}
            register(0).write_volatile(byte.into());
        }
    }
}

struct ThisBoard(Counters);

impl Board for ThisBoard {
    const NAME: &'static str = "mps2-an505";

    fn instructions(&mut self) -> u64 {
        // 20 MHz: a tick takes 50 ns, an instruction 64.
        self.0.instructions() * 25 / 32
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
    emulated::run::<Score, _, _, _, WORDS, FRAME>(arena, SIZES, Port::start(), keeper, ThisBoard(Counters))
}
