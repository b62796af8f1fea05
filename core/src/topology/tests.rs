use super::*;

#[test]
fn a_board_sizes_its_buffers_at_compile_time() {
    const TOPOLOGY: Topology = match Topology::new(
        Shape { planes: 1, height: 28, width: 28 },
        &[Layer::windows(640, 1, 8, 8), Layer::dense(10)],
    ) {
        Ok(topology) => topology,
        Err(_) => panic!(),
    };
    let genome = [0u32; TOPOLOGY.genome_words()];
    // 640 places of 2 bytes, thresholds of 1 byte, weights of 8 bytes; ten rows of 640 bits and 16-bit thresholds.
    assert_eq!(genome.len() * 4, 640 * (2 + 1 + 8) + 10 * (80 + 2));
    assert_eq!(TOPOLOGY.input_words(), 28);
    assert_eq!(TOPOLOGY.hidden_words(), 20);
    assert_eq!(TOPOLOGY.weights(), 640 * 64 + 6400);
}

#[test]
fn places_address_the_corner_of_a_window() {
    let input = Shape { planes: 3, height: 10, width: 40 };
    let topology = Topology::new(input, &[Layer::windows(5, 2, 3, 9), Layer::dense(2)]).unwrap();
    let plan = topology.layer(0);
    let (planes, rows, columns) = plan.places_range();
    assert_eq!((planes, rows, columns), (2, 8, 32));
    let mut found = 0;
    for place in 0..=u16::MAX {
        if let Some((plane, row, column)) = plan.corner(place) {
            assert_eq!(plan.place(plane, row, column), place);
            found += 1;
        }
    }
    assert_eq!(found, planes * rows * columns);
}

#[test]
fn what_does_not_fit_is_refused() {
    let image = Shape { planes: 1, height: 28, width: 28 };
    let new = |layers: &[Layer]| Topology::new(image, layers);
    assert_eq!(new(&[]), Err(TopologyError::LayerCount));
    assert_eq!(new(&[Layer::dense(10); 9]), Err(TopologyError::LayerCount));
    assert_eq!(new(&[Layer::dense(0), Layer::dense(10)]), Err(TopologyError::Units { layer: 0 }));
    assert_eq!(new(&[Layer::dense(1)]), Err(TopologyError::Output));
    assert_eq!(new(&[Layer::dense(257)]), Err(TopologyError::Output));
    assert_eq!(new(&[Layer::windows(10, 1, 8, 8)]), Err(TopologyError::Output));
    assert_eq!(
        new(&[Layer::windows(10, 1, 29, 8), Layer::dense(2)]),
        Err(TopologyError::Window { layer: 0 })
    );
    assert_eq!(new(&[Layer::windows(10, 0, 8, 8), Layer::dense(2)]), Err(TopologyError::Window { layer: 0 }));
    assert_eq!(
        new(&[Layer::dense(32767), Layer::dense(32767), Layer::dense(32767), Layer::dense(2)]),
        Err(TopologyError::GenomeSize)
    );
    let window = |input, planes, height, width| {
        Topology::new(input, &[Layer::windows(1, planes, height, width), Layer::dense(2)]).map(|_| ())
    };
    let deep = Shape { planes: 2, height: 32, width: 600 };
    assert_eq!(window(deep, 1, 32, 32), Ok(()));
    assert_eq!(window(deep, 1, 1, 33), Err(TopologyError::Window { layer: 0 }));
    assert_eq!(window(deep, 2, 32, 17), Err(TopologyError::Window { layer: 0 }));
    let sliding =
        |height, slide| new(&[Layer::windows(1, 1, height, 8).sliding(slide), Layer::dense(2)]).err();
    assert_eq!(sliding(21, 7), None);
    assert_eq!(sliding(22, 7), Some(TopologyError::Window { layer: 0 }));
    assert_eq!(sliding(8, 8), Some(TopologyError::Window { layer: 0 }));
    let columns = |height| Shape { planes: 1, height, width: 1 };
    assert_eq!(window(columns(2048), 1, 1, 1), Ok(()));
    assert_eq!(window(columns(2049), 1, 1, 1), Err(TopologyError::WindowedInput { layer: 0 }));
    let wide = Shape { planes: 3, height: 100, width: 300 };
    assert_eq!(Topology::new(wide, &[Layer::dense(2)]), Err(TopologyError::Units { layer: 0 }));
}

#[test]
fn threshold_genes_cover_their_range() {
    for (inputs, genes) in [(1u16, 0), (2, 1), (9, 4), (64, 6), (65, 7), (256, 8), (784, 10)] {
        let topology = Topology::new(Shape::flat(inputs), &[Layer::dense(2)]).unwrap();
        assert_eq!(topology.layer(0).threshold_genes(), genes, "{inputs}");
    }
}
