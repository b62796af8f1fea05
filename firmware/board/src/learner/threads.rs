//! The learner's longer work, spread over the processors of a board that has some.
//!
//! These are judging who answers (all pairs of stored samples, two networks on each) and scoring genomes on the stored samples: thousands
//! of samples' worth at a time, and sums of integers, which do not care who made which. A step of evolution is not spread: it takes about as
//! long as handing it over would.

use core::ops::Range;
use std::vec;
use std::vec::Vec;

use evobit::evolve::compact::Score;
use evobit::memory::Memory;
use evobit::network::Network;
use rayon::prelude::*;

use super::Learner;
use crate::infer::classify;

/// Fewest samples that are worth a thread.
const TOGETHER: usize = 16;

/// What memory and networks say of a stored sample.
#[derive(Clone, Copy, Debug, Default)]
struct Opinion {
    vote: Option<u8>,
    base: u8,
    network: u8,
}

/// What memory and networks say of the stored samples, all asked at once.
pub(super) struct Opinions(Vec<Opinion>);

impl Opinions {
    pub(super) fn of<S: Score>(learner: &Learner<'_, S>) -> Self {
        let (topology, words) = (learner.image.topology(), learner.layout.input);
        let (all, held_back, neighbours) =
            (learner.store.all(), learner.store.held_back(), learner.config.neighbours);
        let networks = (
            Network::new(topology, learner.image.genome()),
            Network::new(topology, &*learner.live),
            Memory::new(all, words),
        );
        let (Ok(base), Ok(live), Some(memory)) = networks else { return Self(vec![]) };
        let room = || (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
        let ask = |(hidden, scores): &mut (Vec<u32>, Vec<i32>), index: usize| {
            let input = all.input(index, words);
            let network = if held_back.contains(&index) { classify(&live, input, hidden, scores) } else { 0 };
            Opinion {
                vote: memory.classify_left_out(index, neighbours),
                base: classify(&base, input, hidden, scores) as u8,
                network: network as u8,
            }
        };
        let opinions = (0..all.len()).into_par_iter().with_min_len(TOGETHER).map_init(room, ask);
        Self(opinions.collect())
    }

    fn of_sample(&self, index: usize) -> Opinion {
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(super) fn vote<S: Score>(&self, _learner: &Learner<'_, S>, index: usize) -> Option<u8> {
        self.of_sample(index).vote
    }

    pub(super) fn base<S: Score>(&self, _learner: &mut Learner<'_, S>, index: usize) -> u8 {
        self.of_sample(index).base
    }

    pub(super) fn network<S: Score>(&self, _learner: &mut Learner<'_, S>, index: usize) -> u8 {
        self.of_sample(index).network
    }
}

impl<S: Score> Learner<'_, S> {
    /// Right answers and loss of a genome on some stored samples.
    pub(super) fn score(&mut self, candidate: bool, range: Range<usize>) -> (u16, i64) {
        let (topology, table, words) = (self.image.topology(), *self.image.loss(), self.layout.input);
        let genome = if candidate { &*self.candidate } else { &*self.live };
        let Ok(network) = Network::new(topology, genome) else { return (0, i64::MAX) };
        let all = self.store.all();
        let room = || (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
        let score = |(hidden, scores): &mut (Vec<u32>, Vec<i32>), index: usize| {
            let label = usize::from(all.labels[index]);
            let class = classify(&network, all.input(index, words), hidden, scores);
            (u16::from(class == label), i64::from(table.sample(scores, label)))
        };
        let scores = range.into_par_iter().with_min_len(TOGETHER).map_init(room, score);
        scores.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }
}
