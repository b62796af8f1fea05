//! Packed words held against lists of single bits.

use evobit::bits::{LittleEndian, Words, dot, flip, get, mismatches, set, tail_mask, words_for};
use evobit::rng::{Draw, Purpose, Stream};
use rand_core::Rng;

/// The bits of packed words, one by one.
fn list(words: &[u32]) -> Vec<bool> {
    words.iter().flat_map(|word| (0..32).map(move |bit| word / 2u32.pow(bit) % 2 == 1)).collect()
}

#[test]
fn rows_take_whole_words_and_their_tails_the_rest() {
    for (bits, words, tail) in [
        (0, 0, u32::MAX),
        (1, 1, 1),
        (2, 1, 3),
        (31, 1, 0x7fff_ffff),
        (32, 1, u32::MAX),
        (33, 2, 1),
        (64, 2, u32::MAX),
        (70, 3, 0x3f),
        (u32::MAX, 1 << 27, 0x7fff_ffff),
    ] {
        assert_eq!((words_for(bits), tail_mask(bits)), (words, tail), "{bits}");
    }
}

#[test]
fn single_bits_are_those_of_the_list() {
    let mut rng = Stream::new(15, Purpose::Test, 6);
    let mut words = [0; 3].map(|_: u32| rng.next_u32());
    for _ in 0..500 {
        let (index, value) = (rng.below(96), rng.below(2) == 1);
        let mut expected = list(&words);
        assert_eq!(get(&words[..], index), expected[index as usize]);
        let mut other = words;
        set(&mut other, index, value);
        expected[index as usize] = value;
        assert_eq!(list(&other), expected);
        expected[index as usize] = !list(&words)[index as usize];
        flip(&mut words, index);
        assert_eq!(list(&words), expected);
    }
}

/// Words without the form that they have in memory, as on a machine of the other order of bytes.
#[derive(Clone, Copy)]
struct Foreign<'a>(&'a [u32]);

impl Words for Foreign<'_> {
    fn len(self) -> usize {
        self.0.len()
    }

    fn word(self, index: usize) -> u32 {
        self.0[index]
    }

    fn slice(self, start: usize, len: usize) -> Self {
        Self(&self.0[start..start + len])
    }

    fn native<'s>(self) -> Option<&'s [u32]>
    where
        Self: 's,
    {
        None
    }
}

/// Rows of every length up to 60 words, sparse, dense and full, are counted right; rows of different length as far as both reach.
#[test]
fn mismatches_and_products_are_counted_one_by_one() {
    let mut rng = Stream::new(15, Purpose::Test, 7);
    for len in 0..60 {
        for kind in 0..4 {
            let mut row = |kind: u32| -> Vec<u32> {
                (0..len)
                    .map(|_| match kind {
                        0 => rng.next_u32(),
                        1 => rng.next_u32() & rng.next_u32() & rng.next_u32(),
                        2 => u32::MAX,
                        _ => 0,
                    })
                    .collect()
            };
            let (a, b) = (row(kind), row(if kind == 2 { 3 } else { 0 }));
            let (in_a, in_b) = (list(&a), list(&b));
            let differing = in_a.iter().zip(&in_b).filter(|(a, b)| a != b).count();
            assert_eq!(mismatches(&a, &b[..]) as usize, differing);
            assert_eq!(mismatches(&a, Foreign(&b)) as usize, differing);
            let sign = |bit: &bool| if *bit { 1 } else { -1 };
            let product: i32 = in_a.iter().zip(&in_b).map(|(a, b)| sign(a) * sign(b)).sum();
            assert_eq!(dot(&a, &b[..], 32 * len), product);
            let longer = [&b[..], &[7, 8]].concat();
            assert_eq!(mismatches(&a, &longer[..]) as usize, differing);
            assert_eq!(mismatches(&longer, &a[..]) as usize, differing);
            assert_eq!(mismatches(&a, Foreign(&longer)) as usize, differing);
            assert_eq!(mismatches(&longer, Foreign(&a)) as usize, differing);
        }
    }
}

#[test]
fn words_are_read_from_memory_and_from_an_image_alike() {
    let numbers = [0x0403_0201u32, 0x8000_00ff, 5, 0];
    let bytes: Vec<u8> = numbers.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut aligned = [0u32; 4];
    bytemuck::cast_slice_mut::<u32, u8>(&mut aligned).copy_from_slice(&bytes);
    let image = LittleEndian::new(bytemuck::cast_slice(&aligned)).unwrap();
    fn check(words: impl Words, numbers: &[u32]) {
        assert_eq!((words.len(), words.is_empty()), (numbers.len(), numbers.is_empty()));
        (0..numbers.len()).for_each(|index| assert_eq!(words.word(index), numbers[index]));
        if cfg!(target_endian = "little") {
            assert_eq!(words.native(), Some(numbers));
        }
        for start in 0..=numbers.len() {
            for len in 0..=numbers.len() - start {
                let part = words.slice(start, len);
                let there: Vec<u32> = (0..part.len()).map(|index| part.word(index)).collect();
                assert_eq!(there, numbers[start..start + len]);
            }
        }
    }
    check(&numbers[..], &numbers);
    check(image, &numbers);
    check(image.slice(1, 0), &[]);
    check(&numbers[..0], &[]);
}
