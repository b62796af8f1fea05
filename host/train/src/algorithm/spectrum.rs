//! The spectrum-guided search.

use evobit::evolve::landscape::{Landscape, LandscapeError, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::evolve::smooth::Smoothing;
use evobit::rng::{Purpose, Stream};

use super::genetic;
use super::mating::mate_all;
use super::one::{Algorithm, Immigrant, Place, Stride, Welcome};
use crate::checkpoint::Search;
use crate::error::TrainError;
use crate::islands::ancestry::{Ancestry, Cause, count};
use crate::prepare::random_genome;
use crate::settings::ShareKind;
use crate::spectrum::{landscape_on, level_ends, loss_units};
use crate::tracker::Tracker;
use evobit_compute::Sharded;

/// A spectrum-guided search: where it is in a sweep, and the landscape of that sweep.
pub(super) struct Spectrum<'a> {
    place: Place<'a>,
    config: SearchConfig,
    rng: Stream,
    order: Vec<u32>,
    deltas: Vec<i64>,
    position: u32,
    /// Where the levels of columns end, for smoothing.
    ends: Vec<u32>,
    /// The genome that it is at, as long as there is no landscape.
    genome: Vec<u32>,
    landscape: Option<(Sharded<'a>, Samples<'a>)>,
}

impl<'a> Spectrum<'a> {
    pub(super) fn begin(place: Place<'a>, from: Option<&Search>) -> Result<Self, TrainError> {
        let (prepared, topology) = (place.prepared, &place.prepared.topology);
        let config = SearchConfig { proposals: place.config.proposals, block: place.config.block };
        let mut order = vec![0; SpectrumSearch::<Stream>::order_len(topology)];
        let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(topology, config)];
        let (genome, rng, position) = match from {
            Some(Search::Spectrum { genome, rng, order: visits, position }) => {
                order.clone_from(visits);
                (genome.clone(), Stream::from_state(*rng).ok_or(LandscapeError::Buffers)?, *position)
            }
            _ => {
                let rng = Stream::new(place.config.seed, Purpose::Search, u32::from(place.island));
                // It writes the first order of visits.
                SpectrumSearch::new(topology, config, rng.clone(), &mut order, &mut deltas)
                    .ok_or(LandscapeError::Buffers)?;
                (random_genome(prepared, place.config), rng, 0)
            }
        };
        let ends = level_ends(prepared);
        Ok(Self { place, config, rng, order, deltas, position, ends, genome, landscape: None })
    }

    /// What it learns from in a sweep: while it is hot one copy of the samples after the other, each island another; of parts a part
    /// of that. Cold those that are held together.
    fn samples(&self, sweep: u32, is_hot: bool) -> Samples<'a> {
        let Place { prepared, config, island, .. } = self.place;
        let number = sweep + u32::from(island);
        let samples = prepared.swept(number, is_hot);
        let Some(islands) = config.islands.filter(|_| is_hot && config.share == ShareKind::Parts) else {
            return samples;
        };
        let islands = usize::from(islands);
        let (part, words) = (number as usize % islands, prepared.topology.input_words());
        let range = part * samples.len() / islands..(part + 1) * samples.len() / islands;
        if range.is_empty() {
            return samples;
        }
        Samples {
            inputs: &samples.inputs[range.start * words..range.end * words],
            labels: &samples.labels[range],
        }
    }

    /// Makes sure that there is a landscape of this sweep's samples. To make one takes as long as several sweeps of a small network.
    fn stand(&mut self, sweep: u32, is_hot: bool) -> Result<&mut Sharded<'a>, TrainError> {
        let samples = self.samples(sweep, is_hot);
        let same = |(_, of): &(Sharded<'_>, Samples<'_>)| {
            std::ptr::eq(of.inputs, samples.inputs) && std::ptr::eq(of.labels, samples.labels)
        };
        if !self.landscape.as_ref().is_some_and(same) {
            // Two at a time would take twice the memory.
            if let Some((old, _)) = self.landscape.take() {
                self.genome = old.genome().to_vec();
            }
            let Place { prepared, accelerator, .. } = self.place;
            self.landscape = Some((landscape_on(accelerator, prepared, &self.genome, samples)?, samples));
        }
        match &mut self.landscape {
            Some((landscape, _)) => Ok(landscape),
            None => Err(LandscapeError::Samples.into()),
        }
    }

    /// Where nobody mates: the best immigrant takes the place of a worse genome, as a migrant does in a population of one. Says which.
    fn adopt(&mut self, immigrants: &[Immigrant]) -> Option<usize> {
        if self.place.config.mating != "none" || immigrants.is_empty() {
            return None;
        }
        let loss = |genome: &[u32]| genetic::training(self.place.prepared, genome)[0];
        let best = immigrants.iter().enumerate().min_by_key(|(_, immigrant)| loss(&immigrant.genome));
        let (index, best) = best.filter(|(_, best)| loss(&best.genome) < loss(self.genome()))?;
        self.genome = best.genome.clone();
        self.landscape = None;
        Some(index)
    }
}

