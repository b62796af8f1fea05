//! The loops over words and neurons, one trait over instruction sets.

use super::{Forward, Piece, SECTION, Scratch};

/// Samples that run together.
pub const LANES: usize = 16;

/// One word of each of [`LANES`] samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub struct Block(pub [u32; LANES]);

/// Runs a [`Forward`] on blocks of samples.
pub trait Kernel: Send + Sync {
    /// The instructions it is made of.
    fn name(&self) -> &'static str;

    /// The scores of one block of samples: `scores` is `[classes]`, each lane an `i32`.
    ///
    /// # Panics
    /// When `inputs` or `scores` are not as long as the network says.
    fn scores(&self, forward: &Forward, inputs: &[Block], scratch: &mut Scratch, scores: &mut [Block]);

    /// The outputs of one hidden neuron, were its threshold `threshold`, on as many blocks as `on` is long: a bit for
    /// each lane.
    ///
    /// # Panics
    /// When there is no such neuron, or `inputs` are of fewer blocks.
    fn outputs(&self, forward: &Forward, neuron: usize, threshold: u32, inputs: &[Block], on: &mut [u16]);
}

/// Sixteen lanes of 32 bits. A value of an implementing type is the proof that the machine has its instructions.
pub(super) trait Lanes: Copy {
    type Vector: Copy;
    type Mask: Copy;
    /// Words whose [`Lanes::counts`] may be added up before [`Lanes::total`].
    const MOST: usize;

