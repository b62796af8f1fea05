//! Sets of neurons that flip on one sample, and how they go up a layer.

use super::super::kernels::{Chunk, Kernels};
use super::state::LayerState;

/// Neurons of one layer that flip, as bits.
#[derive(Default)]
pub(super) struct Flips {
    /// Those that are on.
    pub(super) falling: Vec<u64>,
    /// Those that are off.
    pub(super) rising: Vec<u64>,
}

/// Buffers that are used again and again.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) below: Flips,
    pub(super) above: Flips,
    pub(super) moved: Vec<Chunk<i16>>,
}

impl Flips {
    pub(super) fn clear(&mut self, words: usize) {
        for side in [&mut self.falling, &mut self.rising] {
            side.clear();
            side.resize(words, 0);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.falling.iter().chain(&self.rising).all(|&word| word == 0)
    }

    /// The words of both with the direction that pre-activations and scores get for a weight of +1.
    #[inline(always)]
    pub(super) fn sides(&self) -> [(&[u64], i16); 2] {
        [(&self.falling, -1), (&self.rising, 1)]
    }
}

/// The set bits of words, lowest first. An iterator, as a closure would not be compiled for the instructions of its caller.
pub(super) struct Ones<'a> {
    words: &'a [u64],
    word: usize,
    rest: u64,
}

impl<'a> Ones<'a> {
    #[inline(always)]
    pub(super) fn of(words: &'a [u64]) -> Self {
        Self { words, word: 0, rest: if words.is_empty() { 0 } else { words[0] } }
    }
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.rest == 0 {
            self.word += 1;
            if self.word >= self.words.len() {
                return None;
            }
            self.rest = self.words[self.word];
        }
        let bit = self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        Some(64 * self.word + bit)
    }
}

impl Scratch {
    /// Goes up a layer: what flips in a hidden layer where `below` flips under it. Leaves by how much its pre-activations move.
    pub(super) fn rise<C>(
        &mut self,
        kernels: impl Kernels,
        state: &LayerState<C>,
        layer: usize,
        sample: usize,
    ) {
        let upper = &state.upper[layer - 1];
        let words = upper.links.words;
        self.moved.clear();
        self.moved.resize(words, Chunk::default());
        for (units, direction) in self.below.sides() {
            for unit in Ones::of(units) {
                for (sums, moves) in self.moved.iter_mut().zip(upper.links.moves(unit)) {
                    for (sum, &step) in sums.0.iter_mut().zip(&moves.0) {
                        *sum += direction * step;
                    }
                }
            }
        }
        self.above.clear(words);
        let values = &upper.preactivations[sample * words..(sample + 1) * words];
        for (word, (values, moved)) in values.iter().zip(&self.moved).enumerate() {
            let mut after = *values;
            after.0.iter_mut().zip(&moved.0).for_each(|(value, &step)| *value += step);
            let mut on = [0; 2];
            kernels.on_bits(&[*values, after], &mut on);
            self.above.falling[word] = on[0] & !on[1];
            self.above.rising[word] = on[1] & !on[0];
        }
    }
}
