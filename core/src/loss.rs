//! The integer loss of a score vector.
//!
//! A sample of class y with scores S costs the sum over the wrong classes c of
//! `log(1 + exp((S_c - S_y + margin) / temperature))`: the logistic loss of every comparison that should
//! have gone the other way. It is smooth enough that a single flip anywhere shows in it, where
//! accuracy would mostly stand still.
//!
//! Decisions need integers, so the function is a table over the whole-number difference
//! `d = preactivation_c - preactivation_y` (`S_c - S_y = 2 d`), made once with `libm`, whose results
//! do not depend on the platform, and carried in the model image, so that boards never compute it.
//! Below its first entry the table is 0, above its last it goes on in a straight line of `slope`
//! units a step, up to [`MAX_TERM`].
//!
//! Packed form, in words: `low` (as `i32`), `slope`, `unit` (loss units of 1.0), number of entries, then the
//! entries as `u16`, two to a word.

use crate::bits::Words;

/// Most entries of a table.
pub const MAX_ENTRIES: u32 = 8192;
/// Steepest slope, in loss units for each step of the difference.
pub const MAX_SLOPE: u32 = 4095;
/// The most that one wrong class can add to the loss of a sample.
pub const MAX_TERM: i32 = 1 << 22;
/// Words before the entries.
const HEADER: usize = 4;

/// Why a table cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LossError {
    /// Temperature must be in 0.1 to 10 000, margin in -10 000 to 10 000, slope in 1 to [`MAX_SLOPE`].
    Parameters,
    /// These parameters need more than [`MAX_ENTRIES`] entries or entries over 65 535: lower slope or temperature.
    TooLarge,
    /// The buffer is shorter than the table.
    BufferLength,
    /// The words do not hold a table.
    Format,
}

impl core::fmt::Display for LossError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Parameters => {
                "loss: temperature must be 0.1 to 10000, margin -10000 to 10000, slope 1 to 4095"
            }
            Self::TooLarge => "loss: the table would be too large; lower the slope or the temperature",
            Self::BufferLength => "loss: the buffer is shorter than the table",
            Self::Format => "loss: the words do not hold a loss table",
        })
    }
}

impl core::error::Error for LossError {}

/// A loss table over its packed words.
#[derive(Clone, Copy, Debug)]
pub struct LossTable<W> {
    entries: W,
    low: i32,
    count: i32,
    slope: i32,
    last: i32,
    unit: u32,
}

/// Writes the packed table of the logistic loss into `words` and returns how many words it takes.
///
/// `margin` and `temperature` are in units of the score (a step of the difference is two of them);
/// `slope` is the resolution: loss units for each step of the difference where the loss is steepest.
///
/// # Errors
/// Parameters out of range, a table that is too large, or a buffer that is too short (at most
/// `4 + MAX_ENTRIES / 2` words are needed).
pub fn write_logistic(
    margin: f64,
    temperature: f64,
    slope: u32,
    words: &mut [u32],
) -> Result<usize, LossError> {
    let sensible = (0.1..=10_000.0).contains(&temperature) && (-10_000.0..=10_000.0).contains(&margin);
    if !sensible || slope == 0 || slope > MAX_SLOPE {
        return Err(LossError::Parameters);
    }
    let unit = f64::from(slope) * temperature / 2.0;
    let exact = |d: i32| {
        let x = (2.0 * f64::from(d) + margin) / temperature;
        // log(1 + exp(x)), without overflow for large x.
        unit * if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
    };
    let straight = |d: i32| unit * (2.0 * f64::from(d) + margin) / temperature;
    // The curve bends within `reach` of x = 0; outside it is 0 or a straight line to half a unit.
    let middle = -libm::round(margin / 2.0) as i32;
    let reach = MAX_ENTRIES as i32;
    let low = (middle - reach..middle).rev().find(|&d| exact(d) < 0.5).map_or(middle - reach, |d| d + 1);
    let high = (middle..middle + reach).find(|&d| exact(d) - straight(d) < 0.5).unwrap_or(middle + reach);
    let count = (high - low + 1) as u32;
    if count > MAX_ENTRIES || exact(high) >= 65_535.5 {
        return Err(LossError::TooLarge);
    }
    let len = HEADER + count.div_ceil(2) as usize;
    let words = words.get_mut(..len).ok_or(LossError::BufferLength)?;
    words.fill(0);
    words[..HEADER].copy_from_slice(&[low as u32, slope, libm::round(unit).max(1.0) as u32, count]);
    for i in 0..count {
        let entry = libm::round(exact(low + i as i32)) as u32;
        words[HEADER + (i / 2) as usize] |= entry << (i % 2 * 16);
    }
    Ok(len)
}

