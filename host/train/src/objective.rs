//! How the individuals of the genetic algorithm are scored: by an objective, on all samples or on some of them, on threads or on a GPU.

use std::collections::VecDeque;

use evobit::evolve::genetic::{Batch, Fitness};
use evobit::evolve::landscape::Samples;
use evobit::rng::{Purpose, Stream};
use rayon::prelude::*;

use super::breeding::row_words;
use super::operators::{self, Judged, Measure, OBJECTIVES, drawn};
use super::prepare::Prepared;
use crate::settings::TrainConfig;
use evobit_compute::{Accelerator, SearchError};
use evobit_search::Interrupt;

/// The objective of this name looks at parents; functions cannot be asked.
const OF_PARENTS: &str = "improvement";
/// The objective of this name is equal for most individuals.
const OF_FEW_VALUES: &str = "first-error";

/// Scores individuals by an objective, on all samples to learn from or on some that are drawn anew for each generation.
pub(super) struct Objective<'a> {
    /// What individuals are judged by, and all samples to learn from.
    judged: Judged<'a>,
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
    pub(super) fn new(prepared: &'a Prepared, config: &TrainConfig) -> Self {
        let measure = operators::find(OBJECTIVES, &config.objective).unwrap_or(OBJECTIVES[0].2);
        let needs_parents = config.objective == OF_PARENTS;
        let prefers_young = config.objective == OF_FEW_VALUES;
        let (batch, seed) = (config.batch as usize, config.seed);
        Self {
            judged: prepared.judged(),
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
    pub(super) fn on_gpu(
        mut self,
        accelerator: &Accelerator,
        config: &TrainConfig,
    ) -> Result<Self, SearchError> {
        let Judged { topology, samples, loss } = self.judged;
        let plain = config.objective == "loss"
            && config.batch == 0
            && row_words(self.judged, config) == topology.genome_words();
        if plain {
            self.gpu = accelerator.population(topology, samples, &loss)?;
        }
        Ok(self)
    }
}

impl Fitness for Objective<'_> {
    fn begin(&mut self, generation: u32) {
        self.generation = generation;
        if self.batch > 0 {
            let mut rng = Stream::new(self.seed, Purpose::Samples, generation);
            self.drawn = drawn(self.judged, self.batch, &mut rng);
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
        let words = self.judged.topology.genome_words();
        let samples = match self.batch {
            0 => self.judged.samples,
            _ => Samples { inputs: &self.drawn.0, labels: &self.drawn.1 },
        };
        let judged = Judged { samples, ..self.judged };
        let parents: Vec<Option<Vec<u32>>> = (0..genomes.len()).map(|_| self.parents.pop_front()).collect();
        let rows = genomes.as_words().par_chunks_exact(genomes.words());
        rows.zip(parents).zip(fitness).for_each(|((row, parent), fitness)| {
            if self.interrupt.is_set() {
                return;
            }
            let parent = parent.as_deref().unwrap_or(row);
            *fitness = (self.measure)(judged, &row[..words], &parent[..words]);
            if self.prefers_young {
                *fitness = fitness.saturating_mul(1 << u32::BITS).saturating_add(self.generation.into());
            }
        });
    }
}
