//! Accuracy and loss while a run goes on: two panels side by side.
//!
//! The accuracy axis ends at 100 % and starts just under the tenth percentile
//! of what is drawn, counted by breadth: the first steps of a run are steep and
//! short, the rest is where runs differ. What lies below is cut off at the
//! panel's edge.

use std::path::Path;

use plotters::style::RGBColor;

use super::axis::{Axis, Panel, nice_step};
use super::canvas::{BLUE, Canvas, FAINT, INK, Label, ORANGE, picture};
use super::text::{short_name, tick};
use super::{ReportError, write};

/// One moment of a run. `NaN` stands for "not measured" and leaves a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// How far the run had come: mutants scored, or sweeps.
    pub x: f64,
    /// Share of training samples that were classified correctly, 0 to 1.
    pub train_accuracy: f64,
    /// Share of validation samples that were classified correctly, 0 to 1.
    pub validation_accuracy: f64,
    /// Mean loss over the training samples.
    pub train_loss: f64,
    /// Mean loss over the validation samples.
    pub validation_loss: f64,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 380.0;
/// A span of x beyond this ratio is drawn on a logarithmic axis.
const LOG_X_RATIO: f64 = 100.0;
/// A span of the loss beyond this ratio is drawn on a logarithmic axis.
const LOG_LOSS_RATIO: f64 = 20.0;
/// Values at or beyond this size are left out like `NaN`.
const ABSURD: f64 = 1e100;

type Points = Vec<(f64, f64)>;

/// One panel's data: the two curves, and which end is the good one.
struct Series {
    title: &'static str,
    train: Points,
    validation: Points,
    axis: Axis,
    best_is_high: bool,
}

/// Draws accuracy (left) and loss (right) of a run against `x_label` as SVG.
///
/// The horizontal axis is logarithmic where x spans more than two decades;
/// points with x <= 0 are then left out. Rows should be ordered by x. Values
/// that are not finite are gaps. The best validation value is marked.
///
/// # Errors
/// [`ReportError::Write`] if the file cannot be written.
pub fn curves(path: &Path, x_label: &str, rows: &[CurvePoint]) -> Result<(), ReportError> {
    let column =
        |value: fn(&CurvePoint) -> f64| rows.iter().map(|row| (row.x, value(row))).collect::<Points>();
    let x_axis = x_axis(rows);
    let accuracy = Series::accuracy(
        &x_axis,
        column(|row| 100.0 * row.train_accuracy),
        column(|row| 100.0 * row.validation_accuracy),
    );
    let loss = Series::loss(column(|row| row.train_loss), column(|row| row.validation_loss));
    let svg = picture(WIDTH, HEIGHT, |canvas| {
        for (series, left) in [(&accuracy, 72.0), (&loss, 72.0 + WIDTH / 2.0)] {
            let panel = Panel { left, top: 52.0, right: left + WIDTH / 2.0 - 92.0, bottom: HEIGHT - 56.0 };
            series.draw(canvas, &panel, &x_axis, &short_name(x_label, 50));
        }
    });
    write(path, svg.as_bytes())
}

fn measured(value: f64) -> bool {
    value.abs() < ABSURD
}

fn x_axis(rows: &[CurvePoint]) -> Axis {
    let places = || rows.iter().map(|row| row.x).filter(|&x| measured(x));
    let high = places().fold(f64::NEG_INFINITY, f64::max);
    let low = places().fold(f64::INFINITY, f64::min);
    let least_positive = places().filter(|&x| x > 0.0).fold(f64::INFINITY, f64::min);
    if low > high {
        Axis::linear(0.0, 1.0)
    } else if low >= 0.0 && high / least_positive > LOG_X_RATIO {
        Axis::log(least_positive, high)
    } else if low > 0.0 && low < 0.25 * high {
        Axis::linear(0.0, high)
    } else {
        Axis::linear(low, high)
    }
}

