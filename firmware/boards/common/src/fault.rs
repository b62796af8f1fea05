//! What went wrong before a reset: a note in memory that a start does not clear, for the log of the next start.

use core::mem::MaybeUninit;
use core::panic::PanicInfo;

/// A note that was written says so by this.
const WRITTEN: u32 = 0x4641_554c;

#[derive(Clone, Copy)]
#[repr(C)]
struct Note {
    written: u32,
    line: u32,
    /// A file's name in flash; of no length for a fault of the processor.
    file: *const u8,
    len: usize,
}

#[unsafe(link_section = ".uninit.fault")]
static mut NOTE: MaybeUninit<Note> = MaybeUninit::uninit();

fn write(file: &str, line: u32) {
    let note = Note { written: WRITTEN, line, file: file.as_ptr(), len: file.len() };
    // SAFETY: whoever writes is about to reset the board; nothing else runs.
    unsafe { (&raw mut NOTE).write_volatile(MaybeUninit::new(note)) };
}

/// Logs a panic and notes it for after the reset that the caller makes.
pub fn panicked(info: &PanicInfo<'_>) {
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    defmt::error!("panic in {=str}, line {=u32}", file, line);
    write(file, line);
}

/// Notes a fault of the processor, such as an overflow of the stack, for after the reset that the caller makes.
pub fn faulted() {
    write("", 0);
}

/// Logs what was noted before the last reset, once.
pub fn report() {
    let note = (&raw mut NOTE).cast::<Note>();
    // SAFETY: this runs once, at the start; whatever the memory holds is a note of some kind, numbers and an address.
    let Note { written, line, file, len } = unsafe { note.read_volatile() };
    // SAFETY: as above; the next start has nothing to report.
    unsafe { (&raw mut (*note).written).write_volatile(0) };
    if written != WRITTEN {
        return;
    }
    if len == 0 {
        defmt::error!("restarted after a fault of the processor: the stack, or memory that is not there");
        return;
    }
    // SAFETY: the firmware that wrote the note had the name there, in flash; another one has bytes there as well.
    let file = core::str::from_utf8(unsafe { core::slice::from_raw_parts(file, len) });
    defmt::error!("restarted after a panic in {=str}, line {=u32}", file.unwrap_or("another firmware"), line);
}

/// Makes a function of the kind `extern "C" fn() -> !` what runs at a fault of an Arm processor, on a stack that begins anew: the old one may
/// be what is at fault.
#[macro_export]
macro_rules! hard_fault {
    ($handler:path) => {
        core::arch::global_asm!(
            ".section .HardFault.user, \"ax\"",
            ".global HardFault",
            ".type HardFault,%function",
            ".thumb_func",
            "HardFault:",
            "ldr r0, =_stack_start",
            "msr MSP, r0",
            "bl {handler}",
            "udf #0",
            ".pool",
            handler = sym $handler,
        );
    };
}
