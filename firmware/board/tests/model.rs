//! A board reads layered networks and refuses what would answer wrongly as one.

use evobit::image::{Change, ImageError, ModelKind, Sections};
use evobit::include_model;
use evobit::topology::Topology;
use evobit_board::learner::Model;

static IRIS: &[u8] = include_model!("../../../core/examples/iris.evb");

/// What a board says of the model with changed sections.
fn read(changes: &[Change<'_>]) -> Result<usize, ImageError> {
    let sections = Sections::parse(IRIS)?;
    let mut words = vec![0u32; sections.rewritten_len(changes) / 4];
    sections.rewrite(changes, bytemuck::cast_slice_mut(&mut words))?;
    let mut topology = Topology::NONE;
    let model = Model::parse(bytemuck::cast_slice(&words), &mut topology)?;
    Ok(model.image_bytes())
}

#[test]
fn a_memory_is_refused_and_a_network_is_not() {
    assert_eq!(read(&[]), Ok(IRIS.len()));
    assert_eq!(read(&ModelKind::Network.changes(&mut [0; 4])), Ok(IRIS.len()));
    let error = read(&ModelKind::Memory.changes(&mut [0; 4])).unwrap_err();
    assert_eq!(error, ImageError::Kind(1));
    assert!(error.to_string().contains("train a network"), "{error}");
    // As memories were marked before.
    assert_eq!(read(&[Change::put(0x8000_0002, &[1, 0, 0, 0])]), Err(ImageError::Kind(1)));
    // A kind that is yet to come.
    assert_eq!(read(&[Change::put(6, &[9, 0, 0, 0])]), Err(ImageError::Kind(9)));
}
