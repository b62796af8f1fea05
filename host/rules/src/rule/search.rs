//! The evolution of a rule as a search of small steps, each of which may be given up and done again.
//!
//! A chapter is scored in three kinds of steps: all individuals on the lives of the chapter; a generation, as often as the chapter
//! is long; the best on the lives that choose. Lives of images take minutes, so a step looks at the interruption in their midst. A step
//! that was given up leaves the state as it was.

use evobit::evolve::genetic::{
    Batch as Genomes, Configuration, Error, Fitness, Genes, Rate, Tournament, Uniform,
};
use evobit::rule::{EvolvedRule, GENOME_WORDS, Lanes, RuleGenes, SourceSums, Weight};
use evobit_search::{Evolution, Interrupt, Pace, Searcher, Step, Stop};

use super::meta::{ChapterRow, Lives, MetaOutcome, MetaSettings, assess};
use super::state::{FLIPS, RuleState};
use super::{Batch, LANES, Room, live};

/// An evolution of a rule, for the lives that `lives` makes for each chapter.
#[derive(Debug)]
pub struct RuleSearch<'a, Make> {
    settings: &'a MetaSettings,
    lives: Make,
    validation: &'a [Batch],
    /// The lives of the chapter.
    batches: Option<Vec<Batch>>,
    state: RuleState,
    written: Vec<u32>,
}

impl<'a, Make> RuleSearch<'a, Make> {
    /// From the start.
    #[must_use]
    pub fn new(settings: &'a MetaSettings, lives: Make, validation: &'a [Batch]) -> Self {
        Self::resume(settings, lives, validation, RuleState::new(settings))
    }

    /// From where another of the same settings and lives was.
    #[must_use]
    pub fn resume(
        settings: &'a MetaSettings,
        lives: Make,
        validation: &'a [Batch],
        state: RuleState,
    ) -> Self {
        Self { settings, lives, validation, batches: None, state, written: vec![] }
    }

    /// What was found so far.
    #[must_use]
    pub fn outcome(&self) -> MetaOutcome {
        let RuleState { genome, generations, rows, chapters, .. } = &self.state;
        let of = |words: &[u32]| std::array::from_fn(|word| words.get(word).copied().unwrap_or(0));
        MetaOutcome {
            genome: of(genome),
            generations: *generations,
            rows: rows.clone(),
            chapters: chapters.chunks_exact(GENOME_WORDS).map(of).collect(),
        }
    }

    /// Everything that the rest of the search depends on, as bytes.
    #[must_use]
    pub fn saved(&self) -> Vec<u8> {
        // Plain values: this cannot fail.
        postcard::to_stdvec(&self.state).unwrap_or_default()
    }

    /// Generations of this chapter that are still to be bred.
    fn left(&self) -> u32 {
        let left = self.settings.generations - self.state.generations.min(self.settings.generations);
        self.settings.chapter.saturating_sub(self.state.in_chapter).min(left)
    }

    /// Scores all individuals on the lives of the chapter.
    fn score(&mut self, batches: &[Batch], interrupt: &Interrupt) -> Result<Option<()>, Error> {
        let genomes = &self.state.population.genomes;
        let mut scores = vec![0; self.settings.population as usize];
        let genomes = Genomes::new(genomes, GENOME_WORDS).ok_or(Error::SnapshotWords)?;
        Lives(batches, interrupt).score(genomes, &mut scores);
        // What it begins with is given up only for something better.
        let best = self.state.best.unwrap_or_else(|| {
            let from = EvolvedRule::new(&self.settings.from).unwrap_or_default();
            assess(&from, self.validation, &mut Room::heeding(interrupt)).0
        });
        if interrupt.is_set() {
            return Ok(None);
        }
        self.state.best = Some(best);
        self.state.population.fitness = scores;
        self.state.is_scored = true;
        Ok(Some(()))
    }

