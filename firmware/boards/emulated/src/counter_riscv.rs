//! Instructions by the counter of the processor: exact under `-icount`.

pub(crate) fn start() {}

/// Instructions since the start.
pub(crate) fn instructions() -> u64 {
    riscv::register::minstret::read64()
}
