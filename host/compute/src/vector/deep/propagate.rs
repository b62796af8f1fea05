//! From a flipped hidden neuron up to the loss of a sample.
//!
//! A flip moves by 1 the pre-activation of every neuron above that sees it, so of these only neurons just on or just off flip: the bits of
//! those of a sample and the bits of who sees the unit with which weight give them in a few operations on words. If there is one more
//! hidden layer, several flips come together there, and pre-activations decide. Most flips die out on the way.

use super::super::kernels::{Ahead, Cell, Kernels, LANES};
use super::super::vectorize::Loop;
use super::flips::{Ones, Scratch};
use super::state::{Given, LayerState};

/// The change of loss of samples on which a hidden neuron flips.
#[derive(Default)]
pub(super) struct Amounts {
    /// The samples where the loss changes, as the kernels give them.
    pub(super) found: Vec<u32>,
    /// By how much.
    pub(super) amounts: Vec<i16>,
    /// The same where 16 bits do not hold it.
    pub(super) large: Vec<(u32, i32)>,
}

impl Amounts {
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.amounts.clear();
        self.large.clear();
    }

    #[inline(always)]
    fn push(&mut self, found: u32, change: i32) {
        match i16::try_from(change) {
            Ok(0) => {}
            // The sign of an amount is turned later.
            Ok(amount) if amount != i16::MIN => {
                self.found.push(found);
                self.amounts.push(amount);
            }
            _ => self.large.push((found, change)),
        }
    }

    pub(super) fn sum(&self) -> i64 {
        let large = self.large.iter().map(|&(_, change)| i64::from(change));
        self.amounts.iter().map(|&amount| i64::from(amount)).chain(large).sum()
    }
}

/// Finds the changes of loss.
pub(super) struct Changes<'w, 'a, K, C> {
    pub(super) given: &'w Given<'a, K>,
    pub(super) state: &'w LayerState<C>,
    /// The neuron that flips.
    pub(super) layer: usize,
    pub(super) neuron: usize,
    /// The samples on which it does.
    pub(super) found: &'w [u32],
    pub(super) scratch: &'w mut Scratch,
    pub(super) into: &'w mut Amounts,
}

impl<K: Kernels, C: Cell> Loop for Changes<'_, '_, K, C> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        // Mostly one block holds all classes.
        if self.given.blocks() == 1 { self.find::<1>(1) } else { self.find::<16>(self.given.blocks()) }
    }
}

impl<K: Kernels, C: Cell> Changes<'_, '_, K, C> {
    #[inline(always)]
    fn find<const BLOCKS: usize>(&mut self, blocks: usize) {
        let last_hidden = self.given.topology.depth() - 2;
        for &found in self.found {
            let (sample, on) = (found as usize / 2, found & 1 == 1);
            let mut moved = [Ahead::default(); BLOCKS];
            if self.layer == last_hidden {
                self.vote(&mut moved[..blocks], self.neuron, if on { -1 } else { 1 });
            } else {
                if !self.first_flips(sample, on) {
                    continue;
                }
                for layer in self.layer + 2..=last_hidden {
                    std::mem::swap(&mut self.scratch.below, &mut self.scratch.above);
                    self.scratch.rise(self.given.kernels, self.state, layer, sample);
                }
                for (units, direction) in self.scratch.above.sides() {
                    for unit in Ones::of(units) {
                        self.vote(&mut moved[..blocks], unit, direction);
                    }
                }
            }
            let change = self.loss_after(sample, &moved[..blocks]) - self.state.losses[sample];
            self.into.push(found, change);
        }
    }

    /// What flips in the layer above; false where nothing does.
    #[inline(always)]
    fn first_flips(&mut self, sample: usize, on: bool) -> bool {
        let upper = &self.state.upper[self.layer];
        let words = upper.links.words;
        let near = &upper.near[sample * 2 * words..(sample + 1) * 2 * words];
        let (just_on, just_off) = near.split_at(words);
        let (falls, rises) = upper.links.touched(self.neuron, on);
        let flips = &mut self.scratch.above;
        flips.falling.resize(words, 0);
        flips.rising.resize(words, 0);
        let (falling, rising) = (&mut flips.falling[..words], &mut flips.rising[..words]);
        let (falls, rises, just_off) = (&falls[..words], &rises[..words], &just_off[..words]);
        let mut any = 0;
        for word in 0..words {
            falling[word] = just_on[word] & falls[word];
            rising[word] = just_off[word] & rises[word];
            any |= falling[word] | rising[word];
        }
        any != 0
    }

    /// Adds what a flip in the last hidden layer does to the scores.
    #[inline(always)]
    fn vote(&self, moved: &mut [Ahead], unit: usize, direction: i16) {
        let votes = &self.state.votes[unit * moved.len()..(unit + 1) * moved.len()];
        for (moved, votes) in moved.iter_mut().zip(votes) {
            for (moved, &vote) in moved.0.iter_mut().zip(&votes.0) {
                *moved += direction * vote;
            }
        }
    }

    /// The loss of a sample whose scores move.
    #[inline(always)]
    fn loss_after(&self, sample: usize, moved: &[Ahead]) -> i32 {
        let label = self.given.label(sample);
        let right = moved[label / LANES].0[label % LANES];
        let ahead = &self.state.ahead[sample * moved.len()..(sample + 1) * moved.len()];
        let mut rest = self.given.topology.classes();
        let mut loss = -self.given.terms.term(0);
        for (ahead, moved) in ahead.iter().zip(moved) {
            let mut after = ahead.0;
            for (after, &moved) in after.iter_mut().zip(&moved.0) {
                *after += moved - right;
            }
            for &after in &after[..rest.min(LANES)] {
                loss += self.given.terms.term(after.into());
            }
            rest = rest.saturating_sub(LANES);
        }
        loss
    }
}
