//! Evolution in idle time: of the network, step by step, an episode at a time.

use evobit::bits::{LittleEndian, Words};
use evobit::evolve::compact::{CompactBuffers, CompactLandscape, Score};
#[cfg(any(feature = "spectrum", feature = "full"))]
use evobit::evolve::landscape::IMPOSSIBLE;
use evobit::evolve::landscape::{Landscape, Samples};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit_link::LinkError;

use super::{Learner, Model};
use crate::log;
use crate::turn::{TURNS, turn};

/// Training samples from which on no turns are tried while the stream after drift comes: with fewer they were, for less.
const TURNED: usize = 32;

/// What evolves at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Idle,
    Network { total: i64, position: usize, sweep: u16, committed: u32, samples: usize },
    Memory { total: i64 },
}

/// The landscape of what evolves, of which the loss is `total`; scored anew where that is not known. Of the scratch the first so many words
/// hold activations.
#[inline(never)]
fn landscape<'l, S: Score>(
    image: &Model<'l>,
    genome: &'l mut [u32],
    samples: Samples<'l>,
    (scratch, hidden): (&'l mut [u32], usize),
    total: Option<i64>,
) -> Option<CompactLandscape<'l, LittleEndian<'l>, S>> {
    let (hidden, scores) = scratch.split_at_mut(hidden);
    let buffers = CompactBuffers { hidden, scores: bytemuck::cast_slice_mut(scores) };
    let (topology, loss) = (image.topology(), *image.loss());
    match total {
        Some(total) => CompactLandscape::resume(topology, genome, samples, loss, buffers, total),
        None => CompactLandscape::new(topology, genome, samples, loss, buffers),
    }
    .ok()
}

