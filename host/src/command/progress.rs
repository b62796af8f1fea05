//! Progress bars that follow a search.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::table::percent;
use super::tell;
use evobit_report::Events;
use evobit_search::Watch;
use evobit_sweeps::Metric;
use evobit_train::Row;

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

impl Watch<Row> for Progress {
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

    fn note(&mut self, line: &str) {
        self.bar.suspend(|| tell(line));
    }
}

/// Shows a search of generations on standard error, if that is a terminal.
pub(super) struct Generations<Message> {
    bar: ProgressBar,
    message: Message,
    told: bool,
}

impl<Message> Generations<Message> {
    /// A bar over as many generations; `message` says what to show of a row.
    pub(super) fn new(most: u32, message: Message) -> Self {
        let bar = ProgressBar::new(most.into());
        let style = "{elapsed_precise} {bar:30.cyan} {pos} of {len} generations  {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, message, told: false }
    }
}

impl<Message> Drop for Generations<Message> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl<Row, Message: Fn(&Row) -> String> Watch<Row> for Generations<Message> {
    fn step(&mut self, step: u64, _: u64) {
        self.bar.set_position(step);
    }

    fn row(&mut self, row: &Row) {
        self.bar.set_message((self.message)(row));
    }

    fn unsaved(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.told, true) {
            self.bar.suspend(|| {
                tell(&format!("warning: no checkpoint was written, the search goes on: {reason}"));
            });
        }
    }
}
