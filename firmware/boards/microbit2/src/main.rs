//! BBC micro:bit v2 (nRF52833, Cortex-M4F): taught gestures with its buttons, its accelerometer and its lamps; what is kept lies in the chip's
//! own flash.

#![no_std]
#![no_main]

mod screen;
mod serial;

use microbit::board::Board as Hardware;
use microbit::hal::clocks::Clocks;
use microbit::hal::nvmc::Nvmc;
use microbit::hal::twim::{Frequency, Twim};
use microbit::hal::{Timer, twim};
use real::evobit_board::gesture::lsm303agr::Lsm303agr;
use real::{Clock, Cycles, Named, Parts, kept_region};

struct MicroBit2;

impl Named for MicroBit2 {
    const NAME: &'static str = "microbit2";
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(mut board) = Hardware::take() else { real::restart() };
    // The serial line needs the exact clock.
    Clocks::new(board.CLOCK).enable_ext_hfosc();
    let counters = Cycles::start(&mut board.DCB, &mut board.DWT);
    let mut timer = Timer::periodic(board.TIMER0);
    timer.start(u32::MAX);
    let bus = Twim::new(board.TWIM0, twim::Pins::from(board.i2c_internal), Frequency::K400);
    let sensor = Lsm303agr::start(bus, &mut Timer::new(board.TIMER2));
    // SAFETY: this runs once, and memory.x keeps the region free.
    let kept = unsafe { kept_region() };
    let parts = Parts {
        line: serial::start(board.UARTE0, board.uart, &mut board.NVIC),
        flash: Nvmc::new(board.NVMC, kept),
        buttons: (board.buttons.button_a, board.buttons.button_b),
        sensor,
        screen: screen::start(board.TIMER1, board.display_pins, &mut board.NVIC),
        clock: Clock::new(move || timer.read()),
    };
    real::run(parts, MicroBit2, counters)
}
