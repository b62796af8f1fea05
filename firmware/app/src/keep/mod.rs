//! What was learned, kept over a loss of power.
//!
//! What is kept is one stream of bytes, cut into items of at most [`ITEM_BYTES`]: the network as flips against the base image (or as all its words
//! where that is shorter), the stored samples, the prototypes. There is room for two generations. A save writes the items of the older one anew and then, as
//! the last item, its *commit record*: number of the generation, length and CRC-32 of the stream. A start takes the generation with the
//! highest number whose record and stream are whole; so a loss of power at any write leaves the one before. A reset is a save too, of a board
//! that has learned nothing.
//!
//! The items lie in a map of `sequential-storage`, which goes round its pages in turn, so all wear alike, and repairs itself after a loss of power.
//! It is asynchronous, flash here is not: its futures are ready at once, [`wait`] only asks them.
//!
//! ```text
//! the stream      format (1), CRC of the base image (4), 0 flips or 1 words (1), bytes of the genome part (4), CRC of the genome (4),
//!                 samples (2), prototypes (2), the genome part, then for each sample and prototype its label, with bit 15 set
//!                 where it is held back (2), and its words; all little-endian
//! commit record   generation (4), bytes of the stream (4), their CRC-32 (4)
//! ```

mod flash;
mod items;
mod stream;

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;

use crate::learner::Learner;

use flash::Map;
use items::{Reader, Writer, read_commit};
use stream::{read_stream, write_stream};

pub use items::ITEM_BYTES;

/// Why something was not saved or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// Flash failed, or the range is too small.
    Flash,
    /// Flash holds something that was never saved here.
    Foreign,
    /// What is there is not whole or of another model.
    Content,
}

/// Flash that keeps what was learned.
#[derive(Debug)]
pub struct Keeper<F> {
    flash: F,
    range: Range<u32>,
    generation: u32,
}

impl<F: NorFlash> Keeper<F> {
    /// Keeps in `range` of `flash`: whole pages, at least two.
    #[must_use]
    pub const fn new(flash: F, range: Range<u32>) -> Self {
        Self { flash, range, generation: 0 }
    }

    /// The generation last saved or loaded, 0 for none.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The flash.
    pub fn flash(&mut self) -> &mut F {
        &mut self.flash
    }

    fn map(&mut self) -> Result<Map<'_, F>, KeepError> {
        flash::map(&mut self.flash, self.range.clone())
    }

    /// Saves what was learned as a new generation.
    ///
    /// # Errors
    /// [`KeepError::Flash`]; the generation before is then still there.
    pub fn save<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<(), KeepError> {
        let generation = self.generation.wrapping_add(1).max(1);
        let mut writer = Writer::new(self.map()?, generation);
        write_stream(&mut writer, learner)?;
        writer.commit(generation)?;
        self.generation = generation;
        Ok(())
    }

    /// Loads the newest generation that is whole and of this model. False, and a learner as after a reset, where there is none. Flash
    /// that holds what was never saved here is erased.
    ///
    /// # Errors
    /// [`KeepError::Flash`].
    pub fn load<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<bool, KeepError> {
        match self.load_newest(learner) {
            Err(KeepError::Foreign) => {
                learner.reset();
                let (from, to) = (self.range.start, self.range.end);
                self.flash.erase(from, to).map(|()| false).map_err(|_| KeepError::Flash)
            }
            loaded => loaded,
        }
    }

    fn load_newest<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<bool, KeepError> {
        let mut commits = [read_commit(&mut self.map()?, 0)?, read_commit(&mut self.map()?, 1)?];
        let [first, second] = commits.map(|commit| commit.map_or(0, |commit| commit.generation));
        if first < second {
            commits.swap(0, 1);
        }
        // The next save must not overwrite a newer generation, even one of another model.
        self.generation = commits[0].map_or(0, |commit| commit.generation);
        for commit in commits.into_iter().flatten() {
            let whole = Reader::new(self.map()?, commit).check()?;
            if whole && read_stream(&mut Reader::new(self.map()?, commit), learner).is_ok() {
                self.generation = commit.generation;
                return Ok(true);
            }
        }
        learner.reset();
        Ok(false)
    }
}
