//! The serial port that the board's debugger passes on over USB.

use core::cell::RefCell;

use cortex_m::interrupt::{Mutex, free};
use cortex_m::peripheral::NVIC;
use embedded_io::{Read, ReadReady};
use nrf52840_hal::pac::{Interrupt, UARTE0, interrupt};
use nrf52840_hal::uarte::{Baudrate, Parity, Pins, Uarte, UarteRx, UarteTx};
use real::Serial;

static RECEIVER: Mutex<RefCell<Option<UarteRx<UARTE0>>>> = Mutex::new(RefCell::new(None));

/// Starts the port: 115,200 bits a second, no parity.
pub(crate) fn start(port: UARTE0, pins: Pins) -> Serial<UarteTx<UARTE0>> {
    port.intenset.write(|enable| enable.endrx().set_bit());
    let port = Uarte::new(port, pins, Parity::EXCLUDED, Baudrate::BAUD115200);
    // The HAL's writer takes what fills its buffer, no less: so it has one byte.
    let buffers = (cortex_m::singleton!(: [u8; 1] = [0]), cortex_m::singleton!(: [u8; 1] = [0]));
    let (Some(sending), Some(receiving)) = buffers else { real::restart() };
    let Ok((sender, mut receiver)) = port.split(sending, receiving) else { real::restart() };
    let Some(line) = Serial::new(sender) else { real::restart() };
    // Asking begins to receive.
    let _ = receiver.read_ready();
    free(|section| RECEIVER.borrow(section).replace(Some(receiver)));
    // SAFETY: the interrupt takes the receiver in a section of its own, as is done here.
    unsafe { NVIC::unmask(Interrupt::UARTE0_UART0) };
    line
}

/// A byte has come; those that come meanwhile wait in the port, up to four.
#[interrupt]
fn UARTE0_UART0() {
    free(|section| {
        let mut receiver = RECEIVER.borrow(section).borrow_mut();
        let Some(receiver) = receiver.as_mut() else { return };
        let mut byte = [0];
        while let Ok(true) = receiver.read_ready() {
            if receiver.read(&mut byte).is_ok() {
                real::received(byte[0]);
            }
        }
    });
}
