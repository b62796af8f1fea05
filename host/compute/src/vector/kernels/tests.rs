use evobit::rng::{Draw, Purpose, Stream};
use rand_core::Rng;

use super::*;

/// All of these cases, or under the interpreter, which is some ten thousand times slower, those at these places.
fn cases<T: Copy>(all: &[T], interpreted: &[usize]) -> Vec<T> {
    let few = interpreted.iter().map(|&case| all[case]);
    if cfg!(miri) { few.collect() } else { all.to_vec() }
}

/// Every kernel against the portable one, on some lengths.
fn equals_portable(kernels: impl Kernels) {
    let mut rng = Stream::new(5, Purpose::Test, 0);
    for words in cases(&[0usize, 1, 2, 3, 14, 33], &[1]) {
        check_cells::<i8>(kernels, words, &mut rng);
        check_cells::<i16>(kernels, words, &mut rng);
        let bits: Vec<u64> = (0..words).map(|_| rng.next_u64()).collect();
        let on: Vec<u64> = (0..words).map(|_| rng.next_u64()).collect();
        let (mut a, mut b) = (vec![7], vec![7]);
        kernels.found(&bits, &on, 3, &mut a);
        Portable.found(&bits, &on, 3, &mut b);
        assert_eq!(a, b);
        let amounts: Vec<Chunk<i32>> =
            (0..words).map(|_| Chunk(std::array::from_fn(|_| rng.next_u32() as i32 >> 9))).collect();
        assert_eq!(kernels.sum_where_on(&bits, &amounts), Portable.sum_where_on(&bits, &amounts));
        for more in cases(&[0, 5], &[1]) {
            check_samples(kernels, 64 * words + more, &mut rng);
        }
    }
}

fn check_cells<C: Cell>(kernels: impl Kernels, words: usize, rng: &mut Stream) {
    let old: Vec<Chunk<C>> =
        (0..words).map(|_| Chunk(std::array::from_fn(|_| C::from_wide(rng.below(9) as i16 - 4)))).collect();
    for (count, base) in [(0, 3), (1, 0), (2, -1), (5, 0)] {
        let columns: Vec<Vec<u64>> =
            (0..count).map(|_| (0..words).map(|_| rng.next_u64()).collect()).collect();
        let columns: Vec<Column<'_>> =
            (0..).zip(&columns).map(|(index, bits)| Column { bits, step: 1 - 2 * (index % 2) }).collect();
        let (mut a, mut b) = (vec![Chunk::default(); words], vec![Chunk::default(); words]);
        kernels.add_columns(&old, &columns, base, &mut a);
        Portable.add_columns(&old, &columns, base, &mut b);
        assert_eq!(a, b);
    }
    let (mut a, mut b) = (vec![1; words], vec![2; words]);
    kernels.on_bits(&old, &mut a);
    Portable.on_bits(&old, &mut b);
    assert_eq!(a, b);
    kernels.boundary_bits(&old, &mut a);
    Portable.boundary_bits(&old, &mut b);
    assert_eq!(a, b);
}