    /// Breeds and scores a generation.
    fn breed(&mut self, batches: &[Batch], interrupt: &Interrupt) -> Result<Option<()>, Error> {
        let (mutation, selection) = (rate(self.state.flips), Tournament(3.min(self.settings.population)));
        let configuration = configuration(self.settings, &selection, &mutation);
        let mut evolution = Evolution::resume(configuration, RuleGenes, &self.state.population)?;
        let before = evolution.generation().best;
        let after = evolution.step(configuration, &mut Lives(batches, interrupt))?.best;
        if interrupt.is_set() {
            return Ok(None);
        }
        self.state.population = evolution.saved()?;
        self.state.progress += u32::from(after > before);
        self.state.in_chapter += 1;
        self.state.generations += 1;
        Ok(Some(()))
    }

    /// Ends the chapter: tries its best on the lives that choose.
    fn end(&mut self, batches: &[Batch], interrupt: &Interrupt) -> Result<Option<ChapterRow>, Error> {
        let (settings, mutation) = (self.settings, rate(self.state.flips));
        let selection = Tournament(3.min(settings.population));
        let configuration = configuration(settings, &selection, &mutation);
        let mut evolution = Evolution::resume(configuration, RuleGenes, &self.state.population)?;
        let (genome, generation) = (evolution.best()?, evolution.generation());
        let rule = EvolvedRule::new(&genome).unwrap_or_default();
        let mut room = Room::heeding(interrupt);
        let (fit, accuracy) = assess(&rule, self.validation, &mut room);
        let lived = |batch: &Batch| lived(&rule, batch, &mut room);
        let pool = if settings.pool { batches.iter().map(lived).collect() } else { vec![] };
        if interrupt.is_set() {
            return Ok(None);
        }
        let state = &mut self.state;
        // Rechenberg's rule of one fifth (1973), on generations instead of mutants.
        let faster = u64::from(state.progress) * 5 >= u64::from(settings.chapter);
        let flips = if faster { state.flips * 5 / 4 } else { state.flips * 4 / 5 };
        state.flips = flips.clamp(FLIPS[1], FLIPS[2]);
        let row = ChapterRow {
            generation: state.generations,
            best: generation.best,
            mean: generation.mean,
            accuracy,
            validation: fit,
            flips: state.flips,
            terms: rule.terms(),
        };
        state.rows.push(row);
        state.chapters.extend(&genome);
        state.since += 1;
        if state.best.is_none_or(|best| fit > best) {
            (state.best, state.since) = (Some(fit), 0);
            state.genome = genome;
        }
        state.pool = pool;
        state.chapter += 1;
        (state.in_chapter, state.progress, state.is_scored) = (0, 0, false);
        self.batches = None;
        Ok(Some(row))
    }
}

impl<E: From<Error>, Make: FnMut(u32) -> Result<Vec<Batch>, E>> Searcher for RuleSearch<'_, Make> {
    type Row = ChapterRow;
    type Error = E;

    fn step(&mut self, pace: &Pace) -> Result<Option<Step<ChapterRow>>, E> {
        let batches = match self.batches.take() {
            Some(batches) => batches,
            None => {
                let mut batches = (self.lives)(self.state.chapter)?;
                batches.iter_mut().zip(&self.state.pool).for_each(|(batch, old)| live_on(batch, old));
                batches
            }
        };
        let interrupt = &pace.interrupt;
        let mut row = None;
        let done = if !self.state.is_scored {
            let scored = self.score(&batches, interrupt)?;
            self.batches = Some(batches);
            scored
        } else if self.left() > 0 {
            let bred = self.breed(&batches, interrupt)?;
            self.batches = Some(batches);
            bred
        } else {
            row = self.end(&batches, interrupt)?;
            row.map(drop)
        };
        let state = &self.state;
        let stop = row.and_then(|_| {
            if state.since >= self.settings.patience {
                Some(Stop::Patience)
            } else {
                (state.generations >= self.settings.generations).then_some(Stop::Sweeps)
            }
        });
        let number = state.generations.into();
        let scored = (number + 1) * u64::from(self.settings.population);
        Ok(done.map(|()| Step { number, scored, row, stop }))
    }

    fn state(&mut self) -> Vec<u8> {
        self.saved()
    }

    fn files(&mut self) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        if self.written == self.state.genome {
            return Ok(vec![]);
        }
        let bytes = super::rule_image(&self.outcome().genome).map_err(|error| error.to_string())?;
        self.written = self.state.genome.clone();
        Ok(vec![("rule.evr", bytes)])
    }
}

