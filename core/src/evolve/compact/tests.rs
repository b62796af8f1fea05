use super::*;
use crate::loss::{MAX_SLOPE, write_logistic};
use crate::topology::{Layer, Shape};
use std::vec;

fn topology(layers: &[Layer]) -> Topology {
    Topology::new(Shape::flat(3), layers).unwrap()
}

fn make(topology: &Topology, slope: u32, samples: usize, hidden: usize) -> Result<i64, LandscapeError> {
    let mut loss = [0; 4100];
    let len = write_logistic(1.0, 2.0, slope, &mut loss).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    let (inputs, labels) = (vec![0b101; samples], vec![1; samples]);
    let (mut hidden, mut scores) = (vec![0; hidden], vec![0i16; CompactNeeds::new(topology, samples).scores]);
    let samples = Samples { inputs: &inputs, labels: &labels };
    let buffers = CompactBuffers { hidden: &mut hidden, scores: &mut scores };
    let table = LossTable::new(&loss[..len]).unwrap();
    CompactLandscape::new(topology, &mut genome, samples, table, buffers).map(|landscape| landscape.loss())
}

#[test]
fn scores_that_do_not_fit_a_byte_are_refused() {
    let mut loss = [0; 4100];
    let len = write_logistic(1.0, 2.0, 64, &mut loss).unwrap();
    for (neurons, expected) in [(127, Ok(())), (128, Err(LandscapeError::Scores))] {
        let topology = topology(&[Layer::dense(neurons), Layer::dense(2)]);
        let mut genome = vec![0; topology.genome_words()];
        let buffers = CompactBuffers { hidden: &mut [0; 8], scores: &mut [0i8; 4] };
        let samples = Samples { inputs: &[0b101], labels: &[1] };
        let table = LossTable::new(&loss[..len]).unwrap();
        let made = CompactLandscape::new(&topology, &mut genome, samples, table, buffers);
        assert_eq!(made.map(|_| ()), expected);
    }
}

#[test]
fn what_it_is_not_for_is_refused() {
    let good = topology(&[Layer::dense(2), Layer::dense(2)]);
    assert!(make(&good, 64, 5, 6).is_ok());
    assert_eq!(make(&good, 64, 5, 5), Err(LandscapeError::Buffers));
    assert_eq!(make(&topology(&[Layer::dense(2)]), 64, 5, 6), Err(LandscapeError::Depth));
    let deep = topology(&[Layer::dense(2), Layer::dense(2), Layer::dense(2)]);
    assert_eq!(make(&deep, 64, 5, 20), Err(LandscapeError::Depth));
    assert!(make(&good, MAX_SLOPE, 60_000, 60_001).is_ok());
    assert_eq!(make(&good, MAX_SLOPE, 70_000, 70_001), Err(LandscapeError::Sums));
}
