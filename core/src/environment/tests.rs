use super::*;
use crate::encode::Encoder;
use crate::evolve::genetic::{
    Configuration, Flips, GeneticAlgorithm, Origin, Population, Tournament, Uniform,
};
use crate::rng::{Purpose, Stream};
use crate::topology::{Layer, Shape, Topology};
use proptest::prelude::*;
use std::f64::consts::PI;
use std::vec::Vec;

const UNIT: f64 = ONE as f64;

fn float(number: i32) -> f64 {
    f64::from(number) / UNIT
}

#[test]
fn sines_are_right_to_three_parts() {
    for angle in (-900_000..900_000).step_by(77) {
        let error = f64::from(sine(angle)) - float(angle).sin() * UNIT;
        // The wrapped angle carries the error of a rounded turn.
        assert!(error.abs() <= 3.0 + f64::from(angle.abs()) / 400_000.0, "{angle}: {error}");
    }
}

/// The equations of Barto, Sutton and Anderson without friction, in floating point: position, velocity, angle, angular velocity.
fn float_cart(state: [f64; 4], right: bool) -> [f64; 4] {
    let [x, v, angle, spin] = state;
    let force = if right { 10.0 } else { -10.0 };
    let (sine, cosine) = angle.sin_cos();
    let inner = (-force - 0.1 * 0.5 * spin * spin * sine) / 1.1;
    let turn = (9.8 * sine + cosine * inner) / (0.5 * (4.0 / 3.0 - 0.1 * cosine * cosine / 1.1));
    let slide = (force + 0.1 * 0.5 * (spin * spin * sine - turn * cosine)) / 1.1;
    [x + 0.02 * v, v + 0.02 * slide, angle + 0.02 * spin, spin + 0.02 * turn]
}

fn cart_state(cart: &CartPole) -> [f64; 4] {
    [cart.position, cart.velocity, cart.angle, cart.angular_velocity].map(float)
}

#[test]
fn the_cart_follows_the_float_equations() {
    let mut rng = Stream::new(1, Purpose::Test, 0);
    let (mut furthest, mut steps) = (0.0f64, 0);
    for _ in 0..200 {
        let mut cart = CartPole::start(&mut rng);
        let mut state = cart_state(&cart);
        // Random pushes until it falls: a second or so, in which errors grow fifty-fold.
        for _ in 0..CartPole::STEPS {
            let right = crate::rng::Draw::below(&mut rng, 2) == 1;
            let over = cart.act(right.into()).over;
            state = float_cart(state, right);
            steps += 1;
            let apart = cart_state(&cart).iter().zip(state).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            furthest = furthest.max(apart);
            if over {
                break;
            }
        }
    }
    assert!(steps > 3000 && furthest < 0.002, "{furthest} apart in {steps} steps");
}

#[test]
fn a_falling_cart_is_over_and_pays_nothing() {
    let mut cart = CartPole { angle: 13_000, angular_velocity: 65_536, ..CartPole::default() };
    assert_eq!(cart.act(0), Transition { reward: 0, over: true });
    let mut cart = CartPole { position: 157_200, velocity: 65_536, ..CartPole::default() };
    assert_eq!(cart.act(1), Transition { reward: 0, over: true });
    let mut cart = CartPole::default();
    assert_eq!(cart.act(1), Transition { reward: 1, over: false });
}

/// The acrobot's equations as Sutton and Barto print them.
fn float_acrobot([one, two, speed_one, speed_two]: [f64; 4], torque: f64) -> [f64; 4] {
    let (m, l, lc, i, g) = (1.0, 1.0, 0.5, 1.0, 9.8);
    let d1 = m * lc * lc + m * (l * l + lc * lc + 2.0 * l * lc * two.cos()) + 2.0 * i;
    let d2 = m * (lc * lc + l * lc * two.cos()) + i;
    let phi2 = m * lc * g * (one + two - PI / 2.0).cos();
    let phi1 = -m * l * lc * speed_two * speed_two * two.sin()
        - 2.0 * m * l * lc * speed_two * speed_one * two.sin()
        + (m * lc + m * l) * g * (one - PI / 2.0).cos()
        + phi2;
    let turn_two = (torque + d2 / d1 * phi1 - m * l * lc * speed_one * speed_one * two.sin() - phi2)
        / (m * lc * lc + i - d2 * d2 / d1);
    let turn_one = -(d2 * turn_two + phi1) / d1;
    let limit = |speed: f64, most: f64| speed.clamp(-most, most);
    [
        one + 0.05 * speed_one,
        two + 0.05 * speed_two,
        limit(speed_one + 0.05 * turn_one, 4.0 * PI),
        limit(speed_two + 0.05 * turn_two, 9.0 * PI),
    ]
}

#[test]
fn the_acrobot_follows_the_float_equations_and_pays_for_speed() {
    let mut rng = Stream::new(1, Purpose::Test, 1);
    let mut furthest = 0.0f64;
    for _ in 0..50 {
        let mut swing = SwingUp::start(&mut rng);
        let mut state = [swing.angles, swing.angular_velocities].concat();
        let mut state: [f64; 4] = std::array::from_fn(|index| float(state.as_mut_slice()[index]));
        for _ in 0..15 {
            let action = crate::rng::Draw::below(&mut rng, 3);
            let over = swing.act(action as usize).over;
            (0..4).for_each(|_| state = float_acrobot(state, f64::from(action) - 1.0));
            let [one, two] = swing.angles.map(float);
            for (a, b) in [(one, state[0]), (two, state[1])] {
                furthest = furthest.max((a - b).sin().abs());
            }
            assert!(!over, "random torques do not swing it up within three seconds");
        }
    }
    assert!(furthest < 0.01, "{furthest}");
    let up = 205_000;
    let mut swing = SwingUp { angles: [up, 0], steps: 99, ..SwingUp::default() };
    assert_eq!(swing.act(1), Transition { reward: 400, over: true });
}

