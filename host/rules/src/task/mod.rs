//! Tasks beyond classification: environments of core, the search for a controller, and how it does from unseen starts.
//!
//! A controller is kept as a model as any other: its columns are the observations, its classes the actions. Starts come from streams of their own:
//! some to learn from, some to choose between genomes by, and others, looked at once, to say how good the choice is.

mod search;

use evobit::encode::{Encoder, EncoderError};
use evobit::environment::{
    CartPole, Controller, ControllerError, Environment, Foraging, SwingUp, play, write_encoder,
};
use evobit::image::ImageError;
use evobit::loss::{LossError, write_logistic};
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology, TopologyError};
use rayon::prelude::*;
use serde::Serialize;

use evobit_data::{Column, ColumnKind, Schema};
use evobit_model::{Ingredients, Model};
pub use search::{Ground, Outcome, Row, TaskConfig, TaskSearch, search};

evobit_data::named! {
    /// A task.
    pub enum Task {
        /// Balance a pole on a cart by pushes to the left and to the right, for 500 steps of 1/50 s
        CartPole = "cart-pole",
        /// Swing two hanging links up by a torque at the joint between them; sooner is better
        SwingUp = "swing-up",
        /// Find food in a world of 16 by 16 cells, of which little is seen, in 200 steps
        Foraging = "foraging",
    }
}

impl Task {
    /// Hidden neurons unless told otherwise.
    #[must_use]
    pub const fn hidden(self) -> u16 {
        match self {
            // One layer that weighs levels against each other balances better than one with a few hidden neurons.
            Self::CartPole => 0,
            Self::SwingUp | Self::Foraging => 8,
        }
    }
}

/// An environment, and what people want to see of it.
pub trait World: Environment + Send + Sync {
    /// An episode that earns so much has done what was asked for.
    const SOLVED: i32;
    /// What that is.
    const SOLVED_NAME: &'static str;
    /// What a picture shows.
    const TRACES: &'static [&'static str];

    /// Its values, where so much was earned so far.
    fn trace(&self, earned: i32) -> Vec<f64>;
}

/// A number of physics.
fn real(parts: i32) -> f64 {
    f64::from(parts) / f64::from(evobit::environment::ONE)
}

impl World for CartPole {
    const SOLVED: i32 = Self::MOST;
    const SOLVED_NAME: &'static str = "balanced to the end";
    const TRACES: &'static [&'static str] = &["position of the cart in m", "angle of the pole in degrees"];

    fn trace(&self, _: i32) -> Vec<f64> {
        vec![real(self.position), real(self.angle).to_degrees()]
    }
}

impl World for SwingUp {
    const SOLVED: i32 = 1;
    const SOLVED_NAME: &'static str = "swung up";
    const TRACES: &'static [&'static str] = &["height of the tip in m"];

    fn trace(&self, _: i32) -> Vec<f64> {
        vec![real(self.height())]
    }
}

impl World for Foraging {
    const SOLVED: i32 = Self::MOST;
    const SOLVED_NAME: &'static str = "all food eaten";
    const TRACES: &'static [&'static str] = &["food eaten"];

    fn trace(&self, earned: i32) -> Vec<f64> {
        vec![f64::from(earned)]
    }
}

