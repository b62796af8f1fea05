//! What can be seen: on a matrix of five by five lamps, or on one lamp.

use embedded_hal::digital::{OutputPin, PinState};

/// Something to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Nothing was taught yet, or nothing is to be seen.
    Waiting,
    /// A label was chosen.
    Label(u8),
    /// A sample of a label is being recorded.
    Recording(u8),
    /// It was learned; true where the board would have given that answer before.
    Learned(bool),
    /// An answer.
    Answer(u8),
    /// Both buttons are held: everything will be forgotten.
    Reset,
    /// The sensor does not answer.
    Trouble,
}

/// Shows signs.
pub trait Display {
    /// Shows a sign until the next one.
    fn show(&mut self, sign: Sign);

    /// Called often, with the time in milliseconds: for what blinks.
    fn refresh(&mut self, _now: u32) {}
}

/// The letters A to F; further labels have no picture.
const LETTERS: [[u8; 5]; 6] = [
    [0b01110, 0b10001, 0b11111, 0b10001, 0b10001],
    [0b11110, 0b10001, 0b11110, 0b10001, 0b11110],
    [0b01111, 0b10000, 0b10000, 0b10000, 0b01111],
    [0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
    [0b11111, 0b10000, 0b11110, 0b10000, 0b11111],
    [0b11111, 0b10000, 0b11110, 0b10000, 0b10000],
];

impl Sign {
    /// The sign on a matrix, row by row from above; the leftmost lamp is bit 4.
    #[must_use]
    pub fn picture(self) -> [u8; 5] {
        let letter = |label: u8| LETTERS.get(usize::from(label)).copied().unwrap_or([0b11111; 5]);
        match self {
            Self::Waiting => [0, 0, 0b00100, 0, 0],
            Self::Label(label) | Self::Answer(label) => letter(label),
            // A point at the corner says which label, a block that it records.
            Self::Recording(label) => [1 << (4 - label % 5), 0, 0b01110, 0b01110, 0b01110],
            Self::Learned(true) => [0b00001, 0b00011, 0b10110, 0b11100, 0b01000],
            Self::Learned(false) => [0b00100, 0b00100, 0b11111, 0b00100, 0b00100],
            Self::Reset => [0b10001, 0b01010, 0b00100, 0b01010, 0b10001],
            Self::Trouble => [0b11111, 0b10001, 0b10101, 0b10001, 0b11111],
        }
    }
}

/// Milliseconds of a blink, half of it dark.
const BLINK: u32 = 300;

/// One lamp: it blinks once for the first label, twice for the second, then stays dark for as long as three blinks take.
#[derive(Debug)]
pub struct Lamp<P> {
    pin: P,
    lit: PinState,
    sign: Sign,
    since: Option<u32>,
}

impl<P: OutputPin> Lamp<P> {
    /// A lamp that is lit where the pin is in state `lit`.
    pub const fn new(pin: P, lit: PinState) -> Self {
        Self { pin, lit, sign: Sign::Waiting, since: None }
    }
}

impl<P: OutputPin> Display for Lamp<P> {
    fn show(&mut self, sign: Sign) {
        if sign != self.sign {
            (self.sign, self.since) = (sign, None);
        }
    }

    fn refresh(&mut self, now: u32) {
        let since = *self.since.get_or_insert(now);
        let time = now.wrapping_sub(since);
        let lit = match self.sign {
            Sign::Waiting => false,
            Sign::Label(label) | Sign::Answer(label) => {
                let blinks = u32::from(label) + 1;
                let time = time % ((blinks + 3) * BLINK);
                time < blinks * BLINK && time % BLINK < BLINK / 2
            }
            Sign::Recording(_) => true,
            Sign::Learned(_) => time < BLINK,
            Sign::Reset => time % 100 < 50,
            Sign::Trouble => time % 1000 < 50,
        };
        let _ = self.pin.set_state(if lit { self.lit } else { !self.lit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    #[test]
    fn every_sign_has_a_picture_of_its_own() {
        let mut signs = std::vec![Sign::Waiting, Sign::Learned(true), Sign::Learned(false), Sign::Reset];
        signs.push(Sign::Trouble);
        signs.extend((0..6).map(Sign::Answer));
        signs.extend((0..5).map(Sign::Recording));
        for (index, one) in signs.iter().enumerate() {
            assert!(one.picture().iter().all(|&row| row < 32));
            assert!(signs[index + 1..].iter().all(|other| one.picture() != other.picture()), "{one:?}");
        }
    }

    #[test]
    fn the_lamp_blinks_as_often_as_the_label_says() {
        let states = |times: &[(u32, State)]| {
            let expected: std::vec::Vec<_> =
                times.iter().map(|&(_, state)| Transaction::set(state)).collect();
            let mut lamp = Lamp::new(Mock::new(&expected), PinState::High);
            lamp.show(Sign::Answer(1));
            for &(time, _) in times {
                lamp.refresh(time);
            }
            lamp.pin.done();
        };
        let (lit, dark) = (State::High, State::Low);
        let blinks = [(7000, lit), (7160, dark), (7300, lit), (7460, dark), (7600, dark), (7750, dark)];
        states(&blinks);
        states(&[(0, lit), (1400, dark), (1500, lit), (1650, dark)]);
    }
}