impl Algorithm for Spectrum<'_> {
    fn step(&mut self, tracker: &mut Tracker<'_>) -> Result<Option<Stride>, TrainError> {
        let heat = tracker.heat();
        self.stand(tracker.course.now.sweep, heat > 0.0)?;
        let Self { place, config, rng, order, deltas, position, ends, landscape, .. } = self;
        let Some((landscape, _)) = landscape else { return Ok(None) };
        let units = loss_units(place.prepared, heat, landscape.samples());
        let topology = &place.prepared.topology;
        let search =
            SpectrumSearch::resume(topology, *config, rng.clone(), order, deltas, *position as usize);
        let smoothing = Smoothing { radius: place.config.smoothing, ends };
        let mut search = search.ok_or(LandscapeError::Buffers)?.smoothed(smoothing);
        let step = search.step(landscape, units);
        // Before anything of it is kept: a failed device says of every mutant that it cannot be.
        place.accelerator.check()?;
        (*position, *rng) = (search.position() as u32, search.rng().clone());
        Ok(Some(Stride {
            mutants: step.mutants,
            committed: step.committed.into(),
            sweep_ended: step.sweep_ended,
            is_cold: heat == 0.0,
        }))
    }

    fn genome(&self) -> &[u32] {
        self.landscape.as_ref().map_or(&self.genome, |(landscape, _)| landscape.genome())
    }

    fn training(&mut self) -> [i64; 3] {
        self.landscape.as_ref().map_or([0; 3], |(landscape, _)| {
            [landscape.loss(), landscape.correct().into(), landscape.samples().into()]
        })
    }

    fn state(&mut self) -> Result<Search, TrainError> {
        let (genome, rng) = (self.genome().to_vec(), self.rng.state());
        Ok(Search::Spectrum { genome, rng, order: self.order.clone(), position: self.position })
    }

    fn welcome(
        &mut self,
        immigrants: &[Immigrant],
        tracker: &mut Tracker<'_>,
        ancestry: &mut Ancestry,
    ) -> Result<Welcome, TrainError> {
        let heat = tracker.heat();
        let sweep = tracker.course.now.sweep;
        let mut taken = vec![[0; 2]; immigrants.len()];
        let before = self.genome().to_vec();
        let adopted = self.adopt(immigrants);
        if let Some((index, Immigrant { from, epoch, genome, .. })) =
            adopted.and_then(|index| Some((index, immigrants.get(index)?)))
        {
            taken[index] = [count(&before, genome); 2];
            ancestry.push(sweep + 1, Cause::Migrant { from: *from, epoch: *epoch }, &before, genome);
        }
        let Place { prepared, config, .. } = self.place;
        let mut rng = self.rng.clone();
        let landscape = self.stand(sweep, heat > 0.0)?;
        let units = loss_units(prepared, heat, landscape.samples());
        let mating = (&config.mating[..], ancestry.base().to_vec());
        let at = (landscape, units, sweep + 1);
        mate_all((mating.0, &mating.1), immigrants, at, ancestry, (&mut taken, &mut rng));
        self.rng = rng;
        Ok(Welcome { taken, was_adopted: adopted.is_some() })
    }

    fn has_rows_of_sweeps(&self) -> bool {
        true
    }
}
