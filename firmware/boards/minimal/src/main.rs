//! The least firmware that classifies, to begin from: a model in flash, one sample, the answer. For an Arm MPS2 AN386 (Cortex-M4F) as
//! QEMU emulates it; another Cortex-M needs its own `memory.x` and another way to print.
//!
//! ```sh
//! qemu-system-arm -machine mps2-an386 -nographic -semihosting-config enable=on,target=native -kernel "$(firmware/build minimal)"
//! ```

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use evobit::{Classifier, ClassifierError, include_model};
use semihosting::{println, process};

/// Made by `evobit train --data digits --seed 1`.
static MODEL: &[u8] = include_model!("../../../../core/examples/digits.evb");

/// Words of a packed sample, words of activations, classes: `evobit inspect --rust MODEL` prints them.
type Digits = Classifier<'static, 24, 16, 10>;

/// A written 2, 8x8 pixels from 0 to 16.
#[rustfmt::skip]
const PIXELS: [u8; 64] = [
    0, 0, 0,  4, 15, 12,  0, 0,
    0, 0, 3, 16, 15, 14,  0, 0,
    0, 0, 8, 13,  8, 16,  0, 0,
    0, 0, 1,  6, 15, 11,  0, 0,
    0, 1, 8, 13, 15,  1,  0, 0,
    0, 9, 16, 16, 5,  0,  0, 0,
    0, 3, 13, 16, 16, 11, 5, 0,
    0, 0, 0,  3, 11, 16,  9, 0,
];

#[cortex_m_rt::entry]
fn main() -> ! {
    match classify() {
        Ok(2) => process::exit(0),
        Ok(other) => println!("a 2 was taken for a {other}"),
        Err(error) => println!("{error}"),
    }
    process::exit(1)
}

fn classify() -> Result<usize, ClassifierError> {
    let mut digits = Digits::parse(MODEL)?;
    let class = digits.classify(&PIXELS)?;
    // SAFETY: every Cortex-M tells here what processor it is.
    let cpu = unsafe { (0xe000_ed00 as *const u32).read_volatile() };
    println!("digit {class}, scores {:?}\nprocessor {cpu:08x}", digits.scores());
    Ok(class)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    process::exit(101)
}
