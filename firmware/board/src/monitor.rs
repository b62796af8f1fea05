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
    /// The classes of the last samples, and where the next one goes.
    labels: [u8; RECENT as usize],
    next: usize,
    seen: u32,
    usual: Option<u32>,
}

impl Monitor {
    /// Takes in one more answer and says whether there is drift.
    pub fn push(&mut self, label: u8, right: bool) -> bool {
        self.history = self.history << 1 | u32::from(right);
        self.labels[self.next] = label;
        self.next = (self.next + 1) % self.labels.len();
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
                    (self.seen, self.usual) = (0, None);
                }
                drifted
            }
        }
    }

    /// How many of the last samples came after the change, by the likeliest guess: the end of the history with the greatest surplus of wrong
    /// answers (cumulative sums: Page, 1954).
    #[must_use]
    pub fn since_change(&self) -> u16 {
        let (mut sum, mut best, mut since) = (0, i32::MIN, RECENT);
        for back in 0..RECENT {
            sum += if self.history >> back & 1 == 0 { 1 } else { -1 };
            // Among equals the later change: what is doubtful is forgotten.
            if sum > best {
                (best, since) = (sum, back + 1);
            }
        }
        since as u16
    }

    /// True where a sample of this class was among the last, and answered wrong.
    #[must_use]
    pub fn was_wrong(&self, label: u8) -> bool {
        let len = self.labels.len();
        (0..len).any(|back| {
            self.history >> back & 1 == 0 && self.labels[(self.next + len - 1 - back) % len] == label
        })
    }

    /// True where what is usual is known.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.usual.is_some()
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
        assert!((0..500).all(|index| !monitor.push(0, index % 11 != 0)));
        assert_eq!(monitor.recent().1, 16);
        // Every second is wrong: soon drift, and once.
        let fired: u32 = (0..60).map(|index| u32::from(monitor.push(1, index % 2 == 0))).sum();
        assert_eq!(fired, 1);
        assert!((0..500).all(|index| !monitor.push(1, index % 2 == 0)), "what is usual was learned anew");
    }

    #[test]
    fn the_change_is_where_wrong_answers_begin() {
        let mut monitor = Monitor::default();
        (0..40).for_each(|_| assert!(!monitor.push(0, true)));
        // Right answers among the wrong ones do not hide where these begin.
        for (right, since) in
            [(false, 1), (false, 2), (true, 3), (false, 4), (false, 5), (true, 6), (false, 7)]
        {
            monitor.push(0, right);
            assert_eq!(monitor.since_change(), since);
        }
    }

    #[test]
    fn a_few_samples_are_no_drift() {
        let mut monitor = Monitor::default();
        assert!((0..32).all(|_| !monitor.push(0, false)));
        assert_eq!(monitor.recent(), (0, 16));
        assert!(monitor.was_wrong(0) && !monitor.was_wrong(1));
        (0..15).for_each(|_| assert!(!monitor.push(2, true)));
        assert!(monitor.was_wrong(0) && !monitor.was_wrong(2));
        monitor.push(2, true);
        assert!(!monitor.was_wrong(0));
    }
}
