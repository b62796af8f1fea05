//! The same bytes on every machine: flips and a frame of one small problem, held against `tests/vectors/core`.

use evobit::genome::GenomeMut;
use evobit::image::checksum;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use evobit_link::{Request, apply_flips, write_flips, write_frame};

#[test]
fn frames_and_flips() {
    let layers = [Layer::windows(8, 1, 8, 8), Layer::dense(3)];
    let topology = Topology::new(Shape { planes: 2, height: 12, width: 12 }, &layers).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    let mut rng = Stream::new(11, Purpose::Test, 2);
    GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
    let mut changed = genome.clone();
    let mut rng = Stream::new(5, Purpose::Test, 3);
    (0..40).for_each(|_| evobit::bits::flip(&mut changed, rng.below(genome.len() as u32 * 32)));
    let mut flips = [0; 200];
    let (len, next) = write_flips(&genome[..], &changed, 0, &mut flips);
    assert_eq!(next, None);
    let mut applied = genome.clone();
    apply_flips(&flips[..len], 0, &mut applied).unwrap();
    assert_eq!(applied, changed);
    let mut frame = [0; 300];
    let frame = write_frame(7, &Request::Push { flips: &flips[..len] }, &mut frame).unwrap();
    let vectors = include_str!("../../../tests/vectors/core");
    let line = vectors.lines().find_map(|line| line.strip_prefix("frame "));
    assert_eq!(line, Some(&format!("{:08x}", checksum(frame))[..]));
}
