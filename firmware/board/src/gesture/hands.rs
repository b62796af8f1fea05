//! Teaching over pins and a sensor: what the [teacher](super::teach) says becomes requests, and their replies become signs.

use embedded_hal::digital::InputPin;
use evobit_link::{Evolve, Reply, Request};

use super::display::{Display, Sign};
use super::teach::{Act, Teacher};
use super::{Accelerometer, PERIOD};

/// Mutants that every sample gives to the network's evolution: more than an episode needs, which ends by itself.
const MUTANTS: u32 = 400_000;

/// Two buttons, a sensor and a display.
#[derive(Debug)]
pub struct Hands<A, B, Sensor, Screen> {
    a: A,
    b: B,
    sensor: Sensor,
    screen: Screen,
    teacher: Teacher,
    last: Option<u32>,
    /// True where something was learned since the last save.
    unsaved: bool,
}

impl<A: InputPin, B: InputPin, Sensor: Accelerometer, Screen: Display> Hands<A, B, Sensor, Screen> {
    /// Buttons that pull their pins low, for so many labels.
    pub const fn new(a: A, b: B, sensor: Sensor, screen: Screen, classes: u8) -> Self {
        Self { a, b, sensor, screen, teacher: Teacher::new(classes), last: None, unsaved: false }
    }

    /// To be called often, with the time in milliseconds, which may wrap, and whether the board evolves. `ask` answers a request.
    ///
    /// What was learned is saved as soon as nothing evolves: that takes the board a moment, in which it reads nothing.
    pub fn work(&mut self, now: u32, evolving: bool, ask: &mut dyn FnMut(Request<'_>) -> Reply<'static>) {
        self.screen.refresh(now);
        if self.last.is_some_and(|last| now.wrapping_sub(last) < PERIOD) {
            return;
        }
        self.last = Some(now);
        let Ok(acceleration) = self.sensor.acceleration() else {
            self.screen.show(Sign::Trouble);
            return;
        };
        // A pin that cannot be read is a button that is not pressed.
        let (a, b) = (self.a.is_low().unwrap_or(false), self.b.is_low().unwrap_or(false));
        match self.teacher.push(a, b, acceleration) {
            Act::None => {}
            Act::Show(sign) => self.screen.show(sign),
            Act::Classify(sample) => {
                if let Reply::Class { answer, samples, prototypes, .. } =
                    ask(Request::Classify { sample: &sample })
                {
                    // Before anything was taught there is no answer worth showing.
                    let taught = samples.or(prototypes).is_some();
                    self.screen.show(if taught { Sign::Answer(answer as u8) } else { Sign::Waiting });
                }
            }
            Act::Learn(sample, label) => {
                if let Reply::Learned { right, .. } =
                    ask(Request::Learn { sample: &sample, label: label.into() })
                {
                    self.screen.show(Sign::Learned(right));
                    ask(Request::Evolve { what: Evolve::Network, mutants: MUTANTS });
                    self.unsaved = true;
                    return;
                }
            }
            Act::Reset => {
                ask(Request::Reset);
                self.unsaved = false;
                self.screen.show(Sign::Waiting);
            }
        }
        if self.unsaved && !evolving {
            self.unsaved = false;
            ask(Request::Save);
        }
    }
}
