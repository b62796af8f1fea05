//! Lines over a common horizontal axis, in one panel or several side by side.

use std::path::Path;

use plotters::style::RGBColor;

use super::axis::{Axis, Panel};
use super::canvas::{BLUE, GREEN, INK, ORANGE, legend_breadth, picture};
use super::text::short_name;
use super::{ReportError, write};

/// One line of a panel; points that are not finite are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What it is, for the legend; lines of one name share a colour and an entry. Empty for none.
    pub name: String,
    /// Points, ordered by x.
    pub points: Vec<(f64, f64)>,
}

/// Lines that share an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What the vertical axis shows, with its unit.
    pub title: String,
    /// The lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 380.0;
/// Names in a legend at most: more would not be told apart.
pub const MOST_NAMES: usize = COLOURS.len();
/// Size of the legend's letters, and how far its rows are apart.
const LETTERS: f64 = 12.0;
const ROW: f64 = 18.0;
const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
const SKY: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
const AMBER: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
const GREY: RGBColor = RGBColor(0x99, 0x99, 0x99);
/// Colours of the first names; they come again after these.
const COLOURS: [RGBColor; 8] = [BLUE, ORANGE, GREEN, PURPLE, SKY, INK, AMBER, GREY];

/// Draws panels of lines against `x_label` as SVG.
///
/// # Errors
/// [`ReportError::Write`] if the file cannot be written.
pub fn lines(path: &Path, x_label: &str, charts: &[Chart]) -> Result<(), ReportError> {
    let all = || charts.iter().flat_map(|chart| &chart.lines);
    let x_axis = axis(all().flat_map(|line| line.points.iter().map(|&(x, _)| x)));
    // A name has one colour in all panels.
    let mut names: Vec<&str> = vec![];
    for line in all() {
        if !names.contains(&line.name.as_str()) {
            names.push(&line.name);
        }
    }
    let colour = |name: &str| {
        let index = names.iter().position(|other| *other == name).unwrap_or(0);
        COLOURS[index % COLOURS.len()]
    };
    let width = WIDTH * charts.len().max(1) as f64;
    let named = names.iter().filter(|name| !name.is_empty());
    let entries: Vec<Entry> = named.map(|name| (colour(name), short_name(name, 40))).collect();
    let legend = if entries.len() <= MOST_NAMES { rows(&entries, width - 72.0) } else { vec![] };
    let top = 26.0 + ROW * legend.len().max(1) as f64;
    let height = HEIGHT + top - 44.0;
    let svg = picture(width, height, |canvas| {
        for (number, row) in legend.iter().enumerate() {
            canvas.legend((72.0, 22.0 + ROW * number as f64), LETTERS, row);
        }
        for (number, chart) in charts.iter().enumerate() {
            let left = 72.0 + WIDTH * number as f64;
            let panel = Panel { left, top, right: left + WIDTH - 92.0, bottom: height - 56.0 };
            let y_axis = axis(chart.lines.iter().flat_map(|line| line.points.iter().map(|&(_, y)| y)));
            panel.draw_left(canvas, &y_axis, &short_name(&chart.title, 44));
            let ticks: Vec<(f64, String)> = x_axis
                .ticks(6)
                .into_iter()
                .map(|tick| (panel.across(x_axis.share(tick.value)), tick.label))
                .collect();
            panel.draw_bottom(canvas, &ticks, &short_name(x_label, 50));
            for line in &chart.lines {
                let points: Vec<(f64, f64)> = line
                    .points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                    .map(|&(x, y)| (panel.across(x_axis.share(x)), panel.up(y_axis.share(y))))
                    .collect();
                match points[..] {
                    [] => {}
                    [only] => canvas.disc(only, 2.5, colour(&line.name)),
                    _ => canvas.line(&points, 1.25, colour(&line.name)),
                }
            }
        }
    });
    write(path, svg.as_bytes())
}

/// A colour and what it stands for.
type Entry = (RGBColor, String);

/// The entries of a legend in rows of at most this width; an entry that is wider has a row of its own.
fn rows(entries: &[Entry], width: f64) -> Vec<Vec<Entry>> {
    let (mut rows, mut used): (Vec<Vec<Entry>>, f64) = (vec![], f64::INFINITY);
    for entry in entries {
        let breadth = legend_breadth(&entry.1, LETTERS);
        if used + breadth > width {
            rows.push(vec![]);
            used = 0.0;
        }
        used += breadth;
        rows.last_mut().into_iter().for_each(|row| row.push(entry.clone()));
    }
    rows
}

/// The axis of these values, from 0 to 1 where there are none.
fn axis(values: impl Iterator<Item = f64>) -> Axis {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high { Axis::linear(0.0, 1.0) } else { Axis::linear(low, high) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::svg_of;
    use super::*;

    #[test]
    fn lines_of_a_name_share_a_colour_and_an_entry() {
        let line = |name: &str, top: f64| Line {
            name: name.into(),
            points: vec![(0.0, 0.0), (1.0, f64::NAN), (2.0, top)],
        };
        let chart = Chart {
            title: "height in m".into(),
            lines: vec![line("one", 1.0), line("two", 2.0), line("one", 3.0)],
        };
        let svg = svg_of(|path| lines(path, "steps", &[chart.clone(), chart.clone()]));
        assert_eq!(svg.matches(">\none").count() + svg.matches(">one").count(), 1, "{svg}");
        assert!(svg.matches("#0072B2").count() >= 4, "two lines of `one` in two panels");
    }

    #[test]
    fn a_legend_takes_as_many_rows_as_it_needs() {
        let entries: Vec<Entry> = ["short", "short", "a name that takes more than half of it", "x"]
            .map(|name| (BLUE, name.to_owned()))
            .to_vec();
        let counts = |width| rows(&entries, width).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((counts(1e9), counts(400.0), counts(1.0)), (vec![4], vec![2, 2], vec![1; 4]));
        assert!(rows(&[], 100.0).is_empty());
    }

    #[test]
    fn nothing_is_an_empty_figure() {
        svg_of(|path| lines(path, "steps", &[]));
        svg_of(|path| lines(path, "steps", &[Chart::default()]));
    }
}
