//! Time from counters that wrap.

use cortex_m::peripheral::{DCB, DWT};

/// Milliseconds from a counter of microseconds.
#[derive(Debug)]
pub struct Clock<Ticks> {
    ticks: Ticks,
    last: u32,
    micros: u64,
}

impl<Ticks: FnMut() -> u32> Clock<Ticks> {
    /// A clock over a counter that wraps at 32 bits.
    pub const fn new(ticks: Ticks) -> Self {
        Self { ticks, last: 0, micros: 0 }
    }

    /// Milliseconds since the counter began, to be asked for at least once an hour; they wrap after seven weeks.
    pub fn milliseconds(&mut self) -> u32 {
        let now = (self.ticks)();
        self.micros += u64::from(now.wrapping_sub(self.last));
        self.last = now;
        (self.micros / 1000) as u32
    }
}

/// Cycles of the processor, which is the nearest to instructions that these boards count.
#[derive(Debug)]
pub struct Cycles {
    last: u32,
    all: u64,
}

impl Cycles {
    /// Starts the counter.
    #[must_use]
    pub fn start(dcb: &mut DCB, dwt: &mut DWT) -> Self {
        dcb.enable_trace();
        dwt.enable_cycle_counter();
        Self { last: DWT::cycle_count(), all: 0 }
    }

    /// Cycles so far; right where it was asked within the last half minute.
    pub fn count(&mut self) -> u64 {
        let now = DWT::cycle_count();
        self.all += u64::from(now.wrapping_sub(self.last));
        self.last = now;
        self.all
    }
}
