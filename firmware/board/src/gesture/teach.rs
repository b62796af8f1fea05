//! What the buttons mean, reading by reading.

use super::display::Sign;
use super::window::{FEATURES, READINGS, Window};

/// Readings between two answers.
const HOP: u8 = 16;
/// Readings that button A is held for the next label.
const STEP: u8 = 40;
/// Readings that both are held until everything is forgotten.
const RESET: u8 = 100;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    None,
    /// Show something.
    Show(Sign),
    /// Answer a sample.
    Classify([u8; FEATURES]),
    /// Learn a sample of a label.
    Learn([u8; FEATURES], u8),
    /// Forget everything.
    Reset,
}

/// What the buttons are used for at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: answers are given, the next one when so many more readings have come.
    Watching(u8),
    /// Choosing a label, for so many readings.
    Choosing(u8),
    /// Recording, so many readings so far.
    Recording(u8),
    /// Both are held, for so many readings.
    Resetting(u8),
    /// It is done; they have to be released first.
    Done,
}

/// Two buttons and a window.
#[derive(Clone, Debug)]
pub struct Teacher {
    classes: u8,
    label: u8,
    state: State,
    window: Window,
}

impl Teacher {
    /// For so many labels, of which the first is chosen.
    #[must_use]
    pub const fn new(classes: u8) -> Self {
        Self { classes, label: 0, state: State::Watching(HOP), window: Window::new() }
    }

    /// Takes in which buttons are down and what the sensor says.
    pub fn push(&mut self, a: bool, b: bool, acceleration: [i16; 3]) -> Act {
        self.window.push(acceleration);
        match (a, b, self.state) {
            (true, true, State::Resetting(RESET..)) => self.turn(State::Done, Act::Reset),
            (true, true, State::Resetting(held)) => self.turn(State::Resetting(held + 1), Act::None),
            (true, true, State::Watching(_) | State::Choosing(_) | State::Recording(_)) => {
                self.turn(State::Resetting(0), Act::Show(Sign::Reset))
            }
            (true, _, State::Done) | (_, true, State::Done) => Act::None,
            (true, false, State::Choosing(held)) if held < STEP => {
                self.turn(State::Choosing(held + 1), Act::None)
            }
            (true, false, State::Watching(_) | State::Choosing(_)) => {
                self.label = (self.label + 1) % self.classes.max(1);
                self.turn(State::Choosing(0), Act::Show(Sign::Label(self.label)))
            }
            (_, _, State::Recording(readings)) => self.record(b, readings + 1),
            (_, true, State::Watching(_) | State::Choosing(_)) => self.begin(),
            // One of two was released before everything was forgotten: nothing is, until both are.
            (true, false, State::Resetting(_)) | (false, true, State::Resetting(_)) => {
                self.turn(State::Done, Act::Show(Sign::Waiting))
            }
            (false, false, State::Watching(0)) if self.window.is_full() => {
                self.turn(State::Watching(HOP), Act::Classify(self.window.features()))
            }
            (false, false, State::Watching(left)) => {
                self.turn(State::Watching(left.saturating_sub(1)), Act::None)
            }
            (false, false, State::Choosing(_) | State::Resetting(_) | State::Done) => self.watch(Act::None),
        }
    }

    fn turn(&mut self, state: State, act: Act) -> Act {
        self.state = state;
        act
    }

    /// Answers again, from a new window on.
    fn watch(&mut self, act: Act) -> Act {
        self.window.clear();
        self.turn(State::Watching(HOP), act)
    }

    fn begin(&mut self) -> Act {
        self.window.clear();
        self.turn(State::Recording(0), Act::Show(Sign::Recording(self.label)))
    }

    /// Records on; while the button is held one sample follows the other.
    fn record(&mut self, held: bool, readings: u8) -> Act {
        if usize::from(readings) < READINGS {
            return self.turn(State::Recording(readings), Act::None);
        }
        let learn = Act::Learn(self.window.features(), self.label);
        if held { self.turn(State::Recording(0), learn) } else { self.watch(learn) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Holds the buttons for so many readings; what was to be done.
    fn hold(teacher: &mut Teacher, a: bool, b: bool, readings: usize) -> Vec<Act> {
        let acts = (0..readings).map(|index| teacher.push(a, b, [index as i16, 0, 1000]));
        acts.filter(|&act| act != Act::None).collect()
    }

    fn labels(acts: &[Act]) -> Vec<u8> {
        let labels = acts.iter().map(|act| match act {
            Act::Learn(_, label) | Act::Show(Sign::Label(label)) => *label,
            other => panic!("{other:?}"),
        });
        labels.collect()
    }

    #[test]
    fn answers_come_when_nothing_is_pressed_and_the_window_is_full() {
        let mut teacher = Teacher::new(3);
        assert_eq!(hold(&mut teacher, false, false, READINGS - 1), []);
        let acts = hold(&mut teacher, false, false, 100);
        assert_eq!(acts.len(), 6);
        assert!(acts.iter().all(|act| matches!(act, Act::Classify(_))));
    }

    #[test]
    fn a_tap_or_a_while_moves_the_label_on_and_round() {
        let mut teacher = Teacher::new(3);
        assert_eq!(labels(&hold(&mut teacher, true, false, 1)), [1]);
        hold(&mut teacher, false, false, 1);
        assert_eq!(labels(&hold(&mut teacher, true, false, 2 * (usize::from(STEP) + 1) + 1)), [2, 0, 1]);
    }

    #[test]
    fn a_tap_records_one_sample_and_holding_several() {
        let mut teacher = Teacher::new(3);
        assert_eq!(hold(&mut teacher, false, true, 1), [Act::Show(Sign::Recording(0))]);
        let acts = hold(&mut teacher, false, false, READINGS);
        assert_eq!(labels(&acts), [0]);
        hold(&mut teacher, true, false, 1);
        hold(&mut teacher, false, true, 1);
        assert_eq!(labels(&hold(&mut teacher, false, true, 3 * READINGS)), [1, 1, 1]);
        // What was begun when it was released is recorded to the end.
        assert_eq!(labels(&hold(&mut teacher, false, false, READINGS)), [1]);
        // The readings of a sample are those after the one with which the button went down.
        hold(&mut teacher, false, true, 1);
        let Some(Act::Learn(features, 1)) = hold(&mut teacher, false, false, READINGS).pop() else {
            panic!()
        };
        let mut window = Window::new();
        (0..READINGS).for_each(|index| window.push([index as i16, 0, 1000]));
        assert_eq!(features, window.features());
    }

    #[test]
    fn both_for_long_forget_everything_once_and_briefly_nothing() {
        let mut teacher = Teacher::new(3);
        let reset = [Act::Show(Sign::Reset), Act::Reset];
        assert_eq!(hold(&mut teacher, true, true, 300), reset);
        assert_eq!(hold(&mut teacher, true, false, 300), []);
        assert_eq!(hold(&mut teacher, false, false, 1), []);
        // Pressed one after the other, released one after the other.
        assert_eq!(labels(&hold(&mut teacher, true, false, 2)), [1]);
        assert_eq!(hold(&mut teacher, true, true, 90), [Act::Show(Sign::Reset)]);
        assert_eq!(hold(&mut teacher, false, true, 200), [Act::Show(Sign::Waiting)]);
        hold(&mut teacher, false, false, 1);
        // While it records, too: what was begun is not learned.
        assert_eq!(hold(&mut teacher, false, true, 10), [Act::Show(Sign::Recording(1))]);
        assert_eq!(hold(&mut teacher, true, true, 300), reset);
    }
}
