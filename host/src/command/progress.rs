//! Progress bars that follow a search; where there is no terminal, a line now and then.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::table::percent;
use super::tell;
use evobit_report::Events;
use evobit_search::{RunFolder, Watch};
use evobit_sweeps::Metric;
use evobit_train::Row;

/// How often a line tells what a bar would show.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// Tells, where no bar is seen, how far a search is.
struct Lines {
    last: Instant,
}

impl Lines {
    fn new() -> Self {
        Self { last: Instant::now() }
    }

    /// Says it if it is time to.
    fn step(&mut self, bar: &ProgressBar, message: &str) {
        if !bar.is_hidden() || self.last.elapsed() < BETWEEN_LINES {
            return;
        }
        self.last = Instant::now();
        let (place, all) = (HumanCount(bar.position()), HumanCount(bar.length().unwrap_or(0)));
        let passed = HumanDuration(bar.elapsed());
        tell(&format!("{passed}: {place} of at most {all} steps  {message}"));
    }
}

/// How often the rows so far are written, where nobody waits for the end.
const BETWEEN_METRICS: Duration = Duration::from_secs(5);

/// Rows that are written while a run goes on.
struct Metrics<'a> {
    folder: &'a RunFolder,
    rows: Vec<Row>,
    last: Instant,
}

/// Shows a search on standard error.
pub(super) struct Progress<'a> {
    bar: ProgressBar,
    lines: Lines,
    metrics: Option<Metrics<'a>>,
    message: String,
    /// Mutants that an earlier run scored; this one's speed is its own.
    before: Option<u64>,
    told: bool,
    /// Where rows go as well, as long as they can be written.
    events: Option<Events>,
}

impl<'a> Progress<'a> {
    /// A bar over the `steps` steps that a search may take at most.
    pub(super) fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let style = "{elapsed_precise} {bar:30.cyan} {percent:>3} %  at most {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self {
            bar,
            lines: Lines::new(),
            metrics: None,
            message: String::new(),
            before: None,
            told: false,
            events: None,
        }
    }

    /// Writes rows to an event file as well.
    pub(super) fn with_events(self, events: Option<Events>) -> Self {
        Self { events, ..self }
    }

    /// Writes rows into a run folder as well, behind those of `before`.
    pub(super) fn with_metrics(self, folder: &'a RunFolder, before: &[Row]) -> Self {
        Self { metrics: Some(Metrics { folder, rows: before.to_vec(), last: Instant::now() }), ..self }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch<Row> for Progress<'_> {
    fn step(&mut self, step: u64, mutants: u64) {
        let before = *self.before.get_or_insert(mutants);
        if step.is_multiple_of(16) {
            self.bar.set_position(step);
            let rate = (mutants - before) as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
            let message = format!("{} mutants/s  {}", HumanCount(rate as u64), self.message);
            self.lines.step(&self.bar, &message);
            self.bar.set_message(message);
        }
    }

    fn row(&mut self, row: &Row) {
        self.message = format!("training {}", percent(row.train_accuracy));
        if row.validation_accuracy.is_finite() {
            self.message += &format!("  validation {}", percent(row.validation_accuracy));
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.rows.push(*row);
            if metrics.last.elapsed() >= BETWEEN_METRICS {
                metrics.last = Instant::now();
                // At its end the run writes them again, and says where that fails.
                let _ = metrics.folder.write_metrics(&metrics.rows);
            }
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

/// Shows a search of generations on standard error.
pub(super) struct Generations<Message> {
    bar: ProgressBar,
    lines: Lines,
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
        Self { bar, lines: Lines::new(), message, told: false }
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
        let message = (self.message)(row);
        self.lines.step(&self.bar, &message);
        self.bar.set_message(message);
    }

    fn unsaved(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.told, true) {
            self.bar.suspend(|| {
                tell(&format!("warning: no checkpoint was written, the search goes on: {reason}"));
            });
        }
    }
}