    fn load(self, block: &Block) -> Self::Vector;
    fn store(self, vector: Self::Vector, block: &mut Block);
    fn splat(self, word: u32) -> Self::Vector;
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a | b & c`.
    fn or_and(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn rotate_left(self, a: Self::Vector, by: u32) -> Self::Vector;
    /// The set bits of each lane, or of parts of each lane.
    fn counts(self, a: Self::Vector) -> Self::Vector;
    /// The sum of such parts in each lane.
    fn total(self, a: Self::Vector) -> Self::Vector;
    /// Where `a` is at most `b`, both below 2^31.
    fn at_most(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// `a | b` where the mask is set, else `a`.
    fn or_where(self, a: Self::Vector, mask: Self::Mask, b: Self::Vector) -> Self::Vector;
    fn bits(self, mask: Self::Mask) -> u16;
}

/// In memory, so that a vector instruction can take one for all lanes as its operand.
static BITS: [u32; SECTION] = {
    let mut bits = [0; SECTION];
    let mut bit = 0;
    while bit < SECTION {
        bits[bit] = 1 << bit;
        bit += 1;
    }
    bits
};

/// For each of `N` rows of `weights`, the mismatches with what is seen. `WORDS` is the length of a row where it is known,
/// else 0.
#[inline(always)]
fn mismatches<L: Lanes, const WORDS: usize, const N: usize>(
    lanes: L,
    seen: &[Block],
    weights: &[u32],
) -> [L::Vector; N] {
    let words = if WORDS == 0 { seen.len() } else { WORDS };
    let seen = &seen[..words];
    let mut rows = [&weights[..words]; N];
    for (n, row) in rows.iter_mut().enumerate() {
        *row = &weights[n * words..(n + 1) * words];
    }
    let mut totals = [lanes.splat(0); N];
    let mut start = 0;
    while start < words {
        let end = words.min(start.saturating_add(L::MOST));
        let mut parts = [lanes.splat(0); N];
        for word in start..end {
            let inputs = lanes.load(&seen[word]);
            for n in 0..N {
                let differ = lanes.xor(inputs, lanes.splat(rows[n][word]));
                parts[n] = lanes.add(parts[n], lanes.counts(differ));
            }
        }
        for n in 0..N {
            totals[n] = lanes.add(totals[n], lanes.total(parts[n]));
        }
        start = end;
    }
    totals
}

/// The outputs of up to [`SECTION`] neurons that see all the same, packed; `TOGETHER` neurons at a time.
#[inline(always)]
fn run_dense<L: Lanes, const TOGETHER: usize>(
    lanes: L,
    seen: &[Block],
    weights: &[u32],
    thresholds: &[u32],
) -> L::Vector {
    let words = seen.len();
    let mut outputs = lanes.splat(0);
    let (together, rest) = thresholds.as_chunks::<TOGETHER>();
    let (first, last) = weights.split_at(together.len() * TOGETHER * words);
    let (first_bits, last_bits) = BITS.split_at(together.len() * TOGETHER);
    let bits = first_bits.as_chunks::<TOGETHER>().0;
    for ((weights, thresholds), bits) in first.chunks_exact(TOGETHER * words).zip(together).zip(bits) {
        let counts = mismatches::<L, 0, TOGETHER>(lanes, seen, weights);
        for n in 0..TOGETHER {
            let on = lanes.at_most(counts[n], lanes.splat(thresholds[n]));
            outputs = lanes.or_where(outputs, on, lanes.splat(bits[n]));
        }
    }
    for ((weights, &threshold), &bit) in last.chunks_exact(words).zip(rest).zip(last_bits) {
        let [count] = mismatches::<L, 0, 1>(lanes, seen, weights);
        let on = lanes.at_most(count, lanes.splat(threshold));
        outputs = lanes.or_where(outputs, on, lanes.splat(bit));
    }
    outputs
}

/// The outputs of up to [`SECTION`] neurons, packed, each on its slot of what is seen.
#[inline(always)]
fn run_windows<L: Lanes, const WORDS: usize>(
    lanes: L,
    seen: &[Block],
    words: usize,
    weights: &[u32],
    thresholds: &[u32],
    slots: &[u32],
) -> L::Vector {
    let words = if WORDS == 0 { words } else { WORDS };
    let mut outputs = lanes.splat(0);
    let neurons = weights.chunks_exact(words).zip(thresholds).zip(slots).zip(&BITS);
    for (((weights, &threshold), &slot), &bit) in neurons {
        let start = slot as usize * words;
        let [count] = mismatches::<L, WORDS, 1>(lanes, &seen[start..start + words], weights);
        let on = lanes.at_most(count, lanes.splat(threshold));
        outputs = lanes.or_where(outputs, on, lanes.splat(bit));
    }
    outputs
}

/// One word of a window, put together of turned input words.
#[inline(always)]
fn gather<L: Lanes>(lanes: L, turned: &[Block], pieces: &[Piece]) -> L::Vector {
    let mut bits = lanes.splat(0);
    let (fours, rest) = pieces.as_chunks::<4>();
    for four in fours {
        for piece in four {
            let part = lanes.load(&turned[piece.turned as usize]);
            bits = lanes.or_and(bits, part, lanes.splat(piece.mask));
        }
    }
    for piece in rest {
        let part = lanes.load(&turned[piece.turned as usize]);
        bits = lanes.or_and(bits, part, lanes.splat(piece.mask));
    }
    bits
}

/// [`Kernel::scores`].
#[inline(always)]
pub(super) fn scores<L: Lanes, const TOGETHER: usize>(
    lanes: L,
    forward: &Forward,
    inputs: &[Block],
    scratch: &mut Scratch,
    scores: &mut [Block],
) {
    assert_eq!(inputs.len(), forward.input_words, "one block of samples");
    assert_eq!(scores.len(), forward.classes(), "a score for each class");
    let Scratch { turned, seen, hidden } = scratch;
    for (block, &(word, by)) in turned.iter_mut().zip(&forward.turned) {
        lanes.store(lanes.rotate_left(lanes.load(&inputs[word as usize]), by), block);
    }
    let words = forward.row_words;
    let sections = hidden.len();
    for run in 0..forward.slides * sections {
        let (slide, section) = (run / sections, run % sections);
        let neurons = section * SECTION..forward.neurons().min((section + 1) * SECTION);
        let weights = &forward.weights[neurons.start * words..neurons.end * words];
        let thresholds = &forward.thresholds[neurons.clone()];
        let block = &mut hidden[section];
        if forward.slots.is_empty() {
            lanes.store(run_dense::<L, TOGETHER>(lanes, inputs, weights, thresholds), block);
            continue;
        }
        let windows = forward.sections[run] as usize..forward.sections[run + 1] as usize;
        for (window, seen) in windows.zip(seen.chunks_exact_mut(words)) {
            for (word, block) in seen.iter_mut().enumerate() {
                lanes.store(gather(lanes, turned, forward.word_pieces(window, word)), block);
            }
        }
        let slots = &forward.slots[slide * forward.neurons() + neurons.start..];
        let outputs = match words {
            1 => run_windows::<L, 1>(lanes, seen, words, weights, thresholds, slots),
            2 => run_windows::<L, 2>(lanes, seen, words, weights, thresholds, slots),
            _ => run_windows::<L, 0>(lanes, seen, words, weights, thresholds, slots),
        };
        let before = if slide == 0 { lanes.splat(0) } else { lanes.load(block) };
        lanes.store(lanes.or_and(outputs, before, before), block);
    }
    let rows = forward.output_weights.chunks_exact(hidden.len()).zip(&forward.output_thresholds);
    for ((weights, &threshold), scores) in rows.zip(scores) {
        let [count] = mismatches::<L, 0, 1>(lanes, hidden, weights);
        lanes.store(lanes.subtract(lanes.splat(threshold), count), scores);
    }
}

/// [`Kernel::outputs`].
#[inline(always)]
pub(super) fn outputs<L: Lanes>(
    lanes: L,
    forward: &Forward,
    neuron: usize,
    threshold: u32,
    inputs: &[Block],
    on: &mut [u16],
) {
    let position = forward.positions[neuron] as usize;
    let words = forward.row_words;
    let weights = &forward.weights[position * words..(position + 1) * words];
    assert!(inputs.len() >= on.len() * forward.input_words, "as many blocks as outputs");
    let blocks = inputs.chunks_exact(forward.input_words).zip(on);
    if forward.slots.is_empty() {
        for (inputs, on) in blocks {
            let [count] = mismatches::<L, 0, 1>(lanes, inputs, weights);
            *on = lanes.bits(lanes.at_most(count, lanes.splat(threshold)));
        }
        return;
    }
    let windows = (0..forward.slides).filter_map(|slide| forward.window_of(slide, position));
    for (inputs, on) in blocks {
        *on = 0;
        for window in windows.clone() {
            let count = window_mismatches(lanes, forward, window, weights, inputs);
            *on |= lanes.bits(lanes.at_most(count, lanes.splat(threshold)));
        }
    }
}

/// The mismatches of a window with its weights, gathered as they are counted.
#[inline(always)]
fn window_mismatches<L: Lanes>(
    lanes: L,
    forward: &Forward,
    window: usize,
    weights: &[u32],
    inputs: &[Block],
) -> L::Vector {
    let mut count = lanes.splat(0);
    for (word, &weights) in weights.iter().enumerate() {
        let mut bits = lanes.splat(0);
        for piece in forward.word_pieces(window, word) {
            let (word, by) = forward.turned[piece.turned as usize];
            let part = lanes.rotate_left(lanes.load(&inputs[word as usize]), by);
            bits = lanes.or_and(bits, part, lanes.splat(piece.mask));
        }
        let differ = lanes.xor(bits, lanes.splat(weights));
        count = lanes.add(count, lanes.total(lanes.counts(differ)));
    }
    count
}
