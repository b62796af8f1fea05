//! Evolution of prototypes: the memory that stays when samples are forgotten.

use evobit::evolve::compact::Score;
use evobit::memory::{MemoryMut, MemorySearch};
use evobit::rng::Draw;
use evobit_link::LinkError;

use super::Learner;
use super::evolve::Activity;

impl<S: Score> Learner<'_, S> {
    /// Begins the evolution of `count` prototypes, drawn from the stored samples, and gives it mutants.
    ///
    /// # Errors
    /// [`LinkError::NoSamples`], [`LinkError::NoPrototypes`].
    #[inline(never)]
    pub fn evolve_memory(&mut self, count: usize, mutants: u32) -> Result<(), LinkError> {
        let (len, words) = (self.store.len(), self.layout.input);
        let count = count.min(self.prototype_labels.len()).min(len);
        if len == 0 {
            return Err(LinkError::NoSamples);
        }
        if count == 0 {
            return Err(LinkError::NoPrototypes);
        }
        self.stop();
        // Drawn without putting back (Floyd): the chosen are marked in the mask's place, the order of visits.
        let marks = &mut *self.scratch;
        marks[..len].fill(0);
        for index in len - count..len {
            let drawn = self.rng.below(index as u32 + 1) as usize;
            let chosen = if marks[drawn] == 0 { drawn } else { index };
            marks[chosen] = 1;
        }
        for (next, index) in (0..len).filter(|&index| marks[index] == 1).enumerate() {
            let all = self.store.all();
            self.prototypes[next * words..(next + 1) * words].copy_from_slice(all.input(index, words));
            self.prototype_labels[next] = all.labels[index];
        }
        self.prototypes_len = count;
        self.counts.owed = mutants;
        let total = self.search_memory(None);
        self.activity = Activity::Memory { total: total.unwrap_or(0) };
        self.counts.loss = total.unwrap_or(0);
        Ok(())
    }

    /// Begins to evolve the prototypes, or goes on by a mutant where the loss was `total`. The loss after it.
    #[inline(never)]
    pub(super) fn search_memory(&mut self, total: Option<i64>) -> Option<i64> {
        let (words, capacity) = (self.layout.input, self.prototypes_len);
        let memory = MemoryMut::new(
            &mut self.prototypes[..capacity * words],
            &mut self.prototype_labels[..capacity],
            words,
            capacity,
        )?;
        let margins = bytemuck::cast_slice_mut::<u32, [u16; 2]>(self.scratch);
        let (samples, margin) = (self.store.all(), self.config.margin);
        let mut search = match total {
            None => MemorySearch::new(memory, samples, margin, margins, self.mask),
            Some(total) => MemorySearch::resume(memory, samples, margin, margins, self.mask, total),
        }?;
        if total.is_some() {
            search.step(&mut self.rng);
        }
        self.prototypes_len = search.memory().len();
        Some(search.loss())
    }
}
