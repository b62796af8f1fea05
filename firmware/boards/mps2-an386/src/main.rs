//! Arm MPS2 with the AN386 image (Cortex-M4F), as QEMU emulates it.

#![no_std]
#![no_main]

use emulated::{CmsdkUart, Machine};

struct Mps2An386;

impl Machine for Mps2An386 {
    const NAME: &'static str = "mps2-an386";
    // 25 MHz: a tick takes 40 ns.
    const INSTRUCTIONS: (u64, u64) = (5, 8);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: the address of the first serial port, which nothing else uses.
    let uart = unsafe { CmsdkUart::start(0x4000_4000) };
    emulated::run_large::<Mps2An386>(uart)
}