impl<W: Words> LossTable<W> {
    /// Reads a packed table; words behind it are an error.
    ///
    /// # Errors
    /// [`LossError::Format`].
    pub fn new(words: W) -> Result<Self, LossError> {
        if words.len() < HEADER {
            return Err(LossError::Format);
        }
        let (low, slope, unit, count) = (words.word(0) as i32, words.word(1), words.word(2), words.word(3));
        let sensible = (-65_536..=65_536).contains(&low)
            && (1..=MAX_SLOPE).contains(&slope)
            && (1..=MAX_ENTRIES).contains(&count)
            && unit > 0
            && words.len() == HEADER + count.div_ceil(2) as usize;
        if !sensible {
            return Err(LossError::Format);
        }
        let entries = words.slice(HEADER, count.div_ceil(2) as usize);
        // A table has one form: the half word behind an odd last entry is 0.
        if count % 2 == 1 && entries.word(entries.len() - 1) >> 16 != 0 {
            return Err(LossError::Format);
        }
        let mut table = Self { entries, low, count: count as i32, slope: slope as i32, last: 0, unit };
        table.last = table.entry(count as i32 - 1);
        Ok(table)
    }

    #[inline]
    fn entry(&self, index: i32) -> i32 {
        (self.entries.word((index / 2) as usize) >> (index % 2 * 16) & 0xffff) as i32
    }

    /// The cost of one wrong class whose pre-activation is `difference` above that of the right one:
    /// 0 to [`MAX_TERM`]. Differences of any network fit: they stay below 65 536 either way.
    #[must_use]
    #[inline]
    pub fn term(&self, difference: i32) -> i32 {
        let index = difference - self.low;
        if index < 0 {
            0
        } else if index < self.count {
            self.entry(index)
        } else {
            (self.last + self.slope * (index - self.count + 1)).min(MAX_TERM)
        }
    }

    /// The change of [`term`](Self::term) where a difference moves by `step`.
    #[must_use]
    #[inline]
    pub fn change(&self, difference: i32, step: i32) -> i32 {
        self.term(difference + step) - self.term(difference)
    }

    /// The most by which one step of the difference changes [`term`](Self::term). Looks at all entries.
    #[must_use]
    pub fn steepest(&self) -> i32 {
        let steps = (1..self.count).map(|index| (self.entry(index) - self.entry(index - 1)).abs());
        steps.fold(self.slope.max(self.entry(0)), i32::max)
    }

    /// The loss of a sample of class `label` with these scores: 0 to 255 * [`MAX_TERM`].
    ///
    /// # Panics
    /// When `label` is not below `scores.len()`.
    #[must_use]
    #[inline]
    pub fn sample<Score: Copy + Into<i32>>(&self, scores: &[Score], label: usize) -> i32 {
        let right: i32 = scores[label].into();
        let terms = scores.iter().enumerate().filter(|&(class, _)| class != label);
        terms.map(|(_, &score)| self.term(score.into() - right)).sum()
    }

    /// Loss units that stand for a loss of 1.0, for reports.
    #[must_use]
    pub const fn unit(&self) -> u32 {
        self.unit
    }

    /// Words of the packed table.
    #[must_use]
    pub const fn words(&self) -> usize {
        HEADER + (self.count as usize).div_ceil(2)
    }

