//! How an instruction set becomes [`Kernels`](super::Kernels): its functions inside the shared loops.

/// Implements [`Kernels`](super::Kernels) for an instruction set from its functions in the module that calls this:
///
/// ```text
/// fn add<C: Cell>(old: &Chunk<C>, columns: &[Column<'_>], word: usize, base: i16, new: &mut Chunk<C>)
///                                                      twice its step where a column's bit is set
/// fn off<C: Cell>(values: &Chunk<C>) -> u64            which are negative
/// fn equal<C: Cell>(values: &Chunk<C>, value: i16) -> u64
/// fn append(mask: u64, on: u64, first: u32, to: &mut [u32; 64])
/// fn flip_changes(found: &[u32], labels: &Labels, ahead: &[Ahead], against: &Against, rises: &Rises, amounts: &mut Vec<i16>)
/// fn sum_rows(rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32])
/// fn sum_on(bits: &[u64], amounts: &[Chunk<i32>]) -> i64
/// fn slide_row<C: Cell>(slide: &Slide<'_>, weights: u64, threshold: i16, samples: usize, new: &mut [Chunk<C>])
/// fn slide_deciding(slide: &Slide<'_>, weights: u64, threshold: u32, found: &[u32], rows: &mut Vec<u32>)
/// ```
///
/// What else it does in its own way, instead of as all do, are functions of the trait behind a semicolon.
macro_rules! vector_kernels {
    ($kernels:ty, $features:literal $(; $($more:item)*)?) => {
        impl $kernels {
            #[target_feature(enable = $features)]
            fn add_columns_with<C: Cell>(
                old: &[Chunk<C>],
                columns: &[Column<'_>],
                base: i16,
                new: &mut [Chunk<C>],
            ) {
                loops::add_columns(old, columns, base, new, |old, columns, word, base, new| {
                    add(old, columns, word, base, new)
                });
            }

            #[target_feature(enable = $features)]
            fn on_bits_with<C: Cell>(preactivations: &[Chunk<C>], bits: &mut [u64]) {
                loops::on_bits(preactivations, bits, |values| off(values));
            }

            #[target_feature(enable = $features)]
            fn boundary_bits_with<C: Cell>(preactivations: &[Chunk<C>], bits: &mut [u64]) {
                loops::boundary_bits(preactivations, bits, |values, value| equal(values, value));
            }

            #[target_feature(enable = $features)]
            fn ahead_bits_with(ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]) {
                loops::ahead_bits(ahead, blocks, least, bits);
            }

            #[target_feature(enable = $features)]
            fn found_with(mask: &[u64], on: &[u64], first: usize, found: &mut Vec<u32>) {
                loops::found(mask, on, first, found, |mask, on, first, to| append(mask, on, first, to));
            }

            #[target_feature(enable = $features)]
            fn apply_moves_with(found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against) {
                loops::apply_moves(found, labels, ahead, against);
            }

            #[target_feature(enable = $features)]
            fn sum_where_on_with(bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
                loops::sum_where_on(bits, amounts, |bits, amounts| sum_on(bits, amounts))
            }
        }

        impl Kernels for $kernels {
            fn add_columns<C: Cell>(
                self,
                old: &[Chunk<C>],
                columns: &[Column<'_>],
                base: i16,
                new: &mut [Chunk<C>],
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::add_columns_with(old, columns, base, new) }
            }

            fn on_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::on_bits_with(preactivations, bits) }
            }

            fn boundary_bits<C: Cell>(self, preactivations: &[Chunk<C>], bits: &mut [u64]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::boundary_bits_with(preactivations, bits) }
            }

            fn ahead_bits(self, ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::ahead_bits_with(ahead, blocks, least, bits) }
            }

            fn found(self, mask: &[u64], on: &[u64], first: usize, found: &mut Vec<u32>) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::found_with(mask, on, first, found) }
            }

            fn flip_changes(
                self,
                found: &[u32],
                labels: &Labels,
                ahead: &[Ahead],
                against: &Against,
                rises: &Rises,
                amounts: &mut Vec<i16>,
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { flip_changes(found, labels, ahead, against, rises, amounts) }
            }

            fn apply_moves(self, found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::apply_moves_with(found, labels, ahead, against) }
            }

            fn sum_rows(self, rows: Rows<'_>, found: &[u32], amounts: &[i16], most: i16, sums: &mut [i32]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { sum_rows(rows, found, amounts, most, sums) }
            }

            fn slide_row<C: Cell>(
                self,
                slide: &Slide<'_>,
                weights: u64,
                threshold: i16,
                samples: usize,
                new: &mut [Chunk<C>],
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { slide_row(slide, weights, threshold, samples, new) }
            }

            fn slide_deciding(
                self,
                slide: &Slide<'_>,
                weights: u64,
                threshold: u32,
                found: &[u32],
                rows: &mut Vec<u32>,
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { slide_deciding(slide, weights, threshold, found, rows) }
            }

            fn sum_where_on(self, bits: &[u64], amounts: &[Chunk<i32>]) -> i64 {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::sum_where_on_with(bits, amounts) }
            }

            $($($more)*)?
        }
    };
}
pub(super) use vector_kernels;
