//! An epoch of the genetic algorithm on an island.

use evobit::evolve::genetic::{Batch, Fitness};
use evobit::evolve::landscape::LandscapeError;

use super::ancestry::{Cause, count};
use super::island::{Epoch, Immigrant, State, World};
use crate::genetic::{Operators, Storage, begin, row_words, state as state_of, training};
use crate::objective::Objective;
use crate::{Keeper, TrainError};

pub(super) fn epoch(
    world: &World<'_>,
    state: &mut State,
    immigrants: &[Immigrant],
    keeper: &mut Keeper<'_>,
) -> Result<Epoch, TrainError> {
    let (prepared, config) = (world.prepared, world.config);
    let operators = Operators::new(prepared, config).ok_or(LandscapeError::Buffers)?;
    let words = row_words(prepared, config);
    let mut storage = Storage::new(config.population as usize, words);
    let population = storage.population().map_err(|_| LandscapeError::Buffers)?;
    let mut fitness = Objective::new(prepared, config).on_gpu(world.accelerator(state.island), config)?;
    let (configuration, island) = (operators.configuration(config), u32::from(state.island));
    let from = state.search.as_ref();
    let (mut algorithm, mut rng) =
        begin(prepared, config, from, population, configuration, (&mut fitness, island))?;
    let before = state.ancestry.genome().unwrap_or_default();
    let sweep = keeper.course.now.sweep + 1;
    let best = algorithm.best().to_vec();
    state.ancestry.push(sweep, Cause::Search, &before, &best);
    // What immigrants are scored on as well.
    fitness.begin(algorithm.generation().number);
    let taken = immigrants
        .iter()
        .map(|immigrant| {
            let before = algorithm.best().to_vec();
            // Rates come from the best here: immigrants bring none.
            let strategy =
                algorithm.population().ranked(0).map_or(&[][..], |row| &row[before.len()..]).to_vec();
            let row = [&immigrant.genome[..], &strategy].concat();
            if let Some(rows) = Batch::new(&row, words) {
                algorithm.immigrate(rows, &mut fitness);
            }
            let cause = Cause::Migrant { from: immigrant.from, epoch: immigrant.epoch };
            state.ancestry.push(sweep, cause, &before, algorithm.best());
            [count(&before, &immigrant.genome), count(&before, algorithm.best())]
        })
        .collect();
    let before = algorithm.best().to_vec();
    let done = u64::from(state.epoch) * u64::from(config.epoch);
    for _ in done..(done + u64::from(config.epoch)).min(config.sweeps.into()) {
        let generation = algorithm.step(&mut fitness, &mut rng);
        keeper.step(generation.scored.into(), generation.scored.into());
    }
    world.accelerator(state.island).check()?;
    let champion = algorithm.best().to_vec();
    let training = training(prepared, &champion);
    // Epochs end by their number alone.
    let _ = keeper.assess_genome(&champion, training, true);
    state.ancestry.push(keeper.course.now.sweep, Cause::Search, &before, &champion);
    state.search = Some(state_of(&algorithm, &rng));
    Ok(Epoch { changed: count(&before, &champion), champion, loss: training[0], taken })
}
