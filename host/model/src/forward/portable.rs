//! Lanes without particular instructions, as arrays of bytes: compilers count the bits of bytes in vectors where there
//! are any.

use super::kernel::{self, Block, Kernel, LANES, Lanes};
use super::{Forward, Scratch};

/// Bytes of all lanes.
const BYTES: usize = 4 * LANES;

#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Kernel for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn scores(&self, forward: &Forward, inputs: &[Block], scratch: &mut Scratch, scores: &mut [Block]) {
        kernel::scores::<Self, 2>(*self, forward, inputs, scratch, scores);
    }

    fn outputs(&self, forward: &Forward, neuron: usize, threshold: u32, inputs: &[Block], on: &mut [u16]) {
        kernel::outputs(*self, forward, neuron, threshold, inputs, on);
    }
}

/// Applies `f` to the lanes of two vectors.
#[inline(always)]
fn zip(a: [u8; BYTES], b: [u8; BYTES], f: impl Fn(u32, u32) -> u32) -> [u8; BYTES] {
    let (a, b): ([u32; LANES], [u32; LANES]) = (bytemuck::cast(a), bytemuck::cast(b));
    let mut c = [0; LANES];
    for (c, (a, b)) in c.iter_mut().zip(a.into_iter().zip(b)) {
        *c = f(a, b);
    }
    bytemuck::cast(c)
}

impl Lanes for Portable {
    type Vector = [u8; BYTES];
    type Mask = [u8; BYTES];
    /// A byte counts up to 8 a word.
    const MOST: usize = 31;

    #[inline(always)]
    fn load(self, block: &Block) -> Self::Vector {
        bytemuck::cast(block.0)
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, block: &mut Block) {
        block.0 = bytemuck::cast(vector);
    }

    #[inline(always)]
    fn splat(self, word: u32) -> Self::Vector {
        bytemuck::cast([word; LANES])
    }

    #[inline(always)]
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a ^ b)
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, u32::wrapping_sub)
    }

    #[inline(always)]
    fn or_and(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        zip(a, zip(b, c, |b, c| b & c), |a, b| a | b)
    }

    #[inline(always)]
    fn rotate_left(self, a: Self::Vector, by: u32) -> Self::Vector {
        zip(a, a, |a, _| a.rotate_left(by))
    }

    #[inline(always)]
    fn counts(self, mut a: Self::Vector) -> Self::Vector {
        for byte in &mut a {
            *byte = byte.count_ones() as u8;
        }
        a
    }

    #[inline(always)]
    fn total(self, a: Self::Vector) -> Self::Vector {
        let sum = |a: u32| (a & 0xff) + (a >> 8 & 0xff) + (a >> 16 & 0xff) + (a >> 24);
        zip(a, a, |a, _| sum(a))
    }

    #[inline(always)]
    fn at_most(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        zip(a, b, |a, b| u32::from(a <= b).wrapping_neg())
    }

    #[inline(always)]
    fn or_where(self, a: Self::Vector, mask: Self::Mask, b: Self::Vector) -> Self::Vector {
        self.or_and(a, mask, b)
    }

    #[inline(always)]
    fn bits(self, mask: Self::Mask) -> u16 {
        let mask: [u32; LANES] = bytemuck::cast(mask);
        mask.iter().rev().fold(0, |bits, lane| bits << 1 | (lane & 1) as u16)
    }
}
