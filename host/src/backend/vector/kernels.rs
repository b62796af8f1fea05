//! The inner loops of the vector landscape, one trait over instruction sets.
//!
//! Each is defined by its portable form; the others must give the same integers, which the property suite and the tests
//! here check on every machine that has them.

/// Classes of a block of terms.
pub(super) const LANES: usize = 16;

/// For 16 classes of one sample: the change of loss if that class gained 2 on the right one, if it lost 2.
pub(super) type Terms = [[i16; LANES]; 2];

/// For one hidden neuron and each label: which classes move against the right one, and whether the right one agrees with
/// the neuron being on.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// `[labels][blocks]`.
    pub masks: Vec<u16>,
    /// The neuron's weight in each class.
    pub agrees: Vec<bool>,
    /// Blocks of [`LANES`] classes.
    pub blocks: usize,
}

/// A window of one plane and at most 64 bits whose rows lie in one word each.
#[derive(Clone, Copy, Debug)]
pub struct WindowRows {
    /// Word of its first row.
    pub first: usize,
    /// Words from row to row.
    pub stride: usize,
    /// Bit of its first column.
    pub shift: u32,
    /// Rows.
    pub lines: usize,
    /// Columns.
    pub width: u32,
    /// The neuron's weights.
    pub weights: u64,
    /// The bits that count.
    pub tail: u64,
}

/// Inner loops over samples. All slices of one call are of equal length unless said otherwise.
pub trait Kernels: Copy + Send + Sync + 'static {
    /// Adds `step` to the pre-activations where the bit of `column` is set, and subtracts it where not. Bit i of `column`
    /// belongs to `preactivations[i]`.
    fn add_column(self, preactivations: &mut [i16], column: &[u64], step: i16);

    /// Appends the boundary samples: `2 * sample + 1` where the pre-activation is 0 (just on), `2 * sample` where
    /// it is -1 (just off), ascending.
    fn boundary(self, preactivations: &[i16], found: &mut Vec<u32>);

    /// Appends the samples whose sign differs between `old` and `new`: `2 * sample + 1` where `old` is on (not negative),
    /// `2 * sample` where it is off, ascending.
    fn sign_changes(self, old: &[i16], new: &[i16], found: &mut Vec<u32>);

    /// For every lane i, the sum of `amounts[s]` over the samples s whose bit i is set in their row:
    /// `rows` is `[samples][row_words]`, `sums` one lane for each bit that counts. Sums must fit an `i32`.
    fn sum_where_set(self, rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]);

    /// The sum of `amounts` over the samples whose pre-activation is not negative.
    fn sum_where_on(self, preactivations: &[i16], amounts: &[i32]) -> i64;

    /// Appends the change of loss of each found sample (as [`Self::boundary`] gives them) if the neuron were flipped.
    fn flip_changes(
        self,
        found: &[u32],
        labels: &[u8],
        terms: &[Terms],
        against: &Against,
        amounts: &mut Vec<i32>,
    ) {
        flip_changes(found, labels, terms, against, amounts, masked_sum);
    }

    /// Appends one row for each found sample: the bits of the inputs whose weight flip turns the neuron there.
    fn window_rows(
        self,
        found: &[u32],
        inputs: &[u32],
        input_words: usize,
        window: &WindowRows,
        rows: &mut Vec<u64>,
    ) {
        window_rows(found, inputs, input_words, window, rows, gather);
    }
}

/// The portable form: what every other form must equal.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Kernels for Portable {
    fn add_column(self, preactivations: &mut [i16], column: &[u64], step: i16) {
        for (chunk, &bits) in preactivations.chunks_mut(64).zip(column) {
            for (index, value) in chunk.iter_mut().enumerate() {
                // -1 where the bit is clear, 0 where it is set: step or -step without a branch.
                let clear = (bits >> index & 1) as i16 - 1;
                *value += (step ^ clear) - clear;
            }
        }
    }

    fn boundary(self, preactivations: &[i16], found: &mut Vec<u32>) {
        for (sample, &value) in (0u32..).zip(preactivations) {
            if value == 0 || value == -1 {
                found.push(2 * sample + u32::from(value == 0));
            }
        }
    }

    fn sign_changes(self, old: &[i16], new: &[i16], found: &mut Vec<u32>) {
        for ((sample, &old), &new) in (0u32..).zip(old).zip(new) {
            if (old ^ new) < 0 {
                found.push(2 * sample + u32::from(old >= 0));
            }
        }
    }

    fn sum_where_set(self, rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]) {
        sums.fill(0);
        for (row, &amount) in rows.chunks_exact(row_words).zip(amounts) {
            for (lanes, &bits) in sums.chunks_mut(64).zip(row) {
                for (index, sum) in lanes.iter_mut().enumerate() {
                    *sum += amount & ((bits >> index & 1) as i32).wrapping_neg();
                }
            }
        }
    }

    fn sum_where_on(self, preactivations: &[i16], amounts: &[i32]) -> i64 {
        let on = |&(value, _): &(&i16, &i32)| *value >= 0;
        preactivations.iter().zip(amounts).filter(on).map(|(_, &amount)| i64::from(amount)).sum()
    }
}