fn check_samples(kernels: impl Kernels, len: usize, rng: &mut Stream) {
    let mut found: Vec<u32> = (0..len as u32).map(|sample| 2 * sample + rng.below(2)).collect();
    if rng.below(2) == 0 {
        found.sort_by_key(|found| found % 2);
    }
    let all = [(2usize, 20usize), (10, 63), (16, 64), (17, 130), (40, 200), (10, 300), (3, 61)];
    for (classes, entries) in cases(&all, &[1, 3]) {
        let blocks = classes.div_ceil(LANES);
        let mut labels: Vec<u8> = (0..len).map(|_| rng.below(classes as u32) as u8).collect();
        if rng.below(2) == 0 {
            labels.sort_unstable();
        }
        let labels = Labels::new(&labels);
        let ahead: Vec<Ahead> =
            (0..len * blocks).map(|_| Ahead(std::array::from_fn(|_| rng.below(400) as i16 - 200))).collect();
        // In bytes and not.
        let rise = |rng: &mut Stream| (rng.next_u32() as i16 >> 5) & if entries % 2 == 0 { 0xff } else { -1 };
        let rises: Vec<i16> = (0..entries).map(|_| rise(rng)).collect();
        let rises = Rises::new(&rises, rng.below(60) as i16 - 100);
        let count = 2 * classes;
        let lanes =
            |rng: &mut Stream, lane: fn(&mut Stream) -> i16| Ahead(std::array::from_fn(|_| lane(rng)));
        let shift = |rng: &mut Stream| if rng.below(2) == 0 { AWAY } else { rng.below(200) as i16 - 100 };
        let against = Against {
            shifts: (0..count * blocks).map(|_| lanes(rng, shift)).collect(),
            falls: std::array::from_fn(|_| rng.next_u32()),
            moves: (0..count * blocks).map(|_| lanes(rng, |rng| rng.below(5) as i16 - 2)).collect(),
            blocks,
            votes: Default::default(),
        };
        let (mut a, mut b) = (vec![1, 2], vec![1, 2]);
        kernels.flip_changes(&found, &labels, &ahead, &against, &rises, &mut a);
        Portable.flip_changes(&found, &labels, &ahead, &against, &rises, &mut b);
        assert_eq!(a, b, "{classes} classes, {entries} entries");
        let words = len.div_ceil(CHUNK);
        let (mut a, mut b) = (vec![1; blocks * LANES * words], vec![2; blocks * LANES * words]);
        kernels.ahead_bits(&ahead, blocks, 17, &mut a);
        Portable.ahead_bits(&ahead, blocks, 17, &mut b);
        assert_eq!(a, b, "{classes} classes");
        let is_set = |class: usize, sample: usize| a[class * words + sample / 64] >> (sample % 64) & 1 == 1;
        for (sample, ahead) in ahead.chunks(blocks).enumerate() {
            for class in 0..classes {
                assert_eq!(is_set(class, sample), ahead[class / LANES].0[class % LANES] >= 17);
            }
        }
        let (mut a, mut b) = (ahead.clone(), ahead);
        kernels.apply_moves(&found, &labels, &mut a, &against);
        Portable.apply_moves(&found, &labels, &mut b, &against);
        assert_eq!(a, b, "{classes} classes");
    }
    let amounts: Vec<i16> =
        found.iter().map(|_| rng.next_u32() as i16).map(|amount| amount.max(-32767)).collect();
    let (mut a, mut b) = (amounts.clone(), amounts);
    assert_eq!(kernels.sides(&found, &mut a), Portable.sides(&found, &mut b));
    assert_eq!(a, b);
    check_rows(kernels, &found, rng);
}

fn check_rows(kernels: impl Kernels, found: &[u32], rng: &mut Stream) {
    for words in cases(&[1usize, 2, 3, 5, 8, 25, 30], &[0, 2]) {
        let bits: Vec<u32> = (0..found.len() * words).map(|_| rng.next_u32()).collect();
        let most = [3, 1000, i16::MAX][rng.below(3) as usize];
        let amounts: Vec<i16> =
            found.iter().map(|_| (rng.next_u32() as i32 % (i32::from(most) + 1)) as i16).collect();
        let rows = Rows { bits: &bits, words };
        let (mut a, mut b) = (vec![9; 32 * words], vec![9; 32 * words]);
        kernels.sum_rows(rows, found, &amounts, most, &mut a);
        Portable.sum_rows(rows, found, &amounts, most, &mut b);
        assert_eq!(a, b, "{words} words");
    }
    for (height, width) in cases(&[(8, 8), (3, 3), (8, 5), (2, 7), (5, 1)], &[2]) {
        let lines = 11;
        let count = found.len() * lines + SIDE;
        let columns: Vec<u16> = (0..count).map(|_| rng.next_u32() as u16).collect();
        let (line, shift) = (rng.below(4) as usize, rng.below(8));
        let window = Window { columns: &columns, lines, line, height, shift, width };
        let most = [3, 300, i16::MAX][rng.below(3) as usize];
        let amounts: Vec<i16> = found
            .iter()
            .map(|_| {
                let amount = (rng.next_u32() as i32 % (i32::from(most) + 1)) as i16;
                if rng.below(3) == 0 { 0 } else { amount }
            })
            .collect();
        let (mut a, mut b) = ([9; 64], [9; 64]);
        kernels.sum_window(&window, found, &amounts, most, &mut a);
        Portable.sum_window(&window, found, &amounts, most, &mut b);
        assert_eq!(a, b, "{height} x {width}");
    }
    check_slides(kernels, found, rng);
}

