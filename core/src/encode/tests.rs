use super::rows::greater;
use super::*;
use crate::topology::{Layer, Shape, Topology};
use proptest::prelude::*;

fn packing(shape: Shape, layer: Layer) -> Packing {
    Topology::new(shape, &[layer, Layer::dense(2)]).unwrap().layer(0).packing
}

#[test]
fn an_image_becomes_one_plane_per_level() {
    let mut words = [0; 8];
    let len = write_uniform(4, &[3, 9], &mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    assert_eq!((encoder.bits(), encoder.features()), (8, 4));
    let pixels = [0, 4, 10, 3];
    let shape = Shape { planes: 2, height: 2, width: 2 };
    let mut rows = [9; 4];
    encoder.encode(|f| pixels[f as usize], packing(shape, Layer::windows(1, 1, 1, 1)), &mut rows);
    assert_eq!(rows, [0b10, 0b01, 0b00, 0b01]);
    let mut flat = [9; 1];
    encoder.encode(|f| pixels[f as usize], packing(shape, Layer::dense(1)), &mut flat);
    assert_eq!(flat, [0b0100_0110]);
}

#[test]
fn a_table_mixes_thermometers_and_categories() {
    let mut words = [0; 16];
    let reals = [real_key(-0.5), real_key(2.25)];
    let features: [(Code, &[i32]); 3] =
        [(Code::Real, &reals), (Code::OneHot, &[0, 1, 2]), (Code::Integer, &[-7])];
    let len = write_table(&features, &mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    assert_eq!(encoder.bits(), 6);
    let encode = |keys: [i32; 3]| {
        let mut out = [0];
        encoder.encode(|f| keys[f as usize], packing(Shape::flat(6), Layer::dense(1)), &mut out);
        out[0]
    };
    assert_eq!(encode([real_key(0.0), 2, -6]), 0b110_001);
    assert_eq!(encode([real_key(3.0), -1, -7]), 0b000_011);
}

#[test]
fn the_first_level_may_tell_whether_there_is_a_value() {
    let mut words = [0; 16];
    let reals = [MISSING, real_key(f32::NEG_INFINITY), real_key(2.0)];
    let features: [(Code, &[i32]); 3] =
        [(Code::Real, &reals), (Code::Integer, &[MISSING, 5]), (Code::Integer, &[5])];
    let len = write_table(&features, &mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    assert!(encoder.table().map(|feature| feature.tells_missing()).eq([true, true, false]));
    let encode = |keys: [i32; 3]| {
        let mut out = [0];
        encoder.encode(|f| keys[f as usize], packing(Shape::flat(6), Layer::dense(1)), &mut out);
        out[0]
    };
    assert_eq!(encode([real_key(f32::NAN), MISSING, MISSING]), 0);
    assert_eq!(encode([real_key(-f32::NAN), 6, 6]), 0b111_000);
    // The least that there is, is there.
    assert_eq!(encode([real_key(f32::NEG_INFINITY), MISSING + 1, 0]), 0b001_001);
    assert!(key_real(MISSING).is_nan());
}

#[test]
fn nonsense_is_refused() {
    let mut words = [0; 16];
    assert_eq!(write_uniform(4, &[3, 3], &mut words), Err(EncoderError::Values));
    assert_eq!(write_uniform(0, &[3], &mut words), Err(EncoderError::Features));
    assert_eq!(write_uniform(u32::MAX, &[3], &mut words), Err(EncoderError::Features));
    assert_eq!(write_uniform(4, &[3; 20], &mut words), Err(EncoderError::Length));
    assert_eq!(write_table(&[(Code::Integer, &[])], &mut words), Err(EncoderError::Values));
    assert_eq!(write_table(&[(Code::Real, &[3, 3])], &mut words), Err(EncoderError::Values));
    assert_eq!(write_table(&[(Code::OneHot, &[1, 0])], &mut words), Err(EncoderError::Values));
    assert!(write_uniform(MAX_FEATURES, &[3], &mut words).is_ok());
    assert_eq!(write_uniform(MAX_FEATURES, &[3, 4], &mut words), Err(EncoderError::Values));
    assert_eq!(Encoder::new(&[1u32, 1, 2, 1 << 8, 5, 6][..]).err(), Some(EncoderError::Length));
    assert_eq!(Encoder::new(&[2u32, 1, 1, 5][..]).err(), Some(EncoderError::Kind));
    assert_eq!(Encoder::new(&[1u32, 1, 1, 3, 5][..]).err(), Some(EncoderError::Kind));
    assert_eq!(Encoder::new(&[1u32, 1, 1, 2 << 8, 5][..]).err(), Some(EncoderError::Length));
    assert_eq!(Encoder::new(&[0u32, 1][..]).err(), Some(EncoderError::Length));
    assert_eq!(Encoder::new(&[0u32, 1, u32::MAX][..]).err(), Some(EncoderError::Length));
}

#[test]
fn bytes_are_compared_as_other_keys_are() {
    let bytes: [u8; 256] = core::array::from_fn(|index| index as u8);
    for level in (-2..258).chain([i32::MIN, i32::MAX]) {
        for part in bytes.chunks(27).chain(bytes.chunks(32)) {
            let expected =
                part.iter().rev().fold(0, |word, &byte| word << 1 | u32::from(i32::from(byte) > level));
            assert_eq!(greater(part, level), expected, "{level}");
        }
    }
    let mut words = [0; 8];
    let len = write_uniform(56, &[3, 99], &mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    let shape = Shape { planes: 2, height: 2, width: 28 };
    for layer in [Layer::windows(1, 1, 1, 1), Layer::dense(1)] {
        let (mut one, mut other) = ([9; 4], [9; 4]);
        encoder.encode(|feature| (feature * 2).cast_signed(), packing(shape, layer), &mut one);
        let raw: [u8; 56] = core::array::from_fn(|feature| feature as u8 * 2);
        encoder.encode_bytes(&raw, packing(shape, layer), &mut other);
        assert_eq!(one, other);
    }
}

proptest! {
    #[test]
    fn real_keys_order_as_floats(a: f32, b: f32) {
        if !a.is_nan() && !b.is_nan() {
            prop_assert_eq!(a.partial_cmp(&b), real_key(a).partial_cmp(&real_key(b)));
            prop_assert_eq!(key_real(real_key(a)), a);
        }
    }

    #[test]
    fn any_words_are_read_or_refused(mut words in prop::collection::vec(any::<u32>(), 0..20), kind in 0..3u32) {
        if let Some(first) = words.first_mut() {
            *first = kind;
        }
        if let Ok(encoder) = Encoder::new(&words[..]) {
            prop_assert!(encoder.bits() > 0);
        }
    }
}
