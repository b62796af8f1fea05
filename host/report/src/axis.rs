//! Axes: a scale, its ticks, and the frame of a panel.

use super::canvas::{Canvas, FAINT, GRID, INK, Label};
use super::text::{exponent, log_tick, tick};

/// Size of tick labels in pixels.
pub(super) const TICK_SIZE: f64 = 11.5;
/// Size of axis titles in pixels.
pub(super) const TITLE_SIZE: f64 = 13.0;

/// A scale from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

/// A mark on an axis; a minor one has an empty label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

impl Axis {
    /// A linear axis; an empty range is widened.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let widen =
            if high - low > 1e-9 * high.abs().max(low.abs()) { 0.0 } else { (high.abs() * 0.05).max(1e-6) };
        Self { low: low - widen, high: high + widen, log: false }
    }

    /// A logarithmic axis from a positive `low`.
    pub(super) fn log(low: f64, high: f64) -> Self {
        Self { low, high: high.max(low * 1.5), log: true }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// About `wanted` labelled ticks.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        if !self.log {
            return self.linear_ticks(wanted);
        }
        let decades = (self.high / self.low).log10();
        if decades < 0.7 { self.linear_ticks(wanted) } else { self.log_ticks(wanted, decades) }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<Tick> {
        let step = nice_step((self.high - self.low) / wanted.max(1) as f64);
        let first = (self.low / step - 1e-6).ceil();
        let last = (self.high / step + 1e-6).floor();
        let largest = self.high.abs().max(self.low.abs());
        let count = (last - first).clamp(0.0, 50.0) as usize;
        let value_of = |index: usize| (first + index as f64) * step;
        (0..=count)
            .map(|index| Tick { value: value_of(index), label: tick(value_of(index), step, largest) })
            .collect()
    }

    fn log_ticks(&self, wanted: usize, decades: f64) -> Vec<Tick> {
        let stride = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
        let multiples: &[u8] = if stride > 1 { &[1] } else { &[1, 2, 3, 4, 5, 6, 7, 8, 9] };
        let named: &[u8] = if decades < 3.0 { &[1, 2, 5] } else { &[1] };
        let inside = |value: f64| (-1e-9..=1.0 + 1e-9).contains(&self.share(value));
        let mut ticks = Vec::new();
        for power in exponent(self.low)..=exponent(self.high) {
            for &multiple in multiples {
                let value = f64::from(multiple) * 10f64.powi(power);
                let label = if named.contains(&multiple) && power.rem_euclid(stride) == 0 {
                    log_tick(value)
                } else {
                    String::new()
                };
                if inside(value) {
                    ticks.push(Tick { value, label });
                }
            }
        }
        ticks
    }
}

/// The smallest of 1, 2 or 5 times a power of ten that is not below `raw`.
pub(super) fn nice_step(raw: f64) -> f64 {
    let unit = 10f64.powi(exponent(raw));
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|multiple| multiple * unit)
        .find(|&step| step >= raw * 0.999)
        .unwrap_or(10.0 * unit)
}

/// The rectangle in which data are drawn, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Panel {
    /// The pixel column at `share` of the breadth.
    pub(super) fn across(&self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    /// The pixel row at `share` of the height, from the bottom.
    pub(super) fn up(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }

    /// Draws the left axis with its grid lines and title.
    pub(super) fn draw_left(&self, canvas: &mut Canvas, axis: &Axis, title: &str) {
        for tick in axis.ticks(6) {
            let y = self.up(axis.share(tick.value));
            if tick.label.is_empty() {
                canvas.line(&[(self.left - 3.0, y), (self.left, y)], 0.75, FAINT);
                continue;
            }
            canvas.line(&[(self.left, y), (self.right, y)], 0.75, GRID);
            canvas.line(&[(self.left - 5.0, y), (self.left, y)], 1.0, INK);
            canvas.text((self.left - 8.0, y), &tick.label, Label::new(TICK_SIZE).to_the_left());
        }
        canvas.line(&[(self.left, self.top), (self.left, self.bottom)], 1.0, INK);
        let middle = (self.left - 54.0, (self.top + self.bottom) / 2.0);
        canvas.text(middle, title, Label::new(TITLE_SIZE).centred().turned());
    }

    /// Draws the bottom axis with ticks at pixel columns, and its title.
    pub(super) fn draw_bottom(&self, canvas: &mut Canvas, ticks: &[(f64, String)], title: &str) {
        for (x, label) in ticks {
            let major = !label.is_empty();
            let (reach, width, ink) = if major { (5.0, 1.0, INK) } else { (3.0, 0.75, FAINT) };
            canvas.line(&[(*x, self.bottom), (*x, self.bottom + reach)], width, ink);
            if major {
                canvas.text((*x, self.bottom + 15.0), label, Label::new(TICK_SIZE).centred());
            }
        }
        canvas.line(&[(self.left - 0.5, self.bottom), (self.right, self.bottom)], 1.0, INK);
        let middle = ((self.left + self.right) / 2.0, self.bottom + 37.0);
        canvas.text(middle, title, Label::new(TITLE_SIZE).centred());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis, wanted: usize) -> Vec<String> {
        axis.ticks(wanted).into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(Axis::linear(90.0, 100.0), 5), ["90", "92", "94", "96", "98", "100"]);
        assert_eq!(labels(Axis::linear(0.0, 3e6), 3), ["0", "1M", "2M", "3M"]);
        assert_eq!(labels(Axis::log(1.0, 1e4), 6), ["1", "10", "100", "1k", "10k"]);
        assert_eq!(labels(Axis::log(1.0, 10.0), 6), ["1", "2", "5", "10"]);
    }

    #[test]
    fn every_range_has_at_least_two_ticks_and_not_too_many() {
        for low in [-1e99, -1.0, 0.0, 1e-30, 0.3, 1e9] {
            for span in [0.0, 1e-12, 1e-3, 1.0, 1e20, 1e99] {
                let count = labels(Axis::linear(low, low + span), 5).len();
                assert!((2..=12).contains(&count), "{low} + {span}: {count}");
            }
        }
        for high in [1.0, 3.0, 30.0, 1e6, 1e19, 1e90] {
            let count = labels(Axis::log(0.7, high), 6).len();
            assert!((2..=12).contains(&count), "{high}: {count}");
        }
    }
}