impl<S: Score> Learner<'_, S> {
    /// Gives mutants to the network's evolution and begins an episode where none goes on, or `anew`.
    ///
    /// # Errors
    /// [`LinkError::NoSamples`].
    #[inline(never)]
    pub fn evolve_network(&mut self, mutants: u32, anew: bool) -> Result<(), LinkError> {
        if self.store.training().is_empty() {
            return Err(LinkError::NoSamples);
        }
        self.counts.owed = self.counts.owed.saturating_add(mutants);
        if anew || !matches!(self.activity, Activity::Network { .. }) {
            if self.unjudged > 0 {
                self.judge();
            }
            self.choose_start();
            self.compare();
            let topology = self.image.topology();
            let config = SearchConfig { proposals: self.config.proposals, block: 1 };
            // Writes the first order of visits.
            let _ = SpectrumSearch::new(topology, config, self.rng.clone(), self.order, self.deltas);
            let (samples, hidden) = (self.store.training(), self.layout.scratch_hidden);
            let made = landscape::<S>(&self.image, self.candidate, samples, (self.scratch, hidden), None);
            let total = made.ok_or(LinkError::NoSamples)?.loss();
            let samples = samples.len();
            self.activity = Activity::Network { total, position: 0, sweep: 0, committed: 0, samples };
            self.counts.loss = total;
        }
        Ok(())
    }

    /// Scores every mutant of a layer's first neurons, in the genome that answers, exactly, on the training samples: how many would lower the loss, leave it,
    /// raise it. What evolves is ended.
    ///
    /// # Errors
    /// [`LinkError::Layer`], [`LinkError::NoSamples`].
    #[cfg(any(feature = "spectrum", feature = "full"))]
    #[inline(never)]
    pub fn spectrum(&mut self, layer: usize, neurons: u32) -> Result<[u32; 3], LinkError> {
        self.stop();
        let topology = self.image.topology();
        let plan = *topology.layers().get(layer).ok_or(LinkError::Layer)?;
        if self.store.training().is_empty() {
            return Err(LinkError::NoSamples);
        }
        self.candidate.copy_from_slice(self.live);
        let (samples, hidden) = (self.store.training(), self.layout.scratch_hidden);
        let made = landscape::<S>(&self.image, self.candidate, samples, (self.scratch, hidden), None);
        let mut landscape = made.ok_or(LinkError::NoSamples)?;
        let mut counts = [0; 3];
        for neuron in 0..plan.neurons.min(neurons) {
            let deltas = &mut self.deltas[..plan.mutants()];
            landscape.spectra(layer, &[neuron as u16], deltas);
            for &delta in deltas.iter().filter(|&&delta| delta != IMPOSSIBLE) {
                counts[(delta.signum() + 1) as usize] += 1;
            }
        }
        Ok(counts)
    }

    /// Puts the genome that an episode begins with in place.
    #[inline(never)]
    fn choose_start(&mut self) {
        let training = 0..self.store.training().len();
        let plan = self.image.topology().layer(0);
        let first = plan.weights as usize..plan.end as usize;
        let (mut best, mut best_score) = (0, (0, i64::MIN));
        // The turns of the genome that answers, then those of the base image's.
        let turns = !self.adapting || training.len() < TURNED;
        for way in 0..2 * TURNS {
            if (turns || way % TURNS == 0) && self.load_start(way, first.clone()) {
                let (right, _) = self.score(true, self.store.held_back());
                // The loss decides among equals alone, and takes three times as long.
                if right >= best_score.0 {
                    let (_, loss) = self.score(true, training.clone());
                    if (right, -loss) > best_score {
                        (best, best_score) = (way, (right, -loss));
                    }
                }
            }
        }
        self.load_start(best, first);
    }

    fn load_start(&mut self, way: u32, first: core::ops::Range<usize>) -> bool {
        let (plan, base) = (self.image.topology().layer(0), self.image.genome());
        let from_live = way < TURNS;
        if from_live {
            self.candidate.copy_from_slice(self.live);
        } else {
            self.load_base();
        }
        let live = &*self.live;
        let from = |index| if from_live { live[first.start + index] } else { base.word(first.start + index) };
        turn(plan, way % TURNS, &from, &mut self.candidate[first.clone()])
    }

    /// Puts the base image's genome in place of the one that evolves.
    pub(super) fn load_base(&mut self) {
        let base = self.image.genome();
        self.candidate.iter_mut().enumerate().for_each(|(index, word)| *word = base.word(index));
    }

    /// Takes a training sample out of the loss of the present episode, so that it can be overwritten, or takes it in.
    #[inline(never)]
    pub(super) fn exchange(&mut self, sample: usize, is_in: bool) {
        let Activity::Network { total, .. } = &mut self.activity else { return };
        let (samples, hidden) = (self.store.training(), self.layout.scratch_hidden);
        let made = landscape::<S>(&self.image, self.candidate, samples, (self.scratch, hidden), Some(*total));
        if let Some(mut landscape) = made {
            if is_in {
                landscape.learn(sample);
            } else {
                landscape.forget(sample);
            }
            *total = landscape.loss();
        }
    }

    /// Ends what evolves; what it found stays.
    pub fn stop(&mut self) {
        self.activity = Activity::Idle;
        self.counts.owed = 0;
    }

    /// True while there is something to evolve and mutants are owed.
    #[must_use]
    pub fn is_evolving(&self) -> bool {
        self.activity != Activity::Idle && self.counts.owed > 0
    }

    /// One step of evolution: a neuron, or one mutant of a memory. False where nothing is owed.
    pub fn step(&mut self) -> bool {
        match self.activity {
            _ if self.counts.owed == 0 => return false,
            Activity::Idle => return false,
            Activity::Network { .. } => self.step_network(),
            Activity::Memory { total } => {
                let total = self.search_memory(Some(total)).unwrap_or(total);
                self.counts.loss = total;
                self.activity = Activity::Memory { total };
                self.spend(1);
            }
        }
        true
    }

    #[inline(never)]
    fn step_network(&mut self) {
        let Activity::Network { total, position, sweep, committed, samples: began } = self.activity else {
            return;
        };
        let heat = self.heat(sweep);
        let topology = self.image.topology();
        let (samples, hidden) = (self.store.training(), self.layout.scratch_hidden);
        let config = SearchConfig { proposals: self.config.proposals, block: 1 };
        let order = &mut self.order[..topology.neurons() as usize];
        let search = SpectrumSearch::resume(topology, config, self.rng.clone(), order, self.deltas, position);
        let made = landscape::<S>(&self.image, self.candidate, samples, (self.scratch, hidden), Some(total));
        let (Some(mut search), Some(mut landscape)) = (search, made) else {
            self.stop();
            return;
        };
        let step = search.step(&mut landscape, heat);
        self.rng = search.rng().clone();
        let (position, total, committed) = (search.position(), landscape.loss(), committed + step.committed);
        self.counts.loss = total;
        self.activity = Activity::Network { total, position, sweep, committed, samples: began };
        if step.sweep_ended {
            self.compare();
            self.activity =
                Activity::Network { total, position: 0, sweep: sweep + 1, committed: 0, samples: began };
            if (committed == 0 && heat == 0) || sweep + 1 >= self.config.sweeps {
                self.stop();
            }
        }
        self.spend(step.mutants);
    }

    /// The heat of a sweep, in loss units of all training samples.
    fn heat(&self, sweep: u16) -> u32 {
        let left = u32::from(self.config.cooling.saturating_sub(sweep));
        let all = self.store.training().len() as u64 * u64::from(self.image.loss().unit());
        // In 65,536ths: dividing 64-bit numbers would take a kilobyte of code.
        let share = (left << 16) / u32::from(self.config.cooling.max(1));
        let heat = (((all * u64::from(self.config.heat)) >> 16) * u64::from(share)) >> 16;
        u32::try_from(heat).unwrap_or(u32::MAX)
    }

    /// Lets the genome that evolves take over where it does better on the held-back samples.
    #[inline(never)]
    fn compare(&mut self) {
        let held_back = self.store.held_back();
        let (candidate, live) = (self.score(true, held_back.clone()), self.score(false, held_back));
        if (candidate.0, -candidate.1) > (live.0, -live.1) {
            self.live.copy_from_slice(self.candidate);
            self.judge();
            self.counts.swaps = self.counts.swaps.wrapping_add(1);
            log!("a better genome takes over: {} held-back samples right", candidate.0);
        }
    }

    fn spend(&mut self, mutants: u64) {
        self.counts.mutants += mutants;
        self.counts.owed = self.counts.owed.saturating_sub(u32::try_from(mutants).unwrap_or(u32::MAX));
    }
}
