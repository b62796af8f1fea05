//! Which class is taken for which: a heat map of the confusion matrix.
//!
//! Rows are the truth and sum to 100 %. A good classifier's errors are rare,
//! so they get a hue of their own, a square-root scale, and a scale that ends
//! at the largest error: a single mistake still shows against white.

use std::path::Path;

use plotters::style::RGBColor;

use super::canvas::{Canvas, FAINT, GRID, INK, Label, picture};
use super::text::{breadth, grouped, percent, short_count, short_name};
use super::{ReportError, write};

/// Edge of the matrix in pixels.
const SIDE: f64 = 560.0;
const TOP: f64 = 64.0;
/// Up to this many classes, counts stand in the cells.
const COUNTS_UP_TO: usize = 20;
/// Longest class name in characters.
const NAME_ROOM: usize = 14;
/// Column for scales and the list of frequent errors.
const ASIDE: f64 = 250.0;
const LISTED_ERRORS: usize = 8;
const DARK_BLUE: RGBColor = RGBColor(0x08, 0x4A, 0x84);
const DARK_RED: RGBColor = RGBColor(0xA8, 0x2A, 0x04);

/// A square view of the caller's matrix with what the figure needs of it.
struct Matrix {
    counts: Vec<Vec<u32>>,
    names: Vec<String>,
    row_sums: Vec<u64>,
    /// End of the error scale: a share of a row.
    worst: f64,
}

impl Matrix {
    fn new(matrix: &[Vec<u32>], classes: &[String]) -> Self {
        let size = matrix.iter().map(Vec::len).max().unwrap_or(0).max(matrix.len()).max(classes.len());
        let mut counts = vec![vec![0; size]; size];
        for (square, given) in counts.iter_mut().zip(matrix) {
            square[..given.len()].copy_from_slice(given);
        }
        let name =
            |index: usize| classes.get(index).map_or(index.to_string(), |name| short_name(name, NAME_ROOM));
        let row_sums: Vec<u64> =
            counts.iter().map(|row| row.iter().map(|&count| u64::from(count)).sum()).collect();
        let mut built = Self { counts, names: (0..size).map(name).collect(), row_sums, worst: 1.0 };
        let worst = built.errors().map(|(truth, taken, _)| built.share(truth, taken)).fold(0.0, f64::max);
        let ends = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
        built.worst = ends.into_iter().find(|&end| worst <= end).unwrap_or(1.0);
        built
    }

    fn size(&self) -> usize {
        self.counts.len()
    }

    /// Share of the true class `truth` that was taken for `taken`.
    fn share(&self, truth: usize, taken: usize) -> f64 {
        f64::from(self.counts[truth][taken]) / self.row_sums[truth].max(1) as f64
    }

    /// The non-zero cells off the diagonal: truth, prediction, count.
    fn errors(&self) -> impl Iterator<Item = (usize, usize, u32)> {
        let cells = self
            .counts
            .iter()
            .enumerate()
            .flat_map(|(r, row)| row.iter().enumerate().map(move |(c, &n)| (r, c, n)));
        cells.filter(|&(truth, taken, count)| truth != taken && count > 0)
    }

    fn colour(&self, truth: usize, taken: usize) -> RGBColor {
        let share = self.share(truth, taken);
        if truth == taken { right_colour(share) } else { wrong_colour(share / self.worst) }
    }
}

/// White at 0, dark blue at 1.
fn right_colour(share: f64) -> RGBColor {
    blend(RGBColor(0xF2, 0xF7, 0xFC), RGBColor(0x5B, 0xA3, 0xD6), DARK_BLUE, share)
}

/// Pale orange just above 0, dark red at 1, on a square-root scale.
fn wrong_colour(share: f64) -> RGBColor {
    blend(RGBColor(0xFE, 0xF1, 0xE4), RGBColor(0xF2, 0x8E, 0x3C), DARK_RED, share.sqrt())
}

/// From `low` over `middle` to `high` as `share` goes from 0 to 1.
fn blend(low: RGBColor, middle: RGBColor, high: RGBColor, share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0) * 2.0;
    let (from, to, part) = if share <= 1.0 { (low, middle, share) } else { (middle, high, share - 1.0) };
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// True where white text reads better than dark text.
fn is_dark(colour: RGBColor) -> bool {
    f64::from(colour.0) * 0.30 + f64::from(colour.1) * 0.59 + f64::from(colour.2) * 0.11 < 140.0
}

