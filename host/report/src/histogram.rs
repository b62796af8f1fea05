//! What one changed bit does to the loss: a histogram over single-bit mutants.
//!
//! Changes span many decades, most mutants change nothing, and the few that
//! improve are the ones that matter. So the horizontal axis is logarithmic to
//! both sides of a single bar for "no change", both sides have the same scale
//! and the same bins, and the count is logarithmic too. Bin edges are whole
//! deltas and bins never get narrower away from zero: no comb of bins with one
//! or two possible values in turn appears where the exact loss is coarse.

use std::path::Path;

use plotters::style::RGBColor;

use super::axis::{Axis, Panel};
use super::canvas::{Canvas, FAINT, GREEN, Label, ORANGE, picture};
use super::text::{grouped, log_tick, percent};
use super::{ReportError, write};

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 420.0;
const NEUTRAL: RGBColor = RGBColor(0x8C, 0x8C, 0x8C);
/// Breadth of the bar for "no change", and of the space on each side of it.
const MIDDLE: f64 = 26.0;
const SPACE: f64 = 24.0;
/// A bar of one mutant stands this far above the lower end of the axis.
const LOWEST_COUNT: f64 = 0.6;
/// Breadth of a tick label with its surroundings.
const TICK_ROOM: f64 = 62.0;

/// Counts per bin on both sides of zero.
struct Spectrum {
    /// Ascending sizes of a change; bin `i` holds sizes from `edges[i]` to
    /// below `edges[i + 1]`.
    edges: Vec<u64>,
    improving: Vec<u64>,
    worsening: Vec<u64>,
    neutral: u64,
}

impl Spectrum {
    fn new(deltas: &[i64]) -> Self {
        let sizes = || deltas.iter().map(|delta| delta.unsigned_abs()).filter(|&size| size > 0);
        let edges = match (sizes().min(), sizes().max()) {
            (Some(least), Some(most)) => bin_edges(least, most),
            _ => vec![1, 2],
        };
        let bins = edges.len() - 1;
        let mut built = Self { edges, improving: vec![0; bins], worsening: vec![0; bins], neutral: 0 };
        for &delta in deltas {
            if delta == 0 {
                built.neutral += 1;
                continue;
            }
            let size = delta.unsigned_abs();
            let bin = built.edges.partition_point(|&edge| edge <= size) - 1;
            let side = if delta < 0 { &mut built.improving } else { &mut built.worsening };
            side[bin] += 1;
        }
        built
    }

    fn highest(&self) -> u64 {
        self.improving.iter().chain(&self.worsening).copied().max().unwrap_or(0).max(self.neutral)
    }
}

/// Whole numbers from `least` to above `most` at about equal ratios, at least
/// one apart.
fn bin_edges(least: u64, most: u64) -> Vec<u64> {
    let decades = (most as f64 / least as f64).log10().max(1.0);
    let per_decade = (48.0 / decades).clamp(3.0, 12.0);
    let growth = 10f64.powf(1.0 / per_decade) - 1.0;
    let mut edges = vec![least];
    let mut edge = least;
    while edge <= most {
        edge = edge.saturating_add((edge as f64 * growth).ceil() as u64);
        edges.push(edge);
    }
    edges
}

/// Where a change lies on the horizontal axis.
struct Layout {
    zero: f64,
    pixels_per_decade: f64,
    /// Logarithm of the smallest size shown.
    start: f64,
    /// Decades with bars to the left and to the right; 0 where there are none.
    decades: [f64; 2],
}

impl Layout {
    fn new(spectrum: &Spectrum, panel: &Panel) -> Self {
        let start = (spectrum.edges[0] as f64).log10();
        let reach = |side: &[u64]| {
            let last = side.iter().rposition(|&count| count > 0);
            last.map_or(0.0, |bin| (spectrum.edges[bin + 1] as f64).log10() - start)
        };
        let decades = [reach(&spectrum.improving), reach(&spectrum.worsening)];
        // A side without bars still takes some room: its emptiness says something.
        let shown = decades.map(|decades| decades.max(0.4));
        let room = panel.right - panel.left - MIDDLE - 2.0 * SPACE - 16.0;
        let pixels_per_decade = room / (shown[0] + shown[1]);
        let zero = panel.left + 8.0 + shown[0] * pixels_per_decade + SPACE + MIDDLE / 2.0;
        Self { zero, pixels_per_decade, start, decades }
    }

    /// The pixel column of a change of the given size and sign.
    fn column(&self, log_size: f64, sign: f64) -> f64 {
        self.zero + sign * (MIDDLE / 2.0 + SPACE + (log_size - self.start) * self.pixels_per_decade)
    }

    /// Ticks at powers of ten of the mean loss.
    fn ticks(&self, one: f64) -> Vec<(f64, String)> {
        let shift = one.log10();
        let stride = (TICK_ROOM / self.pixels_per_decade).ceil().max(1.0) as i32;
        let multiples = if stride == 1 { 1..=9 } else { 1..=1 };
        let named: &[i32] = if self.pixels_per_decade > 3.4 * TICK_ROOM { &[1, 2, 5] } else { &[1] };
        let mut ticks = vec![(self.zero, "0".to_owned())];
        for (sign, decades) in [(-1.0, self.decades[0]), (1.0, self.decades[1])] {
            if decades == 0.0 {
                continue;
            }
            let (from, to) = (self.start - 1e-9, self.start + decades + 1e-9);
            for power in (from - shift).floor() as i32..=(to - shift).floor() as i32 {
                for multiple in multiples.clone() {
                    let value = f64::from(multiple) * 10f64.powi(power);
                    let log_size = value.log10() + shift;
                    if (from..=to).contains(&log_size) {
                        let label = named.contains(&multiple) && power.rem_euclid(stride) == 0;
                        let label = if label { log_tick(sign * value) } else { String::new() };
                        ticks.push((self.column(log_size, sign), label));
                    }
                }
            }
        }
        ticks
    }
}

