//! Faults on purpose: every restart but the first goes wrong in another way.

use core::mem::MaybeUninit;

/// How many restarts there were, in memory that a start does not clear.
#[unsafe(link_section = ".uninit.faults")]
static mut RESTARTS: MaybeUninit<[u32; 2]> = MaybeUninit::uninit();
/// Says that it was counted.
const COUNTED: u32 = 0x434f_554e;

/// The first time nothing, then a panic, then an overflow of the stack.
pub(crate) fn next() {
    let counter = (&raw mut RESTARTS).cast::<[u32; 2]>();
    // SAFETY: nothing else names it, and any memory is two numbers.
    let [counted, before] = unsafe { counter.read_volatile() };
    let before = if counted == COUNTED { before } else { 0 };
    // SAFETY: as above.
    unsafe { counter.write_volatile([COUNTED, before + 1]) };
    match before % 3 {
        0 => {}
        1 => panic!("on purpose"),
        _ => {
            core::hint::black_box(deeper(0));
        }
    }
}

/// Needs more and more of the stack.
#[inline(never)]
#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn deeper(depth: u32) -> u32 {
    let room = core::hint::black_box([depth; 64]);
    deeper(depth + 1) + room[depth as usize % 64]
}
