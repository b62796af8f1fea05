//! Instructions by SysTick: under `-icount shift=6` an instruction takes 64 ns, and SysTick counts the board's clock.
//!
//! The counter has 24 bits; an interrupt counts its rounds. It costs a few instructions every 16 million ticks.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

static ROUNDS: AtomicU32 = AtomicU32::new(0);
const ROUND: u32 = 1 << 24;

pub(crate) fn start() {
    // SAFETY: nothing else uses SysTick.
    let mut timer = unsafe { cortex_m::Peripherals::steal() }.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(ROUND - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

#[cortex_m_rt::exception]
fn SysTick() {
    ROUNDS.store(ROUNDS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Ticks since the start.
pub(crate) fn ticks() -> u64 {
    loop {
        let rounds = ROUNDS.load(Ordering::Relaxed);
        let ticks = ROUND - 1 - SYST::get_current();
        if rounds == ROUNDS.load(Ordering::Relaxed) {
            return u64::from(rounds) * u64::from(ROUND) + u64::from(ticks);
        }
    }
}
