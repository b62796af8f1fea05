//! Tasks beyond classification: worlds that a genome acts in, with whole numbers only.
//!
//! An [`Environment`] begins at a random start, shows a few whole numbers, takes one of a few actions, pays a reward and ends after
//! [`Environment::STEPS`] steps at the latest. A [`Controller`] is what decides: a binarized network whose input are the observations, each of
//! them turned into bits by levels, and whose best class is the action. So a controller is a model as any other: topology, encoder, genome.
//! [`Episodes`] is the fitness of a genome for the [genetic algorithm](crate::evolve::genetic): what it earns over some starts.
//!
//! | environment | observations | actions | a reward is |
//! |---|---|---|---|
//! | [`CartPole`] | position, velocity, angle, angular velocity | push left, push right | a step balanced |
//! | [`SwingUp`] | sine and cosine of two angles, two angular velocities | torque -1, 0, 1 | a step left when the tip is up |
//! | [`Foraging`] | nearness of food ahead, left, right | forward, turn left, turn right | food eaten |
//!
//! Quantities of physics are whole numbers of 2^-16 of their unit (see `fixed`), so the same genome and start give the same course, step for
//! step, on a host and on every board. Nothing is allocated: an environment is a small value that is copied.
//!
//! ```
//! use evobit::environment::{CartPole, Environment, play};
//! use evobit::rng::{Purpose, Stream};
//!
//! let mut cart = CartPole::start(&mut Stream::new(1, Purpose::Samples, 0));
//! // Push to where the pole falls: observation 2 is its angle. That alone does not balance it for long.
//! let episode = play(&mut cart, |seen| usize::from(seen[2] > 0), |_, _| ());
//! assert!(episode.steps < CartPole::STEPS);
//! ```

mod cart_pole;
mod controller;
mod fixed;
mod foraging;
mod swing_up;

pub use cart_pole::CartPole;
pub use controller::{Controller, ControllerError, Episodes, write_encoder};
pub use fixed::{ONE, sine};
pub use foraging::Foraging;
pub use swing_up::SwingUp;

use rand_core::Rng;

/// Most observations of an environment.
pub const MAX_OBSERVATIONS: usize = 8;

/// One of the numbers that an environment shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Observation {
    /// What it is, with its unit.
    pub name: &'static str,
    /// Levels that it becomes bits by, one each, ascending: is it above this level?
    pub levels: &'static [i32],
}

/// What came of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Transition {
    /// What it earned.
    pub reward: i32,
    /// The episode ended with it.
    pub over: bool,
}

/// A world to act in. A value of it is its whole state.
pub trait Environment: Clone {
    /// Its name, as on a command line.
    const NAME: &'static str;
    /// What it shows: at most [`MAX_OBSERVATIONS`] numbers.
    const OBSERVATIONS: &'static [Observation];
    /// What may be done.
    const ACTIONS: &'static [&'static str];
    /// Steps of an episode at most.
    const STEPS: u32;
    /// The most that an episode can earn.
    const MOST: i32;

    /// A random start.
    fn start<R: Rng + ?Sized>(rng: &mut R) -> Self;

    /// Writes what is seen, a number for each of [`Self::OBSERVATIONS`].
    fn observe(&self, seen: &mut [i32]);

    /// Does an action, an index into [`Self::ACTIONS`]; one that is too high counts as the last.
    fn act(&mut self, action: usize) -> Transition;
}

/// How an episode went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Episode {
    /// Steps until it ended.
    pub steps: u32,
    /// The sum of the rewards.
    pub reward: i32,
}

/// Plays an episode to its end: `decide` chooses an action from what is seen, `watch` is shown the environment after each with the action.
pub fn play<E: Environment>(
    environment: &mut E,
    mut decide: impl FnMut(&[i32]) -> usize,
    mut watch: impl FnMut(&E, usize),
) -> Episode {
    let mut episode = Episode::default();
    let mut seen = [0; MAX_OBSERVATIONS];
    let seen = &mut seen[..E::OBSERVATIONS.len().min(MAX_OBSERVATIONS)];
    while episode.steps < E::STEPS {
        environment.observe(seen);
        let action = decide(seen);
        let Transition { reward, over } = environment.act(action);
        episode.steps += 1;
        episode.reward = episode.reward.saturating_add(reward);
        watch(environment, action);
        if over {
            break;
        }
    }
    episode
}

#[cfg(all(test, feature = "full"))]
mod tests;
