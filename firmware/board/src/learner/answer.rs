//! Who answers: network or memory.

use evobit::bits::{self, Words};
use evobit::evolve::compact::Score;
use evobit::memory::Memory;
use evobit::network::Network;
use evobit::topology::MAX_CLASSES;
use evobit_link::LinkError;

use super::Learner;
use super::work::Opinions;
use crate::infer::classify;

/// The evolved network must have this share more of the held-back samples right to answer by itself: one in so many.
pub const LEAD: u16 = 4;

/// So many more right answers than the base network's let a class of the memory's be followed: one may be chance.
const TRUSTED: i16 = 2;

/// The memory leads over all where it was right more often by one stored sample in so many, not counting the class where that is most.
const LEADS: i32 = 8;

/// The answers to a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The board's.
    pub answer: u8,
    /// The network's.
    pub network: u8,
    /// The stored samples', where there are any.
    pub samples: Option<u8>,
    /// The prototypes', where there are any.
    pub prototypes: Option<u8>,
}

impl<S: Score> Learner<'_, S> {
    /// Encodes a raw sample.
    #[inline(never)]
    pub(super) fn encode(&mut self, raw: &[u8]) -> Result<(), LinkError> {
        let features = self.image.encoder().features() as usize;
        let wide = features.checked_mul(4) == Some(raw.len());
        if raw.len() != features && !wide {
            return Err(LinkError::Width(features as u32));
        }
        let packing = self.image.topology().layer(0).packing;
        let key = |feature: u32| {
            let at = feature as usize;
            if wide {
                raw.as_chunks::<4>().0.get(at).map_or(0, |&key| i32::from_le_bytes(key))
            } else {
                raw.get(at).map_or(0, |&key| key.into())
            }
        };
        // One copy of the encoder is smaller, another for bytes is faster.
        if wide || !cfg!(feature = "full") {
            self.image.encoder().encode(key, packing, self.input);
        } else {
            self.image.encoder().encode_bytes(raw, packing, self.input);
        }
        Ok(())
    }

    /// The answers to a raw sample.
    ///
    /// # Errors
    /// [`LinkError::Width`].
    #[inline(never)]
    pub fn classify(&mut self, raw: &[u8]) -> Result<Answers, LinkError> {
        self.encode(raw)?;
        Ok(self.answers())
    }

    pub(super) fn answers(&mut self) -> Answers {
        let network = self.ask(false, None);
        let vote = |prototypes, neighbours| {
            Memory::new(prototypes, self.layout.input)
                .and_then(|memory| memory.classify(self.input, neighbours))
        };
        let samples = vote(self.store.all(), self.config.neighbours);
        let prototypes = vote(self.prototypes(), 1);
        let answer = match samples.or(prototypes) {
            _ if self.network_answers => network,
            Some(vote) if bits::get(&self.trusted[..], vote.into()) => vote,
            _ => self.ask(true, None),
        };
        Answers { answer, network, samples, prototypes }
    }

    /// The class of the encoded sample, or of a stored one, by the base image's genome or the one that evolution made.
    #[inline(never)]
    pub(super) fn ask(&mut self, base: bool, stored: Option<usize>) -> u8 {
        let input = stored.map_or(&*self.input, |index| self.store.all().input(index, self.layout.input));
        let (topology, genome) = (self.image.topology(), self.image.genome());
        let class = match genome.native() {
            // The same code for both, where words lie in flash as in memory.
            Some(words) => {
                let genome = if base { words } else { &*self.live };
                Network::new(topology, genome)
                    .map(|network| classify(&network, input, self.hidden, self.scores))
            }
            None if base => Network::new(topology, genome)
                .map(|network| classify(&network, input, self.hidden, self.scores)),
            None => Network::new(topology, &*self.live)
                .map(|network| classify(&network, input, self.hidden, self.scores)),
        };
        class.map_or(0, |class| class as u8)
    }

    /// Finds out who answers best on the stored samples.
    #[inline(never)]
    pub(super) fn judge(&mut self) {
        // For each class, how much more often the memory was right than the base network where it voted for the class. The room for
        // changes of loss is free between steps.
        bytemuck::cast_slice_mut::<i64, i16>(self.deltas)[..MAX_CLASSES as usize].fill(0);
        let (opinions, mut lead) = (Opinions::of(self), 0);
        for index in 0..self.store.len() {
            let label = self.store.all().labels[index];
            if let Some(vote) = opinions.vote(self, index) {
                let gain = i16::from(vote == label) - i16::from(opinions.base(self, index) == label);
                lead += i32::from(gain);
                bytemuck::cast_slice_mut::<i64, i16>(self.deltas)[usize::from(vote)] += gain;
            }
        }
        let gains = &bytemuck::cast_slice::<i64, i16>(self.deltas)[..MAX_CLASSES as usize];
        // A class that the base network does not know says nothing about the others.
        let most = gains.iter().copied().max().unwrap_or(0);
        let leads = (lead - i32::from(most)) * LEADS > self.store.len() as i32;
        for (&gain, class) in gains.iter().zip(0..) {
            bits::set(&mut self.trusted, class, gain >= if leads { 0 } else { TRUSTED });
        }
        (self.network_right, self.samples_right, self.unjudged) = (0, 0, 0);
        for index in self.store.held_back() {
            let label = self.store.all().labels[index];
            self.network_right += u16::from(opinions.network(self, index) == label);
            let vote = opinions.vote(self, index).filter(|&vote| bits::get(&self.trusted[..], vote.into()));
            let answer = vote.unwrap_or_else(|| opinions.base(self, index));
            self.samples_right += u16::from(answer == label);
        }
        self.choose_answer();
    }

    pub(super) fn choose_answer(&mut self) {
        let lead = (self.store.held_back().len() as u16 / LEAD).max(1);
        self.network_answers = self.store.is_empty() || self.network_right >= self.samples_right + lead;
    }
}
