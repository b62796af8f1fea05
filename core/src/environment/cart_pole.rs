//! A pole on a cart, to be balanced by pushes to the left and to the right.

use rand_core::Rng;

use super::fixed::{cosine, during, parts, reciprocal, sine, times};
use super::{Environment, Observation, Transition};
use crate::rng::Draw;

/// A pole hinged to a cart on a track (Barto, Sutton and Anderson, *Neuronlike adaptive elements that can solve difficult learning control
/// problems*, 1983, without the friction): gravity 9.8 m/s^2, cart 1 kg, pole 0.1 kg and 1 m, pushes of 10 N, Euler steps of 1/50 s.
///
/// It is over where the cart is more than 2.4 m from the middle, or the pole more than 12 degrees from upright. A start is up to 0.6 m and 3
/// degrees off, at up to 0.5 m/s and 0.5 rad/s (1983: upright, in the middle, at rest). All are multiples of 2^-16 of m, m/s, rad and rad/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CartPole {
    /// Of the cart, to the right of the middle.
    pub position: i32,
    /// Of the cart, to the right.
    pub velocity: i32,
    /// Of the pole, to the right of upright.
    pub angle: i32,
    /// Of the pole.
    pub angular_velocity: i32,
}

/// 1/50 s in 2^-32 s.
const STEP: u32 = 85_899_346;
const GRAVITY: i32 = parts(9.8);
/// 10 N on the 1.1 kg of both.
const PUSH: i32 = parts(10.0 / 1.1);
/// Mass of the pole times half its length, over the mass of both.
const POLE: i32 = parts(0.05 / 1.1);
const HALF_LENGTH: i32 = parts(0.5);
/// Mass of the pole over the mass of both.
const SHARE: i32 = parts(0.1 / 1.1);
const FOUR_THIRDS: i32 = parts(4.0 / 3.0);

const MOST_POSITION: i32 = parts(2.4);
/// 12 degrees.
const MOST_ANGLE: i32 = parts(0.209_439_51);
/// The furthest start.
const START: CartPole = CartPole {
    position: parts(0.6),
    velocity: parts(0.5),
    angle: parts(0.052_359_88),
    angular_velocity: parts(0.5),
};

impl Environment for CartPole {
    const NAME: &'static str = "cart-pole";
    const OBSERVATIONS: &'static [Observation] = &[
        Observation { name: "position in 2^-16 m", levels: &LEVELS[0] },
        Observation { name: "velocity in 2^-16 m/s", levels: &LEVELS[1] },
        Observation { name: "angle in 2^-16 rad", levels: &LEVELS[2] },
        Observation { name: "angular velocity in 2^-16 rad/s", levels: &LEVELS[3] },
    ];
    const ACTIONS: &'static [&'static str] = &["left", "right"];
    const STEPS: u32 = 500;
    const MOST: i32 = 500;

    fn start<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut within = |most: i32| rng.below(2 * most.cast_unsigned() + 1).cast_signed() - most;
        Self {
            position: within(START.position),
            velocity: within(START.velocity),
            angle: within(START.angle),
            angular_velocity: within(START.angular_velocity),
        }
    }

    fn observe(&self, seen: &mut [i32]) {
        let all = [self.position, self.velocity, self.angle, self.angular_velocity];
        seen.iter_mut().zip(all).for_each(|(seen, number)| *seen = number);
    }

    fn act(&mut self, action: usize) -> Transition {
        let (sine, cosine) = (sine(self.angle), cosine(self.angle));
        let push = if action == 0 { -PUSH } else { PUSH };
        let square = times(self.angular_velocity, self.angular_velocity);
        // What both masses are accelerated by, without what the falling pole adds.
        let both = push.wrapping_add(times(times(POLE, square), sine));
        let resistance = times(HALF_LENGTH, FOUR_THIRDS - times(SHARE, times(cosine, cosine)));
        let turn = times(times(GRAVITY, sine).wrapping_sub(times(cosine, both)), reciprocal(resistance));
        let slide = both.wrapping_sub(times(POLE, times(turn, cosine)));
        // Euler's steps, all from the state before.
        self.position = self.position.wrapping_add(during(self.velocity, STEP));
        self.velocity = self.velocity.wrapping_add(during(slide, STEP));
        self.angle = self.angle.wrapping_add(during(self.angular_velocity, STEP));
        self.angular_velocity = self.angular_velocity.wrapping_add(during(turn, STEP));
        let over = self.position.unsigned_abs() > MOST_POSITION.unsigned_abs()
            || self.angle.unsigned_abs() > MOST_ANGLE.unsigned_abs();
        Transition { reward: i32::from(!over), over }
    }
}

/// Levels of the four numbers, the same to both sides of 0.
const LEVELS: [[i32; 7]; 4] = [
    both_sides([0.4, 0.9, 1.5]),
    both_sides([0.25, 0.6, 1.2]),
    both_sides([0.02, 0.05, 0.1]),
    both_sides([0.2, 0.5, 1.0]),
];

const fn both_sides([a, b, c]: [f64; 3]) -> [i32; 7] {
    [parts(-c), parts(-b), parts(-a), 0, parts(a), parts(b), parts(c)]
}