fn configuration<'a>(
    settings: &MetaSettings,
    selection: &'a Tournament,
    mutation: &'a Rate,
) -> Configuration<'a> {
    Configuration {
        population: settings.population,
        elites: (settings.population / 12).max(1),
        rate_generations: 0,
        selection,
        mating: &Uniform,
        mutation,
    }
}

/// The weights that a batch ends with: value and state of each in all lanes.
fn lived(rule: &EvolvedRule, batch: &Batch, room: &mut Room<SourceSums<LANES>>) -> Vec<i16> {
    let lived = live(rule, batch, room);
    let weights = lived.map_or(&[][..], |_| room.weights());
    weights.iter().flat_map(|weight| weight.value.0.into_iter().chain(weight.state.0)).collect()
}

/// Lets every other lane of a batch start with `old` weights, where these are of its shape.
fn live_on(batch: &mut Batch, old: &[i16]) {
    let (old, []) = old.as_chunks::<{ 2 * LANES }>() else { return };
    if batch.start.len() == old.len() {
        for (new, old) in batch.start.iter_mut().zip(old) {
            let Weight { value: Lanes(value), state: Lanes(state) } = new;
            for lane in (0..LANES).step_by(2) {
                value[lane] = old[lane];
                state[lane] = old[LANES + lane];
            }
        }
    }
}

/// So many flips a genome, in sixteenths, over its genes.
fn rate(flips: u32) -> Rate {
    let genes = u64::from(RuleGenes.count());
    let rate = (u64::from(flips) << 28) / genes;
    Rate::new(rate.min(u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tasks::BooleanTask;
    use evobit::rule::Plasticity;
    use evobit_search::{Session, Signal, Silent, drive};

    fn settings(seed: u64) -> MetaSettings {
        let from = RuleGenes::delta(3);
        MetaSettings { population: 16, generations: 4, chapter: 2, from, seed, ..MetaSettings::default() }
    }

    #[test]
    fn a_search_that_stops_after_every_step_finds_the_same() {
        let task =
            BooleanTask { inputs: 2, functions: &[6, 14], passes: 4, plasticity: Plasticity::default() };
        let settings = MetaSettings { pool: true, ..settings(3) };
        let batch = |index| task.batch(&[6], 3, index);
        let validation = [batch(100).unwrap()];
        let lives = |chapter| Ok::<_, Error>(vec![batch(chapter).unwrap()]);
        let mut whole = RuleSearch::new(&settings, lives, &validation);
        let mut session = Session::default();
        let pace = Pace::new(&session);
        drive(&mut whole, &pace, &mut session, &mut Silent).unwrap();
        let mut state = RuleState::new(&settings);
        for _ in 0..100 {
            let bytes = RuleSearch::resume(&settings, lives, &validation, state).state();
            state = RuleState::read(&bytes, &settings).unwrap();
            let mut search = RuleSearch::resume(&settings, lives, &validation, state);
            // Given up, then done.
            let interrupt = Interrupt::default();
            interrupt.raise(Signal::Interrupt);
            let given_up = Pace::new(&Session { interrupt, ..Session::default() });
            let before = search.state.clone();
            assert!(search.step(&given_up).unwrap().is_none() && search.state == before);
            let step = search.step(&pace).unwrap().unwrap();
            state = search.state;
            if step.stop.is_some() {
                break;
            }
        }
        assert_eq!(state, whole.state);
        assert_eq!(whole.outcome().rows.len(), 2);
        let bytes = whole.state();
        assert!(RuleState::read(&bytes[1..], &settings).is_none());
        let other = MetaSettings { population: 4, ..settings };
        assert!(RuleState::read(&bytes, &other).is_none());
    }
}
