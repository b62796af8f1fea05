//! The first serial port, on GP0 and GP1: a debug probe or an adapter passes it on over USB.

use core::cell::RefCell;

use cortex_m::interrupt::{Mutex, free};
use cortex_m::peripheral::NVIC;
use real::Serial;
use rp235x_hal::Clock;
use rp235x_hal::clocks::ClocksManager;
use rp235x_hal::fugit::RateExtU32;
use rp235x_hal::gpio::bank0::{Gpio0, Gpio1};
use rp235x_hal::gpio::{FunctionUart, Pin, PullNone, PullUp};
use rp235x_hal::pac::{Interrupt, RESETS, UART0, interrupt};
use rp235x_hal::uart::{DataBits, Reader, StopBits, UartConfig, UartPeripheral, Writer};

/// Sending and receiving.
pub(crate) type Pins = (Pin<Gpio0, FunctionUart, PullNone>, Pin<Gpio1, FunctionUart, PullUp>);

static RECEIVER: Mutex<RefCell<Option<Reader<UART0, Pins>>>> = Mutex::new(RefCell::new(None));

/// Starts the port: 115,200 bits a second, no parity.
pub(crate) fn start(
    port: UART0,
    pins: Pins,
    resets: &mut RESETS,
    clocks: &ClocksManager,
) -> Serial<Writer<UART0, Pins>> {
    let config = UartConfig::new(115_200.Hz(), DataBits::Eight, None, StopBits::One);
    let port = UartPeripheral::new(port, pins, resets).enable(config, clocks.peripheral_clock.freq());
    let Ok(port) = port else { real::restart() };
    let (mut receiver, sender) = port.split();
    let Some(line) = Serial::new(sender) else { real::restart() };
    receiver.enable_rx_interrupt();
    free(|section| RECEIVER.borrow(section).replace(Some(receiver)));
    // SAFETY: the interrupt takes the receiver in a section of its own, as is done here.
    unsafe { NVIC::unmask(Interrupt::UART0_IRQ) };
    line
}

/// Bytes have come; those that come meanwhile wait in the port, up to 32.
#[interrupt]
fn UART0_IRQ() {
    free(|section| {
        let mut receiver = RECEIVER.borrow(section).borrow_mut();
        let Some(receiver) = receiver.as_mut() else { return };
        let mut bytes = [0; 32];
        // Where the line was disturbed the frame is found to be damaged.
        if let Ok(len) = receiver.read_raw(&mut bytes) {
            bytes[..len].iter().for_each(|&byte| real::received(byte));
        }
    });
}
