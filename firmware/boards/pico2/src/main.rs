//! Raspberry Pi Pico 2 (RP2350, Cortex-M33), with an LSM303AGR and two buttons on its pins where gestures are to be taught; what is kept lies in
//! the flash beside the chip.

#![no_std]
#![no_main]

mod flash;
mod serial;

use cortex_m::Peripherals as CorePeripherals;
use embedded_hal::digital::PinState;
use real::evobit_board::gesture::display::Lamp;
use real::evobit_board::gesture::lsm303agr::Lsm303agr;
use real::{Clock, Cycles, Named, Parts, kept_region};
use rp235x_hal::block::ImageDef;
use rp235x_hal::clocks::init_clocks_and_plls;
use rp235x_hal::fugit::RateExtU32;
use rp235x_hal::gpio::{FunctionI2C, Pin, Pins, PullUp};
use rp235x_hal::pac::Peripherals;
use rp235x_hal::{Clock as _, I2C, Sio, Timer, Watchdog};

use flash::Flash;

/// The crystal of the board.
const CRYSTAL: u32 = 12_000_000;

/// Tells the boot ROM that this is a program for the Arm cores.
#[unsafe(link_section = ".image_definition")]
#[used]
static IMAGE: ImageDef = ImageDef::secure_exe();

struct Pico2;

impl Named for Pico2 {
    const NAME: &'static str = "pico2";
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (Some(chip), Some(mut core)) = (Peripherals::take(), CorePeripherals::take()) else {
        real::restart()
    };
    let mut resets = chip.RESETS;
    let mut watchdog = Watchdog::new(chip.WATCHDOG);
    let clocks = init_clocks_and_plls(
        CRYSTAL,
        chip.XOSC,
        chip.CLOCKS,
        chip.PLL_SYS,
        chip.PLL_USB,
        &mut resets,
        &mut watchdog,
    );
    let Ok(clocks) = clocks else { real::restart() };
    let counters = Cycles::start(&mut core.DCB, &mut core.DWT);
    let mut timer = Timer::new_timer0(chip.TIMER0, &mut resets, &clocks);
    let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, Sio::new(chip.SIO).gpio_bank0, &mut resets);
    let data: Pin<_, FunctionI2C, PullUp> = pins.gpio4.reconfigure();
    let clock: Pin<_, FunctionI2C, PullUp> = pins.gpio5.reconfigure();
    let bus = I2C::i2c0(chip.I2C0, data, clock, 400.kHz(), &mut resets, clocks.system_clock.freq());
    let sensor = Lsm303agr::start(bus, &mut timer);
    let port = (pins.gpio0.reconfigure(), pins.gpio1.reconfigure());
    // SAFETY: this runs once, and memory.x keeps the region free.
    let kept = unsafe { kept_region() };
    let parts = Parts {
        line: serial::start(chip.UART0, port, &mut resets, &clocks),
        flash: Flash::new(kept),
        buttons: (pins.gpio14.into_pull_up_input(), pins.gpio15.into_pull_up_input()),
        sensor,
        screen: Lamp::new(pins.gpio25.into_push_pull_output(), PinState::High),
        clock: Clock::new(move || timer.get_counter_low()),
    };
    real::run(parts, Pico2, counters)
}
