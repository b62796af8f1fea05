use super::*;
use crate::loss::write_logistic;
use crate::topology::{Layer, Shape};

/// A network of 3 inputs, 2 hidden neurons and 2 classes on one sample.
fn with_landscape(work: impl FnOnce(&mut ScalarLandscape<'_, &[u32]>)) {
    let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
    let mut loss = [0; 4100];
    let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
    let mut genome = std::vec![0; topology.genome_words()];
    let buffers = Buffers {
        hidden: &mut [0],
        scores: &mut [0; 2],
        preactivations: None,
        scratch: &mut [0],
        scratch_scores: &mut [0; 2],
    };
    let samples = Samples { inputs: &[0b101], labels: &[1] };
    let table = LossTable::new(&loss[..len]).unwrap();
    work(&mut ScalarLandscape::new(&topology, &mut genome, samples, table, buffers).unwrap());
}

#[test]
#[should_panic(expected = "deltas are too short")]
fn short_deltas_do_not_leave_neurons_out() {
    with_landscape(|landscape| landscape.spectra(0, &[0, 1], &mut [0; 9]));
}

#[test]
#[should_panic(expected = "no such neuron")]
fn a_neuron_that_is_not_there_has_no_spectrum() {
    with_landscape(|landscape| landscape.spectra(0, &[2], &mut [0; 5]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
    let mut loss = [0; 4100];
    let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
    let needs = Needs::new(&topology, 2);
    let all = [needs.hidden, needs.scores, needs.preactivations, needs.scratch, needs.scratch_scores];
    let make = |inputs: &[u32], labels: &[u8], sizes: [usize; 5], threshold: u32| {
        let mut genome = std::vec![0; topology.genome_words()];
        genome[0] = threshold;
        let [hidden, scores, preactivations, scratch, scratch_scores] = sizes;
        let buffers = Buffers {
            hidden: &mut std::vec![0; hidden],
            scores: &mut std::vec![0; scores],
            preactivations: Some(&mut std::vec![0; preactivations]),
            scratch: &mut std::vec![0; scratch],
            scratch_scores: &mut std::vec![0; scratch_scores],
        };
        let table = LossTable::new(&loss[..len]).unwrap();
        ScalarLandscape::new(&topology, &mut genome, Samples { inputs, labels }, table, buffers).err()
    };
    assert_eq!(make(&[0; 2], &[0, 1], all, 0), None);
    assert!(matches!(make(&[0; 2], &[0, 1], all, 3), Some(LandscapeError::Genome(_))));
    assert_eq!(make(&[0; 3], &[0, 1], all, 0), Some(LandscapeError::Samples));
    assert_eq!(make(&[0; 2], &[0, 2], all, 0), Some(LandscapeError::Label));
    for short in 0..5 {
        let mut sizes = all;
        sizes[short] -= 1;
        assert_eq!(make(&[0; 2], &[0, 1], sizes, 0), Some(LandscapeError::Buffers), "{short}");
    }
}

#[test]
fn needs_beyond_memory_are_never_met() {
    let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
    let needs = Needs::new(&topology, usize::MAX / 2 + 1);
    assert_eq!((needs.scores, needs.preactivations), (usize::MAX, usize::MAX));
}

#[test]
fn a_suspended_landscape_goes_on_as_if_it_had_not_been() {
    let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
    let mut table = [0; 4100];
    let len = write_logistic(1.0, 2.0, 64, &mut table).unwrap();
    let loss = LossTable::new(&table[..len]).unwrap();
    let samples = Samples { inputs: &[0b101, 0b011], labels: &[1, 0] };
    let mut genome = [std::vec![0; topology.genome_words()], std::vec![0; topology.genome_words()]];
    let (mut hidden, mut scores) = ([[0; 2]; 2], [[0; 4]; 2]);
    let (mut cache, mut scratch, mut scratch_scores) = ([[0; 4]; 2], [[0; 1]; 2], [[0; 2]; 2]);
    let mutation = |neuron, input| Mutation { layer: 0, neuron, gene: crate::genome::Gene::Weight(input) };
    let mut suspended = None;
    let mut ends = std::vec![];
    for kept in [0, 1] {
        // The first works on in one piece, the second is suspended between any two calls.
        let mut work = |landscape: &mut ScalarLandscape<'_, &[u32]>, call: usize| match call % 3 {
            0 => ends.push(landscape.trial(&[mutation((call % 2) as u16, (call / 3) as u16)])),
            1 => landscape.commit(),
            _ => ends.push(landscape.loss()),
        };
        for call in 0..9 {
            let buffers = Buffers {
                hidden: &mut hidden[kept],
                scores: &mut scores[kept],
                preactivations: Some(&mut cache[kept]),
                scratch: &mut scratch[kept],
                scratch_scores: &mut scratch_scores[kept],
            };
            let genome = &mut genome[kept];
            let mut landscape = match suspended.take() {
                Some(from) => ScalarLandscape::resume(&topology, genome, samples, loss, buffers, from),
                None => ScalarLandscape::new(&topology, genome, samples, loss, buffers),
            }
            .unwrap();
            if kept == 0 {
                (0..9).for_each(|call| work(&mut landscape, call));
                break;
            }
            work(&mut landscape, call);
            suspended = Some(landscape.suspend());
        }
    }
    let (whole, parts) = ends.split_at(ends.len() / 2);
    assert_eq!(whole, parts);
    assert!(genome[0] == genome[1] && genome[0].iter().any(|&word| word != 0));
    assert_eq!(suspended.map(|suspended| suspended.loss()), parts.last().copied());
}
