//! The matrix of 25 lamps, lit row by row by a timer's interrupt.

use core::cell::RefCell;

use cortex_m::interrupt::{Mutex, free};
use cortex_m::peripheral::NVIC;
use microbit::display::nonblocking::{BitImage, Display as Matrix};
use microbit::gpio::DisplayPins;
use microbit::pac::{Interrupt, TIMER1, interrupt};
use real::evobit_board::gesture::display::{Display, Sign};

static MATRIX: Mutex<RefCell<Option<Matrix<TIMER1>>>> = Mutex::new(RefCell::new(None));

/// The matrix, through its interrupt.
pub(crate) struct Screen;

/// Starts the matrix, dark.
pub(crate) fn start(timer: TIMER1, pins: DisplayPins, interrupts: &mut NVIC) -> Screen {
    free(|section| MATRIX.borrow(section).replace(Some(Matrix::new(timer, pins))));
    // SAFETY: the interrupt takes the matrix in a section of its own, as everybody does. The serial line, which cannot wait, has a higher
    // priority.
    unsafe {
        interrupts.set_priority(Interrupt::TIMER1, 0x80);
        NVIC::unmask(Interrupt::TIMER1);
    }
    Screen
}

impl Display for Screen {
    fn show(&mut self, sign: Sign) {
        let rows = sign.picture().map(|row| [4, 3, 2, 1, 0].map(|bit| row >> bit & 1));
        free(|section| {
            if let Some(matrix) = MATRIX.borrow(section).borrow_mut().as_mut() {
                matrix.show(&BitImage::new(&rows));
            }
        });
    }
}

#[interrupt]
fn TIMER1() {
    free(|section| {
        if let Some(matrix) = MATRIX.borrow(section).borrow_mut().as_mut() {
            matrix.handle_display_event();
        }
    });
}
