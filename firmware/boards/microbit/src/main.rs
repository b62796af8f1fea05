//! BBC micro:bit (nRF51822, Cortex-M0, 16 KB of RAM), as QEMU emulates it. What is kept lies in the chip's own flash.

#![no_std]
#![no_main]

mod flash;
mod memory;

use emulated::evobit_board::arena::Arena;
use emulated::evobit_board::keep::Keeper;
#[cfg(feature = "images")]
use emulated::evobit_board::profile::images::{FRAME as PLAIN, SIZES, Score, WORDS};
#[cfg(not(feature = "images"))]
use emulated::evobit_board::profile::small::{FRAME as PLAIN, SIZES, Score, WORDS};
use emulated::{Machine, Uart};

use flash::{Flash, KEPT};

/// Bytes of the longest frame: a keyed request takes more.
const FRAME: usize = if cfg!(feature = "key") { PLAIN + 32 } else { PLAIN };

static mut ARENA: Arena<WORDS> = Arena::new();

/// The serial port of the nRF51.
struct Port;

const PORT: usize = 0x4000_2000;

fn register(offset: usize) -> *mut u32 {
    (PORT + offset) as *mut u32
}

impl Port {
    fn start() -> Self {
        // SAFETY: the serial port is enabled, then receives and sends.
        unsafe {
            register(0x500).write_volatile(4);
            register(0x000).write_volatile(1);
            register(0x008).write_volatile(1);
        }
        Self
    }
}

impl Uart for Port {
    fn ready(&mut self) -> bool {
        // SAFETY: the event that a byte has come.
        unsafe { register(0x108).read_volatile() != 0 }
    }

    fn read(&mut self) -> u8 {
        // SAFETY: the event is cleared before the byte is read, so that the next one sets it again.
        unsafe {
            register(0x108).write_volatile(0);
            register(0x518).read_volatile() as u8
        }
    }

    fn write(&mut self, byte: u8) {
        // SAFETY: the byte goes out, then the event that it is gone is awaited and cleared.
        unsafe {
            register(0x51c).write_volatile(byte.into());
            while register(0x11c).read_volatile() == 0 {}
            register(0x11c).write_volatile(0);
        }
    }
}

struct Microbit;

impl Machine for Microbit {
    const NAME: &'static str = "microbit";
    // 16 MHz: a tick takes 62.5 ns.
    const INSTRUCTIONS: (u64, u64) = (125, 128);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let keeper = Some(Keeper::new(Flash, 0..KEPT));
    let arena = &raw mut ARENA;
    // SAFETY: this is the only place that names the arena, and it runs once.
    let arena = unsafe { &mut *arena };
    emulated::run::<Score, Microbit, _, _, WORDS, FRAME>(arena, SIZES, Port::start(), keeper)
}
