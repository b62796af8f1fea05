//! Nordic nRF52840 DK (nRF52840, Cortex-M4F), with an LSM303AGR on its I2C pins where gestures are to be taught; what is kept lies in the chip's
//! own flash.

#![no_std]
#![no_main]

mod serial;

use embedded_hal::digital::PinState;
use nrf52840_hal::clocks::Clocks;
use nrf52840_hal::gpio::{Level, p0};
use nrf52840_hal::nvmc::Nvmc;
use nrf52840_hal::pac::{CorePeripherals, Peripherals};
use nrf52840_hal::twim::{Frequency, Twim};
use nrf52840_hal::{Timer, twim, uarte};
use real::evobit_board::gesture::display::Lamp;
use real::evobit_board::gesture::lsm303agr::Lsm303agr;
use real::{Clock, Cycles, Named, Parts, kept_region};

struct Nrf52840Dk;

impl Named for Nrf52840Dk {
    const NAME: &'static str = "nrf52840-dk";
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (Some(chip), Some(mut core)) = (Peripherals::take(), CorePeripherals::take()) else {
        real::restart()
    };
    // The serial line needs the exact clock.
    Clocks::new(chip.CLOCK).enable_ext_hfosc();
    let counters = Cycles::start(&mut core.DCB, &mut core.DWT);
    let mut timer = Timer::periodic(chip.TIMER0);
    timer.start(u32::MAX);
    let pins = p0::Parts::new(chip.P0);
    let bus = twim::Pins {
        sda: pins.p0_26.into_floating_input().degrade(),
        scl: pins.p0_27.into_floating_input().degrade(),
    };
    let bus = Twim::new(chip.TWIM0, bus, Frequency::K400);
    let sensor = Lsm303agr::start(bus, &mut Timer::new(chip.TIMER2));
    let port = uarte::Pins {
        txd: pins.p0_06.into_push_pull_output(Level::High).degrade(),
        rxd: pins.p0_08.into_floating_input().degrade(),
        cts: None,
        rts: None,
    };
    // SAFETY: this runs once, and memory.x keeps the region free.
    let kept = unsafe { kept_region() };
    let parts = Parts {
        line: serial::start(chip.UARTE0, port),
        flash: Nvmc::new(chip.NVMC, kept),
        buttons: (pins.p0_11.into_pullup_input(), pins.p0_12.into_pullup_input()),
        sensor,
        // LED1 is lit where its pin is low.
        screen: Lamp::new(pins.p0_13.into_push_pull_output(Level::High), PinState::Low),
        clock: Clock::new(move || timer.read()),
    };
    real::run(parts, Nrf52840Dk, counters)
}
