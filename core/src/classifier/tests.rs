use super::*;
use crate::encode::{write_table, write_uniform};
use crate::genome::GenomeMut;
use crate::image::{ImageError, Parts, image_len, write};
use crate::loss::write_logistic;
use crate::rng::{Purpose, Stream};
use crate::topology::{Layer, Shape, Topology};
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// A model over these encoder words, in words so that it is aligned.
fn model(topology: &Topology, encoder: &[u32]) -> Vec<u32> {
    let mut loss = [0; 4100];
    let loss_len = write_logistic(8.0, 16.0, 64, &mut loss).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    GenomeMut::new(topology, &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let parts = Parts {
        topology,
        encoder,
        loss: &loss[..loss_len],
        genome: &genome[..],
        classes: &["no", "yes", "perhaps"],
        columns: 0,
        column_names: &[],
    };
    let mut words = vec![0; image_len(&parts) / 4];
    write(&parts, bytemuck::cast_slice_mut(&mut words)).unwrap();
    words
}

fn mixed() -> Vec<u32> {
    let features: [(Code, &[i32]); 3] =
        [(Code::OneHot, &[0, 1]), (Code::Real, &[-5, 7, 9]), (Code::Integer, &[100])];
    let mut encoder = [0; 12];
    let len = write_table(&features, &mut encoder).unwrap();
    let topology = Topology::new(Shape::flat(6), &[Layer::dense(40), Layer::dense(3)]).unwrap();
    model(&topology, &encoder[..len])
}

fn image() -> Vec<u32> {
    let mut encoder = [0; 5];
    write_uniform(64, &[3, 200], &mut encoder).unwrap();
    let input = Shape { planes: 2, height: 8, width: 8 };
    let layers = [Layer::windows(33, 2, 3, 3), Layer::dense(70), Layer::dense(3)];
    model(&Topology::new(input, &layers).unwrap(), &encoder)
}

/// A classifier answers as the network does, whatever integers the sample is made of.
#[test]
fn the_class_is_that_of_the_network() {
    let words = image();
    let model = bytemuck::cast_slice(&words);
    let mut sized = Classifier::<16, 5, 3>::parse(model).unwrap();
    let (mut buffer, mut scores) = ([0; 21], [0; 3]);
    let mut lent = BufferClassifier::parse(model, &mut buffer, &mut scores).unwrap();
    let image = Image::parse(model).unwrap();
    let (mut input, mut hidden, mut expected) = ([0; 16], [0; 5], [0; 3]);
    for seed in 0..50 {
        let raw: Vec<u8> = (0..64).map(|pixel| (pixel * 31 + seed * 17) as u8).collect();
        image.encoder().encode(
            |feature| raw[feature as usize].into(),
            image.topology().layer(0).packing,
            &mut input,
        );
        let class = image.network().classify(&input, &mut hidden, &mut expected);
        assert_eq!(sized.classify(&raw), Ok(class));
        assert_eq!(sized.scores(), expected);
        let wide: Vec<i32> = raw.iter().map(|&value| value.into()).collect();
        assert_eq!(lent.classify(&wide), Ok(class));
        assert_eq!(lent.scores(), expected);
        let halves: Vec<u16> = raw.iter().map(|&value| value.into()).collect();
        assert_eq!(sized.classify(&halves), Ok(class));
    }
    assert_eq!(sized.class_name(2), Some("perhaps"));
    assert_eq!(sized.class_name(3), None);
}

#[test]
fn values_of_another_kind_than_their_column_are_refused() {
    use Value::{Category, Integer, Real};
    let words = mixed();
    let mut model = Classifier::<1, 2, 3>::parse(bytemuck::cast_slice(&words)).unwrap();
    let class = model.classify(&[Category(1), Real(0.5), Integer(7)]);
    assert!(class.is_ok());
    // The index of a category may be any integer.
    assert_eq!(model.classify(&[Integer(1), Real(0.5), Integer(7)]), class);
    let error = |column, needed, given| Err(ClassifierError::Column { column, needed, given });
    assert_eq!(model.classify(&[Category(1), Integer(0), Integer(7)]), error(1, Code::Real, Code::Integer));
    assert_eq!(model.classify(&[Real(1.0), Real(0.5), Integer(7)]), error(0, Code::OneHot, Code::Real));
    assert_eq!(model.classify(&[Category(1), Real(0.5), Category(7)]), error(2, Code::Integer, Code::OneHot));
    assert_eq!(model.classify(&[1.0_f32, 0.5, 7.0]), error(0, Code::OneHot, Code::Real));
    assert_eq!(model.classify(&[1u8, 0, 7]), error(1, Code::Real, Code::Integer));
    // A category that was never seen is none.
    assert!(model.classify(&[Category(u16::MAX), Real(f32::NAN), Integer(i32::MIN)]).is_ok());

    let words = image();
    let mut image = Classifier::<16, 5, 3>::parse(bytemuck::cast_slice(&words)).unwrap();
    assert_eq!(image.classify(&[0.0_f32; 64]), error(0, Code::Integer, Code::Real));
    let message = image.classify(&[0.0_f32; 64]).unwrap_err().to_string();
    assert!(message.contains("column 0 holds integers"), "{message}");
}

#[test]
fn short_samples_and_buffers_are_errors() {
    let words = image();
    let bytes: &[u8] = bytemuck::cast_slice(&words);
    let mut model = Classifier::<16, 5, 3>::parse(bytes).unwrap();
    for given in [0, 1, 63, 65, 1000] {
        let error = ClassifierError::Features { needed: 64, given };
        assert_eq!(model.classify(&vec![0u8; given]), Err(error));
        assert_eq!(model.classify(&vec![0i32; given]), Err(error));
    }
    let room = |there| Some(ClassifierError::Room { needed: [16, 5, 3], there });
    assert_eq!(Classifier::<15, 5, 3>::parse(bytes).err(), room([15, 5, 3]));
    assert_eq!(Classifier::<16, 4, 3>::parse(bytes).err(), room([16, 4, 3]));
    assert_eq!(Classifier::<16, 5, 2>::parse(bytes).err(), room([16, 5, 2]));
    for words in [0, 3, 16, 20] {
        let (mut buffer, mut scores) = (vec![0; words], [0; 3]);
        let error = BufferClassifier::parse(bytes, &mut buffer, &mut scores).err();
        assert_eq!(error, room([words.min(16), words.saturating_sub(16), 3]));
    }
    assert_eq!(
        Classifier::<16, 5, 3>::parse(&bytes[1..]).err(),
        Some(ClassifierError::Image(ImageError::Magic))
    );
    assert!(Classifier::<16, 5, 3>::parse(&bytes[..bytes.len() - 4]).is_err());
}