/// Draws a confusion matrix as SVG: `matrix[truth][prediction]` in samples.
///
/// Colours show shares of a row. Counts stand in the cells for up to 20
/// classes; beyond about 50 not every class is named. Missing names become
/// numbers, missing cells zero. The file has an entry per non-zero cell: at
/// most about 7 MB at 256 classes.
///
/// # Errors
/// [`ReportError::Write`] if the file cannot be written.
pub fn confusion(path: &Path, matrix: &[Vec<u32>], classes: &[String]) -> Result<(), ReportError> {
    let matrix = Matrix::new(matrix, classes);
    let size = label_size(&matrix);
    let longest = matrix.names.iter().map(|name| breadth(name, size)).fold(10.0, f64::max);
    let left = 44.0 + longest;
    let turned = matrix.size() > 0 && longest > 0.9 * SIDE / matrix.size() as f64;
    let bottom = if turned { longest } else { size } + 46.0;
    let svg = picture(left + SIDE + ASIDE, TOP + SIDE + bottom, |canvas| {
        draw_title(canvas, &matrix, left);
        draw_cells(canvas, &matrix, left);
        draw_names(canvas, &matrix, left, turned);
        let middle = (left + SIDE / 2.0, TOP + SIDE + bottom - 16.0);
        canvas.text(middle, "predicted class", Label::new(13.0).centred());
        canvas.text((18.0, TOP + SIDE / 2.0), "true class", Label::new(13.0).centred().turned());
        draw_scales(canvas, &matrix, left + SIDE + 28.0);
        draw_frequent_errors(canvas, &matrix, left + SIDE + 28.0);
    });
    write(path, svg.as_bytes())
}

/// Size of the class names in pixels.
fn label_size(matrix: &Matrix) -> f64 {
    (SIDE / matrix.size().max(1) as f64 * 0.85).clamp(8.5, 12.5)
}

fn draw_title(canvas: &mut Canvas, matrix: &Matrix, left: f64) {
    let all: u64 = matrix.row_sums.iter().sum();
    let correct: u64 = (0..matrix.size()).map(|class| u64::from(matrix.counts[class][class])).sum();
    let title = if all == 0 {
        "No samples".into()
    } else {
        let accuracy = 100.0 * correct as f64 / all as f64;
        format!("Accuracy {accuracy:.2} %  ({} of {} samples)", grouped(correct), grouped(all))
    };
    canvas.text((left, 34.0), &title, Label::new(16.0).bold());
}

fn draw_cells(canvas: &mut Canvas, matrix: &Matrix, left: f64) {
    let classes = matrix.size();
    let cell = SIDE / classes.max(1) as f64;
    let inset = if classes <= 64 { 0.5 } else { 0.0 };
    let digits = (cell * 0.34).clamp(8.0, 15.0);
    for truth in 0..classes {
        for taken in 0..classes {
            let count = matrix.counts[truth][taken];
            if count == 0 {
                continue;
            }
            let (x, y) = (left + taken as f64 * cell, TOP + truth as f64 * cell);
            let colour = matrix.colour(truth, taken);
            canvas.rect((x + inset, y + inset), (x + cell - inset, y + cell - inset), colour);
            if classes <= COUNTS_UP_TO {
                let room = ((cell - 4.0) / (digits * 0.58)) as usize;
                let ink = if is_dark(colour) { RGBColor(255, 255, 255) } else { INK };
                let label = Label::new(digits).centred().colour(ink);
                canvas.text((x + cell / 2.0, y + cell / 2.0), &short_count(count, room), label);
            }
        }
    }
    if classes <= 64 {
        for line in 1..classes {
            let offset = line as f64 * cell;
            canvas.line(&[(left + offset, TOP), (left + offset, TOP + SIDE)], 0.5, GRID);
            canvas.line(&[(left, TOP + offset), (left + SIDE, TOP + offset)], 0.5, GRID);
        }
    }
    let (right, bottom) = (left + SIDE, TOP + SIDE);
    let frame = [(left, TOP), (right, TOP), (right, bottom), (left, bottom), (left, TOP)];
    canvas.line(&frame, 1.0, INK);
}

/// Names every class, or every so many that the names do not touch.
fn draw_names(canvas: &mut Canvas, matrix: &Matrix, left: f64, turned: bool) {
    let cell = SIDE / matrix.size().max(1) as f64;
    let size = label_size(matrix);
    let needed = (size * 1.1 / cell).ceil().max(1.0) as usize;
    let every = needed.next_power_of_two();
    for (class, name) in matrix.names.iter().enumerate().step_by(every) {
        let offset = (class as f64 + 0.5) * cell;
        if every > 1 {
            canvas.line(&[(left - 4.0, TOP + offset), (left, TOP + offset)], 0.75, INK);
            canvas.line(&[(left + offset, TOP + SIDE), (left + offset, TOP + SIDE + 4.0)], 0.75, INK);
        }
        let label = Label::new(size);
        canvas.text((left - 7.0, TOP + offset), name, label.to_the_left());
        if turned {
            canvas.text((left + offset, TOP + SIDE + 7.0), name, label.to_the_left().turned());
        } else {
            canvas.text((left + offset, TOP + SIDE + 7.0 + size / 2.0), name, label.centred());
        }
    }
}

