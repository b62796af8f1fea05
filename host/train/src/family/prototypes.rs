//! Prototype memories: the class of the prototype nearest to an input answers, see [`evobit_model::prototypes`].

use evobit::bits;
use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::network::{GenomeError, Network};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;
use evobit_compute::prototypes::{MemoryLandscape, bytes_needed};
use evobit_compute::{Accelerator, Shard};
use evobit_model::evaluate::Classify;
use evobit_model::prototypes::{self, evolvable_bits, fits};

use super::{Family, Ground};
use crate::settings::HiddenLayer;

/// Prototypes, the nearest of which answers.
#[derive(Clone, Copy, Debug)]
pub struct Prototypes;

impl Family for Prototypes {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn help(&self) -> &'static str {
        "prototypes, the nearest of which answers"
    }

    fn mark(&self) -> u32 {
        1
    }

    /// Chosen on validation samples of MNIST.
    fn defaults(&self) -> &'static str {
        "hidden = ['100']\nmargin = 2.0\ntemperature = 8.0\nsweeps = 60\nproposals = 8\nheat = 0.0005"
    }

    fn complaint(&self, hidden: &[HiddenLayer], is_spectrum: bool) -> Option<&'static str> {
        if !matches!(hidden, [HiddenLayer::Dense(_)]) {
            Some(
                "a memory has one dense hidden layer, whose neurons are the prototypes: set hidden to their number, such as 100",
            )
        } else if !is_spectrum {
            Some("a memory evolves by the spectrum-guided search: leave algorithm out")
        } else {
            None
        }
    }

    fn evolvable_bits(&self, topology: &Topology) -> u32 {
        evolvable_bits(topology)
    }

    /// Training samples drawn at random, class after class as many, none twice where there are enough.
    fn start(&self, topology: &Topology, samples: Samples<'_>, seed: u64) -> Vec<u32> {
        let mut genome = vec![0; topology.genome_words()];
        if !fits(topology) {
            return genome;
        }
        let words = topology.input_words();
        let mut rng = Stream::new(seed, Purpose::Start, 0);
        let mut of_class: Vec<Vec<usize>> = vec![vec![]; topology.classes()];
        for (sample, &label) in samples.labels.iter().enumerate() {
            of_class[usize::from(label)].push(sample);
        }
        of_class.iter_mut().for_each(|samples| rng.shuffle(samples));
        let (plan, above) = (topology.layer(0), topology.layer(1));
        let count = plan.neurons as usize;
        for prototype in 0..count {
            let class = prototype * topology.classes() / count;
            let first = (class * count).div_ceil(topology.classes());
            let drawn = &of_class[class];
            // Every class has a sample, or nothing is prepared.
            let sample = drawn[(prototype - first) % drawn.len()];
            let row = plan.weights as usize + prototype * words;
            genome[row..row + words].copy_from_slice(samples.input(sample, words));
            let label = above.weights as usize + class * above.row_words as usize;
            bits::set(&mut genome[label..], prototype as u32, true);
        }
        genome
    }

    fn bytes_needed(&self, topology: &Topology, samples: usize) -> u64 {
        bytes_needed(topology, samples)
    }

    fn landscape<'a>(&self, genome: &[u32], ground: Ground<'a>) -> Result<Shard<'a>, LandscapeError> {
        let Ground { topology, samples, loss, .. } = ground;
        Ok(Box::new(MemoryLandscape::new(topology, genome, samples, loss)?))
    }

    fn landscape_description(&self, _: &Accelerator, _: &Ground<'_>) -> String {
        "the distance of every prototype to every sample".into()
    }

    fn classifier<'a>(
        &self,
        topology: &'a Topology,
        genome: &'a [u32],
    ) -> Result<Box<dyn Classify + 'a>, GenomeError> {
        Ok(Box::new(prototypes::Prototypes::of(&Network::new(topology, genome)?)))
    }

    fn description(&self, topology: &Topology) -> Vec<(&'static str, String)> {
        let plan = topology.layer(0);
        let text = format!(
            "{} prototypes of {} bits, the nearest of which answers; for hosts, boards do not run it",
            plan.neurons, plan.inputs
        );
        vec![("memory", text)]
    }

    fn wants(&self, network: &Network<'_, &[u32]>, neuron: u32, unit: u32) -> Option<bool> {
        Some(bits::get(network.weights(0, neuron), unit))
    }

    fn not_on_boards(&self) -> Option<&'static str> {
        Some("is a memory, which boards do not run: train a network (--kind network)")
    }
}