#[test]
fn portable_kernels_do_what_they_say() {
    let chunk = |first: [i16; 4]| {
        let mut chunk = Chunk([7i8; 64]);
        chunk.0.iter_mut().zip(first).for_each(|(cell, value)| *cell = value as i8);
        chunk
    };
    let mut values = [Chunk::default()];
    let column = Column { bits: &[0b0101], step: 1 };
    Portable.add_columns(&[chunk([0, -1, 5, 1])], &[column], 10, &mut values);
    assert_eq!(values[0].0[..5], [11, 8, 16, 10, 16]);
    let mut bits = [0];
    Portable.on_bits(&[chunk([0, -1, 5, -7])], &mut bits);
    assert_eq!(bits, [!0b1010]);
    Portable.boundary_bits(&[chunk([0, -1, 5, -7])], &mut bits);
    assert_eq!(bits, [0b0011]);
    let mut found = vec![];
    Portable.found(&[0b110, 1], &[0b010, 0], 1, &mut found);
    assert_eq!(found, [132, 256, 131]);
    let mut sums = [0; 32];
    let rows = Rows { bits: &[0b101, 0b110], words: 1 };
    Portable.sum_rows(rows, &[1, 2], &[10, -3], 10, &mut sums);
    assert_eq!(sums[..4], [10, -3, 7, 0]);
    // Class 0 gains 2 on the right one where the neuron is off, class 2 falls behind by 2 where it is on.
    let rises: Vec<i16> = (0..64).map(|rise| 10 * rise).collect();
    let rises = Rises::new(&rises, -5);
    let mut moves = vec![Ahead::default(); 4];
    (moves[2].0[0], moves[3].0[2]) = (2, -2);
    let mut shifts = vec![Ahead([AWAY; LANES]); 4];
    (shifts[2].0[0], shifts[3].0[2]) = (rises.shift(), rises.shift() + 2);
    let mut falls = [0; 16];
    falls[0] = 0b1000;
    let against = Against { shifts, falls, moves, blocks: 1, votes: Default::default() };
    let mut ahead = [Ahead::default(); 2];
    (ahead[0].0[0], ahead[1].0[2]) = (3, -1);
    let (mut amounts, labels) = (vec![], Labels::new(&[1, 1]));
    Portable.flip_changes(&[0, 3], &labels, &ahead, &against, &rises, &mut amounts);
    assert_eq!(amounts, [80, -20]);
    Portable.apply_moves(&[0, 3], &labels, &mut ahead, &against);
    assert_eq!((ahead[0].0[0], ahead[1].0[2]), (5, -3));
}

#[test]
fn every_instruction_set_equals_the_portable_form() {
    equals_portable(Portable);
    #[cfg(target_arch = "x86_64")]
    match super::super::Avx512::detect() {
        Some(kernels) => equals_portable(kernels),
        None => skips::instructions("avx512"),
    }
    #[cfg(target_arch = "x86_64")]
    match super::super::Avx2::detect() {
        Some(kernels) => equals_portable(kernels),
        None => skips::instructions("avx2"),
    }
    #[cfg(target_arch = "aarch64")]
    match super::super::Neon::detect() {
        Some(kernels) => equals_portable(kernels),
        None => skips::instructions("neon"),
    }
}

fn check_slides(kernels: impl Kernels, found: &[u32], rng: &mut Stream) {
    let shapes = [(3, 3, 2), (8, 8, 7), (8, 8, 1), (8, 5, 4), (2, 7, 3), (5, 1, 0)];
    for (height, width, by) in cases(&shapes, &[0]) {
        let (lines, samples) = (19, 150);
        let columns: Vec<u16> = (0..samples * lines + FIELD).map(|_| rng.next_u32() as u16).collect();
        let window = Window { columns: &columns, lines, line: 2, height, shift: 1, width };
        let slide = Slide { window, by };
        let weights = rng.next_u64() & slide.mask();
        let new = || vec![Chunk::<i8>::default(); 3];
        let (mut a, mut b) = (new(), new());
        kernels.slide_row(&slide, weights, 9, samples, &mut a);
        Portable.slide_row(&slide, weights, 9, samples, &mut b);
        assert_eq!(a, b, "{height} x {width} by {by}");
        let found: Vec<u32> = found.iter().copied().filter(|&found| found < 2 * samples as u32).collect();
        for threshold in [0, 9, 25] {
            let (mut a, mut b) = (vec![], vec![]);
            kernels.slide_deciding(&slide, weights, threshold, &found, &mut a);
            Portable.slide_deciding(&slide, weights, threshold, &found, &mut b);
            assert_eq!(a, b, "{height} x {width} by {by}");
        }
    }
}
