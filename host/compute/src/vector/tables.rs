//! The rises of the loss laid out for look-ups without branches.

use evobit::loss::LossTable;
use evobit::topology::Topology;

use super::kernels::Rises;
use super::terms::Terms;

/// The loss of every difference that a topology can show, and how it changes when the difference moves by 2.
pub(super) struct Tables {
    pub(super) terms: Terms,
    /// How it rises.
    pub(super) rises: Rises,
}

impl Tables {
    /// `None` where [`Terms`] cannot be, or 16 bits do not hold how much one flip of a hidden neuron can change the loss of a sample.
    pub(super) fn new(topology: &Topology, loss: &LossTable<&[u32]>) -> Option<Self> {
        let terms = Terms::new(topology, loss)?;
        let low = i16::try_from(terms.lowest()).ok()?;
        let rises: Option<Vec<i16>> =
            terms.as_slice().windows(3).map(|terms| i16::try_from(terms[2] - terms[0]).ok()).collect();
        let rises = rises?;
        let largest = rises.iter().map(|rise| i64::from(rise.unsigned_abs())).max()?;
        let fits = largest * (topology.classes() as i64 - 1) <= i64::from(i16::MAX);
        fits.then(|| Self { rises: trim(&rises, low), terms })
    }
}

/// The rises without those at the ends that are all the same.
fn trim(rises: &[i16], low: i16) -> Rises {
    let differs_from = |end: i16| move |&rise: &i16| rise != end;
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    let from = rises.iter().position(differs_from(first)).unwrap_or(1).max(1) - 1;
    let to = rises.iter().rposition(differs_from(last)).unwrap_or(from) + 1;
    Rises::new(&rises[from..=to.min(rises.len() - 1).max(from)], low + from as i16)
}
