//! Images cut into strips of 16 columns, so that what a small window shows are neighbouring numbers of 16 bits.

use evobit::evolve::landscape::Samples;
use evobit::topology::{Field, Plan};

use super::kernels::{SIDE, Window};

/// Columns from the begin of one strip to that of the next: every window of up to 9 columns lies in one of 16.
const STEP: usize = 8;

/// The strips of all samples.
pub(super) struct Strips {
    /// `[strips][samples][lines]` of 16 columns, then [`SIDE`] more numbers.
    columns: Vec<u16>,
    /// Lines of all planes of a sample.
    lines: usize,
    samples: usize,
}

/// How many strips the windows of a layer take; `None` where these are not of one plane and at most eight lines and columns.
pub(super) fn count(plan: &Plan) -> Option<usize> {
    let Field::Window { planes: 1, height, width } = plan.field else { return None };
    let fits = usize::from(height) <= SIDE && usize::from(width) <= SIDE;
    fits.then(|| usize::from(plan.input.width - width) / STEP + 1)
}

/// Lines of all planes.
pub(super) fn lines(plan: &Plan) -> usize {
    usize::from(plan.input.planes) * usize::from(plan.input.height)
}

impl Strips {
    /// Cuts the samples; `None` where [`count`] is.
    pub(super) fn new(plan: &Plan, samples: Samples<'_>) -> Option<Self> {
        let (count, lines, words) = (count(plan)?, lines(plan), plan.packing.row_words as usize);
        let mut columns = Vec::with_capacity(count * samples.len() * lines + SIDE);
        for strip in 0..count {
            let (word, shift) = (strip * STEP / 32, strip * STEP % 32);
            for line in samples.inputs.chunks_exact(words) {
                let next = line.get(word + 1).map_or(0, |&next| u64::from(next));
                columns.push(((u64::from(line[word]) | next << 32) >> shift) as u16);
            }
        }
        columns.extend([0; SIDE]);
        Some(Self { columns, lines, samples: samples.len() })
    }

    /// The strip in which the window at a place lies.
    pub(super) fn strip_of(&self, plan: &Plan, place: u16) -> usize {
        plan.corner(place).map_or(0, |(_, _, column)| column as usize / STEP)
    }

    /// What a neuron at `place` sees.
    pub(super) fn window(&self, plan: &Plan, place: u16) -> Option<Window<'_>> {
        let Field::Window { height, width, .. } = plan.field else { return None };
        let (plane, row, column) = plan.corner(place)?;
        let (strip, shift) = (column as usize / STEP, column % STEP as u32);
        let line = (plane * u32::from(plan.input.height) + row) as usize;
        let len = self.samples * self.lines;
        let columns = &self.columns[strip * len..(strip + 1) * len + SIDE];
        Some(Window { columns, lines: self.lines, line, height: height.into(), shift, width: width.into() })
    }
}
