//! The inner loops of the vector landscape, one trait over instruction sets.
//!
//! Each is defined by its portable form; the others must give the same integers, which the property suite and the tests
//! here check on every machine that has them. An instruction set brings a few functions on 64 samples or 16 classes;
//! [`vector_kernels`] puts them into the loops, which all share (`loops.rs`).

/// Classes of a block of terms.
pub(super) const LANES: usize = 16;

/// Scores of 16 classes of one sample, 0 where there is no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(32))]
pub struct Scores(pub [i16; LANES]);

// SAFETY: 16 integers; all zeros are 16 zeros.
unsafe impl bytemuck::Zeroable for Scores {}
// SAFETY: 16 integers of 2 bytes and an alignment of 32, so there is no padding, and any bits are integers.
unsafe impl bytemuck::Pod for Scores {}

/// For 16 classes of one sample: the change of loss if that class gained 2 on the right one, if it lost 2. Both lie in
/// one line of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub struct Terms(pub [[i16; LANES]; 2]);

/// The change of loss of a wrong class by how far it lies ahead of the right one.
#[derive(Clone, Debug)]
pub struct Steps {
    /// If the difference rises by 2, if it falls by 2; never empty.
    pub changes: Vec<[i16; 2]>,
    /// Index of difference 0.
    pub zero: i32,
}

/// A column that is added to pre-activations: `step` where its bit is set, `-step` where not.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Bit i belongs to sample i.
    pub bits: &'a [u64],
    /// What a set bit adds.
    pub step: i16,
}

/// For one hidden neuron and each label: which classes move against the right one, and whether the right one agrees with
/// the neuron being on.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// `[labels][blocks]`.
    pub masks: Vec<u16>,
    /// The neuron's weight in each class.
    pub agrees: Vec<bool>,
    /// Blocks of 16 classes.
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
    /// Writes pre-activations with `base` and all `columns` added: `new = old + base + columns`.
    fn add_columns(self, old: &[i16], columns: &[Column<'_>], base: i16, new: &mut [i16]);

    /// Writes one bit a sample, set where the pre-activation is not negative.
    fn on_bits(self, preactivations: &[i16], bits: &mut [u64]);

    /// Appends the boundary samples: `2 * sample + 1` where the pre-activation is 0 (just on), `2 * sample` where
    /// it is -1 (just off), ascending.
    fn boundary(self, preactivations: &[i16], found: &mut Vec<u32>);

    /// Appends the samples whose sign differs between `old` and `new`: `2 * sample + 1` where `old` is on (not negative),
    /// `2 * sample` where it is off, ascending.
    fn sign_changes(self, old: &[i16], new: &[i16], found: &mut Vec<u32>);

    /// For every lane i, the sum of `amounts[s]` over the samples s whose bit i is set in their row:
    /// `rows` is `[samples][row_words]`, `sums` one lane for each bit that counts. Sums must fit an `i32`.
    fn sum_where_set(self, rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]);

    /// The sum of `amounts`, each below 2^23, over the samples whose bit is set.
    fn sum_where_on(self, bits: &[u64], amounts: &[i32]) -> i64;

    /// Appends the change of loss of each found sample (as [`Self::boundary`] gives them) if the neuron were flipped.
    fn flip_changes(
        self,
        found: &[u32],
        labels: &[u8],
        terms: &[Terms],
        against: &Against,
        amounts: &mut Vec<i32>,
    );

    /// Appends one row for each found sample: the bits of the inputs whose weight flip turns the neuron there.
    fn window_rows(
        self,
        found: &[u32],
        inputs: &[u32],
        input_words: usize,
        window: &WindowRows,
        rows: &mut Vec<u64>,
    );

    /// Writes the terms of 16 classes whose right one has the score `right`.
    fn write_terms(self, scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms);
}