/// [`Kernels::flip_changes`] with a form of its inner sum.
#[inline(always)]
pub(super) fn flip_changes(
    found: &[u32],
    labels: &[u8],
    terms: &[Terms],
    against: &Against,
    amounts: &mut Vec<i32>,
    masked_sum: impl Fn(&[i16; LANES], u16) -> i32,
) {
    let blocks = against.blocks;
    amounts.extend(found.iter().map(|&found| {
        let (sample, on) = (found as usize / 2, found % 2 == 1);
        let label = usize::from(labels[sample]);
        // Where weight and output agree, the flip takes 1 from the right score, so the others gain 2 on it.
        let direction = usize::from(against.agrees[label] != on);
        let terms = &terms[sample * blocks..(sample + 1) * blocks];
        let masks = &against.masks[label * blocks..(label + 1) * blocks];
        let sums = terms.iter().zip(masks).map(|(terms, &mask)| masked_sum(&terms[direction], mask));
        sums.sum::<i32>()
    }));
}

/// The sum of the terms whose bit is set.
fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32 {
    (0..LANES).map(|class| i32::from(terms[class]) & -i32::from(mask >> class & 1)).sum()
}

/// [`Kernels::window_rows`] with a form of its gathering.
#[inline(always)]
pub(super) fn window_rows(
    found: &[u32],
    inputs: &[u32],
    input_words: usize,
    window: &WindowRows,
    rows: &mut Vec<u64>,
    gather: impl Fn(&[u32], &WindowRows) -> u64,
) {
    rows.extend(found.iter().map(|&found| {
        let start = found as usize / 2 * input_words;
        let seen = gather(&inputs[start..start + input_words], window);
        // On: a flip turns the neuron off where input and weight agree. Off: where they differ.
        let invert = u64::from(found & 1).wrapping_neg();
        (seen ^ window.weights ^ invert) & window.tail
    }));
}

/// The bits of a window, row after row.
#[inline(always)]
pub(super) fn gather(input: &[u32], window: &WindowRows) -> u64 {
    let mask = evobit::bits::tail_mask(window.width);
    (0..window.lines).fold(0, |seen, line| {
        let bits = input[window.first + line * window.stride] >> window.shift & mask;
        seen | u64::from(bits) << (line as u32 * window.width)
    })
}

#[cfg(test)]
mod tests {
    use evobit::rng::{Draw, Purpose, Stream};
    use rand_core::Rng;

    use super::*;

