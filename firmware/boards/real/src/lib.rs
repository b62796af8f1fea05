//! What the real boards have in common: the loop, a serial line, and what happens at a panic.
//!
//! A board's crate brings the pins, the clock and the flash of its HAL. Logs (defmt) go through RTT, to a debug probe; without one nobody reads
//! them and nothing waits for that. A panic and a fault of the processor are logged, noted and end in a reset; the next start logs the note.
//! The stack lies below all data (`memory.x`): where it overflows it leaves memory, which is such a fault.

#![no_std]

mod clock;
mod serial;

use core::marker::PhantomData;

use common::{fault, load_model, model_region, stack};
use cortex_m::peripheral::SCB;
use defmt_rtt as _;
use embedded_hal::digital::InputPin;
use embedded_io::{Read, ReadReady, Write};
use embedded_storage::nor_flash::NorFlash;
use evobit::topology::Topology;
use evobit_board::arena::{Arena, fitting};
use evobit_board::gesture::Accelerometer;
use evobit_board::gesture::display::{Display, Sign};
use evobit_board::gesture::hands::Hands;
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig};
use evobit_board::profile::large::{FRAME, SIZES, Score, WORDS};
use evobit_board::serve::{App, Board};

pub use clock::{Clock, Cycles};
pub use evobit_board;
pub use serial::{Serial, received};

/// What a board has.
#[derive(Debug)]
pub struct Parts<Line, Flash, A, B, Sensor, Screen, Ticks> {
    /// The line to a host.
    pub line: Line,
    /// Where what was learned is kept, all of it.
    pub flash: Flash,
    /// The buttons.
    pub buttons: (A, B),
    /// What measures movement; a board without one is taught by a host.
    pub sensor: Option<Sensor>,
    /// What can be seen.
    pub screen: Screen,
    /// The time.
    pub clock: Clock<Ticks>,
}

/// What a board is called.
pub trait Named {
    /// The name in answers and logs.
    const NAME: &'static str;
}

/// What all real boards can say and do.
struct Real<N> {
    cycles: Cycles,
    name: PhantomData<N>,
}

impl<N: Named> Board for Real<N> {
    const NAME: &'static str = N::NAME;

    fn instructions(&mut self) -> u64 {
        self.cycles.count()
    }

    fn stack_bytes(&mut self) -> u32 {
        stack::used()
    }

    fn restart(&mut self) {
        restart()
    }
}

/// Runs the application for ever on the board of this name.
pub fn run<N, Line, Flash, A, B, Sensor, Screen, Ticks>(
    mut parts: Parts<Line, Flash, A, B, Sensor, Screen, Ticks>,
    _board: N,
    cycles: Cycles,
) -> !
where
    N: Named,
    Line: Read + ReadReady + Write,
    Flash: NorFlash,
    A: InputPin,
    B: InputPin,
    Sensor: Accelerometer,
    Screen: Display,
    Ticks: FnMut() -> u32,
{
    stack::paint();
    fault::report();
    static mut ARENA: Arena<WORDS> = Arena::new();
    static mut TOPOLOGY: Topology = Topology::NONE;
    // SAFETY: this is the only place that names them, and it runs once: it never returns, and boards call it from their entry point.
    let (arena, topology) = unsafe { (&mut *(&raw mut ARENA), &mut *(&raw mut TOPOLOGY)) };
    // SAFETY: every board's memory.x defines the region as flash of its own, which only a flasher writes.
    let region = unsafe { model_region() };
    let Ok(model) = load_model::<Score>(N::NAME, region, topology, WORDS, SIZES) else {
        parts.screen.show(Sign::Trouble);
        loop {
            parts.screen.refresh(parts.clock.milliseconds());
        }
    };
    #[cfg(feature = "key")]
    let key = common::key_behind(region, &model);
    let classes = model.topology().classes() as u8;
    let sizes = fitting(model.topology(), WORDS, SIZES, size_of::<Score>());
    let mut learner = Learner::<Score>::new(model, &mut arena.0, sizes, LearnerConfig::default());
    let bytes = parts.flash.capacity() as u32;
    let keeper = Some(Keeper::new(parts.flash, 0..bytes));
    let mut app = App::<Score, _, Flash, _, FRAME>::new(
        &mut learner,
        keeper,
        parts.line,
        Real { cycles, name: PhantomData::<N> },
    );
    app.start();
    #[cfg(feature = "key")]
    if let Some(key) = key {
        app.guard(key, 0);
    }
    let (a, b) = parts.buttons;
    let screen = parts.screen;
    let mut hands = parts.sensor.map(|sensor| Hands::new(a, b, sensor, screen, classes));
    if hands.is_none() {
        defmt::warn!("no accelerometer answers: this board is taught over its serial line");
    }
    loop {
        // A line that fails is tried again.
        let _ = app.run();
        if let Some(hands) = &mut hands {
            let evolving = app.learner().is_evolving();
            hands.work(parts.clock.milliseconds(), evolving, &mut |request| app.ask(request));
        }
    }
}

/// The flash for what is kept, as the linker places it.
///
/// # Safety
/// To be called once; the linker script must define `_kept_start` and `_kept_end` around flash that nothing else uses.
#[must_use]
pub unsafe fn kept_region() -> &'static mut [u8] {
    unsafe extern "C" {
        static mut _kept_start: u8;
        static mut _kept_end: u8;
    }
    let (start, end) = (&raw mut _kept_start, &raw const _kept_end);
    // SAFETY: the caller vouches for the region between the two symbols.
    unsafe { core::slice::from_raw_parts_mut(start, end as usize - start as usize) }
}

/// Starts the board anew.
pub fn restart() -> ! {
    SCB::sys_reset()
}

common::hard_fault!(after_fault);

extern "C" fn after_fault() -> ! {
    fault::faulted();
    restart()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    fault::panicked(info);
    restart()
}
