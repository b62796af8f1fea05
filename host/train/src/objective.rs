//! What makes an individual of the genetic algorithm fit: functions of what the network says of some samples.

use std::collections::VecDeque;

use evobit::evolve::genetic::{Batch, Fitness};
use evobit::evolve::landscape::Samples;
use evobit::network::{Network, best_class};
use evobit::rng::{Purpose, Stream};
use rayon::prelude::*;

use super::operators::{self, OBJECTIVES, drawn, row_words};
use super::prepare::Prepared;
use crate::settings::Config;
use evobit_compute::{Accelerator, SearchError};
use evobit_model::evaluate;
use evobit_search::Interrupt;

/// The fitness of a network on samples, and of its first parent where the objective needs that.
pub(super) type Measure = fn(&Prepared, Samples<'_>, own: &[u32], parent: &[u32]) -> i64;

/// The loss, negated.
pub(super) fn loss(prepared: &Prepared, samples: Samples<'_>, own: &[u32], _: &[u32]) -> i64 {
    let network = Network::new(&prepared.topology, own);
    network.map_or(i64::MIN, |network| -evaluate::score(&network, &prepared.loss_table(), samples).loss)
}

/// Samples that are right.
pub(super) fn accuracy(prepared: &Prepared, samples: Samples<'_>, own: &[u32], _: &[u32]) -> i64 {
    let network = Network::new(&prepared.topology, own);
    network
        .map_or(i64::MIN, |network| evaluate::score(&network, &prepared.loss_table(), samples).correct as i64)
}

/// How much lower the loss is than the parent's: what the child's own mutations are worth, whatever it inherits.
pub(super) fn improvement(prepared: &Prepared, samples: Samples<'_>, own: &[u32], parent: &[u32]) -> i64 {
    loss(prepared, samples, own, parent).saturating_sub(loss(prepared, samples, parent, own))
}

/// Samples that are right before the first that is not, in their order. No later sample is looked at.
pub(super) fn first_error(prepared: &Prepared, samples: Samples<'_>, own: &[u32], _: &[u32]) -> i64 {
    let topology = &prepared.topology;
    let Ok(network) = Network::new(topology, own) else { return i64::MIN };
    let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    let mut results = samples.inputs.chunks_exact(topology.input_words()).zip(samples.labels);
    let first = results.position(|(input, &label)| {
        network.run(input, &mut hidden, &mut scores);
        best_class(&scores) != usize::from(label)
    });
    first.unwrap_or(samples.len()) as i64
}

/// The objective of this name looks at parents; functions cannot be asked.
const OF_PARENTS: &str = "improvement";
/// The objective of this name is equal for most individuals.
const OF_FEW_VALUES: &str = "first-error";

/// Scores individuals by an objective, on all samples to learn from or on some that are drawn anew for each generation.
pub(super) struct Objective<'a> {
    prepared: &'a Prepared,
    measure: Measure,
    needs_parents: bool,
    /// Of equals the youngest is the fittest: where few values are taken, a population that kept its oldest would stand still, while one
    /// that drifts along a plateau finds its edges (Harvey & Thompson, *Through the labyrinth evolution finds a way*, 1996).
    prefers_young: bool,
    generation: u32,
    batch: usize,
    seed: u64,
    drawn: (Vec<u32>, Vec<u8>),
    /// First parents of those that are to be scored, in order.
    parents: VecDeque<Vec<u32>>,
    /// What finds the loss on all samples, where there is a GPU.
    gpu: Option<Box<dyn Fitness>>,
    /// Once it is set nothing more is scored, and what was scored since is of no use.
    interrupt: Interrupt,
}

impl<'a> Objective<'a> {
    pub(super) fn new(prepared: &'a Prepared, config: &Config) -> Self {
        let measure = operators::find(OBJECTIVES, &config.objective).unwrap_or(loss);
        let needs_parents = config.objective == OF_PARENTS;
        let prefers_young = config.objective == OF_FEW_VALUES;
        let (batch, seed) = (config.batch as usize, config.seed);
        Self {
            prepared,
            measure,
            needs_parents,
            prefers_young,
            generation: 0,
            batch,
            seed,
            drawn: Default::default(),
            parents: VecDeque::new(),
            gpu: None,
            interrupt: Interrupt::default(),
        }
    }

    /// From now on nothing is scored once this interrupt is set.
    pub(super) fn heed(&mut self, interrupt: &Interrupt) {
        self.interrupt = interrupt.clone();
    }

    /// The same, found on the GPU where there is one and the objective is the loss of all samples of individuals that are genomes alone.
    ///
    /// # Errors
    /// Failures of the GPU.
    pub(super) fn on_gpu(mut self, accelerator: &Accelerator, config: &Config) -> Result<Self, SearchError> {
        let prepared = self.prepared;
        let plain = config.objective == "loss"
            && config.batch == 0
            && row_words(prepared, config) == prepared.topology.genome_words();
        if plain {
            let (samples, loss) = (prepared.cold(), prepared.loss_table());
            self.gpu = accelerator.population(&prepared.topology, samples, &loss)?;
        }
        Ok(self)
    }
}

impl Fitness for Objective<'_> {
    fn begin(&mut self, generation: u32) {
        self.generation = generation;
        if self.batch > 0 {
            let mut rng = Stream::new(self.seed, Purpose::Samples, generation);
            self.drawn = drawn(self.prepared, self.batch, &mut rng);
        }
    }

    fn changes(&self) -> bool {
        self.batch > 0 || self.needs_parents
    }

    fn bred(&mut self, parent: &[u32]) {
        if self.needs_parents {
            self.parents.push_back(parent.to_vec());
        }
    }

    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        if let Some(gpu) = &mut self.gpu {
            return gpu.score(genomes, fitness);
        }
        let words = self.prepared.topology.genome_words();
        let samples = match self.batch {
            0 => self.prepared.cold(),
            _ => Samples { inputs: &self.drawn.0, labels: &self.drawn.1 },
        };
        let parents: Vec<Option<Vec<u32>>> = (0..genomes.len()).map(|_| self.parents.pop_front()).collect();
        let rows = genomes.as_words().par_chunks_exact(genomes.words());
        rows.zip(parents).zip(fitness).for_each(|((row, parent), fitness)| {
            if self.interrupt.is_set() {
                return;
            }
            let parent = parent.as_deref().unwrap_or(row);
            *fitness = (self.measure)(self.prepared, samples, &row[..words], &parent[..words]);
            if self.prefers_young {
                *fitness = fitness.saturating_mul(1 << u32::BITS).saturating_add(self.generation.into());
            }
        });
    }
}
