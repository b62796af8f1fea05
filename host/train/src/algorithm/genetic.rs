//! The classical genetic algorithm: every mutant runs the whole network on samples.

use evobit::evolve::genetic::{Batch, Error, Fitness, Origin};
use evobit::evolve::landscape::LandscapeError;
use evobit::network::Network;
use evobit::rng::{Purpose, Stream};
use evobit::topology::Topology;
use evobit_search::{Evolution, Interrupt, Saved};

use super::one::{Algorithm, Immigrant, Place, Stride, Welcome};
use crate::breeding::Operators;
use crate::checkpoint::Search;
use crate::error::TrainError;
use crate::islands::ancestry::{Ancestry, Cause, count};
use crate::objective::Objective;
use crate::prepare::Prepared;
use crate::prepare::random_genome;
use crate::tracker::Tracker;
use evobit_model::evaluate;

/// Loss, right samples and samples of a genome on all it learns from.
pub(super) fn training(prepared: &Prepared, genome: &[u32]) -> [i64; 3] {
    let samples = prepared.cold();
    let score = Network::new(&prepared.topology, genome).map_or_else(
        |_| evaluate::Evaluation::default(),
        |network| evaluate::score(&network, &prepared.loss_table(), samples),
    );
    [score.loss, score.correct as i64, samples.len() as i64]
}

fn refused(_: Error) -> TrainError {
    LandscapeError::Buffers.into()
}

/// A genetic algorithm on networks.
pub(super) struct Genetic<'a> {
    place: Place<'a>,
    operators: Operators<'a>,
    objective: Objective<'a>,
    /// None before the first generation was scored.
    evolution: Option<Evolution<&'a Topology>>,
    best: Vec<u32>,
    /// The state before a generation that was given up.
    given_up: Option<Saved>,
}

impl<'a> Genetic<'a> {
    pub(super) fn begin(place: Place<'a>, from: Option<&Search>) -> Result<Self, TrainError> {
        let Place { prepared, config, accelerator, .. } = place;
        let operators = Operators::new(prepared.judged(), config).ok_or(LandscapeError::Buffers)?;
        let objective = Objective::new(prepared, config).on_gpu(accelerator, config)?;
        let mut evolution = match from {
            Some(Search::Genetic(saved)) => {
                let configuration = operators.configuration(config);
                Some(Evolution::resume(configuration, &prepared.topology, saved).map_err(refused)?)
            }
            _ => None,
        };
        let best = evolution.as_mut().map(Evolution::best).transpose().map_err(refused)?;
        let best = best.unwrap_or_else(|| random_genome(prepared, config));
        Ok(Self { place, operators, objective, evolution, best, given_up: None })
    }

    /// Scores the first generation, where that is not done. False where it was interrupted.
    fn start(&mut self, interrupt: &Interrupt) -> Result<bool, TrainError> {
        if self.evolution.is_some() {
            return Ok(true);
        }
        let Place { prepared, config, island, .. } = self.place;
        let rng = Stream::new(config.seed, Purpose::Search, island.into());
        let start = random_genome(prepared, config);
        self.objective.heed(interrupt);
        let configuration = self.operators.configuration(config);
        let origin = Origin::Mutants(&start);
        let started = Evolution::start(configuration, &prepared.topology, origin, &mut self.objective, rng);
        if interrupt.is_set() {
            return Ok(false);
        }
        let mut evolution = started.map_err(refused)?;
        self.best = evolution.best().map_err(refused)?;
        self.evolution = Some(evolution);
        Ok(true)
    }
}

impl Algorithm for Genetic<'_> {
    fn step(&mut self, tracker: &mut Tracker<'_>) -> Result<Option<Stride>, TrainError> {
        let interrupt = tracker.pace.interrupt.clone();
        if !self.start(&interrupt)? {
            return Ok(None);
        }
        let Some(evolution) = &mut self.evolution else { return Ok(None) };
        self.objective.heed(&interrupt);
        let before = evolution.saved().map_err(refused)?;
        let configuration = self.operators.configuration(self.place.config);
        let generation = evolution.step(configuration, &mut self.objective).map_err(refused)?;
        if interrupt.is_set() {
            self.given_up = Some(before);
            return Ok(None);
        }
        self.place.accelerator.check()?;
        self.best = evolution.best().map_err(refused)?;
        let scored = generation.scored.into();
        Ok(Some(Stride { mutants: scored, committed: scored, sweep_ended: true, is_cold: false }))
    }

    fn genome(&self) -> &[u32] {
        &self.best
    }

    fn training(&mut self) -> [i64; 3] {
        training(self.place.prepared, &self.best)
    }

    fn state(&mut self) -> Result<Search, TrainError> {
        if let Some(saved) = &self.given_up {
            return Ok(Search::Genetic(saved.clone()));
        }
        let Some(evolution) = &mut self.evolution else { return Ok(Search::Start) };
        Ok(Search::Genetic(evolution.saved().map_err(refused)?))
    }

    fn welcome(
        &mut self,
        immigrants: &[Immigrant],
        tracker: &mut Tracker<'_>,
        ancestry: &mut Ancestry,
    ) -> Result<Welcome, TrainError> {
        let interrupt = tracker.pace.interrupt.clone();
        if !self.start(&interrupt)? {
            return Ok(Welcome::default());
        }
        let Some(evolution) = &mut self.evolution else { return Ok(Welcome::default()) };
        let before = ancestry.genome().unwrap_or_default();
        let sweep = tracker.course.now.sweep + 1;
        ancestry.push(sweep, Cause::Search, &before, &self.best);
        let objective = &mut self.objective;
        // What immigrants are scored on as well.
        objective.begin(evolution.generation().number);
        let configuration = self.operators.configuration(self.place.config);
        let words = configuration.row_words(&self.place.prepared.topology);
        let mut enter = |immigrant: &Immigrant| {
            let before = evolution.best()?;
            evolution.with(configuration, |algorithm, _| {
                // Rates come from the best here: immigrants bring none.
                let best = algorithm.population().ranked(0);
                let row = [&immigrant.genome[..], best.map_or(&[][..], |row| &row[before.len()..])].concat();
                if let Some(rows) = Batch::new(&row, words) {
                    algorithm.immigrate(rows, &mut *objective);
                }
            })?;
            let after = evolution.best()?;
            let cause = Cause::Migrant { from: immigrant.from, epoch: immigrant.epoch };
            ancestry.push(sweep, cause, &before, &after);
            Ok([count(&before, &immigrant.genome), count(&before, &after)])
        };
        let taken = immigrants.iter().map(&mut enter).collect::<Result<_, Error>>().map_err(refused)?;
        self.best = evolution.best().map_err(refused)?;
        Ok(Welcome { taken, was_adopted: false })
    }

    fn has_rows_of_sweeps(&self) -> bool {
        false
    }
}
