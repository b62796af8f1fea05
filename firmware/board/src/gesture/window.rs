//! A window of accelerations, and what of it a network sees.
//!
//! The features say how the board was held and how it moved, and hardly when in the window: a gesture need not begin on the dot. All are
//! integers. Sizes of movements are on a scale of logarithms, sixteen steps for each doubling.

/// Readings in a window.
pub const READINGS: usize = 64;
/// Features of each axis: [`MEAN`] to [`CROSSINGS`].
pub const KINDS: usize = 8;
/// Features of a window, one byte each: those of x, y and z, then how x and y, y and z, z and x move together.
pub const FEATURES: usize = 3 * KINDS + 3;

/// The mean: how the board is held. 128 is none, 16 thousandths of gravity a step.
pub const MEAN: usize = 0;
/// Mean distance from the mean.
pub const DEVIATION: usize = 1;
/// How far above the mean it went at most.
pub const ABOVE: usize = 2;
/// How far below.
pub const BELOW: usize = 3;
/// The first of three: mean change within 1, 4 and 16 readings. Together they tell fast movements from slow ones.
pub const CHANGES: usize = 4;
/// Readings between which changes are taken.
pub const LAGS: [usize; 3] = [1, 4, 16];
/// How often it crossed its mean.
pub const CROSSINGS: usize = 7;

/// The last [`READINGS`] accelerations.
#[derive(Clone, Debug)]
pub struct Window {
    readings: [[i16; 3]; READINGS],
    next: usize,
    len: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}

impl Window {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { readings: [[0; 3]; READINGS], next: 0, len: 0 }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes one in; the oldest makes way.
    pub fn push(&mut self, reading: [i16; 3]) {
        self.readings[self.next] = reading;
        self.next = (self.next + 1) % READINGS;
        self.len = (self.len + 1).min(READINGS);
    }

    /// True where there are as many as a window has.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len == READINGS
    }

    /// The reading at `index` along `axis`, the oldest first.
    fn at(&self, axis: usize, index: usize) -> i32 {
        self.readings[(self.next + index) % READINGS][axis].into()
    }

    /// The features. Where the window is not full, what was there before counts.
    #[must_use]
    pub fn features(&self) -> [u8; FEATURES] {
        let mut features = [0; FEATURES];
        let mut means = [0; 3];
        for (axis, features) in features.as_chunks_mut::<KINDS>().0.iter_mut().enumerate() {
            means[axis] = (0..READINGS).map(|index| self.at(axis, index)).sum::<i32>() / READINGS as i32;
            *features = self.axis(axis, means[axis]);
        }
        for (axis, feature) in features[3 * KINDS..].iter_mut().enumerate() {
            let other = (axis + 1) % 3;
            let together = (0..READINGS).map(|index| {
                (self.at(axis, index) - means[axis]).signum()
                    * (self.at(other, index) - means[other]).signum()
            });
            *feature = (128 + together.sum::<i32>()) as u8;
        }
        features
    }

    fn axis(&self, axis: usize, mean: i32) -> [u8; KINDS] {
        let (mut sum, mut above, mut below, mut crossings, mut before) = (0, 0, 0, 0, 0);
        for index in 0..READINGS {
            let distance = self.at(axis, index) - mean;
            sum += distance.unsigned_abs();
            above = above.max(distance);
            below = below.max(-distance);
            crossings += u8::from(distance.signum() * before < 0);
            if distance != 0 {
                before = distance.signum();
            }
        }
        let changes = LAGS.map(|lag| {
            let change = |index| self.at(axis, index).abs_diff(self.at(axis, index + lag));
            size((0..READINGS - lag).map(change).sum::<u32>() / (READINGS - lag) as u32)
        });
        [
            ((mean >> 4) + 128).clamp(0, 255) as u8,
            size(sum / READINGS as u32),
            size(above.unsigned_abs()),
            size(below.unsigned_abs()),
            changes[0],
            changes[1],
            changes[2],
            crossings,
        ]
    }
}

/// A size on a scale of logarithms: 0 and 1 are 0, every doubling is 16 more.
const fn size(value: u32) -> u8 {
    let Some(doublings) = value.checked_ilog2() else { return 0 };
    // What follows the highest bit is nearly the logarithm's fraction.
    let fraction = if doublings < 4 { value << (4 - doublings) } else { value >> (doublings - 4) } & 15;
    let size = 16 * doublings + fraction;
    if size > 255 { 255 } else { size as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(reading: impl Fn(usize) -> [i16; 3]) -> Window {
        let mut window = Window::new();
        // More than fit: the first are forgotten.
        (0..100).for_each(|index| window.push(reading(index)));
        assert!(window.is_full());
        window
    }

    #[test]
    fn sizes_double_every_sixteen() {
        assert_eq!([0, 1, 2, 3, 4, 16, 24, 4096].map(size), [0, 0, 16, 24, 32, 64, 72, 192]);
        assert_eq!(size(u32::MAX), 255);
        assert!((1..70_000).all(|value| size(value) >= size(value - 1)));
    }

    #[test]
    fn a_board_at_rest_has_a_mean_and_nothing_else() {
        let features = window(|_| [0, -500, 1000]).features();
        assert_eq!([features[0], features[8], features[16]], [128, 96, 190]);
        for kind in DEVIATION..KINDS {
            assert!((0..3).all(|axis| features[axis * KINDS + kind] == 0), "{kind}");
        }
        assert_eq!(features[24..], [128; 3]);
    }

    #[test]
    fn fast_and_slow_movements_differ_and_their_beginning_does_not_matter() {
        let wave = |period: usize, shift: usize| {
            window(move |index| {
                let high = (index + shift) % period < period / 2;
                [if high { 300 } else { -300 }, if high { 300 } else { -300 }, if high { -300 } else { 300 }]
            })
            .features()
        };
        let (slow, fast) = (wave(32, 0), wave(4, 0));
        assert_eq!((slow[CROSSINGS], fast[CROSSINGS]), (4, 31));
        assert!(slow[CHANGES] < fast[CHANGES]);
        assert_eq!(slow[DEVIATION], fast[DEVIATION]);
        assert_eq!(slow[24..], [192, 64, 64]);
        let apart = |a: [u8; FEATURES], b: [u8; FEATURES]| {
            a.iter().zip(b).map(|(&a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        assert!(4 * apart(slow, wave(32, 11)) < apart(slow, fast));
    }

    #[test]
    fn the_widest_readings_do_not_overflow() {
        let features = window(|index| if index % 2 == 0 { [i16::MIN; 3] } else { [i16::MAX; 3] }).features();
        assert_eq!((features[CROSSINGS], features[DEVIATION]), (63, 239));
    }
}
