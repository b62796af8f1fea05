//! Vector landscapes of every instruction set against core's, without what an interpreter or emulator cannot run fast.
//! The property suite, on many more networks, is in the package `tests`.

use evobit::evolve::landscape::{Landscape, Samples};
use evobit::genome::{GenomeMut, Mutation};
use evobit::loss::{LossTable, write_logistic};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use evobit_data::Named;
use rand_core::Rng;

use crate::{Instructions, landscape};

/// True of instructions of another kind of processor.
fn foreign(instructions: Instructions) -> bool {
    match instructions {
        Instructions::Avx2 | Instructions::Avx512 => !cfg!(target_arch = "x86_64"),
        Instructions::Neon => !cfg!(target_arch = "aarch64"),
        Instructions::Auto | Instructions::Portable | Instructions::Scalar => false,
    }
}

fn spectra(landscape: &mut dyn Landscape) -> Vec<i64> {
    let topology = *landscape.topology();
    let spectra = topology.layers().iter().enumerate().map(|(layer, plan)| {
        let neurons: Vec<u16> = (0..plan.neurons as u16).collect();
        let mut deltas = vec![0; neurons.len() * plan.mutants()];
        landscape.spectra(layer, &neurons, &mut deltas);
        deltas
    });
    spectra.collect::<Vec<_>>().concat()
}

/// Mutations of one neuron of the layer `kind`, or of anything where there is no such layer.
fn mutations(topology: &Topology, kind: usize, rng: &mut Stream) -> Vec<Mutation> {
    let neuron = rng.next_u32();
    let anywhere = kind == topology.depth();
    let mutation = |_| {
        let layer = if anywhere { rng.below(kind as u32) as usize } else { kind };
        let plan = topology.layer(layer);
        let neuron = if anywhere { rng.next_u32() } else { neuron } % plan.neurons;
        Mutation::at(layer, neuron, rng.below(plan.inputs) as usize, plan.inputs)
    };
    let mut mutations: Vec<Mutation> = (0..4).map(mutation).collect();
    mutations.dedup();
    mutations
}

#[test]
fn vector_landscapes_equal_the_scalar_one() {
    let image = Shape { planes: 1, height: 9, width: 12 };
    let grid = |field: Layer, height, width| Layer { output: Shape { planes: 1, height, width }, ..field };
    // An interpreter takes long for many positions.
    let slide = if cfg!(miri) { 1 } else { 4 };
    let networks = [
        (image, vec![Layer::windows(5, 1, 8, 8), Layer::dense(10)]),
        (image, vec![Layer::windows(slide, 1, 5, 7).sliding(slide), Layer::dense(6)]),
        (Shape::flat(70), vec![Layer::dense(3), Layer::dense(18)]),
        (image, vec![grid(Layer::windows(72, 1, 3, 3), 8, 9), Layer::windows(5, 1, 8, 8), Layer::dense(4)]),
        (
            Shape::flat(33),
            vec![grid(Layer::dense(15), 3, 5), Layer::windows(9, 1, 2, 3), Layer::dense(3), Layer::dense(17)],
        ),
    ];
    let mut loss = vec![0; 4100];
    let len = write_logistic(4.0, 4.0, 64, &mut loss).unwrap();
    let table = LossTable::new(&loss[..len]).unwrap();
    for (network, (input, layers)) in networks.into_iter().enumerate() {
        // Windows that do not slide and large networks have nothing to interpret that the others have not.
        if cfg!(miri) && [0, 3].contains(&network) {
            continue;
        }
        let topology = Topology::new(input, &layers).unwrap();
        let mut rng = Stream::new(7, Purpose::Test, network as u32);
        let mut genome = vec![0; topology.genome_words()];
        GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut rng);
        // An interpreter takes its time; it runs only the portable kernels here, and looks for wrong memory, not wrong sums.
        // Elsewhere there are more samples than one tile holds.
        let (count, trials) = if cfg!(miri) {
            (66, topology.depth())
        } else {
            ([4500, 4300, 131, 4150, 131][network], 3 * (topology.depth() + 1))
        };
        let mask = evobit::bits::tail_mask(topology.layer(0).packing.row_bits % 32);
        let row_words = topology.layer(0).packing.row_words as usize;
        let word = |index: usize| rng.next_u32() & if index % row_words == row_words - 1 { mask } else { !0 };
        let inputs: Vec<u32> = (0..count * topology.input_words()).map(word).collect();
        let labels: Vec<u8> = (0..count).map(|_| rng.below(topology.classes() as u32) as u8).collect();
        let samples = Samples { inputs: &inputs, labels: &labels };
        for &(instructions, ..) in Instructions::ALL {
            if cfg!(miri) && instructions != Instructions::Portable {
                continue;
            }
            if !instructions.available() {
                if !foreign(instructions) {
                    skips::instructions(instructions.name());
                }
                continue;
            }
            let make = |instructions| landscape(instructions, &topology, &genome, samples, table).unwrap();
            let mut vector = make(instructions);
            let mut scalar = make(Instructions::Scalar);
            for trial in 0..trials {
                assert_eq!((vector.loss(), vector.correct()), (scalar.loss(), scalar.correct()));
                if !cfg!(miri) || trial + 1 == trials {
                    assert!(spectra(&mut *vector) == spectra(&mut *scalar), "{instructions:?} {trial}");
                }
                let mutations = mutations(&topology, trial % (topology.depth() + 1), &mut rng);
                assert_eq!(
                    vector.trial(&mutations),
                    scalar.trial(&mutations),
                    "{instructions:?} {mutations:?}"
                );
                vector.commit();
                scalar.commit();
            }
        }
    }
}