/// The measured values of both curves, in ascending order.
fn sorted(train: &[(f64, f64)], validation: &[(f64, f64)]) -> Vec<f64> {
    let mut values: Vec<f64> =
        train.iter().chain(validation).map(|&(_, y)| y).filter(|&y| measured(y)).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The last measured point in each hundredth of the axis: points are counted
/// by the breadth they take, which matters on a logarithmic axis.
fn spread(x_axis: &Axis, points: &[(f64, f64)]) -> Points {
    let column = |point: &(f64, f64)| (x_axis.share(point.0) * 100.0).floor();
    let seen = |point: &(f64, f64)| measured(point.0) && measured(point.1) && column(point).is_finite();
    let seen: Points = points.iter().copied().filter(seen).collect();
    seen.chunk_by(|a, b| column(a) == column(b)).filter_map(|group| group.last().copied()).collect()
}

impl Series {
    fn accuracy(x_axis: &Axis, train: Points, validation: Points) -> Self {
        let values = sorted(&spread(x_axis, &train), &spread(x_axis, &validation));
        let tenth = values.get(values.len() / 10).map_or(0.0, |value| value.clamp(0.0, 100.0));
        let margin = ((100.0 - tenth) * 0.08).max(0.2);
        let step = nice_step((100.0 - tenth + margin) / 8.0);
        let low = (((tenth - margin) / step).floor() * step).max(0.0);
        let axis = Axis::linear(low, 100.0);
        Self { title: "accuracy (%)", train, validation, axis, best_is_high: true }
    }

    fn loss(train: Points, validation: Points) -> Self {
        let values = sorted(&train, &validation);
        let (low, high) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(1.0));
        let axis = if low > 0.0 && high / low > LOG_LOSS_RATIO {
            Axis::log(low / 1.15, high * 1.15)
        } else {
            let margin = (high - low) * 0.05;
            let floor = if low >= 0.0 { (low - margin).max(0.0) } else { low - margin };
            Axis::linear(floor, high + margin)
        };
        Self { title: "mean loss", train, validation, axis, best_is_high: false }
    }

    fn draw(&self, canvas: &mut Canvas, panel: &Panel, x_axis: &Axis, x_label: &str) {
        panel.draw_left(canvas, &self.axis, self.title);
        let ticks: Vec<_> = x_axis
            .ticks(6)
            .into_iter()
            .map(|tick| (panel.across(x_axis.share(tick.value)), tick.label))
            .collect();
        panel.draw_bottom(canvas, &ticks, x_label);
        let place = |&(x, y): &(f64, f64)| {
            let point = (x_axis.share(x), self.axis.share(y));
            let seen = measured(x) && measured(y) && point.0.is_finite() && point.1.is_finite();
            seen.then(|| (panel.across(point.0), panel.up(point.1)))
        };
        for (points, colour) in [(&self.train, BLUE), (&self.validation, ORANGE)] {
            for piece in points.iter().map(place).collect::<Vec<_>>().split(Option::is_none) {
                let piece: Points = piece.iter().copied().flatten().collect();
                draw_piece(canvas, panel, &piece, colour);
            }
        }
        let best = self.best();
        if let Some(point) = best.as_ref().and_then(place).filter(|point| point.1 <= panel.bottom) {
            canvas.disc(point, 4.5, RGBColor(255, 255, 255));
            canvas.disc(point, 3.25, ORANGE);
        }
        if sorted(&self.train, &self.validation).is_empty() {
            let middle = (panel.across(0.5), panel.up(0.5));
            canvas.text(middle, "nothing measured", Label::new(13.0).centred().colour(FAINT));
        }
        self.draw_legend(canvas, panel, best.map(|(_, y)| y));
    }

    /// The first validation point with the best value.
    fn best(&self) -> Option<(f64, f64)> {
        let seen = self.validation.iter().copied().filter(|&(x, y)| measured(x) && measured(y));
        let better = |new: f64, old: f64| if self.best_is_high { new > old } else { new < old };
        seen.reduce(|old, new| if better(new.1, old.1) { new } else { old })
    }

    /// The legend stands above the panel, where no data can be.
    fn draw_legend(&self, canvas: &mut Canvas, panel: &Panel, best: Option<f64>) {
        let y = panel.top - 26.0;
        for (x, colour, name) in [(0.0, BLUE, "training"), (92.0, ORANGE, "validation")] {
            let x = panel.left + x;
            canvas.line(&[(x, y), (x + 20.0, y)], 2.25, colour);
            canvas.text((x + 26.0, y), name, Label::new(12.5));
        }
        let Some(best) = best else { return };
        let written = if self.best_is_high {
            format!("{best:.2} %")
        } else {
            tick(best, best.abs() / 999.0, best.abs())
        };
        canvas.disc((panel.left + 214.0, y), 3.25, ORANGE);
        canvas.text((panel.left + 223.0, y), &format!("best {written}"), Label::new(12.5).colour(INK));
    }
}