    /// The first difference with an entry, and the number of entries.
    #[must_use]
    pub const fn range(&self) -> (i32, u32) {
        (self.low, self.count as u32)
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    fn build(margin: f64, temperature: f64, slope: u32) -> ([u32; 4100], usize) {
        let mut words = [0; 4100];
        let len = write_logistic(margin, temperature, slope, &mut words).unwrap();
        (words, len)
    }

    #[test]
    fn the_table_follows_the_function_everywhere() {
        for (margin, temperature, slope) in
            [(0.0, 16.0, 64), (12.0, 8.0, 64), (-3.0, 1.0, 1000), (50.0, 150.0, 32)]
        {
            let (words, len) = build(margin, temperature, slope);
            let table = LossTable::new(&words[..len]).unwrap();
            let unit = f64::from(slope) * temperature / 2.0;
            for d in -500..500 {
                let x = (2.0 * f64::from(d) + margin) / temperature;
                let exact = unit * x.exp().ln_1p();
                let exact = if exact.is_finite() { exact } else { unit * x };
                assert!((f64::from(table.term(d)) - exact).abs() <= 1.5, "{margin} {temperature} {d}");
            }
        }
    }

    #[test]
    fn the_table_has_the_known_values() {
        let (words, len) = build(8.0, 16.0, 64);
        assert_eq!(&words[..6], &KNOWN_START);
        let table = LossTable::new(&words[..len]).unwrap();
        assert_eq!([table.term(-4), table.term(0), table.term(100)], [355, 499, 6656]);
    }

    const KNOWN_START: [u32; 6] = [-59i32 as u32, 64, 512, 112, 0x1_0001, 0x1_0001];

    #[test]
    fn it_never_falls_and_is_bounded() {
        let (words, len) = build(8.0, 2.0, MAX_SLOPE);
        let table = LossTable::new(&words[..len]).unwrap();
        let mut previous = 0;
        for d in -70_000..70_000 {
            assert!(table.term(d) >= previous && table.term(d) - previous <= table.steepest());
            assert_eq!(table.change(d - 1, 1), table.term(d) - previous);
            previous = table.term(d);
        }
        assert_eq!(table.term(65_535), MAX_TERM);
        assert_eq!(table.term(-65_535), 0);
    }

    #[test]
    fn a_sample_costs_its_wrong_comparisons() {
        let (words, len) = build(0.0, 4.0, 64);
        let table = LossTable::new(&words[..len]).unwrap();
        let scores = [3i32, -2, 5];
        assert_eq!(table.sample(&scores, 0), table.term(-5) + table.term(2));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut words = [0; 4100];
        assert_eq!(write_logistic(0.0, f64::NAN, 64, &mut words), Err(LossError::Parameters));
        assert_eq!(write_logistic(0.0, 1e9, 64, &mut words), Err(LossError::Parameters));
        assert_eq!(write_logistic(0.0, 16.0, 0, &mut words), Err(LossError::Parameters));
        assert_eq!(write_logistic(0.0, 9999.0, 4095, &mut words), Err(LossError::TooLarge));
        // Few entries, but the last would be near 80 000.
        assert_eq!(write_logistic(0.0, 4.0, 4095, &mut words), Err(LossError::TooLarge));
        assert_eq!(write_logistic(0.0, 16.0, 64, &mut words[..9]), Err(LossError::BufferLength));
        let (good, len) = build(0.0, 16.0, 64);
        assert!(LossTable::new(&good[..len]).is_ok());
        for (word, value) in [(0, 1 << 20), (1, 0), (1, 4096), (2, 0), (3, 0), (3, u32::MAX)] {
            let mut broken = good;
            broken[word] = value;
            assert_eq!(LossTable::new(&broken[..len]).err(), Some(LossError::Format));
        }
        assert_eq!(LossTable::new(&good[..len - 1]).err(), Some(LossError::Format));
        let odd = [0, 1, 1, 1, 0x2_0001u32];
        assert_eq!(LossTable::new(&odd[..]).err(), Some(LossError::Format));
        assert!(LossTable::new(&[0u32, 1, 1, 1, 1][..]).is_ok());
        assert_eq!(LossTable::new(&good[..0]).err(), Some(LossError::Format));
    }
}
