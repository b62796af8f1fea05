//! The stack, painted: what is no longer of that colour was used.

const PAINT: u32 = 0x5741_434b;
/// Left unpainted below the stack pointer: what painting itself uses.
const MARGIN: usize = 128;

unsafe extern "C" {
    #[link_name = "_stack_end"]
    static mut END_OF_STACK: u32;
    #[link_name = "_stack_start"]
    static mut START_OF_STACK: u32;
}

/// The lowest word of the stack, which grows downwards.
fn bottom() -> *mut u32 {
    (&raw mut END_OF_STACK).cast::<u8>().wrapping_add(3).map_addr(|address| address & !3).cast()
}

/// Paints what of the stack is not in use.
#[inline(never)]
pub fn paint() {
    let here = 0u32;
    let end = (&raw const here as usize).saturating_sub(MARGIN);
    let mut word = bottom();
    while (word as usize) < end {
        // SAFETY: between the end of the stack and the stack pointer lies memory that nothing else uses: there is no heap.
        unsafe { word.write_volatile(PAINT) };
        word = word.wrapping_add(1);
    }
}

/// Bytes of the stack used at most.
#[must_use]
pub fn used() -> u32 {
    let (mut word, end) = (bottom(), &raw const START_OF_STACK as usize);
    // SAFETY: as for painting; reading goes no further than the stack does.
    while (word as usize) < end && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    (end - word as usize) as u32
}