/// Draws a piece of curve without gaps, cut off at the panel's upper and lower
/// edge; a piece of one point is drawn as a dot.
fn draw_piece(canvas: &mut Canvas, panel: &Panel, piece: &[(f64, f64)], colour: RGBColor) {
    if let [point] = piece {
        if (panel.top..=panel.bottom).contains(&point.1) {
            canvas.disc(*point, 2.0, colour);
        }
        return;
    }
    let mut run: Points = Vec::new();
    for pair in thinned(piece).windows(2) {
        let cut = cut_segment(pair[0], pair[1], panel.top, panel.bottom);
        let joins = cut.is_some_and(|(from, _)| run.last() == Some(&from));
        if !joins && !run.is_empty() {
            canvas.line(&run, 1.75, colour);
            run.clear();
        }
        if let Some((from, to)) = cut {
            run.extend(if joins { vec![to] } else { vec![from, to] });
        }
    }
    if !run.is_empty() {
        canvas.line(&run, 1.75, colour);
    }
}

/// The part of a segment with y between `top` and `bottom`.
fn cut_segment(from: (f64, f64), to: (f64, f64), top: f64, bottom: f64) -> Option<((f64, f64), (f64, f64))> {
    if from.1.max(to.1) < top || from.1.min(to.1) > bottom {
        return None;
    }
    let at_edge = |point: (f64, f64)| {
        let y = point.1.clamp(top, bottom);
        if y == point.1 { point } else { (from.0 + (to.0 - from.0) * (y - from.1) / (to.1 - from.1), y) }
    };
    Some((at_edge(from), at_edge(to)))
}

/// Keeps the first, lowest, highest and last of the points in each half pixel
/// column, so that a long run does not make a large file.
fn thinned(points: &[(f64, f64)]) -> Points {
    let column = |point: &(f64, f64)| (point.0 * 2.0).floor();
    let mut out = Points::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |&a: &usize, &b: &usize| group[a].1.total_cmp(&group[b].1);
        let lowest = (0..group.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..group.len()).max_by(by_height).unwrap_or(0);
        let mut kept = [0, lowest, highest, group.len() - 1];
        kept.sort_unstable();
        let mut last = None;
        for index in kept {
            if last.replace(index) != Some(index) {
                out.push(group[index]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::svg_of;
    use super::*;

    fn row(x: f64, value: f64) -> CurvePoint {
        let (accuracy, loss) = (value, 1.0 - value);
        CurvePoint {
            x,
            train_accuracy: accuracy,
            validation_accuracy: accuracy,
            train_loss: loss,
            validation_loss: loss,
        }
    }

    fn draw(rows: &[CurvePoint]) -> String {
        svg_of(|path| curves(path, "mutants scored", rows))
    }

    #[test]
    fn empty_and_tiny_runs_are_drawn() {
        assert!(draw(&[]).contains("nothing measured"));
        draw(&[row(0.0, 0.5)]);
        draw(&[row(5.0, 0.5), row(5.0, 0.5)]);
        draw(&[row(0.0, 1.0), row(1.0, 1.0)]);
    }

    #[test]
    fn gaps_split_a_curve() {
        let mut rows: Vec<_> = (0..10).map(|i| row(f64::from(i), f64::from(i) / 10.0)).collect();
        let whole = draw(&rows).matches("polyline").count();
        rows[7].validation_accuracy = f64::NAN;
        assert_eq!(draw(&rows).matches("polyline").count(), whole + 1);
        for row in &mut rows {
            row.x = f64::NAN;
        }
        draw(&rows);
    }

    #[test]
    fn extreme_values_are_drawn() {
        let odd = [f64::MAX, f64::MIN, f64::INFINITY, f64::MIN_POSITIVE, -0.0, -5.0, 1e99, 1e-99];
        for x in odd {
            for y in odd {
                draw(&[row(1.0, 0.5), row(x, y), row(1e6, 0.9)]);
            }
        }
    }

    #[test]
    fn long_runs_stay_small() {
        let rows: Vec<_> =
            (0..100_000).map(|i| row(f64::from(i), f64::from(i * 7919 % 1000) / 1000.0)).collect();
        assert!(draw(&rows).len() < 400_000);
    }

    #[test]
    fn the_accuracy_axis_is_zoomed() {
        let points: Points = (0..100).map(|i| (f64::from(i), if i < 5 { 20.0 } else { 95.0 })).collect();
        let series = Series::accuracy(&Axis::linear(0.0, 99.0), points.clone(), points);
        assert!(series.axis.share(95.0) > 0.0 && series.axis.share(20.0) < -1.0);
        assert!((series.axis.share(100.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn segments_are_cut_at_the_edges() {
        assert_eq!(cut_segment((0.0, -10.0), (2.0, 10.0), 0.0, 5.0), Some(((1.0, 0.0), (1.5, 5.0))));
        assert_eq!(cut_segment((0.0, 6.0), (2.0, 10.0), 0.0, 5.0), None);
    }
}