#[test]
fn an_animal_sees_eats_and_turns() {
    let mut food = [0; 16];
    food[4] = 1 << 7;
    food[7] = 1 << 9 | 1 << 4;
    let mut animal = Foraging { food, place: [7, 7], heading: 0 };
    let seen = |animal: &Foraging| {
        let mut seen = [9; 3];
        animal.observe(&mut seen);
        seen
    };
    assert_eq!(seen(&animal), [2, 2, 3]);
    assert_eq!(animal.act(2), Transition { reward: 0, over: false });
    assert_eq!((animal.heading, seen(&animal)), (1, [3, 2, 0]));
    assert_eq!(animal.act(0).reward + animal.act(0).reward, 1);
    assert_eq!(animal.place, [7, 9]);
    animal = Foraging { food, place: [0, 15], heading: 1 };
    animal.act(0);
    assert_eq!(animal.place, [0, 0], "the edges meet");
    animal = Foraging { food: [0; 16], place: [0, 0], heading: 0 };
    animal.food[15] = 1;
    assert_eq!(animal.act(0), Transition { reward: 1, over: true });
}

fn starts<E: Environment>(count: usize, index: u32) -> Vec<E> {
    let mut rng = Stream::new(1, Purpose::Samples, index);
    (0..count).map(|_| E::start(&mut rng)).collect()
}

/// Evolves a controller; what the best of the first generation and of the last earn over unseen starts, each.
fn evolve<E: Environment>(hidden: u16, generations: u32) -> [f64; 2] {
    let mut words = [0; 64];
    let len = write_encoder::<E>(&mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    let layers = [Layer::dense(hidden), Layer::dense(E::ACTIONS.len() as u16)];
    let topology = Topology::new(Shape::flat(encoder.bits() as u16), &layers).unwrap();
    let controller = Controller::new::<E>(encoder, &topology).unwrap();
    let mut fitness = Episodes { controller, starts: &starts::<E>(16, 0) };
    let unseen = Episodes { controller, starts: &starts::<E>(50, 1) };
    let words = topology.genome_words();
    let (mut genomes, mut scores, mut order) = (std::vec![0; 81 * words], [0; 80], [0; 40]);
    let population = Population::new(words, &mut genomes, &mut scores, &mut order).unwrap();
    let configuration = Configuration {
        population: 40,
        elites: 2,
        rate_generations: 0,
        selection: &Tournament(4),
        mating: &Uniform,
        mutation: &Flips(2),
    };
    let mut rng = Stream::new(1, Purpose::Search, 0);
    let origin = Origin::Random;
    let mut search =
        GeneticAlgorithm::start(configuration, topology, population, origin, &mut fitness, &mut rng).unwrap();
    let first = unseen.earned(search.best());
    (0..generations).for_each(|_| {
        search.step(&mut fitness, &mut rng);
    });
    [first, unseen.earned(search.best())].map(|earned| earned as f64 / 50.0)
}

#[test]
fn evolved_controllers_act_well_from_unseen_starts() {
    let [first, last] = evolve::<CartPole>(4, 40);
    assert!(first < 250.0 && last > 450.0, "cart-pole {first} to {last}");
    let [first, last] = evolve::<SwingUp>(8, 15);
    assert!(last > first && last > 380.0, "swing-up {first} to {last}");
    let [first, last] = evolve::<Foraging>(8, 40);
    assert!(last > first + 2.0 && last > 18.0, "foraging {first} to {last}");
}

#[test]
fn a_controller_is_of_its_environment() {
    let mut words = [0; 64];
    let len = write_encoder::<CartPole>(&mut words).unwrap();
    let encoder = Encoder::new(&words[..len]).unwrap();
    let topology = |inputs, classes| {
        Topology::new(Shape::flat(inputs), &[Layer::dense(4), Layer::dense(classes)]).unwrap()
    };
    let check = |topology: &Topology| Controller::new::<CartPole>(encoder, topology).map(drop);
    assert_eq!(check(&topology(28, 2)), Ok(()));
    assert_eq!(topology(28, 2).genome_words() * 32, 256);
    assert_eq!(check(&topology(27, 2)), Err(ControllerError::Observations));
    assert_eq!(check(&topology(28, 3)), Err(ControllerError::Actions));
    let wide = Topology::new(Shape::flat(28), &[Layer::dense(300), Layer::dense(2)]).unwrap();
    assert_eq!(check(&wide), Err(ControllerError::TooLarge));
    assert_eq!(
        Controller::new::<SwingUp>(encoder, &topology(28, 3)).err(),
        Some(ControllerError::Observations)
    );
    let fits = topology(28, 2);
    let controller = Controller::new::<CartPole>(encoder, &fits).unwrap();
    assert_eq!(controller.decide(&[0u32; 3][..], &[1, 2]), 0, "a genome of another length");
}

proptest! {
    #[test]
    fn no_state_panics(numbers: [i32; 4], steps: u32, action in 0usize..9) {
        let [position, velocity, angle, angular_velocity] = numbers;
        CartPole { position, velocity, angle, angular_velocity }.act(action);
        let (angles, angular_velocities) = ([position, velocity], [angle, angular_velocity]);
        let mut swing = SwingUp { angles, angular_velocities, steps };
        swing.observe(&mut [0; 6]);
        swing.act(action);
        let bytes = numbers.map(|number| number as u8);
        let mut animal = Foraging { food: [steps as u16; 16], place: [bytes[0], bytes[1]], heading: bytes[2] };
        animal.observe(&mut [0; 3]);
        animal.act(action);
    }
}
