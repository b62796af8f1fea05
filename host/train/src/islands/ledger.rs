//! What the first process keeps of all islands: which epoch each has saved, and which all have. A line of it costs a look into a
//! sorted map, however many islands there are.

use std::collections::BTreeMap;

/// The epochs that the islands have saved.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    saved: Vec<u32>,
    /// How many islands are at each epoch.
    at: BTreeMap<u32, u32>,
}

impl Ledger {
    /// Of islands that are at these epochs.
    #[must_use]
    pub(super) fn new(saved: Vec<u32>) -> Self {
        let mut at = BTreeMap::new();
        saved.iter().for_each(|&epoch| *at.entry(epoch).or_default() += 1);
        Self { saved, at }
    }

    /// The epoch that all have saved; 0 without islands.
    #[must_use]
    pub(super) fn oldest(&self) -> u32 {
        self.at.first_key_value().map_or(0, |(&epoch, _)| epoch)
    }

    /// An island saved this epoch: the new oldest where that is another. Islands that it has not are passed over.
    pub(super) fn save(&mut self, island: u32, epoch: u32) -> Option<u32> {
        let before = self.oldest();
        let saved = self.saved.get_mut(island as usize)?;
        let left = self.at.entry(*saved).or_default();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.at.remove(saved);
        }
        *saved = epoch;
        *self.at.entry(epoch).or_default() += 1;
        Some(self.oldest()).filter(|&oldest| oldest != before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_epoch_is_that_of_the_slowest_island() {
        let mut ledger = Ledger::new(vec![3, 0, 1]);
        assert_eq!(ledger.oldest(), 0);
        assert_eq!(ledger.save(0, 4), None);
        assert_eq!(ledger.save(1, 1), Some(1));
        assert_eq!(ledger.save(1, 2), None);
        assert_eq!(ledger.save(2, 9), Some(2));
        assert_eq!(ledger.save(7, 9), None);
        assert_eq!(ledger.oldest(), 2);
    }
}