    /// Every kernel against the portable one, on lengths around the widths of vectors.
    fn equals_portable(kernels: impl Kernels) {
        let mut rng = Stream::new(5, Purpose::Test, 0);
        for len in [0usize, 1, 15, 16, 31, 32, 33, 63, 64, 65, 127, 200, 1000] {
            let near = |rng: &mut Stream| rng.below(9) as i16 - 4;
            let old: Vec<i16> = (0..len).map(|_| near(&mut rng)).collect();
            let new: Vec<i16> = (0..len).map(|_| near(&mut rng)).collect();
            let column: Vec<u64> = (0..len.div_ceil(64)).map(|_| rng.next_u64()).collect();
            let amounts: Vec<i32> = (0..len).map(|_| rng.next_u32() as i32 >> 12).collect();
            for step in [1, -1] {
                let (mut a, mut b) = (old.clone(), old.clone());
                kernels.add_column(&mut a, &column, step);
                Portable.add_column(&mut b, &column, step);
                assert_eq!(a, b);
            }
            let (mut a, mut b) = (vec![7], vec![7]);
            kernels.boundary(&old, &mut a);
            Portable.boundary(&old, &mut b);
            assert_eq!(a, b);
            kernels.sign_changes(&old, &new, &mut a);
            Portable.sign_changes(&old, &new, &mut b);
            assert_eq!(a, b);
            assert_eq!(kernels.sum_where_on(&old, &amounts), Portable.sum_where_on(&old, &amounts));
            for lanes in [1usize, 5, 16, 40, 64, 65, 130, 200] {
                let row_words = lanes.div_ceil(64);
                let rows: Vec<u64> = (0..len * row_words).map(|_| rng.next_u64()).collect();
                let (mut a, mut b) = (vec![9; lanes], vec![9; lanes]);
                kernels.sum_where_set(&rows, row_words, &amounts, &mut a);
                Portable.sum_where_set(&rows, row_words, &amounts, &mut b);
                assert_eq!(a, b, "{len} samples, {lanes} lanes");
            }
            check_samples(kernels, len, &mut rng);
        }
    }

    fn check_samples(kernels: impl Kernels, len: usize, rng: &mut Stream) {
        let found: Vec<u32> = (0..len as u32).map(|sample| 2 * sample + rng.below(2)).collect();
        for classes in [2usize, 10, 16, 17, 40] {
            let blocks = classes.div_ceil(LANES);
            let labels: Vec<u8> = (0..len).map(|_| rng.below(classes as u32) as u8).collect();
            let term = |rng: &mut Stream| rng.next_u32() as i16;
            let terms: Vec<Terms> =
                (0..len * blocks).map(|_| [0, 1].map(|_| std::array::from_fn(|_| term(rng)))).collect();
            let masks = (0..classes * blocks).map(|_| rng.next_u32() as u16).collect();
            let agrees = (0..classes).map(|_| rng.below(2) == 1).collect();
            let against = Against { masks, agrees, blocks };
            let (mut a, mut b) = (vec![], vec![]);
            kernels.flip_changes(&found, &labels, &terms, &against, &mut a);
            Portable.flip_changes(&found, &labels, &terms, &against, &mut b);
            assert_eq!(a, b, "{classes} classes");
        }
        for (lines, width, stride) in [(8, 8, 1), (3, 3, 1), (5, 12, 1), (8, 8, 2), (1, 32, 1)] {
            let words = 12 * stride;
            let inputs: Vec<u32> = (0..len * words).map(|_| rng.next_u32()).collect();
            let shift = rng.below(33 - width);
            let (first, weights) = (rng.below(4) as usize * stride, rng.next_u64());
            let tail = u64::MAX >> (64 - lines as u32 * width);
            let window = WindowRows { first, stride, shift, lines, width, weights, tail };
            let (mut a, mut b) = (vec![], vec![]);
            kernels.window_rows(&found, &inputs, words, &window, &mut a);
            Portable.window_rows(&found, &inputs, words, &window, &mut b);
            assert_eq!(a, b, "{lines} x {width}");
        }
    }

    #[test]
    fn portable_kernels_do_what_they_say() {
        let mut values = [0, -1, 5, 1];
        Portable.add_column(&mut values, &[0b0101], 1);
        assert_eq!(values, [1, -2, 6, 0]);
        let mut found = vec![];
        Portable.boundary(&[0, -1, 5, 0], &mut found);
        assert_eq!(found, [1, 2, 7]);
        found.clear();
        Portable.sign_changes(&[0, -1, 5, 1], &[-1, 0, 4, 2], &mut found);
        assert_eq!(found, [1, 2]);
        let mut sums = [0; 3];
        Portable.sum_where_set(&[0b101, 0b110], 1, &[10, -3], &mut sums);
        assert_eq!(sums, [10, -3, 7]);
        assert_eq!(Portable.sum_where_on(&[0, -1, 5], &[1, 2, 4]), 5);
    }

    #[test]
    fn every_instruction_set_equals_the_portable_form() {
        equals_portable(Portable);
        #[cfg(target_arch = "x86_64")]
        match super::super::Avx512::detect() {
            Some(kernels) => equals_portable(kernels),
            None => eprintln!("SKIPPED: this machine has no AVX-512"),
        }
    }
}
