//! Forward passes held against plain sums, over words in every form that there is.

use crate::plain::{Case, Plain, each_case};
use evobit::bits::{LittleEndian, Words};
use evobit::network::{Network, Writer, best_class};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};

/// Words that do not lie in memory as this machine has them.
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

/// What a network makes of all samples of a case is what plain numbers do.
fn check(case: &Case, words: impl Words) {
    let plain = Plain::read(&case.topology, &case.genome);
    let network = Network::new(&case.topology, words).unwrap();
    assert_eq!(network.words().len(), case.genome.len());
    // Longer buffers are used from their start; old contents do not matter.
    let mut hidden = vec![0xdead_beef; case.topology.hidden_words()];
    let classes = case.topology.classes();
    let mut scores = vec![-99; classes + 2];
    for (input, units) in case.inputs.chunks(case.topology.input_words()).zip(&case.units) {
        let expected = plain.scores(units);
        let best = *expected.iter().max().unwrap();
        let class = network.classify(input, &mut hidden, &mut scores);
        assert_eq!((&scores[..classes], &scores[classes..]), (&expected[..], &[-99, -99][..]));
        assert_eq!(Some(class), expected.iter().position(|&score| score == best));
    }
}

fn check_all(case: &Case) {
    check(case, &case.genome[..]);
    check(case, Foreign(&case.genome));
    let bytes: Vec<u32> = case.genome.iter().map(|word| word.to_le()).collect();
    check(case, LittleEndian::new(bytemuck::cast_slice(&bytes)).unwrap());
}

#[test]
fn forward_passes_are_plain_sums() {
    each_case(|case, _| check_all(case));
}

/// Windows of 8 by 8 over small images have a loop of their own; so have windows whose rows fill words evenly.
#[test]
fn windows_of_all_sizes_are_plain_sums() {
    let mut rng = Stream::new(15, Purpose::Test, 10);
    let image = Shape { planes: 2, height: 9, width: 28 };
    for neurons in [4, 8, 30, 32, 36, 64, 100] {
        for windows in [Layer::windows(neurons, 1, 8, 8), Layer::windows(neurons, 1, 8, 8).sliding(1)] {
            let topology = Topology::new(image, &[windows, Layer::dense(3)]).unwrap();
            check_all(&Case::new(topology, 6, &mut rng));
        }
    }
    let wide = Shape { planes: 3, height: 9, width: 70 };
    for image in [image, wide] {
        for (planes, height, width) in [
            (1, 1, 1),
            (1, 9, 2),
            (1, 9, 4),
            (1, 3, 16),
            (1, 8, 8),
            (2, 8, 8),
            (2, 4, 4),
            (1, 5, 7),
            (2, 9, 9),
            (2, 5, 13),
            (1, 9, 28),
            (1, 8, 24),
        ] {
            let topology = Topology::new(image, &[Layer::windows(8, planes, height, width), Layer::dense(3)]);
            check_all(&Case::new(topology.unwrap(), 6, &mut rng));
        }
    }
    let topology = Topology::new(wide, &[Layer::windows(8, 2, 3, 32), Layer::dense(3)]);
    check_all(&Case::new(topology.unwrap(), 6, &mut rng));
    // The largest window fills its room to the last bit.
    let largest = Shape { planes: 2, height: 17, width: 40 };
    let topology = Topology::new(largest, &[Layer::windows(8, 2, 16, 32), Layer::dense(3)]);
    check_all(&Case::new(topology.unwrap(), 6, &mut rng));
    // Windows of 8 by 8 whose signs are an image again, of lines shorter than a word.
    for inner in [Shape { planes: 1, height: 3, width: 4 }, Shape { planes: 2, height: 4, width: 9 }] {
        let square = Layer::windows(inner.planes * inner.height * inner.width, 1, 8, 8);
        let layers = [Layer { output: inner, ..square }, Layer::windows(5, 1, 2, 2), Layer::dense(3)];
        check_all(&Case::new(Topology::new(image, &layers).unwrap(), 6, &mut rng));
    }
}

#[test]
fn the_first_of_the_best_classes_wins() {
    assert_eq!([best_class(&[3]), best_class(&[1, 5, 5, 2]), best_class(&[-3, -9, -3])], [0, 1, 0]);
    assert_eq!([best_class(&[1.5, 2.5]), best_class(&[9.0, 2.5])], [1, 0]);
}

/// Rows begin with a word each; what is left of the last word is written at the end.
#[test]
fn bits_are_written_row_by_row() {
    let mut rng = Stream::new(15, Purpose::Test, 13);
    for row_bits in [1usize, 5, 31, 32, 33, 64, 70] {
        let row_words = row_bits.div_ceil(32);
        for count in [0, 1, row_bits, row_bits + 3, 2 * row_bits, 2 * row_bits + 1, 3 * row_bits - 1] {
            let rows = count.div_ceil(row_bits) * row_words;
            let (mut words, mut expected) = (vec![0; rows], vec![0u32; rows]);
            let mut writer = Writer::new(&mut words, row_bits as u32);
            for index in 0..count {
                let (row, column) = (index / row_bits, index % row_bits);
                let bit = rng.below(2);
                expected[row * row_words + column / 32] |= bit << (column % 32);
                writer.push(bit == 1);
            }
            writer.finish();
            assert_eq!(words, expected, "{count} bits in rows of {row_bits}");
        }
    }
}
