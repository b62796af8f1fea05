//! A genome and a memory that come from elsewhere: over the link or out of flash.

use evobit::evolve::compact::Score;
use evobit::genome::GenomeMut;
use evobit::image::genome_checksum;
use evobit::rng::{Purpose, Stream};
use evobit_link::{LinkError, check_genome};

use super::Learner;

impl<S: Score> Learner<'_, S> {
    /// Begins an update: the base genome is put where the evolving one was.
    pub fn begin_update(&mut self) {
        self.stop();
        self.load_base();
    }

    /// The genome that an update works on.
    pub fn update(&mut self) -> &mut [u32] {
        self.candidate
    }

    /// Makes the updated genome the one that answers.
    ///
    /// # Errors
    /// [`LinkError::Genome`] where its checksum is another or it is no genome; nothing changes then.
    pub fn end_update(&mut self, expected: u32) -> Result<(), LinkError> {
        let made = genome_checksum(self.candidate);
        if made != expected || check_genome(self.image.topology(), self.candidate).is_err() {
            return Err(LinkError::Genome(made));
        }
        self.live.copy_from_slice(self.candidate);
        self.judge();
        Ok(())
    }

    /// Begins to put back what was saved.
    pub fn begin_restore(&mut self) {
        self.reset();
    }

    /// Where a packed sample is written before it is put back.
    pub fn row(&mut self) -> &mut [u32] {
        self.input
    }

    /// Puts the [`row`](Self::row) back as a stored sample. False where there is no room.
    pub fn restore_sample(&mut self, label: u8, held_back: bool) -> bool {
        usize::from(label) < self.image.topology().classes()
            && self.store.restore(self.input, label, held_back)
    }

    /// Puts the [`row`](Self::row) back as a prototype. False where there is no room.
    pub fn restore_prototype(&mut self, label: u8) -> bool {
        let (words, len) = (self.layout.input, self.prototypes_len);
        let fits = len < self.prototype_labels.len() && usize::from(label) < self.image.topology().classes();
        if fits {
            self.prototypes[len * words..(len + 1) * words].copy_from_slice(self.input);
            self.prototype_labels[len] = label;
            self.prototypes_len += 1;
        }
        fits
    }

    /// Ends a restore: the updated genome answers, and network and memory are judged.
    ///
    /// # Errors
    /// As for [`end_update`](Self::end_update).
    pub fn end_restore(&mut self, expected: u32) -> Result<(), LinkError> {
        self.end_update(expected)
    }

    /// A random genome takes the place of the present one: for comparison with evolution from scratch.
    pub fn randomize(&mut self, seed: u64) {
        self.stop();
        if let Ok(mut genome) = GenomeMut::new(self.image.topology(), self.live) {
            genome.randomize(&mut Stream::new(seed, Purpose::Start, 0));
        }
        self.judge();
    }
}
