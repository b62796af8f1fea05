//! Instructions by the generic timer: under `-icount shift=6` an instruction takes 64 ns, and the timer counts every 16.

use core::arch::asm;

pub(crate) fn start() {}

/// Ticks since the start.
pub(crate) fn ticks() -> u64 {
    let ticks;
    // SAFETY: reading the counter changes nothing; the barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {}, CNTVCT_EL0", out(reg) ticks, options(nomem, nostack)) };
    ticks
}
