//! The pen: a thin layer over the SVG backend of `plotters`.
//!
//! Figures are laid out by hand in pixels, because a figure with text that
//! never overlaps is easier to reason about with plain coordinates than with
//! a chart builder. The backend knows whole coordinates only, so the canvas is
//! [`FINE`] times finer than the picture and the `viewBox` scales it back:
//! curves stay smooth. Drawing into a string cannot fail, so nothing here
//! returns an error.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
};

/// Canvas units in a pixel.
const FINE: f64 = 4.0;

/// The backend writes a font's size divided by this.
const BACKEND_FONT_SCALE: f64 = 1.24;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Remarks that should stay in the background.
pub(super) const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Grid lines and empty fields.
pub(super) const GRID: RGBColor = RGBColor(0xE6, 0xE6, 0xE6);
/// First hue; stays apart from [`ORANGE`] for the colour-blind and in grey.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Second hue.
pub(super) const ORANGE: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Third hue.
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);

/// How a label is set: size in pixels, alignment, weight, direction, colour.
#[derive(Clone, Copy)]
pub(super) struct Label {
    size: f64,
    align: HPos,
    bold: bool,
    turned: bool,
    colour: RGBColor,
}

impl Label {
    /// A label that starts at its point.
    pub(super) fn new(size: f64) -> Self {
        Self { size, align: HPos::Left, bold: false, turned: false, colour: INK }
    }

    /// Centres the label on its point.
    pub(super) fn centred(self) -> Self {
        Self { align: HPos::Center, ..self }
    }

    /// Ends the label at its point.
    pub(super) fn to_the_left(self) -> Self {
        Self { align: HPos::Right, ..self }
    }

    /// Sets the label in bold.
    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// Turns the label to read from bottom to top.
    pub(super) fn turned(self) -> Self {
        Self { turned: true, ..self }
    }

    /// Sets the colour.
    pub(super) fn colour(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }
}

/// A picture being drawn; coordinates are pixels from the upper left corner.
pub(super) struct Canvas<'text> {
    backend: SVGBackend<'text>,
}

/// Draws a picture of `width` x `height` pixels, rounded up, on white and
/// returns it as SVG.
pub(super) fn picture(width: f64, height: f64, draw: impl FnOnce(&mut Canvas)) -> String {
    let (width, height) = (width.ceil(), height.ceil());
    let (fine_width, fine_height) = (fine(width) as u32, fine(height) as u32);
    let mut body = String::new();
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut body, (fine_width, fine_height)) };
    canvas.rect((0.0, 0.0), (width, height), RGBColor(255, 255, 255));
    draw(&mut canvas);
    let _ = canvas.backend.present();
    drop(canvas);
    let rest = body.split_once(">\n").map_or("", |(_, rest)| rest);
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {fine_width} {fine_height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" stroke-linejoin=\"round\" stroke-linecap=\"butt\">\n{rest}"
    )
}

fn fine(pixels: f64) -> i32 {
    (pixels * FINE).round() as i32
}

fn fine_point((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

impl Canvas<'_> {
    /// Fills the rectangle between two corners.
    pub(super) fn rect(&mut self, upper_left: (f64, f64), lower_right: (f64, f64), colour: RGBColor) {
        let style = colour.filled();
        let _ = self.backend.draw_rect(fine_point(upper_left), fine_point(lower_right), &style, true);
    }

    /// Draws a line through `points`.
    pub(super) fn line(&mut self, points: &[(f64, f64)], width: f64, colour: RGBColor) {
        let style =
            ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: fine(width).max(1) as u32 };
        let _ = self.backend.draw_path(points.iter().copied().map(fine_point), &style);
    }

    /// Fills a disc.
    pub(super) fn disc(&mut self, centre: (f64, f64), radius: f64, colour: RGBColor) {
        let _ =
            self.backend.draw_circle(fine_point(centre), fine(radius).max(1) as u32, &colour.filled(), true);
    }

    /// Writes `content` with its vertical middle at the point.
    pub(super) fn text(&mut self, (x, y): (f64, f64), content: &str, label: Label) {
        // The backend centres the letter x; figures and capitals are taller.
        let sink = label.size * 0.09;
        let point = if label.turned { (x + sink, y) } else { (x, y + sink) };
        let weight = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
        let turn = if label.turned { FontTransform::Rotate270 } else { FontTransform::None };
        let family = FontFamily::Name("Helvetica, Arial, sans-serif");
        let font = FontDesc::new(family, label.size * FINE * BACKEND_FONT_SCALE, weight).transform(turn);
        let style = TextStyle::from(font).pos(Pos::new(label.align, VPos::Center)).color(&label.colour);
        let _ = self.backend.draw_text(content, &style, fine_point(point));
    }

    /// Writes a row of coloured boxes with a text each, from `start` to the
    /// right, and breaks no line: the caller keeps it short.
    pub(super) fn legend(&mut self, start: (f64, f64), size: f64, entries: &[(RGBColor, String)]) {
        let (mut x, y) = start;
        for (colour, content) in entries {
            self.rect((x, y - size * 0.35), (x + size * 1.2, y + size * 0.35), *colour);
            self.text((x + size * 1.7, y), content, Label::new(size));
            x += legend_breadth(content, size);
        }
    }
}

/// What an entry of a legend takes up, the space to the next one included.
pub(super) fn legend_breadth(content: &str, size: f64) -> f64 {
    size * 3.4 + super::text::breadth(content, size)
}
