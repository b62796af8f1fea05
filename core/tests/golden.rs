//! The same bits on every machine: what the library makes of one small problem, held against `tests/vectors/core`. Run under miri for a big-endian
//! target it shows that no result depends on the order of bytes in memory.

use evobit::encode::{Encoder, write_uniform};
use evobit::evolve::compact::{CompactBuffers, CompactLandscape, CompactNeeds, Score};
use evobit::evolve::landscape::{Landscape, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::genome::GenomeMut;
use evobit::image::{Image, Parts, checksum, genome_checksum, write};
use evobit::loss::{LossTable, write_logistic};
use evobit::memory::{Margins, Memory, MemoryMut, MemorySearch};
use evobit::network::Network;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use rand_core::Rng;

const SIDE: u16 = 12;
const FEATURES: usize = SIDE as usize * SIDE as usize;
const CLASSES: u8 = 3;

/// Everything is made from this.
struct Problem {
    topology: Topology,
    encoder: Vec<u32>,
    loss: Vec<u32>,
    genome: Vec<u32>,
    inputs: Vec<u32>,
    labels: Vec<u8>,
}

impl Problem {
    /// Noisy images of three classes and a random network of `layers`.
    fn new(layers: &[Layer], count: usize) -> Self {
        let mut rng = Stream::new(11, Purpose::Test, 2);
        let topology = Topology::new(Shape { planes: 2, height: SIDE, width: SIDE }, layers).unwrap();
        let mut encoder = vec![0; 5];
        write_uniform(FEATURES as u32, &[80, 160], &mut encoder).unwrap();
        let mut loss = vec![0; 300];
        let len = write_logistic(3.0, 4.0, 64, &mut loss).unwrap();
        loss.truncate(len);
        let mut genome = vec![0; topology.genome_words()];
        GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
        let means: Vec<u8> =
            (0..usize::from(CLASSES) * FEATURES).map(|_| (rng.next_u32() >> 24) as u8).collect();
        let packing = topology.layer(0).packing;
        let mut inputs = vec![0; count * packing.words()];
        let mut labels = vec![];
        for row in inputs.chunks_mut(packing.words()) {
            let label = rng.below(CLASSES.into()) as u8;
            let mean = &means[usize::from(label) * FEATURES..][..FEATURES];
            let pixels: Vec<u8> = mean
                .iter()
                .map(|&mean| if rng.below(4) == 0 { (rng.next_u32() >> 24) as u8 } else { mean })
                .collect();
            let view = Encoder::new(&encoder[..]).unwrap();
            view.encode_bytes(&pixels, packing, row);
            let mut other = vec![0; packing.words()];
            view.encode(|feature| pixels[feature as usize].into(), packing, &mut other);
            assert_eq!(row, other);
            labels.push(label);
        }
        Self { topology, encoder, loss, genome, inputs, labels }
    }

    fn windowed() -> Self {
        Self::new(&[Layer::windows(8, 1, 8, 8), Layer::dense(CLASSES.into())], 10)
    }

    fn sliding() -> Self {
        Self::new(&[Layer::windows(6, 2, 5, 5).sliding(2), Layer::dense(CLASSES.into())], 10)
    }

    fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }

    fn image(&self) -> Vec<u8> {
        let parts = Parts {
            topology: &self.topology,
            encoder: &self.encoder[..],
            loss: &self.loss[..],
            genome: &self.genome[..],
            classes: &["one", "two", "three"],
            columns: 0,
            column_names: &[],
        };
        let mut bytes = vec![0; evobit::image::image_len(&parts)];
        write(&parts, &mut bytes).unwrap();
        bytes
    }

    /// A sweep with heat and one without.
    fn evolve(&self, landscape: &mut impl Landscape) -> u32 {
        let config = SearchConfig { proposals: 4, block: 2 };
        let mut order = vec![0; SpectrumSearch::<Stream>::order_len(&self.topology)];
        let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(&self.topology, config)];
        let rng = Stream::new(5, Purpose::Search, 0);
        let mut search = SpectrumSearch::new(&self.topology, config, rng, &mut order, &mut deltas).unwrap();
        for heat in [40, 0] {
            search.step(landscape, heat);
            while search.position() != 0 {
                search.step(landscape, heat);
            }
        }
        genome_checksum(
            &landscape.genome().iter().chain(&[landscape.loss() as u32]).copied().collect::<Vec<_>>(),
        )
    }
}

