//! The loops that all instruction sets share, around functions on 64 samples or 16 classes that each of them brings.
//!
//! Everything here is inlined into a function that has the instructions, closures included: hence plain loops
//! instead of iterators, whose own functions would not have them.

use super::kernels::{Against, Column, Kernels, LANES, Portable, Terms, WindowRows};

/// Samples that a list is collected from before it is appended.
const GATHERED: usize = 1024;

/// How many found samples ahead memory is asked for: they lie apart, in an order that the processor cannot guess.
const AHEAD: usize = 16;

/// Asks for memory that is read soon.
#[inline(always)]
pub(super) fn prefetch<T>(soon: Option<&T>) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if let Some(soon) = soon {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and the address is that of a reference.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(soon).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = soon;
}

/// The sample that is found a few after this.
#[inline(always)]
pub(super) fn sample_ahead(found: &[u32], index: usize) -> usize {
    found.get(index + AHEAD).map_or(0, |&found| found as usize / 2)
}

/// [`Kernels::add_columns`] around `add(old, columns, word, base, new)` for the samples of one word.
#[inline(always)]
pub(super) fn add_columns(
    old: &[i16],
    columns: &[Column<'_>],
    base: i16,
    new: &mut [i16],
    add: impl Fn(&[i16; 64], &[Column<'_>], usize, i16, &mut [i16; 64]),
) {
    let (old, old_rest) = old.as_chunks::<64>();
    let (new, new_rest) = new.as_chunks_mut::<64>();
    for (word, (old, new)) in old.iter().zip(new).enumerate() {
        add(old, columns, word, base, new);
    }
    if !old_rest.is_empty() {
        let last: Vec<Column<'_>> =
            columns.iter().map(|column| Column { bits: &column.bits[old.len()..], ..*column }).collect();
        Portable.add_columns(old_rest, &last, base, new_rest);
    }
}

/// [`Kernels::on_bits`] around the mask of the samples that are off.
#[inline(always)]
pub(super) fn on_bits(preactivations: &[i16], bits: &mut [u64], off: impl Fn(&[i16; 64]) -> u64) {
    let (chunks, rest) = preactivations.as_chunks::<64>();
    for (chunk, bits) in chunks.iter().zip(bits.iter_mut()) {
        *bits = !off(chunk);
    }
    Portable.on_bits(rest, &mut bits[chunks.len()..]);
}

/// [`Kernels::boundary`] around the mask of the samples that equal a value, and `append`, see [`collect`].
#[inline(always)]
pub(super) fn boundary(
    preactivations: &[i16],
    found: &mut Vec<u32>,
    equal: impl Fn(&[i16; 64], i16) -> u64,
    append: impl Fn(u64, u64, u32, &mut [u32; 64]),
) {
    let (chunks, rest) = preactivations.as_chunks::<64>();
    let masks = |index: usize| {
        let on = equal(&chunks[index], 0);
        (on | equal(&chunks[index], -1), on)
    };
    collect(chunks.len(), found, masks, append);
    append_rest(64 * chunks.len(), found, |found| Portable.boundary(rest, found));
}

/// [`Kernels::sign_changes`] around the mask of the samples that are off, and `append`, see [`collect`].
#[inline(always)]
pub(super) fn sign_changes(
    old: &[i16],
    new: &[i16],
    found: &mut Vec<u32>,
    off: impl Fn(&[i16; 64]) -> u64,
    append: impl Fn(u64, u64, u32, &mut [u32; 64]),
) {
    let ((olds, old_rest), (news, new_rest)) = (old.as_chunks::<64>(), new.as_chunks::<64>());
    let masks = |index: usize| {
        let was_off = off(&olds[index]);
        (was_off ^ off(&news[index]), !was_off)
    };
    collect(olds.len().min(news.len()), found, masks, append);
    append_rest(64 * olds.len(), found, |found| Portable.sign_changes(old_rest, new_rest, found));
}

/// Appends `2 * sample + on` for the samples of the masks `(mask, on)` of each word. `append(mask, on, first, to)` writes those
/// of one word, whose first sample is `first`, to the start of `to`.
#[inline(always)]
fn collect(
    words: usize,
    found: &mut Vec<u32>,
    masks: impl Fn(usize) -> (u64, u64),
    append: impl Fn(u64, u64, u32, &mut [u32; 64]),
) {
    let mut gathered = [0; GATHERED + 64];
    let mut count = 0;
    for word in 0..words {
        let (mask, on) = masks(word);
        if let Some(to) = gathered[count..].first_chunk_mut() {
            append(mask, on, 64 * word as u32, to);
        }
        count += mask.count_ones() as usize;
        if count > GATHERED {
            found.extend_from_slice(&gathered[..count]);
            count = 0;
        }
    }
    found.extend_from_slice(&gathered[..count]);
}

/// `append` of [`collect`] one sample at a time.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) fn append_each(mut mask: u64, on: u64, first: u32, to: &mut [u32; 64]) {
    for to in to {
        if mask == 0 {
            break;
        }
        let lane = mask.trailing_zeros();
        *to = 2 * (first + lane) + (on >> lane & 1) as u32;
        mask &= mask - 1;
    }
}

/// Appends what the portable form finds in the last samples, from `first` on.
fn append_rest(first: usize, found: &mut Vec<u32>, find: impl FnOnce(&mut Vec<u32>)) {
    let start = found.len();
    find(found);
    found[start..].iter_mut().for_each(|found| *found += 2 * first as u32);
}

/// [`Kernels::sum_where_set`] around the sums of the 64 lanes of one word of all rows.
#[inline(always)]
pub(super) fn sum_where_set(
    rows: &[u64],
    row_words: usize,
    amounts: &[i32],
    sums: &mut [i32],
    lanes_of: impl Fn(&[u64], usize, &[i32]) -> [i32; 64],
) {
    for (word, lanes) in sums.chunks_mut(64).enumerate() {
        let totals = lanes_of(&rows[word.min(rows.len())..], row_words, amounts);
        lanes.copy_from_slice(&totals[..lanes.len()]);
    }
}

/// [`Kernels::sum_where_on`] around the sum of a few words of samples.
#[inline(always)]
pub(super) fn sum_where_on(
    bits: &[u64],
    amounts: &[i32],
    sum_of: impl Fn(&[u64], &[[i32; 64]]) -> i64,
) -> i64 {
    // An amount is below 2^23 and a vector has at least 4 lanes, so 14 words keep every lane within an i32.
    const WORDS: usize = 14;
    let (chunks, rest) = amounts.as_chunks::<64>();
    let mut sum = 0;
    for (bits, amounts) in bits.chunks(WORDS).zip(chunks.chunks(WORDS)) {
        sum += sum_of(bits, amounts);
    }
    sum + Portable.sum_where_on(&bits[chunks.len()..], rest)
}

/// [`Kernels::flip_changes`] around the sum of the terms whose bit is set.
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
    let start = amounts.len();
    amounts.resize(start + found.len(), 0);
    for (index, amount) in amounts[start..].iter_mut().enumerate() {
        prefetch(terms.get(sample_ahead(found, index) * blocks));
        let found = found[index];
        let (sample, on) = (found as usize / 2, found % 2 == 1);
        let label = usize::from(labels[sample]);
        // Where weight and output agree, the flip takes 1 from the right score, so the others gain 2 on it.
        let direction = usize::from(against.agrees[label] != on);
        let terms = &terms[sample * blocks..(sample + 1) * blocks];
        let masks = &against.masks[label * blocks..(label + 1) * blocks];
        for (terms, &mask) in terms.iter().zip(masks) {
            *amount += masked_sum(&terms.0[direction], mask);
        }
    }
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
    let start = rows.len();
    rows.resize(start + found.len(), 0);
    for (index, row) in rows[start..].iter_mut().enumerate() {
        let ahead = sample_ahead(found, index) * input_words + window.first;
        prefetch(inputs.get(ahead));
        prefetch(inputs.get(ahead + (window.lines - 1) * window.stride));
        let found = found[index];
        let first = found as usize / 2 * input_words;
        let seen = gather(&inputs[first..first + input_words], window);
        // On: a flip turns the neuron off where input and weight agree. Off: where they differ.
        let invert = u64::from(found & 1).wrapping_neg();
        *row = (seen ^ window.weights ^ invert) & window.tail;
    }
}

/// [`Kernels::window_rows`] around the gathering of an 8 by 8 window whose rows are neighbouring words.
#[inline(always)]
pub(super) fn window_rows_by_bytes(
    found: &[u32],
    inputs: &[u32],
    input_words: usize,
    window: &WindowRows,
    rows: &mut Vec<u64>,
    bytes: impl Fn(&[u32; 8], u32) -> u64,
) {
    if (window.lines, window.width, window.stride) == (8, 8, 1) {
        window_rows(found, inputs, input_words, window, rows, |input, window| {
            input[window.first..].first_chunk().map_or(0, |lines| bytes(lines, window.shift))
        });
    } else {
        window_rows(found, inputs, input_words, window, rows, gather);
    }
}

/// The bits of a window, row after row.
#[inline(always)]
pub(super) fn gather(input: &[u32], window: &WindowRows) -> u64 {
    let mask = evobit::bits::tail_mask(window.width);
    let mut seen = 0;
    for line in 0..window.lines {
        let bits = input[window.first + line * window.stride] >> window.shift & mask;
        seen |= u64::from(bits) << (line as u32 * window.width);
    }
    seen
}

/// Implements [`Kernels`] for an instruction set from its functions in the module that calls this:
///
/// ```text
/// fn add(old: &[i16; 64], columns: &[Column<'_>], word: usize, base: i16, new: &mut [i16; 64])
/// fn off(values: &[i16; 64]) -> u64                    which are negative
/// fn equal(values: &[i16; 64], value: i16) -> u64      which equal the value
/// fn append(mask: u64, on: u64, first: u32, to: &mut [u32; 64])
/// fn lane_sums(rows: &[u64], row_words: usize, amounts: &[i32]) -> [i32; 64]
/// fn sum_on(bits: &[u64], amounts: &[[i32; 64]]) -> i64
/// fn masked_sum(terms: &[i16; LANES], mask: u16) -> i32
/// fn bytes(lines: &[u32; 8], shift: u32) -> u64        the lowest byte of each, shifted
/// fn write_terms(scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms)
/// ```
macro_rules! vector_kernels {
    ($kernels:ty, $features:literal) => {
        impl $kernels {
            #[target_feature(enable = $features)]
            fn add_columns_with(old: &[i16], columns: &[Column<'_>], base: i16, new: &mut [i16]) {
                loops::add_columns(old, columns, base, new, |old, columns, word, base, new| {
                    add(old, columns, word, base, new)
                });
            }

            #[target_feature(enable = $features)]
            fn on_bits_with(preactivations: &[i16], bits: &mut [u64]) {
                loops::on_bits(preactivations, bits, |values| off(values));
            }

            #[target_feature(enable = $features)]
            fn boundary_with(preactivations: &[i16], found: &mut Vec<u32>) {
                loops::boundary(
                    preactivations,
                    found,
                    |values, value| equal(values, value),
                    |mask, on, first, to| append(mask, on, first, to),
                );
            }

            #[target_feature(enable = $features)]
            fn sign_changes_with(old: &[i16], new: &[i16], found: &mut Vec<u32>) {
                loops::sign_changes(
                    old,
                    new,
                    found,
                    |values| off(values),
                    |mask, on, first, to| append(mask, on, first, to),
                );
            }

            #[target_feature(enable = $features)]
            fn sum_where_set_with(rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]) {
                loops::sum_where_set(rows, row_words, amounts, sums, |rows, row_words, amounts| {
                    lane_sums(rows, row_words, amounts)
                });
            }

            #[target_feature(enable = $features)]
            fn sum_where_on_with(bits: &[u64], amounts: &[i32]) -> i64 {
                loops::sum_where_on(bits, amounts, |bits, amounts| sum_on(bits, amounts))
            }

            #[target_feature(enable = $features)]
            fn flip_changes_with(
                found: &[u32],
                labels: &[u8],
                terms: &[Terms],
                against: &Against,
                amounts: &mut Vec<i32>,
            ) {
                loops::flip_changes(found, labels, terms, against, amounts, |terms, mask| {
                    masked_sum(terms, mask)
                });
            }

            #[target_feature(enable = $features)]
            fn window_rows_with(
                found: &[u32],
                inputs: &[u32],
                input_words: usize,
                window: &WindowRows,
                rows: &mut Vec<u64>,
            ) {
                loops::window_rows_by_bytes(found, inputs, input_words, window, rows, |lines, shift| {
                    bytes(lines, shift)
                });
            }
        }

        impl Kernels for $kernels {
            fn add_columns(self, old: &[i16], columns: &[Column<'_>], base: i16, new: &mut [i16]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::add_columns_with(old, columns, base, new) }
            }

            fn on_bits(self, preactivations: &[i16], bits: &mut [u64]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::on_bits_with(preactivations, bits) }
            }

            fn boundary(self, preactivations: &[i16], found: &mut Vec<u32>) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::boundary_with(preactivations, found) }
            }

            fn sign_changes(self, old: &[i16], new: &[i16], found: &mut Vec<u32>) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::sign_changes_with(old, new, found) }
            }

            fn sum_where_set(self, rows: &[u64], row_words: usize, amounts: &[i32], sums: &mut [i32]) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::sum_where_set_with(rows, row_words, amounts, sums) }
            }

            fn sum_where_on(self, bits: &[u64], amounts: &[i32]) -> i64 {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::sum_where_on_with(bits, amounts) }
            }

            fn flip_changes(
                self,
                found: &[u32],
                labels: &[u8],
                terms: &[Terms],
                against: &Against,
                amounts: &mut Vec<i32>,
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::flip_changes_with(found, labels, terms, against, amounts) }
            }

            fn window_rows(
                self,
                found: &[u32],
                inputs: &[u32],
                input_words: usize,
                window: &WindowRows,
                rows: &mut Vec<u64>,
            ) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { Self::window_rows_with(found, inputs, input_words, window, rows) }
            }

            fn write_terms(self, scores: &Scores, right: i16, steps: &Steps, terms: &mut Terms) {
                // SAFETY: only `detect` makes a `self`, where it found the instructions.
                unsafe { write_terms(scores, right, steps, terms) }
            }
        }
    };
}
pub(super) use vector_kernels;
