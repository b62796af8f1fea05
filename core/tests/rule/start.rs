//! Where networks start, what shapes say, and what is refused.

use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::image::{RuleImage, RuleImageError, image_len, write};
use evobit::rule::*;

/// Runs `work` on a network of one lane.
fn with_network<T>(
    shape: PlasticShape,
    kind: WeightKind,
    work: impl FnOnce(&mut PlasticNetwork<'_, 1>) -> T,
) -> T {
    let (mut weights, mut units) =
        (vec![Weight::<1>::ABSENT; shape.weights()], vec![Unit::<1>::ZERO; shape.units()]);
    let mut scores = vec![[0; 1]; shape.classes()];
    let buffers = PlasticBuffers { weights: &mut weights, units: &mut units, scores: &mut scores };
    let plasticity = Plasticity { kind, ..Plasticity::default() };
    work(&mut PlasticNetwork::new(shape, plasticity, buffers).unwrap())
}

/// Weights are drawn one after the other from -scale to scale; states are the layer from the output in three bits and the neuron in four.
#[test]
fn a_network_starts_with_drawn_weights_and_states_that_number_neurons() {
    let shape = PlasticShape::new(&[2, 19, 3, 2]).unwrap();
    for (scale, most) in [(0, 0), (1, 1), (48, 48), (127, 127), (200, 127)] {
        for kind in [WeightKind::Bytes, WeightKind::Signs] {
            let mut rng = Stream::new(15, Purpose::Test, 12);
            let weights = with_network(shape, kind, |network| {
                network.start(scale, [&mut rng.clone()]);
                network.weights().to_vec()
            });
            let mut weights = weights.iter();
            for (layer, (inputs, neurons)) in [(2, 19), (19, 3), (3, 2)].into_iter().enumerate() {
                for (neuron, weight) in
                    (0..neurons).flat_map(|neuron| (0..=inputs).map(move |_| neuron)).zip(&mut weights)
                {
                    let drawn = (rng.below(2 * most + 1) as i16 - most as i16) * 256;
                    let number = (2 - layer as i16) * 16 + neuron % 16 - 64;
                    let expected = match kind {
                        WeightKind::Bytes => (drawn, number * 256),
                        WeightKind::Signs => (if drawn < 0 { -32 * 256 } else { 32 * 256 }, drawn),
                    };
                    assert_eq!((weight.value.0[0], weight.state.0[0]), expected, "scale {scale}, {kind:?}");
                }
            }
            assert!(weights.next().is_none());
        }
    }
}

#[test]
fn equal_scores_are_the_first_class_and_shift_by_half_a_logarithm() {
    for (widths, shift) in
        [(&[3u16, 4][..], 5 + 1), (&[4, 2], 5 + 2), (&[2, 16, 3], 5 + 3), (&[70, 15, 2], 5 + 2)]
    {
        let shape = PlasticShape::new(widths).unwrap();
        let class = with_network(shape, WeightKind::Bytes, |network| {
            network.input(0, &[100; 2]);
            network.run();
            assert_eq!(network.score_shift(), shift, "{widths:?}");
            network.class(0)
        });
        assert_eq!(class, 0);
    }
}

#[test]
fn shapes_add_up() {
    let shape = PlasticShape::new(&[2, 3, 9]).unwrap();
    // The widest row is of what layers read, the output is read by none.
    assert_eq!((shape.widest_row(), shape.weights(), shape.units()), (4, 3 * 3 + 4 * 9, 14));
    assert_eq!((shape.depth(), shape.inputs(), shape.classes(), shape.widths()), (2, 2, 9, &[2, 3, 9][..]));
    let layers = [
        Layer { row: 3, neurons: 3, weights: 0, before: 0, after: 2, shifts: (1, 1) },
        Layer { row: 4, neurons: 9, weights: 9, before: 2, after: 5, shifts: (1, 2) },
    ];
    for (index, expected) in [(0, &layers[0]), (1, &layers[1]), (2, &layers[1]), (99, &layers[1])] {
        let layer = shape.layer(index);
        let shifts = (layer.fan_in_shift, layer.fan_out_shift);
        let (neurons, weights) = (layer.neurons, layer.weights);
        let found =
            Layer { row: layer.row(), neurons, weights, before: layer.before, after: layer.after, shifts };
        assert_eq!(&found, expected, "layer {index}");
    }
    assert!(PlasticShape::new(&[4096, 4096, 2]).is_ok());
    assert_eq!(PlasticShape::new(&[4097, 2]), Err(ShapeError::Width(0, 4097)));
    assert!(PlasticShape::new(&[2; 6]).is_ok());
    assert_eq!(PlasticShape::new(&[2; 7]), Err(ShapeError::Depth(6)));
}

#[derive(Debug, PartialEq)]
struct Layer {
    row: usize,
    neurons: usize,
    weights: usize,
    before: usize,
    after: usize,
    shifts: (u32, u32),
}

/// An image of a network with any number of layers comes back; absent weights stay absent, others are brought within bounds.
#[test]
fn images_hold_networks_of_every_depth() {
    for depth in 1..=5 {
        let shape = PlasticShape::new(&[&[3; 6][..depth], &[2]].concat()).unwrap();
        let mut weights = vec![Weight { value: Lanes([77]), state: Lanes([-9]) }; shape.weights()];
        weights[0] = Weight { value: Lanes([i16::MIN]), state: Lanes([5]) };
        weights[1] = Weight { value: Lanes([-32_767]), state: Lanes([32_767]) };
        let mut bytes = vec![0; image_len(Some(&shape))];
        let genome = RuleGenes::delta(3);
        let written = weights.clone();
        let network = Some((&shape, WeightKind::Bytes, &written[..]));
        assert_eq!(write(&genome, network, &mut bytes), Ok(bytes.len()));
        let image = RuleImage::parse(&bytes).unwrap();
        assert_eq!((image.shape(), image.genome()), (Some(shape), &genome));
        let mut read = vec![Weight::<1>::ABSENT; shape.weights()];
        image.copy_weights(&mut read);
        weights[1] = Weight { value: Lanes([-127 * 256]), state: Lanes([127 * 256]) };
        assert_eq!(read, weights);
        // More weights than the shape's do no harm, fewer are refused.
        let more = [&weights[..], &[Weight::ABSENT]].concat();
        assert_eq!(write(&genome, Some((&shape, WeightKind::Bytes, &more)), &mut bytes), Ok(bytes.len()));
        let (count, fewer) = (shape.weights(), &weights[1..]);
        let refused = write(&genome, Some((&shape, WeightKind::Bytes, fewer)), &mut bytes);
        assert_eq!(refused, Err(RuleImageError::Buffer(count, count - 1)));
        // Another number of layers, with its checksum set right again.
        write(&genome, network, &mut bytes).unwrap();
        bytes[6] = 6;
        let end = bytes.len() - 4;
        let crc = evobit::image::checksum(&bytes[..end]);
        bytes[end..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(RuleImage::parse(&bytes).err(), Some(RuleImageError::Shape(ShapeError::Depth(6))));
    }
}

/// An error is a line that names the numbers it is about.
#[test]
fn errors_say_what_is_wrong() {
    let errors: [(String, &[&str]); 11] = [
        (ShapeError::Depth(9).to_string(), &["9 layers", "1 to 5"]),
        (ShapeError::Width(2, 5000).to_string(), &["layer 2", "5000", "4096"]),
        (ShapeError::Classes.to_string(), &["two classes"]),
        (ShapeError::Buffer(20, 10).to_string(), &["20", "10"]),
        (RuleError::Length(12, 3).to_string(), &["12", "3"]),
        (RuleError::Padding.to_string(), &["bits"]),
        (RuleImageError::Magic.to_string(), &["evor"]),
        (RuleImageError::Version(7).to_string(), &["version 7", "version 2"]),
        (RuleImageError::Truncated(64, 9).to_string(), &["64", "9"]),
        (RuleImageError::Damaged.to_string(), &["checksum"]),
        (RuleImageError::Buffer(64, 9).to_string(), &["64", "9"]),
    ];
    for (line, parts) in errors {
        assert!(!line.contains('\n') && parts.iter().all(|part| line.contains(part)), "{line}");
    }
    assert_eq!(RuleImageError::Rule(RuleError::Padding).to_string(), RuleError::Padding.to_string());
    assert_eq!(RuleImageError::Shape(ShapeError::Classes).to_string(), ShapeError::Classes.to_string());
}
