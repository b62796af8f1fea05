//! What a pass over a table sees of a column.

use super::gaps::is_missing;
use super::text::Text;

/// In a column of numbers fewer texts than one in so many cells are mistakes, not names.
const NUMBERS_FOR_A_TEXT: usize = 10;

/// Floats of 32 bits hold all whole numbers up to this one.
const WHOLE_TO_FLOATS: f64 = 16_777_216.0;

/// What has been seen of a column so far.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// What the user says that it is.
    pub(super) is: Option<Is>,
    /// Cells with a number.
    pub(super) numbers: usize,
    /// Those that are no whole numbers of 32 bits.
    pub(super) reals: usize,
    /// Cells with a mark for a missing value.
    pub(super) missing: usize,
    /// Cells with neither.
    pub(super) texts: usize,
    /// The first few of them, and their lines.
    pub(super) first: Vec<(u64, String)>,
    /// The last number, and whether one was not greater than the one before it.
    pub(super) last: Option<f64>,
    pub(super) falls: bool,
    /// The least and the greatest number.
    pub(super) range: Option<(f64, f64)>,
}

/// What the user says that a column is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    Numbers,
    Categories,
}

impl Seen {
    /// How many texts are named.
    pub(super) const NAMED: usize = 3;

    pub(super) fn add(&mut self, text: &Text, line: u64, cell: &str) {
        let plain = text.plain(cell);
        if let Ok(number) = plain.parse::<f64>() {
            self.falls |= self.last.is_some_and(|last| number <= last);
            self.last = Some(number);
            let (least, greatest) = self.range.unwrap_or((number, number));
            self.range = Some((least.min(number), greatest.max(number)));
        }
        if plain.parse::<i32>().is_ok() {
            self.numbers += 1;
        } else if is_missing(cell) {
            self.missing += 1;
        } else if plain.parse::<f32>().is_ok() {
            (self.numbers, self.reals) = (self.numbers + 1, self.reals + 1);
        } else {
            self.texts += 1;
            if self.first.len() < Self::NAMED {
                self.first.push((line, cell.to_owned()));
            }
        }
    }

    /// Whether its texts are so few that they are mistakes.
    pub(super) fn has_few_texts(&self) -> bool {
        self.texts > 0 && self.texts * NUMBERS_FOR_A_TEXT <= self.numbers
    }

    /// How far the number that is nearest to 0 lies from it.
    pub(super) fn nearest(&self) -> f64 {
        self.range.map_or(0.0, |(least, greatest)| least.max(-greatest).max(0.0))
    }

    /// Whether whole numbers of 32 bits keep its numbers apart where floats of 32 bits do not, as time stamps in seconds.
    pub(super) fn is_better_whole(&self) -> bool {
        let most = f64::from(i32::MAX);
        self.nearest() >= WHOLE_TO_FLOATS
            && self.range.is_some_and(|(least, greatest)| least > -most && greatest < most)
    }

    /// Whether 32 bits tell few of its numbers apart.
    pub(super) fn is_too_far_out(&self) -> bool {
        const FEW: f64 = 1000.0;
        let step = self.nearest() / WHOLE_TO_FLOATS;
        let width = self.range.map_or(0.0, |(least, greatest)| greatest - least);
        self.reals > 0 && !self.is_better_whole() && width > 0.0 && width / step < FEW
    }

    pub(super) fn holds_numbers(&self) -> bool {
        match self.is {
            Some(is) => is == Is::Numbers,
            None => self.texts == 0 || self.has_few_texts(),
        }
    }

    /// Whether it holds numbers, and texts among them.
    pub(super) fn is_mistaken(&self) -> bool {
        self.texts > 0 && self.holds_numbers()
    }
}
