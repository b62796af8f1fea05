//! The learner's longer work, on a board with one processor.

use core::ops::Range;

use evobit::evolve::compact::Score;
use evobit::memory::Memory;
use evobit::network::Network;

use super::Learner;
use crate::infer::classify;

/// What memory and network say of the stored samples: asked when it is needed.
pub(super) struct Opinions;

impl Opinions {
    #[inline(always)]
    pub(super) fn of<S: Score>(_learner: &Learner<'_, S>) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn vote<S: Score>(&self, learner: &Learner<'_, S>, index: usize) -> Option<u8> {
        learner.vote_left_out(index)
    }

    #[inline(always)]
    pub(super) fn base<S: Score>(&self, learner: &mut Learner<'_, S>, index: usize) -> u8 {
        learner.ask(true, Some(index))
    }

    #[inline(always)]
    pub(super) fn network<S: Score>(&self, learner: &mut Learner<'_, S>, index: usize) -> u8 {
        learner.ask(false, Some(index))
    }
}

impl<S: Score> Learner<'_, S> {
    /// The class that the stored samples give to one of them, left out.
    fn vote_left_out(&self, index: usize) -> Option<u8> {
        let memory = Memory::new(self.store.all(), self.layout.input)?;
        memory.classify_left_out(index, self.config.neighbours)
    }

    /// Right answers and loss of a genome on some stored samples.
    #[inline(never)]
    pub(super) fn score(&mut self, candidate: bool, range: Range<usize>) -> (u16, i64) {
        let genome = if candidate { &*self.candidate } else { &*self.live };
        let (mut right, mut loss) = (0, 0);
        let Ok(network) = Network::new(self.image.topology(), genome) else { return (0, i64::MAX) };
        for index in range {
            let label = usize::from(self.store.all().labels[index]);
            let input = self.store.all().input(index, self.layout.input);
            right += u16::from(classify(&network, input, self.hidden, self.scores) == label);
            loss += i64::from(self.image.loss().sample(self.scores, label));
        }
        (right, loss)
    }
}