/// Holds a value against its line in the vectors.
fn expect(name: &str, value: u32) {
    let vectors = include_str!("../../tests/vectors/core");
    let line = vectors.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    assert_eq!(line, Some(&format!("{value:08x}")[..]), "{name}");
}

#[test]
fn encoded_samples() {
    expect("encoded", genome_checksum(&Problem::windowed().inputs));
}

#[test]
fn images_and_answers() {
    let problem = Problem::windowed();
    let image = problem.image();
    // Without its checksum: with it, that of every image is the same.
    expect("image", checksum(&image[..image.len() - 4]));
    // A word buffer, so that the bytes lie where words may.
    let mut words = vec![0u32; image.len() / 4];
    bytemuck::cast_slice_mut(&mut words).copy_from_slice(&image);
    let image = Image::parse(bytemuck::cast_slice(&words)).unwrap();
    let (mut hidden, mut scores) = (vec![0; problem.topology.hidden_words()], vec![0; usize::from(CLASSES)]);
    let (mut all, mut same) = (vec![], vec![]);
    for input in problem.inputs.chunks(problem.topology.input_words()) {
        image.network().run(input, &mut hidden, &mut scores);
        all.extend(hidden.iter().copied().chain(scores.iter().map(|score| score.cast_unsigned())));
        // Words as this machine has them take other loops.
        Network::new(&problem.topology, &problem.genome[..]).unwrap().run(input, &mut hidden, &mut scores);
        same.extend(hidden.iter().copied().chain(scores.iter().map(|score| score.cast_unsigned())));
    }
    assert_eq!(all, same);
    expect("answers", genome_checksum(&all));
}

#[test]
fn evolution_in_full_and_in_little_memory() {
    let problem = Problem::windowed();
    expect("evolved", scalar(&problem));
    expect("evolved", compact::<i16>(&problem));
    expect("evolved", compact::<i8>(&problem));
}

#[test]
fn windows_that_slide() {
    let problem = Problem::sliding();
    let image = problem.image();
    expect("sliding-image", checksum(&image[..image.len() - 4]));
    expect("sliding-evolved", scalar(&problem));
    expect("sliding-evolved", compact::<i16>(&problem));
}

fn scalar(problem: &Problem) -> u32 {
    let loss = LossTable::new(&problem.loss[..]).unwrap();
    let needs = Needs::new(&problem.topology, problem.labels.len());
    let mut genome = problem.genome.clone();
    let (mut hidden, mut scores) = (vec![0; needs.hidden], vec![0; needs.scores]);
    let (mut scratch, mut scratch_scores) = (vec![0; needs.scratch], vec![0; needs.scratch_scores]);
    let buffers = Buffers {
        hidden: &mut hidden,
        scores: &mut scores,
        preactivations: None,
        scratch: &mut scratch,
        scratch_scores: &mut scratch_scores,
    };
    let mut landscape =
        ScalarLandscape::new(&problem.topology, &mut genome, problem.samples(), loss, buffers).unwrap();
    problem.evolve(&mut landscape)
}

fn compact<S: Score>(problem: &Problem) -> u32 {
    let needs = CompactNeeds::new(&problem.topology, problem.labels.len());
    let mut genome = problem.genome.clone();
    let (mut hidden, mut scores) = (vec![0; needs.hidden], vec![S::default(); needs.scores]);
    let buffers = CompactBuffers { hidden: &mut hidden, scores: &mut scores };
    let loss = LossTable::new(&problem.loss[..]).unwrap();
    let mut landscape =
        CompactLandscape::new(&problem.topology, &mut genome, problem.samples(), loss, buffers).unwrap();
    problem.evolve(&mut landscape)
}

#[test]
fn memories() {
    let problem = Problem::windowed();
    let words = problem.topology.input_words();
    let (mut inputs, mut labels) = (problem.inputs.clone(), problem.labels.clone());
    let memory = MemoryMut::new(&mut inputs, &mut labels, words, 6).unwrap();
    let mut margins = vec![Margins::default(); problem.labels.len()];
    let mut mask = vec![0; words];
    let mut search = MemorySearch::new(memory, problem.samples(), 24, &mut margins, &mut mask).unwrap();
    let mut rng = Stream::new(5, Purpose::Search, 1);
    for _ in 0..60 {
        search.step(&mut rng);
    }
    let evolved: Memory<'_> = search.memory();
    let prototypes = evolved.prototypes();
    let all = prototypes.inputs.iter().copied().chain(prototypes.labels.iter().map(|&label| label.into()));
    expect("memory", genome_checksum(&all.collect::<Vec<u32>>()));
}
