//! Distorted copies of images: what a network should not mind.
//!
//! A copy is the image shifted, turned, sheared and stretched by random amounts, each copy of each image by its own. All
//! of it is in integers: places in 256ths of a pixel, interpolated linearly between four pixels, so copies are the same on every
//! machine. What comes in from outside is the image's least value, its background.

use evobit::rng::{Draw, Purpose, Stream};
use rayon::prelude::*;

use crate::{Dataset, Schema, Values};

/// Steps of a pixel, and of a whole in shares.
const ONE: i64 = 256;

/// Greatest warp: half as long, half as far.
pub const MAX_WARP: f64 = 0.5;

/// How far copies may be from the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distortion {
    /// Most shift down or right, either way, in 256ths of a pixel.
    shift: u32,
    /// Most turn in 256ths of a radian; shear, and stretch of rows and columns, are at most half as much.
    warp: u32,
}

impl Distortion {
    /// Of at most so many pixels and such a share.
    #[must_use]
    pub fn new(shift: f64, warp: f64) -> Self {
        let steps = |value: f64| (value.clamp(0.0, 64.0) * ONE as f64).round() as u32;
        Self { shift: steps(shift), warp: steps(warp.min(MAX_WARP)) }
    }

    /// A random one: where in the image, from its middle, each pixel of the copy comes from.
    fn draw(self, rng: &mut Stream) -> Source {
        let mut draw = |most: u32| i64::from(rng.below(2 * most + 1)) - i64::from(most);
        let (down, right) = (draw(self.shift), draw(self.shift));
        let (turn, shear) = (draw(self.warp), draw(self.warp / 2));
        let (rows, columns) = (ONE + draw(self.warp / 2), ONE + draw(self.warp / 2));
        Source { row: [rows, shear + turn, -down], column: [shear - turn, columns, -right] }
    }

    /// Pixels that a copy may reach beyond the image.
    fn reach(self, rows: usize, columns: usize) -> usize {
        let warped = 2 * self.warp as usize * rows.max(columns);
        (self.shift as usize + warped) / ONE as usize + 2
    }
}

/// The place that a pixel comes from, in 256ths: `[by its row, by its column, constant]`, from the middle of the image.
#[derive(Clone, Copy)]
struct Source {
    row: [i64; 3],
    column: [i64; 3],
}

/// Copy number `copy` of every sample of an image set: 0 are the images themselves. Tables have no other copies.
#[must_use]
pub fn distorted(images: &Dataset, distortion: Distortion, seed: u64, copy: u32) -> Dataset {
    let Schema::Image { channels, height, width } = images.schema else { return images.clone() };
    if copy == 0 {
        return images.clone();
    }
    let mut rng = Stream::new(seed, Purpose::Samples, copy);
    let sources: Vec<Source> = (0..images.samples()).map(|_| distortion.draw(&mut rng)).collect();
    let frame = Frame {
        rows: height.into(),
        columns: width.into(),
        planes: channels.into(),
        reach: distortion.reach(height.into(), width.into()),
    };
    let values = match &images.values {
        Values::Bytes(bytes) => Values::Bytes(frame.distort_all(bytes, &sources, |value| value as u8)),
        Values::Keys(keys) => Values::Keys(frame.distort_all(keys, &sources, |value| value as i32)),
    };
    Dataset { values, ..images.clone() }
}

/// The shape of images, and how far around them their background is laid.
struct Frame {
    rows: usize,
    columns: usize,
    planes: usize,
    reach: usize,
}

impl Frame {
    fn distort_all<T: Copy + Default + Ord + Into<i64> + Send + Sync>(
        &self,
        values: &[T],
        sources: &[Source],
        narrow: impl Fn(i64) -> T + Sync,
    ) -> Vec<T> {
        let plane = self.rows * self.columns;
        let mut out = vec![T::default(); values.len()];
        let images = out.par_chunks_mut(plane * self.planes).zip(values.par_chunks(plane * self.planes));
        images.zip(sources).for_each_init(Vec::new, |framed, ((out, image), source)| {
            for (out, image) in out.chunks_mut(plane).zip(image.chunks(plane)) {
                self.lay(image, framed);
                self.distort(framed, *source, &narrow, out);
            }
        });
        out
    }

    /// Writes a plane with its background around it.
    fn lay<T: Copy + Ord>(&self, plane: &[T], framed: &mut Vec<T>) {
        let Some(&background) = plane.iter().min() else { return };
        let stride = self.columns + 2 * self.reach;
        framed.clear();
        framed.resize(stride * (self.rows + 2 * self.reach), background);
        let lines = framed.chunks_mut(stride).skip(self.reach).zip(plane.chunks(self.columns));
        lines.for_each(|(framed, line)| framed[self.reach..][..line.len()].copy_from_slice(line));
    }

