//! Images cut into strips of 16 columns, so that what a small window shows are neighbouring numbers of 16 bits.

use evobit::evolve::landscape::Samples;
use evobit::topology::{Field, Plan};

use super::kernels::{FIELD, SIDE, Slide, Window};

/// The strips of all samples.
pub(super) struct Strips {
    /// `[strips][samples][lines]` of 16 columns, then [`FIELD`] more numbers.
    columns: Vec<u16>,
    /// Columns from the begin of one strip to that of the next.
    step: usize,
    /// Lines of all planes of a sample.
    lines: usize,
    samples: usize,
}

/// Columns from the begin of one strip to that of the next, so that every window, wherever it slides, lies in one of 16; `None` where windows
/// are not of one plane and at most eight lines and columns.
fn step(plan: &Plan) -> Option<usize> {
    let Field::Window { planes: 1, height, width, slide } = plan.field else { return None };
    let fits = usize::from(height) <= SIDE && usize::from(width) <= SIDE;
    fits.then(|| (FIELD + 1 - usize::from(width + slide)).min(8))
}

/// How many strips the windows of a layer take; `None` where they cannot be cut.
pub(super) fn count(plan: &Plan) -> Option<usize> {
    let (_, _, columns) = plan.places_range();
    step(plan).map(|step| (columns as usize - 1) / step + 1)
}

/// Lines of all planes.
pub(super) fn lines(plan: &Plan) -> usize {
    usize::from(plan.input.planes) * usize::from(plan.input.height)
}

impl Strips {
    /// Cuts the samples; `None` where [`count`] is.
    pub(super) fn new(plan: &Plan, samples: Samples<'_>) -> Option<Self> {
        let (count, step, lines, words) =
            (count(plan)?, step(plan)?, lines(plan), plan.packing.row_words as usize);
        let mut columns = Vec::with_capacity(count * samples.len() * lines + FIELD);
        for strip in 0..count {
            let (word, shift) = (strip * step / 32, strip * step % 32);
            for line in samples.inputs.chunks_exact(words) {
                let next = line.get(word + 1).map_or(0, |&next| u64::from(next));
                columns.push(((u64::from(line[word]) | next << 32) >> shift) as u16);
            }
        }
        columns.extend([0; FIELD]);
        Some(Self { columns, step, lines, samples: samples.len() })
    }

    /// The strip in which the window at a place lies.
    pub(super) fn strip_of(&self, plan: &Plan, place: u16) -> usize {
        plan.corner(place).map_or(0, |(_, _, column)| column as usize / self.step)
    }

    /// What a neuron at `place` sees, at its first position.
    pub(super) fn window(&self, plan: &Plan, place: u16) -> Option<Window<'_>> {
        let Field::Window { height, width, .. } = plan.field else { return None };
        let (plane, row, column) = plan.corner(place)?;
        let (strip, shift) = (column as usize / self.step, column % self.step as u32);
        let line = (plane * u32::from(plan.input.height) + row) as usize;
        let len = self.samples * self.lines;
        let columns = &self.columns[strip * len..(strip + 1) * len + FIELD];
        Some(Window { columns, lines: self.lines, line, height: height.into(), shift, width: width.into() })
    }

    /// What a neuron at `place` sees, wherever it slides.
    pub(super) fn slide(&self, plan: &Plan, place: u16) -> Option<Slide<'_>> {
        Some(Slide { window: self.window(plan, place)?, by: plan.slide() as usize })
    }
}