/// Two colour scales: correct, and taken for another class.
fn draw_scales(canvas: &mut Canvas, matrix: &Matrix, left: f64) {
    const STEPS: u8 = 80;
    let (top, height, breadth) = (TOP + 48.0, 170.0, 16.0);
    canvas.text((left, TOP + 8.0), "share of the true class", Label::new(12.5).bold());
    let correct = ("correct", 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]);
    let worst = matrix.worst;
    let error = ("confused", worst, [0.0, 0.05 * worst, 0.2 * worst, 0.5 * worst, worst]);
    for (column, (title, end, marks)) in [correct, error].into_iter().enumerate() {
        let x = left + column as f64 * 100.0;
        let position = |share: f64| if column == 0 { share } else { (share / end).sqrt() };
        canvas.text((x, TOP + 30.0), title, Label::new(12.0));
        // From the top, each box down to the end: no seams show between them.
        for step in (0..STEPS).rev() {
            let up = |step: u8| top + height * (1.0 - f64::from(step) / f64::from(STEPS));
            let middle = (f64::from(step) + 0.5) / f64::from(STEPS);
            let colour = if column == 0 { right_colour(middle) } else { wrong_colour(middle * middle) };
            canvas.rect((x, up(step + 1)), (x + breadth, top + height), colour);
        }
        for share in marks {
            let y = top + height * (1.0 - position(share));
            canvas.line(&[(x + breadth, y), (x + breadth + 4.0, y)], 0.75, INK);
            canvas.text((x + breadth + 7.0, y), &mark(share), Label::new(11.0));
        }
    }
}

/// A share in per cent with as many places as it needs, at most three.
fn mark(share: f64) -> String {
    let written = format!("{:.3}", share * 100.0);
    let short = written.trim_end_matches('0').trim_end_matches('.');
    format!("{short} %")
}

/// The most frequent errors by count, for figures too fine to read.
fn draw_frequent_errors(canvas: &mut Canvas, matrix: &Matrix, left: f64) {
    let mut errors: Vec<_> = matrix.errors().collect();
    errors.sort_by_key(|&(truth, taken, count)| (std::cmp::Reverse(count), truth, taken));
    let mut y = TOP + 268.0;
    if matrix.size() == 0 {
        return;
    }
    let heading = if errors.is_empty() { "no confusions" } else { "most frequent confusions" };
    canvas.text((left, y), heading, Label::new(12.5).bold());
    for &(truth, taken, count) in errors.iter().take(LISTED_ERRORS) {
        y += 30.0;
        let pair = format!("{} \u{2192} {}", matrix.names[truth], matrix.names[taken]);
        let share = percent(u64::from(count), matrix.row_sums[truth]);
        let size = 11.5 * ((ASIDE - 40.0) / breadth(&pair, 11.5)).min(1.0);
        canvas.text((left, y - 6.0), &pair, Label::new(size));
        canvas.text(
            (left, y + 7.5),
            &format!("{} ({share})", grouped(u64::from(count))),
            Label::new(10.5).colour(FAINT),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::svg_of;
    use super::*;

    fn draw(matrix: &[Vec<u32>], classes: &[String]) -> String {
        svg_of(|path| confusion(path, matrix, classes))
    }

    fn numbered(classes: usize) -> Vec<String> {
        (0..classes).map(|class| format!("class <{class}> & more of it")).collect()
    }

    #[test]
    fn every_size_is_drawn() {
        for classes in [0, 1, 2, 3, 20, 21, 64, 65, 256] {
            let matrix: Vec<Vec<u32>> = (0..classes)
                .map(|r| {
                    (0..classes)
                        .map(|c| if r == c { 90 } else { u32::from((r * 31 + c * 17) % 7 == 0) })
                        .collect()
                })
                .collect();
            let svg = draw(&matrix, &numbered(classes));
            assert_eq!(svg.contains("No samples"), classes == 0);
        }
    }

    #[test]
    fn odd_matrices_are_drawn() {
        draw(&[vec![], vec![3], vec![1, 2, 3, 4]], &[]);
        draw(&[vec![0, 0], vec![0, 0]], &numbered(5));
        draw(&vec![vec![u32::MAX; 20]; 20], &[]);
        draw(&[vec![7]], &[]);
        draw(&[vec![1, 2], vec![3, 4]], &["\0\u{1b}".into(), "\u{FFFF}".into()]);
    }

    #[test]
    fn the_title_states_the_accuracy() {
        assert!(draw(&[vec![9, 1], vec![2, 8]], &[]).contains("Accuracy 85.00 %"));
    }

    #[test]
    fn a_single_error_is_not_white() {
        let matrix = Matrix::new(&[vec![999, 1], vec![0, 1000]], &[]);
        let RGBColor(_, _, blue) = matrix.colour(0, 1);
        assert!(blue < 0xD0);
    }
}
