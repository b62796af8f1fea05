//! The counter of keyed requests, in two pages of its own: what was taken before counts for nothing, also after a loss of power.
//!
//! Records are written one behind the other; the highest that is whole counts. Where a page is full the other is erased and goes on, so a loss of
//! power at any write or erase leaves the record before.
//!
//! ```text
//! record          "EVC1", the lowest counter that may come (4), its complement (4), unused up to `UNIT`
//! ```

use embedded_storage::nor_flash::NorFlash;

use super::KeepError;
use super::log::{UNIT, numbers};

const MAGIC: u32 = u32::from_le_bytes(*b"EVC1");

/// Pages of counters.
pub(super) const PAGES: u32 = 2;

/// The highest counter that is kept, and where.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    next: u32,
    /// Its place, from the start of the pages on.
    place: Option<u32>,
}

/// Counters in the first [`PAGES`] pages from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    start: u32,
}

impl Counters {
    pub(super) const fn new(start: u32) -> Self {
        Self { start }
    }

    /// The lowest counter that may come; 0 where none was kept.
    pub(super) fn next<F: NorFlash>(self, flash: &mut F) -> Result<u32, KeepError> {
        self.newest(flash).map(|newest| newest.next)
    }

    /// Keeps that counters below `next` may have been used.
    pub(super) fn keep<F: NorFlash>(self, flash: &mut F, next: u32) -> Result<(), KeepError> {
        let page = F::ERASE_SIZE as u32;
        let mut place = self.newest(flash)?.place.map_or(PAGES * page, |place| place + UNIT as u32);
        // A record that was cut short is no place for another.
        while !place.is_multiple_of(page) && !self.is_blank(flash, place)? {
            place += UNIT as u32;
        }
        if place.is_multiple_of(page) {
            place %= PAGES * page;
            flash.erase(self.start + place, self.start + place + page).map_err(|_| KeepError::Flash)?;
        }
        let mut unit = [0xff; UNIT];
        let words = unit.as_chunks_mut::<4>().0;
        words.iter_mut().zip([MAGIC, next, !next]).for_each(|(word, number)| *word = number.to_le_bytes());
        flash.write(self.start + place, &unit).map_err(|_| KeepError::Flash)
    }

    fn newest<F: NorFlash>(self, flash: &mut F) -> Result<Newest, KeepError> {
        let mut newest = Newest::default();
        for place in (0..PAGES * F::ERASE_SIZE as u32).step_by(UNIT) {
            let mut bytes = [0; 16];
            flash.read(self.start + place, &mut bytes).map_err(|_| KeepError::Flash)?;
            let [magic, next, complement, _] = numbers(&bytes);
            if magic == MAGIC && next == !complement && (newest.place.is_none() || next > newest.next) {
                newest = Newest { next, place: Some(place) };
            }
        }
        Ok(newest)
    }

    fn is_blank<F: NorFlash>(self, flash: &mut F, place: u32) -> Result<bool, KeepError> {
        let mut unit = [0; UNIT];
        flash.read(self.start + place, &mut unit).map_err(|_| KeepError::Flash)?;
        Ok(unit.iter().all(|&byte| byte == 0xff))
    }
}
