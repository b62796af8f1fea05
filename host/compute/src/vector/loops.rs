//! The loops that all instruction sets share, around functions on 64 samples or 16 classes that each of them brings.
//!
//! Everything here is inlined into a function that has the instructions, closures included: hence plain loops
//! instead of iterators, whose own functions would not have them.

use super::kernels::{
    Against, Ahead, CHUNK, Cell, Chunk, Column, Kernels, LANES, Labels, Rows, Sides, Window,
};

/// Found samples whose rows are gathered before they are summed.
pub(super) const GATHERED: usize = 1024;

/// Found samples whose row is their place in the list, as gathered rows lie.
pub(super) static IN_ORDER: [u32; GATHERED] = {
    let mut order = [0; GATHERED];
    let mut index = 0;
    while index < GATHERED {
        order[index] = 2 * index as u32;
        index += 1;
    }
    order
};

/// How many found samples ahead memory is asked for: they lie apart, in an order that the processor cannot guess.
pub(super) const FAR: usize = 16;

/// Asks for memory that is read soon, an element that need not be there.
#[inline(always)]
pub(super) fn prefetch<T>(of: &[T], index: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and it may be given any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(of.as_ptr().wrapping_add(index).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (of, index);
}

/// The sample that is found a few after this.
#[inline(always)]
pub(super) fn sample_ahead(found: &[u32], index: usize) -> usize {
    found.get(index + FAR).map_or(0, |&found| found as usize / 2)
}

/// [`Kernels::add_columns`](super::Kernels::add_columns) around `add(old, columns, word, base, new)` for one chunk. There every column adds
/// twice its step where its bit is set, nothing where not.
#[inline(always)]
pub(super) fn add_columns<C: Cell>(
    old: &[Chunk<C>],
    columns: &[Column<'_>],
    base: i16,
    new: &mut [Chunk<C>],
    add: impl Fn(&Chunk<C>, &[Column<'_>], usize, i16, &mut Chunk<C>),
) {
    let mut least = base;
    for column in columns {
        least -= column.step;
    }
    for (word, (old, new)) in old.iter().zip(new).enumerate() {
        add(old, columns, word, least, new);
    }
}

/// [`Kernels::on_bits`](super::Kernels::on_bits) around the mask of the samples that are off.
#[inline(always)]
pub(super) fn on_bits<C: Cell>(chunks: &[Chunk<C>], bits: &mut [u64], off: impl Fn(&Chunk<C>) -> u64) {
    for (chunk, bits) in chunks.iter().zip(bits) {
        *bits = !off(chunk);
    }
}

/// [`Kernels::boundary_bits`](super::Kernels::boundary_bits) around the mask of the samples that equal a value.
#[inline(always)]
pub(super) fn boundary_bits<C: Cell>(
    chunks: &[Chunk<C>],
    bits: &mut [u64],
    equal: impl Fn(&Chunk<C>, i16) -> u64,
) {
    for (chunk, bits) in chunks.iter().zip(bits) {
        *bits = equal(chunk, 0) | equal(chunk, -1);
    }
}

/// [`Kernels::ahead_bits`](super::Kernels::ahead_bits).
#[inline(always)]
pub(super) fn ahead_bits(ahead: &[Ahead], blocks: usize, least: i16, bits: &mut [u64]) {
    let words = bits.len() / (blocks * LANES);
    for (word, samples) in ahead.chunks(CHUNK * blocks).enumerate() {
        for block in 0..blocks {
            let mut masks = [0u64; LANES];
            for (sample, rows) in samples.chunks(blocks).enumerate() {
                let ahead = &rows[block].0;
                for lane in 0..LANES {
                    masks[lane] |= u64::from(ahead[lane] >= least) << sample;
                }
            }
            for lane in 0..LANES {
                bits[(block * LANES + lane) * words + word] = masks[lane];
            }
        }
    }
}

/// [`Kernels::found`](super::Kernels::found) around `append(mask, on, first, to)`, which writes the samples of one word, the first of which
/// is `first`, to the start of `to`.
#[inline(always)]
pub(super) fn found(
    mask: &[u64],
    on: &[u64],
    first: usize,
    found: &mut Vec<u32>,
    append: impl Fn(u64, u64, u32, &mut [u32; 64]),
) {
    let count: u32 = mask.iter().map(|mask| mask.count_ones()).sum();
    let mut at = found.len();
    let len = at + count as usize;
    // Room for whole words of samples; what is too much is cut again.
    found.resize(len + CHUNK, 0);
    for side in [0, u64::MAX] {
        for (word, (&mask, &on)) in mask.iter().zip(on).enumerate() {
            let mask = mask & !(on ^ side);
            if let Some(to) = found[at..].first_chunk_mut() {
                append(mask, side, 64 * (first + word) as u32, to);
            }
            at += mask.count_ones() as usize;
        }
    }
    found.truncate(len);
}

/// `append` of [`found`] one sample at a time.
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

/// Where a found sample has its entry in [`Against`].
#[inline(always)]
pub(super) fn entry(found: u32, labels: &Labels) -> usize {
    2 * labels.of(found as usize / 2) + (found & 1) as usize
}

/// [`Kernels::flip_changes`](super::Kernels::flip_changes) around the change of loss by the classes of one block, of how far they are
/// ahead, their shifts, and whether they fall.
#[inline(always)]
pub(super) fn flip_changes(
    found: &[u32],
    labels: &Labels,
    ahead: &[Ahead],
    against: &Against,
    amounts: &mut Vec<i16>,
    change_of: impl Fn(&Ahead, &Ahead, bool) -> i16,
) {
    let blocks = against.blocks;
    let start = amounts.len();
    amounts.resize(start + found.len(), 0);
    for (index, amount) in amounts[start..].iter_mut().enumerate() {
        prefetch(ahead, sample_ahead(found, index) * blocks);
        let (first, entry) = (found[index] as usize / 2 * blocks, entry(found[index], labels));
        for block in 0..blocks {
            let shift = &against.shifts[entry * blocks + block];
            *amount += change_of(&ahead[first + block], shift, against.falls(entry));
        }
    }
}

/// [`Kernels::apply_moves`](super::Kernels::apply_moves).
#[inline(always)]
pub(super) fn apply_moves(found: &[u32], labels: &Labels, ahead: &mut [Ahead], against: &Against) {
    let blocks = against.blocks;
    for &one in found {
        let (first, entry) = (one as usize / 2 * blocks, entry(one, labels) * blocks);
        for block in 0..blocks {
            let (ahead, moves) = (&mut ahead[first + block].0, &against.moves[entry + block].0);
            for lane in 0..ahead.len() {
                ahead[lane] += moves[lane];
            }
        }
    }
}

/// [`Kernels::sum_where_on`](super::Kernels::sum_where_on) around the sum of a few words of samples.
#[inline(always)]
pub(super) fn sum_where_on(
    bits: &[u64],
    amounts: &[Chunk<i32>],
    sum_of: impl Fn(&[u64], &[Chunk<i32>]) -> i64,
) -> i64 {
    // An amount is below 2^23 and a vector has at least 4 lanes, so 14 words keep every lane within an i32.
    const WORDS: usize = 14;
    let mut sum = 0;
    for (bits, amounts) in bits.chunks(WORDS).zip(amounts.chunks(WORDS)) {
        sum += sum_of(bits, amounts);
    }
    sum
}

/// [`Kernels::sides`](super::Kernels::sides).
#[inline(always)]
pub(super) fn sides(found: &[u32], amounts: &mut [i16]) -> Sides {
    let (mut all, mut on, mut most) = (0i64, 0i64, 0);
    for (&found, amount) in found.iter().zip(amounts) {
        let is_on = (found & 1) as i16;
        all += i64::from(*amount);
        on += i64::from(*amount & -is_on);
        most = most.max(amount.abs());
        *amount *= 2 * is_on - 1;
    }
    Sides { off: all - on, on, most }
}

/// [`Kernels::slide_row`](super::Kernels::slide_row) around the fewest mismatches of a sample.
#[inline(always)]
pub(super) fn slide_row<C: Cell>(
    threshold: i16,
    samples: usize,
    new: &mut [Chunk<C>],
    fewest: impl Fn(usize) -> u32,
) {
    let mut sample = 0;
    for chunk in new {
        for cell in &mut chunk.0 {
            if sample == samples {
                return;
            }
            *cell = C::from_wide(threshold - fewest(sample) as i16);
            sample += 1;
        }
    }
}

/// [`Kernels::slide_deciding`](super::Kernels::slide_deciding) around the bits in which a sample differs where it decides.
#[inline(always)]
pub(super) fn slide_deciding(
    weights: u64,
    found: &[u32],
    rows: &mut Vec<u32>,
    differing: impl Fn(usize) -> u64,
) {
    for &found in found {
        let row = weights ^ differing(found as usize / 2);
        rows.extend([row as u32, (row >> 32) as u32]);
    }
}

/// [`Kernels::sum_window`](super::Kernels::sum_window).
pub(super) fn sum_window(
    kernels: impl Kernels,
    window: &Window<'_>,
    found: &[u32],
    amounts: &[i16],
    most: i16,
    sums: &mut [i32],
) {
    let mut bits = [[0; 2]; GATHERED];
    for (found, amounts) in found.chunks(GATHERED).zip(amounts.chunks(GATHERED)) {
        for (bits, &found) in bits.iter_mut().zip(found) {
            *bits = window.of(found as usize / 2);
        }
        let rows = Rows { bits: bits[..found.len()].as_flattened(), words: 2 };
        kernels.sum_rows(rows, &IN_ORDER[..found.len()], amounts, most, sums);
    }
}

/// So many amounts of at most `most` that their sum fits an `i16`.
#[inline(always)]
pub(super) fn amounts_in_sum(most: i16) -> usize {
    (i16::MAX / most.max(1)) as usize
}
