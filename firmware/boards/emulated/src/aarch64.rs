//! What a 64-bit Arm machine of QEMU needs beside its start: exceptions, a restart, and critical sections where nothing interrupts.

use core::arch::asm;

use aarch64_rt::{ExceptionHandlers, RegisterStateRef};

/// Interrupts are masked at the start and stay so: all that comes is what went wrong.
struct Exceptions;

impl ExceptionHandlers for Exceptions {
    extern "C" fn sync_current(_state: RegisterStateRef<'_>) {
        crate::after_fault()
    }

    extern "C" fn serror_current(_state: RegisterStateRef<'_>) {
        crate::after_fault()
    }
}

aarch64_rt::exception_handlers!(Exceptions);

struct Alone;

critical_section::set_impl!(Alone);

// SAFETY: there is one core, whose interrupts are masked: every section is critical.
unsafe impl critical_section::Impl for Alone {
    unsafe fn acquire() {}

    unsafe fn release((): ()) {}
}

/// Starts the machine anew, by the power interface that QEMU has in place of firmware (PSCI 1.0, `SYSTEM_RESET`).
pub(crate) fn reset() -> ! {
    // SAFETY: the call takes its number and does not return.
    unsafe { asm!("hvc #0", in("w0") 0x8400_0009u32, options(noreturn)) }
}
