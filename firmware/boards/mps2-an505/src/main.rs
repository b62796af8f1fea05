//! Arm MPS2 with the AN505 image (Cortex-M33), as QEMU emulates it.

#![no_std]
#![no_main]

use emulated::{CmsdkUart, Machine};

struct Mps2An505;

impl Machine for Mps2An505 {
    const NAME: &'static str = "mps2-an505";
    // 20 MHz: a tick takes 50 ns.
    const INSTRUCTIONS: (u64, u64) = (25, 32);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the address of the first serial port, which nothing else uses.
    let uart = unsafe { CmsdkUart::start(0x5020_0000) };
    emulated::run_large::<Mps2An505>(uart)
}
