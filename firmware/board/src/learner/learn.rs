//! Learning from one labelled sample.

use evobit::evolve::compact::Score;
use evobit_link::LinkError;

use super::Learner;
use super::evolve::Activity;
use crate::log;

/// Who answers is judged anew when one in so many of the stored samples is new: it takes a look at all pairs of them.
const JUDGED: usize = 8;

/// What learning a sample did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// True where the sample took the place of another.
    pub replaced: bool,
    /// True where the answer was right before.
    pub right: bool,
    /// True where the drift monitor fired.
    pub drifted: bool,
}

impl<S: Score> Learner<'_, S> {
    /// Learns from a labelled raw sample: answers it, looks for drift, stores it.
    ///
    /// # Errors
    /// [`LinkError::Width`], [`LinkError::Label`].
    #[inline(never)]
    pub fn learn(&mut self, raw: &[u8], label: u16) -> Result<Learned, LinkError> {
        let classes = self.image.topology().classes();
        if usize::from(label) >= classes {
            return Err(LinkError::Label(classes as u16));
        }
        let label = label as u8;
        self.encode(raw)?;
        let right = self.answers().answer == label;
        let drifted = self.monitor.push(label, right);
        self.counts.seen = self.counts.seen.wrapping_add(1);
        let placed = self.store.place();
        let evolving = matches!(self.activity, Activity::Network { .. }) && !placed.held_back;
        if evolving && placed.replaced {
            self.exchange(placed.index, false);
        }
        self.store.put(placed, self.input, label);
        self.unjudged += 1;
        if evolving {
            self.exchange(placed.index, true);
        }
        if drifted {
            log!("drift: learning begins");
            self.counts.drifts = self.counts.drifts.wrapping_add(1);
            // What the world no longer says is forgotten: the older samples of classes that were answered wrong.
            let monitor = self.monitor;
            self.store.forget_old(monitor.since_change(), |label| monitor.was_wrong(label));
            self.prototypes_len = 0;
            self.stop();
        }
        self.adapting = drifted || (self.adapting && !self.is_usual());
        if self.adapting && !matches!(self.activity, Activity::Memory { .. }) {
            // An episode that began with half as many samples begins anew. Without any there is nothing to evolve on yet.
            let now = self.store.training().len();
            let anew = matches!(self.activity, Activity::Network { samples, .. } if now >= 2 * samples);
            let _ = self.evolve_network(self.config.sample_mutants, anew);
        }
        if usize::from(self.unjudged) * JUDGED >= self.store.len() {
            self.judge();
        }
        Ok(Learned { replaced: placed.replaced, right, drifted })
    }

    /// True where the monitor has seen enough since the last drift, and most of it right.
    fn is_usual(&self) -> bool {
        let (right, number) = self.monitor.recent();
        self.monitor.is_settled() && right * 8 >= number * 7
    }

    /// Forgets the stored samples; network and prototypes stay, and who answers.
    pub fn forget(&mut self) {
        self.stop();
        self.store.clear();
    }
}
