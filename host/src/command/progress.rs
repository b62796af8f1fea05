//! A progress bar that follows a search, and Ctrl-C.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::table::percent;
use super::tell;
use evobit_report::Events;
use evobit_sweeps::Metric;
use evobit_train::{Row, Watch};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C asks the search to stop, the second ends the program.
pub(super) fn catch_interrupts() {
    // A handler that is there already is this one.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// Did somebody press Ctrl-C?
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Shows a search on standard error, if that is a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    message: String,
    /// Mutants that an earlier run scored; this one's speed is its own.
    before: Option<u64>,
    told: bool,
    /// Where rows go as well, as long as they can be written.
    events: Option<Events>,
}

impl Progress {
    /// A bar over the `steps` steps that a search may take at most.
    pub(super) fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let style = "{elapsed_precise} {bar:30.cyan} {percent:>3} %  at most {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, message: String::new(), before: None, told: false, events: None }
    }

    /// Writes rows to an event file as well.
    pub(super) fn with_events(self, events: Option<Events>) -> Self {
        Self { events, ..self }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn step(&mut self, step: u64, mutants: u64) {
        let before = *self.before.get_or_insert(mutants);
        if step.is_multiple_of(16) {
            self.bar.set_position(step);
            let rate = (mutants - before) as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
            self.bar.set_message(format!("{} mutants/s  {}", HumanCount(rate as u64), self.message));
        }
    }

    fn row(&mut self, row: &Row) {
        self.message = format!("training {}", percent(row.train_accuracy));
        if row.validation_accuracy.is_finite() {
            self.message += &format!("  validation {}", percent(row.validation_accuracy));
        }
        let written = self.events.as_mut().map_or(Ok(()), |events| Metric::from(row).write(events));
        if let Err(error) = written {
            self.events = None;
            self.bar.suspend(|| {
                tell(&format!("warning: nothing more for TensorBoard, training goes on: {error}"));
            });
        }
    }

    fn unsaved(&mut self, reason: &str) {
        // Once: the next attempt may succeed, and if not, nothing new is to be said.
        if !std::mem::replace(&mut self.told, true) {
            self.bar
                .suspend(|| tell(&format!("warning: no checkpoint was written, training goes on: {reason}")));
        }
    }

    fn islands(&mut self, epochs: &[u32]) {
        let mut at: BTreeMap<u32, u32> = BTreeMap::new();
        epochs.iter().for_each(|&epoch| *at.entry(epoch).or_default() += 1);
        let at: Vec<String> = at.iter().map(|(epoch, islands)| format!("{epoch} ({islands})")).collect();
        self.bar.suspend(|| tell(&format!("goes on from epoch (islands): {}", at.join(", "))));
    }

    fn interrupted(&self) -> bool {
        interrupted()
    }
}
