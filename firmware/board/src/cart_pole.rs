//! A flashed controller balances a pole on a board: the physics of core's cart-pole and the network that acts, both on the board itself.
//!
//! Starts are those that `evobit task eval --seed N` draws, N from 1 to [`SEEDS`]: none that the controller learned from.

use evobit::environment::{CartPole, Controller, ControllerError, Environment, play};
use evobit::image::Checksum;
use evobit::rng::{Purpose, Stream};

use crate::learner::Model;

/// Seeds of starts.
pub const SEEDS: u64 = 3;
/// Starts of a seed.
pub const STARTS: u32 = 100;

/// The part of a seed's starts that nothing learns from, as `evobit task` numbers them.
const UNSEEN: u32 = 2;

/// How a controller did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balanced {
    /// Starts from which it balanced the pole for all 500 steps.
    pub solved: u32,
    /// Steps of all episodes.
    pub steps: u32,
    /// Checksum of where the cart and the pole were after every step of every episode.
    pub course: u32,
}

/// Lets a model act from the starts of a seed.
///
/// # Errors
/// A model that is no controller of a cart.
pub fn balance(model: &Model<'_>, seed: u64) -> Result<Balanced, ControllerError> {
    let controller = Controller::new::<CartPole>(*model.encoder(), model.topology())?;
    let genome = model.genome();
    let mut rng = Stream::new(seed, Purpose::Samples, UNSEEN);
    let mut course = Checksum::new();
    let mut balanced = Balanced { solved: 0, steps: 0, course: 0 };
    for _ in 0..STARTS {
        let mut cart = CartPole::start(&mut rng);
        let episode = play(
            &mut cart,
            |seen| controller.decide(genome, seen),
            |cart, _| {
                course.update(&cart.position.to_le_bytes());
                course.update(&cart.angle.to_le_bytes());
            },
        );
        balanced.solved += u32::from(episode.reward == CartPole::MOST);
        balanced.steps += episode.steps;
    }
    balanced.course = course.value();
    Ok(balanced)
}
