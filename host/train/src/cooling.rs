//! How hot each sweep is: by the schedule of the configuration, and sooner cold where a budget of time ends first.
//!
//! The clock is looked at between two sweeps only, and what came of it is kept for each sweep, so a run repeats from
//! its heats where it does not from its budget.

use std::time::Duration;

use crate::settings::TrainConfig;

/// The share of a budget in which the search may be hot; what is left of it is for a cold search.
const HOT_SHARE: f64 = 0.75;

/// Decides the heat of one sweep after the other.
#[derive(Debug, Default)]
pub(crate) struct Cooling {
    /// The heat before this session, of which the share of its budget that is left is kept; none where it is the first.
    before: Option<f64>,
    /// When the last sweep began.
    began: Option<Duration>,
    /// How hot that was; it never gets hotter.
    last: Option<f64>,
}

impl Cooling {
    /// After sweeps of these heats.
    pub(crate) fn after(heats: &[f64]) -> Self {
        Self { before: heats.last().copied(), began: None, last: None }
    }

    /// The heat of the sweep that begins after `spent` of `budget`, in mean loss. `sweep` counts from 0.
    pub(crate) fn heat(
        &mut self,
        config: &TrainConfig,
        sweep: u32,
        spent: Duration,
        budget: Option<Duration>,
    ) -> f64 {
        let last = self.began.replace(spent).map_or(Duration::ZERO, |began| spent.saturating_sub(began));
        let scheduled = config.heat_of(sweep);
        if config.heats.is_some() {
            return scheduled;
        }
        let before = self.before.unwrap_or(config.heat);
        let most = budget.map_or(before, |budget| {
            let hot = budget.as_secs_f64() * HOT_SHARE;
            // A sweep takes about as long as the one before; one that would end later than that is to be cold.
            let in_time = (spent + last).as_secs_f64() < hot;
            if in_time { before * (1.0 - spent.as_secs_f64() / hot) } else { 0.0 }
        });
        // One slow sweep may look as if the time were up: what is cold stays so.
        *self.last.insert(scheduled.min(most).min(self.last.unwrap_or(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Facts, Settings};
    use evobit_data::Schema;

    fn config(text: &str) -> TrainConfig {
        let settings: Settings = toml::from_str(text).unwrap();
        let schema = Schema::Table(vec![]);
        settings.resolve(Facts { schema: &schema, classes: &[], samples: 100, data: None }).unwrap()
    }

    /// The heats of sweeps that each take so many seconds.
    fn heats(
        cooling: &mut Cooling,
        config: &TrainConfig,
        seconds: f64,
        budget: Option<f64>,
        sweeps: u32,
    ) -> Vec<f64> {
        let budget = budget.map(Duration::from_secs_f64);
        let begins = |sweep| Duration::from_secs_f64(f64::from(sweep) * seconds);
        (0..sweeps).map(|sweep| cooling.heat(config, sweep, begins(sweep), budget)).collect()
    }

    #[test]
    fn heat_falls_by_sweeps_or_by_the_budget_whichever_is_further() {
        let config = config("heat = 8.0\nsweeps = 20\ncooling = 8");
        let all = |seconds, budget| heats(&mut Cooling::default(), &config, seconds, budget, 12);
        let by_sweeps = [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(all(1.0, None), by_sweeps);
        assert_eq!(all(1.0, Some(100.0)), by_sweeps);
        // Three quarters of 8 seconds; the sweep from 5 to 6 would end there.
        let by_budget = all(1.0, Some(8.0));
        assert!(by_budget[5..].iter().all(|&heat| heat == 0.0), "{by_budget:?}");
        assert!(by_budget[..5].is_sorted_by(|a, b| a > b), "{by_budget:?}");
        assert_eq!((by_budget[0], by_budget[3]), (8.0, 4.0));
        // Sweeps of two seconds: hot for those that end within six.
        assert_eq!(all(2.0, Some(8.0))[..4], [8.0, 8.0 * (1.0 - 2.0 / 6.0), 0.0, 0.0]);
        assert_eq!(all(1.0, Some(0.0)), [0.0; 12]);
    }

    #[test]
    fn heat_never_rises_after_a_slow_sweep() {
        let config = config("heat = 8.0\nsweeps = 20\ncooling = 8");
        let (mut cooling, budget) = (Cooling::default(), Some(Duration::from_secs(40)));
        let mut heat = |sweep, begins| cooling.heat(&config, sweep, Duration::from_secs(begins), budget);
        assert_eq!([heat(0, 0), heat(1, 18), heat(2, 19), heat(3, 20)], [8.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn heat_never_rises_when_a_run_goes_on() {
        let config = config("heat = 8.0\nsweeps = 20\ncooling = 8");
        let goes_on = |budget| heats(&mut Cooling::after(&[8.0, 2.0]), &config, 1.0, budget, 4);
        assert_eq!(goes_on(None), [2.0; 4]);
        assert_eq!(goes_on(Some(4.0))[..3], [2.0, 2.0 * (1.0 - 1.0 / 3.0), 0.0]);
        assert_eq!(heats(&mut Cooling::after(&[8.0, 0.0]), &config, 1.0, None, 2), [0.0; 2]);
    }

    #[test]
    fn recorded_heats_stand_above_schedule_and_budget() {
        let config = config("heat = 8.0\nsweeps = 20\ncooling = 8\nheats = [3.0, 0.5]");
        assert_eq!(heats(&mut Cooling::default(), &config, 1.0, Some(0.0), 4), [3.0, 0.5, 0.0, 0.0]);
    }
}