/// Why there is no controller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The network cannot be.
    #[error("{0}: change --hidden")]
    Topology(#[from] TopologyError),
    /// The network does not act in this environment.
    #[error("{0}: give a model that `evobit task train` made for it, or change --hidden")]
    Controller(#[from] ControllerError),
    /// The genetic algorithm refused its configuration.
    #[error("{0}: change --population, --elites, --tournament or --flips")]
    Genetic(#[from] evobit::evolve::genetic::Error),
    /// The encoder cannot be.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// The loss table cannot be.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The model cannot be.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// What starts are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Fitness.
    Learn = 0,
    /// The choice between the best of the generations.
    Choose = 1,
    /// The last look.
    Unseen = 2,
}

/// Random starts; those of different parts have nothing to do with each other.
#[must_use]
pub fn starts<E: World>(seed: u64, part: Part, count: usize) -> Vec<E> {
    let mut rng = Stream::new(seed, Purpose::Samples, part as u32);
    (0..count).map(|_| E::start(&mut rng)).collect()
}

/// The packed encoder of an environment, and the shape of a network with so many hidden neurons, 0 for no hidden layer.
///
/// # Errors
/// No network has this shape.
pub fn network<E: World>(hidden: u16) -> Result<(Vec<u32>, Topology), TaskError> {
    let mut words = vec![0; 256];
    let len = write_encoder::<E>(&mut words)?;
    words.truncate(len);
    let bits = Encoder::new(&words[..])?.bits() as u16;
    let layers = [Layer::dense(hidden), Layer::dense(E::ACTIONS.len() as u16)];
    let layers = if hidden == 0 { &layers[1..] } else { &layers[..] };
    let topology = Topology::new(Shape::flat(bits), layers)?;
    Ok((words, topology))
}

/// The model of a controller.
///
/// # Errors
/// A genome of another topology.
pub fn model<E: World>(encoder: &[u32], topology: &Topology, genome: &[u32]) -> Result<Model, TaskError> {
    // Nothing here is trained by a loss; the smallest table does.
    let mut loss = vec![0; 64];
    let len = write_logistic(0.0, 1.0, 1, &mut loss)?;
    let column = |name: &str| Column::new(name, ColumnKind::Integer);
    let columns = E::OBSERVATIONS.iter().map(|observation| column(observation.name)).collect();
    let classes: Vec<String> = E::ACTIONS.iter().map(ToString::to_string).collect();
    Ok(Model::new(&Ingredients {
        topology,
        encoder,
        loss: &loss[..len],
        genome,
        schema: &Schema::Table(columns),
        classes: &classes,
    })?)
}

/// How a model does from some starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The mean of what episodes earned.
    pub mean_reward: f64,
    /// The least.
    pub worst_reward: i32,
    /// The most that an episode can earn.
    pub most_reward: i32,
    /// The mean of their steps.
    pub mean_steps: f64,
    /// Episodes that did what was asked for.
    pub solved: usize,
    /// What that is.
    pub solved_means: &'static str,
    /// Episodes.
    pub starts: usize,
}

/// Plays a model from all starts.
///
/// # Errors
/// A model that is not of this environment.
pub fn judge<E: World>(model: &Model, starts: &[E]) -> Result<Verdict, TaskError> {
    let image = model.image();
    let controller = Controller::new::<E>(*image.encoder(), image.topology())?;
    let genome = model.genome();
    let episode =
        |start: &E| play(&mut start.clone(), |seen| controller.decide(&genome[..], seen), |_, _| ());
    let episodes: Vec<_> = starts.par_iter().map(episode).collect();
    let count = starts.len().max(1) as f64;
    Ok(Verdict {
        mean_reward: episodes.iter().map(|episode| f64::from(episode.reward)).sum::<f64>() / count,
        worst_reward: episodes.iter().map(|episode| episode.reward).min().unwrap_or(0),
        most_reward: E::MOST,
        mean_steps: episodes.iter().map(|episode| f64::from(episode.steps)).sum::<f64>() / count,
        solved: episodes.iter().filter(|episode| episode.reward >= E::SOLVED).count(),
        solved_means: E::SOLVED_NAME,
        starts: starts.len(),
    })
}

/// The course of episodes for a picture: `[traces][starts][steps]`.
///
/// # Errors
/// A model that is not of this environment.
pub fn courses<E: World>(model: &Model, starts: &[E]) -> Result<Vec<Vec<Vec<f64>>>, TaskError> {
    let image = model.image();
    let controller = Controller::new::<E>(*image.encoder(), image.topology())?;
    let genome = model.genome();
    let mut courses = vec![vec![]; E::TRACES.len()];
    for start in starts {
        let mut course = vec![start.trace(0)];
        let mut earned = 0;
        let (mut before, mut acting) = (start.clone(), start.clone());
        play(
            &mut acting,
            |seen| controller.decide(&genome[..], seen),
            |after, action| {
                earned += before.act(action).reward;
                course.push(after.trace(earned));
            },
        );
        for (trace, courses) in courses.iter_mut().enumerate() {
            courses.push(course.iter().map(|values| values[trace]).collect());
        }
    }
    Ok(courses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit_search::{Session, Silent};

    #[test]
    fn tasks_are_named_as_their_environments() {
        let names = [CartPole::NAME, SwingUp::NAME, Foraging::NAME];
        assert_eq!([Task::CartPole, Task::SwingUp, Task::Foraging].map(Task::name), names);
    }

    #[test]
    fn parts_have_starts_of_their_own() {
        let [a, b] = [Part::Learn, Part::Unseen].map(|part| starts::<CartPole>(1, part, 50));
        assert!(a.iter().all(|start| !b.contains(start)));
        assert_eq!(a[..20], starts::<CartPole>(1, Part::Learn, 20));
    }

    #[test]
    fn a_search_finds_a_controller_that_its_model_repeats() {
        let config = TaskConfig { generations: 12, ..TaskConfig::new(Task::CartPole, 3) };
        let outcome = search::<CartPole>(&config, Session::default(), &mut Silent).unwrap();
        let again = search::<CartPole>(&config, Session::default(), &mut Silent).unwrap();
        assert_eq!((&outcome.genome, &outcome.rows), (&again.genome, &again.rows));
        let (encoder, topology) = network::<CartPole>(config.hidden).unwrap();
        let model = model::<CartPole>(&encoder, &topology, &outcome.genome).unwrap();
        let chosen = judge(&model, &starts::<CartPole>(3, Part::Choose, config.choosing)).unwrap();
        let best = outcome.rows.iter().map(|row| row.choosing).fold(0.0, f64::max);
        assert!((chosen.mean_reward - best).abs() < 1e-9);
        assert!(judge(&model, &starts::<Foraging>(3, Part::Choose, 1)).is_err());
        let courses = courses(&model, &starts::<CartPole>(3, Part::Unseen, 2)).unwrap();
        assert_eq!((courses.len(), courses[0].len()), (2, 2));
    }
}
