//! The drift monitor: it notices that answers have become worse than they were.
//!
//! It sees whether each labelled sample was answered right. The first [`BASELINE`] after a start, or after it fired, say what is usual; where
//! the last [`RECENT`] fall behind that by a quarter or more, it fires once and begins anew.

/// Labelled samples that say what is usual.
pub const BASELINE: u32 = 32;
/// Labelled samples that are looked at.
pub const RECENT: u32 = 16;

/// The last answers, right or wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Monitor {
    /// The newest in bit 0.
    history: u32,
    seen: u32,
    usual: Option<u32>,
}

impl Monitor {
    /// Takes in one more answer and says whether there is drift.
    pub fn push(&mut self, right: bool) -> bool {
        self.history = self.history << 1 | u32::from(right);
        self.seen = (self.seen + 1).min(BASELINE);
        if self.seen < BASELINE {
            return false;
        }
        let (recent, _) = self.recent();
        match self.usual {
            None => {
                self.usual = Some(self.history.count_ones());
                false
            }
            Some(usual) => {
                let drifted = recent * BASELINE / RECENT + BASELINE / 4 <= usual;
                if drifted {
                    *self = Self::default();
                }
                drifted
            }
        }
    }

    /// Right answers among the last, and their number.
    #[must_use]
    pub fn recent(&self) -> (u32, u32) {
        let number = self.seen.min(RECENT);
        ((self.history & ((1 << number) - 1)).count_ones(), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fires_once_where_answers_get_worse_and_not_before() {
        let mut monitor = Monitor::default();
        // One in eleven is wrong: never drift.
        assert!((0..500).all(|index| !monitor.push(index % 11 != 0)));
        assert_eq!(monitor.recent().1, 16);
        // Every second is wrong: soon drift, and once.
        let fired: u32 = (0..60).map(|index| u32::from(monitor.push(index % 2 == 0))).sum();
        assert_eq!(fired, 1);
        assert!((0..500).all(|index| !monitor.push(index % 2 == 0)), "what is usual was learned anew");
    }

    #[test]
    fn a_few_samples_are_no_drift() {
        let mut monitor = Monitor::default();
        assert!((0..32).all(|_| !monitor.push(false)));
        assert_eq!(monitor.recent(), (0, 16));
    }
}
