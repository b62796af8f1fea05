//! What was learned, kept over a loss of power.
//!
//! What is kept is one stream of bytes: the network as flips against the base image (or as all its words
//! where that is shorter), the stored samples, the prototypes. A save writes a new one, a *generation*, into a log that goes round the pages of flash and ends it with a
//! commit record. A start takes the generation with the highest number that is whole and of this model; so a loss of power at any write or
//! erase leaves the one before. A reset is a save too, of a board that has learned nothing.
//!
//! ```text
//! the stream      format (1), CRC of the base image (4), 0 flips or 1 words (1), bytes of the genome part (4), CRC of the genome (4),
//!                 samples (2), prototypes (2), the genome part, then for each sample and prototype its label, with bit 15 set
//!                 where it is held back (2), and its words; all little-endian
//! ```

#[cfg(feature = "key")]
mod counter;
mod error;
mod log;
mod stream;

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;

use crate::learner::Learner;

#[cfg(feature = "key")]
use counter::Counters;
pub use error::KeepError;
use log::{Log, Pages, Reader, Writer};
use stream::{read_stream, write_stream};

/// Flash that keeps what was learned.
#[derive(Debug)]
pub struct Keeper<F> {
    log: Log<F>,
    #[cfg(feature = "key")]
    counters: Counters,
    newest: Option<Pages>,
    generation: u32,
}

impl<F: NorFlash> Keeper<F> {
    /// Keeps in `range` of `flash`: whole pages, at least two, and two more with the feature `key`. What they hold has to be
    /// [loaded](Self::load) before anything is saved there.
    #[must_use]
    #[cfg(not(feature = "key"))]
    pub const fn new(flash: F, range: Range<u32>) -> Self {
        Self { log: Log::new(flash, range), newest: None, generation: 0 }
    }

    /// Keeps in `range` of `flash`: whole pages, two for counters and at least two more. What they hold has to be [loaded](Self::load) before
    /// anything is saved there.
    #[must_use]
    #[cfg(feature = "key")]
    pub const fn new(flash: F, range: Range<u32>) -> Self {
        let first = range.start + counter::PAGES * F::ERASE_SIZE as u32;
        let counters = Counters::new(range.start);
        Self { log: Log::new(flash, first..range.end), counters, newest: None, generation: 0 }
    }

    /// The lowest counter of a keyed request that may come: above all that were [kept](Self::keep_counter) as used.
    ///
    /// # Errors
    /// [`KeepError::Flash`].
    #[cfg(feature = "key")]
    pub fn counter(&mut self) -> Result<u32, KeepError> {
        self.counters.next(self.log.flash())
    }

    /// Keeps that counters below `next` may have been used.
    ///
    /// # Errors
    /// [`KeepError::Flash`].
    #[cfg(feature = "key")]
    pub fn keep_counter(&mut self, next: u32) -> Result<(), KeepError> {
        self.counters.keep(self.log.flash(), next)
    }

    /// The generation last saved or loaded, 0 for none.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The flash.
    pub fn flash(&mut self) -> &mut F {
        self.log.flash()
    }

    /// Saves what was learned as a new generation.
    ///
    /// # Errors
    /// [`KeepError::Flash`]; the generation before is then still there.
    pub fn save<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<(), KeepError> {
        let generation = self.generation + 1;
        let mut writer = Writer::new(&mut self.log, self.newest);
        write_stream(&mut writer, learner);
        self.newest = Some(writer.commit(generation)?);
        self.generation = generation;
        Ok(())
    }

    /// Loads the newest generation that is whole and of this model. False, and a learner as after a reset, where there is none.
    ///
    /// # Errors
    /// [`KeepError::Flash`].
    pub fn load<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<bool, KeepError> {
        (self.newest, self.generation) = (None, 0);
        let mut bound = u32::MAX;
        while let Some(record) = self.log.newest(bound)? {
            bound = record.generation;
            let Some(pages) = Reader::new(&mut self.log, record).check()? else { continue };
            // The next save must not overwrite a newer generation, even one of another model.
            if self.newest.is_none() {
                (self.newest, self.generation) = (Some(pages), record.generation);
            }
            if read_stream(&mut Reader::new(&mut self.log, record), learner).is_ok() {
                return Ok(true);
            }
        }
        learner.reset();
        Ok(false)
    }
}
