//! Instructions by the processor's counter, which under `-icount` counts the nanoseconds that they take.

pub(crate) fn start() {}

/// Ticks since the start.
pub(crate) fn ticks() -> u64 {
    riscv::register::minstret::read64()
}
