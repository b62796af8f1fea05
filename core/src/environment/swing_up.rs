//! Two links that hang down, to be swung up by a torque at the joint between them.

use rand_core::Rng;

use super::fixed::{ONE, PI, cosine, during, parts, reciprocal, sine, times, wrap};
use super::{Environment, Observation, Transition};
use crate::rng::Draw;

/// The acrobot (Sutton, *Generalization in reinforcement learning*, 1996): two links of 1 m and 1 kg with a moment of inertia of 1 kg m^2 each, a
/// torque of -1, 0 or 1 N m at the joint between them, gravity 9.8 m/s^2; four Euler steps of 1/20 s an action.
///
/// The tip is up where it is more than a link's length above the upper joint: the episode ends there and pays the steps that are left, so that
/// sooner is better. A start hangs, with all four numbers up to 0.1 off rest (1996: at rest). Angles are multiples of 2^-16 rad, angular
/// velocities of 2^-16 rad/s, at most 4 pi and 9 pi as in 1996.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SwingUp {
    /// Of the upper link from hanging, and of the lower against the upper; -pi to pi.
    pub angles: [i32; 2],
    /// Of both.
    pub angular_velocities: [i32; 2],
    /// Steps so far.
    pub steps: u32,
}

/// 1/20 s in 2^-32 s.
const STEP: u32 = 214_748_365;
const GRAVITY: i32 = parts(9.8);
const START: i32 = parts(0.1);
const FASTEST: [i32; 2] = [4 * PI, 9 * PI];

impl SwingUp {
    /// How far the tip is above the upper joint, in 2^-16 m: -2 to 2.
    #[must_use]
    pub fn height(&self) -> i32 {
        let [upper, lower] = self.angles;
        -cosine(upper) - cosine(upper.wrapping_add(lower))
    }

    /// Euler's step under a torque. With links alike and all lengths, masses and inertias 1, centres of mass at one half, the equations are
    /// short; "one" and "two" are those of the two joints.
    fn swing(&mut self, torque: i32) {
        let [one, two] = self.angles.map(wrap);
        let [speed_one, speed_two] = self.angular_velocities;
        let speed_one = speed_one.clamp(-FASTEST[0], FASTEST[0]);
        let speed_two = speed_two.clamp(-FASTEST[1], FASTEST[1]);
        let (sine_two, cosine_two) = (sine(two), cosine(two));
        let inertia_one = 7 * ONE / 2 + cosine_two;
        let inertia_two = 5 * ONE / 4 + cosine_two / 2;
        // The cosine of an angle less a quarter turn is its sine.
        let weight_two = times(GRAVITY / 2, sine(wrap(one + two)));
        let weight_one = times(3 * (GRAVITY / 2), sine(one)) + weight_two;
        let spin = times(sine_two, times(speed_two, speed_two / 2 + speed_one));
        let load_one = weight_one - spin;
        let load_two = weight_two + times(sine_two, times(speed_one, speed_one) / 2);
        let ratio = times(inertia_two, reciprocal(inertia_one));
        let resistance = 5 * ONE / 4 - times(ratio, inertia_two);
        let turn_two = times(torque + times(ratio, load_one) - load_two, reciprocal(resistance));
        let turn_one = -times(times(inertia_two, turn_two) + load_one, reciprocal(inertia_one));
        self.angles = [wrap(one + during(speed_one, STEP)), wrap(two + during(speed_two, STEP))];
        let limited = |speed: i32, turn: i32, fastest: i32| {
            speed.saturating_add(during(turn, STEP)).clamp(-fastest, fastest)
        };
        self.angular_velocities =
            [limited(speed_one, turn_one, FASTEST[0]), limited(speed_two, turn_two, FASTEST[1])];
    }
}

impl Environment for SwingUp {
    const NAME: &'static str = "swing-up";
    const OBSERVATIONS: &'static [Observation] = &[
        Observation { name: "sine of the upper angle in 2^-16", levels: &AROUND },
        Observation { name: "cosine of the upper angle in 2^-16", levels: &AROUND },
        Observation { name: "sine of the lower angle in 2^-16", levels: &AROUND },
        Observation { name: "cosine of the lower angle in 2^-16", levels: &AROUND },
        Observation { name: "upper angular velocity in 2^-16 rad/s", levels: &SPEEDS[0] },
        Observation { name: "lower angular velocity in 2^-16 rad/s", levels: &SPEEDS[1] },
    ];
    const ACTIONS: &'static [&'static str] = &["torque -1", "no torque", "torque 1"];
    const STEPS: u32 = 500;
    const MOST: i32 = 500;

    fn start<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut near = || rng.below(2 * START.cast_unsigned() + 1).cast_signed() - START;
        Self { angles: [near(), near()], angular_velocities: [near(), near()], steps: 0 }
    }

    fn observe(&self, seen: &mut [i32]) {
        let ([upper, lower], [fast, faster]) = (self.angles, self.angular_velocities);
        let all = [sine(upper), cosine(upper), sine(lower), cosine(lower), fast, faster];
        seen.iter_mut().zip(all).for_each(|(seen, number)| *seen = number);
    }

    fn act(&mut self, action: usize) -> Transition {
        let torque = match action {
            0 => -ONE,
            1 => 0,
            _ => ONE,
        };
        (0..4).for_each(|_| self.swing(torque));
        self.steps = self.steps.saturating_add(1);
        let over = self.height() > ONE;
        let left = Self::STEPS.saturating_sub(self.steps).cast_signed();
        Transition { reward: if over { left } else { 0 }, over }
    }
}

/// Levels of a sine or cosine, and of the two angular velocities.
const AROUND: [i32; 3] = [-ONE / 2, 0, ONE / 2];
const SPEEDS: [[i32; 3]; 2] = [[-2 * ONE, 0, 2 * ONE], [-4 * ONE, 0, 4 * ONE]];