/// Draws how single-bit mutants change the mean loss as an SVG histogram.
///
/// `deltas` are exact changes of the loss, one per mutant; below 0 the mutant is better. The axis
/// shows delta / one: `one` is what stands for a change of the mean loss by 1.0, the
/// number of samples times the loss units of 1.0 (0 counts as 1).
///
/// # Errors
/// [`ReportError::Write`] if the file cannot be written.
pub fn spectrum_histogram(path: &Path, deltas: &[i64], one: u64) -> Result<(), ReportError> {
    let spectrum = Spectrum::new(deltas);
    let panel = Panel { left: 72.0, top: 60.0, right: WIDTH - 24.0, bottom: HEIGHT - 58.0 };
    let svg = picture(WIDTH, HEIGHT, |canvas| {
        draw_legend(canvas, &spectrum, &panel, deltas.len() as u64);
        let axis = Axis::log(LOWEST_COUNT, (spectrum.highest() as f64 * 1.5).max(10.0));
        panel.draw_left(canvas, &axis, "mutants");
        let layout = Layout::new(&spectrum, &panel);
        draw_bars(canvas, &spectrum, &panel, &axis, &layout);
        let ticks = if deltas.is_empty() { Vec::new() } else { layout.ticks(one.max(1) as f64) };
        panel.draw_bottom(canvas, &ticks, "change of the mean loss by flipping one bit");
        if deltas.is_empty() {
            let middle = (panel.across(0.5), panel.up(0.5));
            canvas.text(middle, "no mutants", Label::new(13.0).centred().colour(FAINT));
        }
    });
    write(path, svg.as_bytes())
}

fn draw_legend(canvas: &mut Canvas, spectrum: &Spectrum, panel: &Panel, all: u64) {
    let entry = |colour, name: &str, count: u64| {
        (colour, format!("{name}: {} ({})", grouped(count), percent(count, all)))
    };
    let entries = [
        entry(GREEN, "improving", spectrum.improving.iter().sum()),
        entry(NEUTRAL, "neutral", spectrum.neutral),
        entry(ORANGE, "worsening", spectrum.worsening.iter().sum()),
    ];
    canvas.legend((panel.left, panel.top - 30.0), 12.5, &entries);
}

fn draw_bars(canvas: &mut Canvas, spectrum: &Spectrum, panel: &Panel, axis: &Axis, layout: &Layout) {
    let mut bar = |from: f64, to: f64, count: u64, colour: RGBColor| {
        if count > 0 {
            let top = panel.up(axis.share(count as f64));
            canvas.rect((from.min(to) + 0.25, top), (from.max(to) - 0.25, panel.bottom), colour);
        }
    };
    bar(layout.zero - MIDDLE / 2.0, layout.zero + MIDDLE / 2.0, spectrum.neutral, NEUTRAL);
    for (sign, side, colour) in [(-1.0, &spectrum.improving, GREEN), (1.0, &spectrum.worsening, ORANGE)] {
        for (edges, &count) in spectrum.edges.windows(2).zip(side) {
            let column = |edge: u64| layout.column((edge as f64).log10(), sign);
            bar(column(edges[0]), column(edges[1]), count, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::svg_of;
    use super::*;

    fn draw(deltas: &[i64], samples: u64) -> String {
        svg_of(|path| spectrum_histogram(path, deltas, samples))
    }

    #[test]
    fn empty_equal_and_extreme_deltas_are_drawn() {
        assert!(draw(&[], 10).contains("no mutants"));
        for deltas in [
            &[0][..],
            &[0; 1000],
            &[1],
            &[-1],
            &[5000; 9],
            &[-999_999_937; 3],
            &[i64::MIN, i64::MAX],
            &[i64::MIN, -1, 0, 1, i64::MAX],
            &[i64::MAX; 2],
        ] {
            for samples in [0, 1, 60_000, u64::MAX] {
                draw(deltas, samples);
            }
        }
    }

    #[test]
    fn every_mutant_is_counted_once() {
        let deltas: Vec<i64> = (-5000..20_000).chain([i64::MIN, i64::MAX, 1 << 40]).collect();
        let spectrum = Spectrum::new(&deltas);
        assert_eq!(spectrum.improving.iter().sum::<u64>(), 5001);
        assert_eq!(spectrum.worsening.iter().sum::<u64>(), 20_001);
        assert_eq!(spectrum.neutral, 1);
    }

    #[test]
    fn edges_ascend_and_enclose_every_size() {
        for (least, most) in
            [(1, 1), (1, 1 << 63), (999, 1000), (1000, 1000), (1 << 63, 1 << 63), (7, 123_456)]
        {
            let edges = bin_edges(least, most);
            assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
            assert!(edges[0] <= least && edges[edges.len() - 1] > most && edges.len() < 70);
        }
    }

    #[test]
    fn the_legend_states_counts_and_shares() {
        let svg = draw(&[-3, 0, 0, 9], 1);
        assert!(svg.contains("improving: 1 (25.0 %)") && svg.contains("neutral: 2 (50.0 %)"));
    }
}
