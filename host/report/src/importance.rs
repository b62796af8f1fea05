//! How much each column of a table matters: bars of what accuracy loses without it.

use std::path::Path;

use super::axis::{Axis, TICK_SIZE};
use super::canvas::{BLUE, Canvas, FAINT, GRID, INK, Label, picture};
use super::text::{breadth, tick};
use super::{ReportError, write};

/// Most columns that are drawn: those that matter most.
pub const MOST_BARS: usize = 40;

/// What a column is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// Its name.
    pub name: String,
    /// Points of accuracy that are lost where its values are shuffled: the mean of some shuffles.
    pub loss: f64,
    /// Their standard deviation.
    pub spread: f64,
}

const BAR: f64 = 16.0;
const PITCH: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 40.0;
const PLOT: f64 = 420.0;
const SIZE: f64 = 13.0;
/// Names are cut at this breadth.
const WIDEST_NAME: f64 = 260.0;

/// Draws bars, the first on top, into an SVG file.
///
/// # Errors
/// [`ReportError::Write`].
pub fn importance(path: &Path, columns: &[Importance]) -> Result<(), ReportError> {
    let shown = &columns[..columns.len().min(MOST_BARS)];
    let names: Vec<String> = shown.iter().map(|column| cut(&column.name)).collect();
    let left = 24.0 + names.iter().map(|name| breadth(name, SIZE)).fold(60.0, f64::max);
    let low = shown.iter().map(|column| column.loss - column.spread).fold(0.0, f64::min);
    let high = shown.iter().map(|column| column.loss + column.spread).fold(0.01, f64::max);
    let axis = Axis::linear(100.0 * low, 100.0 * high);
    let height = TOP + PITCH * shown.len().max(1) as f64 + BOTTOM;
    let svg = picture(left + PLOT + 40.0, height, |canvas| {
        canvas.text((16.0, 22.0), "What accuracy loses where a column is shuffled", Label::new(15.0).bold());
        let note = match columns.len() - shown.len() {
            0 => "points of per cent; lines are standard deviations of the shuffles".to_owned(),
            more => format!(
                "points of per cent; the {MOST_BARS} columns that matter most, {more} more do not fit"
            ),
        };
        canvas.text((16.0, 44.0), &note, Label::new(TICK_SIZE).colour(FAINT));
        let place = |points: f64| left + PLOT * axis.share(points);
        grid(canvas, &axis, place, height - BOTTOM);
        for (row, (column, name)) in shown.iter().zip(&names).enumerate() {
            let middle = TOP + PITCH * (row as f64 + 0.5);
            let (zero, end) = (place(0.0), place(100.0 * column.loss));
            canvas.text((left - 10.0, middle), name, Label::new(SIZE).to_the_left());
            canvas.rect((zero.min(end), middle - BAR / 2.0), (zero.max(end), middle + BAR / 2.0), BLUE);
            let ends =
                [column.loss - column.spread, column.loss + column.spread].map(|loss| place(100.0 * loss));
            canvas.line(&[(ends[0], middle), (ends[1], middle)], 1.5, INK);
        }
    });
    write(path, svg.as_bytes())
}

fn grid(canvas: &mut Canvas, axis: &Axis, place: impl Fn(f64) -> f64, bottom: f64) {
    let ticks = axis.ticks(6);
    for mark in &ticks {
        let column = place(mark.value);
        let colour = if mark.value == 0.0 { INK } else { GRID };
        canvas.line(&[(column, TOP), (column, bottom)], 1.0, colour);
        let label = if mark.label.is_empty() { tick(mark.value, 1.0, 100.0) } else { mark.label.clone() };
        canvas.text((column, bottom + 16.0), &label, Label::new(TICK_SIZE).centred());
    }
}

/// A name that fits, with its end left out where it does not.
fn cut(name: &str) -> String {
    if breadth(name, SIZE) <= WIDEST_NAME {
        return name.to_owned();
    }
    let mut short = String::new();
    for letter in name.chars() {
        if breadth(&short, SIZE) > WIDEST_NAME - 2.0 * SIZE {
            break;
        }
        short.push(letter);
    }
    short + "\u{2026}"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::svg_of;

    fn columns(count: usize) -> Vec<Importance> {
        let column = |index: usize| Importance {
            name: format!("column {index}"),
            loss: 0.3 - 0.01 * index as f64,
            spread: 0.005,
        };
        (0..count).map(column).collect()
    }

    #[test]
    fn a_bar_for_each_column_up_to_the_most() {
        for count in [0, 1, 7, MOST_BARS, MOST_BARS + 3] {
            let svg = svg_of(|path| importance(path, &columns(count)));
            assert_eq!(svg.matches(">\ncolumn ").count(), count.min(MOST_BARS), "{svg}");
            assert_eq!(svg.contains("3 more do not fit"), count > MOST_BARS);
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(cut("short"), "short");
        let long = cut(&"x".repeat(200));
        assert!(long.ends_with('\u{2026}') && breadth(&long, SIZE) < WIDEST_NAME + SIZE, "{long}");
    }
}