/// The portable form: what every other form must equal.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Kernels for Portable {
    fn add_columns(self, old: &[i16], columns: &[Column<'_>], base: i16, new: &mut [i16]) {
        for (word, (old, new)) in old.chunks(64).zip(new.chunks_mut(64)).enumerate() {
            new.copy_from_slice(old);
            new.iter_mut().for_each(|value| *value += base);
            for column in columns {
                let bits = column.bits[word];
                for (index, value) in new.iter_mut().enumerate() {
                    // -1 where the bit is clear, 0 where it is set: step or -step without a branch.
                    let clear = (bits >> index & 1) as i16 - 1;
                    *value += (column.step ^ clear) - clear;
                }
            }
        }
    }

    fn on_bits(self, preactivations: &[i16], bits: &mut [u64]) {
        for (chunk, bits) in preactivations.chunks(64).zip(bits) {
            let on = (0..).zip(chunk).map(|(index, &value)| u64::from(value >= 0) << index);
            *bits = on.fold(0, |bits, bit| bits | bit);
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

    fn sum_where_on(self, bits: &[u64], amounts: &[i32]) -> i64 {
        let word = |(&bits, amounts): (&u64, &[i32])| -> i64 {
            let on = |(index, &amount): (u32, &i32)| i64::from(amount) & -((bits >> index & 1) as i64);
            (0..).zip(amounts).map(on).sum()
        };
        bits.iter().zip(amounts.chunks(64)).map(word).sum()
    }

    fn flip_changes(
        self,
        found: &[u32],
        labels: &[u8],
        terms: &[Terms],
        against: &Against,
        amounts: &mut Vec<i32>,
    ) {
        super::loops::flip_changes(found, labels, terms, against, amounts, masked_sum);
    }

    fn window_rows(
        self,
        found: &[u32],
        inputs: &[u32],
        input_words: usize,
        window: &WindowRows,
        rows: &mut Vec<u64>,
    ) {
        super::loops::window_rows(found, inputs, input_words, window, rows, super::loops::gather);
    }

    fn write_terms(self, scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms) {
        let Terms([ups, downs]) = terms;
        for ((&score, up), down) in scores.0.iter().zip(ups).zip(downs) {
            let index = i32::from(score) - i32::from(right) + steps.zero;
            [*up, *down] = steps.changes[(index.max(0) as usize).min(steps.changes.len() - 1)];
        }
    }
}

/// The sum of the terms whose bit is set.
fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32 {
    (0..LANES).map(|class| i32::from(terms[class]) & -i32::from(mask >> class & 1)).sum()
}

#[cfg(test)]
mod tests {
    use evobit::rng::{Draw, Purpose, Stream};
    use rand_core::Rng;

    use super::*;

    /// Every kernel against the portable one, on lengths around the widths of vectors.
    fn equals_portable(kernels: impl Kernels) {
        let mut rng = Stream::new(5, Purpose::Test, 0);
        let lens = [0usize, 1, 15, 16, 31, 32, 33, 63, 64, 65, 127, 200, 1000, 2100];
        for len in lens.into_iter().filter(|len| !cfg!(miri) || [1, 65].contains(len)) {
            let near = |rng: &mut Stream| rng.below(9) as i16 - 4;
            let old: Vec<i16> = (0..len).map(|_| near(&mut rng)).collect();
            let new: Vec<i16> = (0..len).map(|_| near(&mut rng)).collect();
            let column: Vec<u64> = (0..len.div_ceil(64)).map(|_| rng.next_u64()).collect();
            let amounts: Vec<i32> = (0..len).map(|_| rng.next_u32() as i32 >> 8).collect();
            for (count, base) in [(0, 3), (1, 0), (2, -1), (5, 0)] {
                let columns: Vec<Vec<u64>> =
                    (0..count).map(|_| (0..len.div_ceil(64)).map(|_| rng.next_u64()).collect()).collect();
                let columns: Vec<Column<'_>> = (0..)
                    .zip(&columns)
                    .map(|(index, bits)| Column { bits, step: 1 - 2 * (index % 2) })
                    .collect();
                let (mut a, mut b) = (vec![99; len], vec![-99; len]);
                kernels.add_columns(&old, &columns, base, &mut a);
                Portable.add_columns(&old, &columns, base, &mut b);
                assert_eq!(a, b);
            }
            let (mut a, mut b) = (vec![1; column.len()], vec![2; column.len()]);
            kernels.on_bits(&old, &mut a);
            Portable.on_bits(&old, &mut b);
            assert_eq!(a, b);
            let (mut a, mut b) = (vec![7], vec![7]);
            kernels.boundary(&old, &mut a);
            Portable.boundary(&old, &mut b);
            assert_eq!(a, b);
            kernels.sign_changes(&old, &new, &mut a);
            Portable.sign_changes(&old, &new, &mut b);
            assert_eq!(a, b);
            assert_eq!(kernels.sum_where_on(&column, &amounts), Portable.sum_where_on(&column, &amounts));
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
            let terms: Vec<Terms> = (0..len * blocks)
                .map(|_| Terms([0, 1].map(|_| std::array::from_fn(|_| term(rng)))))
                .collect();
            let steps = Steps { changes: (0..41).map(|_| [term(rng), term(rng)]).collect(), zero: 20 };
            for _ in 0..len.min(20) {
                // Differences beyond the table as well.
                let scores = Scores(std::array::from_fn(|_| rng.below(60) as i16 - 30));
                let right = rng.below(20) as i16 - 10;
                let (mut a, mut b) = (Terms::default(), Terms([[1; LANES]; 2]));
                kernels.write_terms(&scores, right, &steps, &mut a);
                Portable.write_terms(&scores, right, &steps, &mut b);
                assert_eq!(a, b);
            }
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
        let mut values = [0; 4];
        let column = Column { bits: &[0b0101], step: 1 };
        Portable.add_columns(&[0, -1, 5, 1], &[column], 10, &mut values);
        assert_eq!(values, [11, 8, 16, 10]);
        let mut bits = [0];
        Portable.on_bits(&[0, -1, 5, -7], &mut bits);
        assert_eq!(bits, [0b101]);
        let mut found = vec![];
        Portable.boundary(&[0, -1, 5, 0], &mut found);
        assert_eq!(found, [1, 2, 7]);
        found.clear();
        Portable.sign_changes(&[0, -1, 5, 1], &[-1, 0, 4, 2], &mut found);
        assert_eq!(found, [1, 2]);
        let mut sums = [0; 3];
        Portable.sum_where_set(&[0b101, 0b110], 1, &[10, -3], &mut sums);
        assert_eq!(sums, [10, -3, 7]);
        assert_eq!(Portable.sum_where_on(&[0b101], &[1, 2, 4]), 5);
    }

    #[test]
    fn every_instruction_set_equals_the_portable_form() {
        equals_portable(Portable);
        #[cfg(target_arch = "x86_64")]
        match super::super::Avx512::detect() {
            Some(kernels) => equals_portable(kernels),
            None => eprintln!("SKIPPED: this machine has no AVX-512"),
        }
        #[cfg(target_arch = "x86_64")]
        match super::super::Avx2::detect() {
            Some(kernels) => equals_portable(kernels),
            None => eprintln!("SKIPPED: this machine has no AVX2"),
        }
        #[cfg(target_arch = "aarch64")]
        match super::super::Neon::detect() {
            Some(kernels) => equals_portable(kernels),
            None => eprintln!("SKIPPED: this machine has no NEON"),
        }
    }
}