    fn distort<T: Copy + Into<i64>>(
        &self,
        framed: &[T],
        source: Source,
        narrow: &impl Fn(i64) -> T,
        out: &mut [T],
    ) {
        let stride = self.columns + 2 * self.reach;
        // Twice the distance of the first pixel from the middle, so that it is whole.
        let start = |[by_row, by_column, constant]: [i64; 3], row: usize, length: usize| {
            let (down, right) = (2 * row as i64 - (self.rows as i64 - 1), 1 - self.columns as i64);
            let middle = (length as i64 - 1) * ONE / 2 + self.reach as i64 * ONE;
            by_row * down + by_column * right + 2 * (constant + middle)
        };
        for (row, line) in out.chunks_mut(self.columns).enumerate() {
            let mut y = start(source.row, row, self.rows);
            let mut x = start(source.column, row, self.columns);
            for value in line {
                let ((down, below), (right, beside)) = (split(y), split(x));
                let at = down * stride + right;
                let pixel = |at: usize| -> i64 { framed[at].into() };
                let upper = ONE * pixel(at) + beside * (pixel(at + 1) - pixel(at));
                let under = at + stride;
                let lower = ONE * pixel(under) + beside * (pixel(under + 1) - pixel(under));
                *value = narrow((ONE * upper + below * (lower - upper) + ONE * ONE / 2) >> 16);
                y += 2 * source.row[1];
                x += 2 * source.column[1];
            }
        }
    }
}

/// The pixel and the 256th of it at twice such a place, which is not before the first.
#[inline(always)]
fn split(twice: i64) -> (usize, i64) {
    let place = twice >> 1;
    ((place >> 8) as usize, place & (ONE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(values: Values, [height, width]: [u16; 2]) -> Dataset {
        let samples = values.len() / usize::from(height * width);
        Dataset {
            schema: Schema::Image { channels: 1, height, width },
            values,
            labels: vec![1; samples],
            classes: vec!["a".into(), "b".into()],
        }
    }

    fn moved(plane: &[i32], [rows, columns]: [usize; 2], source: Source) -> Vec<i32> {
        let frame = Frame { rows, columns, planes: 1, reach: 4 };
        frame.distort_all(plane, &[source], |value| value as i32)
    }

    #[test]
    fn a_whole_pixel_moves_the_image_and_half_a_pixel_is_the_mean_of_two() {
        let shifted = |down: i64, right: i64| Source { row: [ONE, 0, -down], column: [0, ONE, -right] };
        let plane = [1, 2, 3, 4, 5, 6];
        assert_eq!(moved(&plane, [2, 3], shifted(0, 0)), plane);
        assert_eq!(moved(&plane, [2, 3], shifted(ONE, 0)), [1, 1, 1, 1, 2, 3]);
        assert_eq!(moved(&plane, [2, 3], shifted(-ONE, 0)), [4, 5, 6, 1, 1, 1]);
        assert_eq!(moved(&plane, [2, 3], shifted(0, ONE)), [1, 1, 2, 1, 4, 5]);
        let plane = [-10, 0, 20, -10, -10, -10];
        assert_eq!(moved(&plane, [2, 3], shifted(0, -ONE / 2))[..3], [-5, 10, 5]);
    }

    #[test]
    fn a_quarter_turn_turns_the_image() {
        let turned = Source { row: [0, ONE, 0], column: [-ONE, 0, 0] };
        assert_eq!(moved(&[1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3], turned), [3, 6, 9, 2, 5, 8, 1, 4, 7]);
    }

    #[test]
    fn copies_differ_stay_within_the_values_and_repeat() {
        let bytes: Vec<u8> = (0..200u8).map(|index| if index % 7 == 0 { 200 } else { 20 }).collect();
        let original = images(Values::Bytes(bytes), [10, 10]);
        let far = Distortion::new(4.0, MAX_WARP);
        for distortion in [Distortion::new(1.0, 0.1), far] {
            let copy = |seed, number| distorted(&original, distortion, seed, number);
            assert_eq!(copy(1, 0), original);
            assert_eq!(copy(1, 1), copy(1, 1));
            assert_ne!(copy(1, 1), copy(1, 2));
            assert_ne!(copy(1, 1), copy(2, 1));
            let Values::Bytes(bytes) = &copy(1, 3).values else { panic!() };
            assert!(bytes.iter().all(|byte| (20..=200).contains(byte)));
        }
        let keys = images(Values::Keys(vec![i32::MIN, i32::MAX, 0, 5]), [2, 2]);
        assert_eq!(distorted(&keys, far, 1, 1).labels, keys.labels);
        let table = Dataset { schema: Schema::Table(vec![]), ..keys };
        assert_eq!(distorted(&table, far, 1, 1), table);
    }
}
