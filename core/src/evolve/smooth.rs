//! Smoothing of spectra along the levels of a feature.
//!
//! A thermometer code gives a feature one bit for each level, and a neuron one weight for each bit. On few samples
//! the change of loss of one such weight is mostly chance, and a search that follows it learns chance. Neighbouring levels have
//! nearly the same samples between them, so the mean over them says more about what a weight there is good for: the same
//! argument as for smoothing splines (Wahba, 1990) and fused penalties (Tibshirani and others, 2005).

use crate::bits;
use crate::evolve::landscape::IMPOSSIBLE;

/// Most levels to either side.
pub const MAX_RADIUS: usize = 63;

/// Over which weights of the first layer the change of loss is averaged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smoothing<'a> {
    /// Levels to either side, up to [`MAX_RADIUS`]; 0 for none.
    pub radius: u16,
    /// For each feature the first input behind its levels, in order: no mean reaches from one feature into another.
    pub ends: &'a [u32],
}

impl Smoothing<'_> {
    /// False where it changes nothing.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.radius > 0 && !self.ends.is_empty()
    }

    /// Replaces the change of loss by flipping a weight with the mean over the levels around it, in `deltas`, of a
    /// neuron with these `weights`. What counts is the direction: a neighbour of the other sign would be flipped the other way.
    ///
    /// # Panics
    /// When a feature ends behind the last weight.
    pub(super) fn apply(&self, deltas: &mut [i64], weights: &[u32]) {
        let radius = usize::from(self.radius).min(MAX_RADIUS);
        let mut start = 0;
        for &end in self.ends {
            let end = (end as usize).min(deltas.len());
            if let Some(run) = deltas.get_mut(start..end)
                && !run.contains(&IMPOSSIBLE)
            {
                smooth(run, radius, |level| bits::get(weights, (start + level) as u32));
            }
            start = end;
        }
    }
}

/// Moving means of what each weight, `is_plus`, would gain by moving up; fewer levels count at the ends of `run`.
fn smooth(run: &mut [i64], radius: usize, is_plus: impl Fn(usize) -> bool) {
    let signed = |level: usize, delta: i64| if is_plus(level) { -delta } else { delta };
    (0..run.len()).for_each(|level| run[level] = signed(level, run[level]));
    let len = run.len();
    let mut sum: i64 = run[..len.min(radius)].iter().sum();
    // What was at the levels up to `radius` before this one.
    let mut before = [0; MAX_RADIUS + 1];
    for level in 0..len {
        if level + radius < len {
            sum += run[level + radius];
        }
        let (first, end) = (level.saturating_sub(radius), (level + radius + 1).min(len));
        before[level % (radius + 1)] = run[level];
        run[level] = signed(level, sum / (end - first) as i64);
        if level >= radius {
            sum -= before[(level - radius) % (radius + 1)];
        }
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    /// The same by its definition.
    fn means(deltas: &[i64], plus: &[bool], radius: usize) -> std::vec::Vec<i64> {
        let sign = |level: usize| if plus[level] { -1 } else { 1 };
        (0..deltas.len())
            .map(|level| {
                let around = level.saturating_sub(radius)..(level + radius + 1).min(deltas.len());
                let count = around.len() as i64;
                sign(level) * (around.map(|other| sign(other) * deltas[other]).sum::<i64>() / count)
            })
            .collect()
    }

    #[test]
    fn means_are_of_the_levels_around() {
        let deltas: std::vec::Vec<i64> = (0..40).map(|level| (level * level * 37) % 1009 - 500).collect();
        let plus: std::vec::Vec<bool> = (0..40).map(|level| level % 3 == 0 || level % 7 == 2).collect();
        for radius in [0, 1, 2, 5, 39, MAX_RADIUS] {
            for len in [1, 2, 7, 40] {
                let mut run = deltas[..len].to_vec();
                smooth(&mut run, radius, |level| plus[level]);
                assert_eq!(run, means(&deltas[..len], &plus, radius), "radius {radius}, {len} levels");
            }
        }
    }

    #[test]
    fn features_stay_apart_and_what_is_no_weight_stays() {
        let mut deltas = [9, 0, 0, 6, 100, IMPOSSIBLE, 50];
        // All weights -1.
        Smoothing { radius: 1, ends: &[3, 4, 5] }.apply(&mut deltas, &[0]);
        assert_eq!(deltas, [4, 3, 0, 6, 100, IMPOSSIBLE, 50]);
        let mut deltas = [9, 0, 0];
        Smoothing { radius: 0, ends: &[3] }.apply(&mut deltas, &[0]);
        assert_eq!(deltas, [9, 0, 0]);
        assert!(!Smoothing { radius: 0, ends: &[3] }.is_on() && !Smoothing { radius: 1, ends: &[] }.is_on());
        // Neighbours of different signs pull against each other.
        let mut deltas = [8, 8];
        Smoothing { radius: 1, ends: &[2] }.apply(&mut deltas, &[0b01]);
        assert_eq!(deltas, [0, 0]);
    }
}
