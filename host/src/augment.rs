//! Shifted copies of images: what a network should not mind.
//!
//! Shifts are in sixteenths of a pixel and interpolate linearly between four pixels, in integers, so copies are the
//! same on every machine. What comes in from outside is the image's least value, its background.

use rayon::prelude::*;

use crate::data::{Dataset, Schema, Values};

/// Steps of a shift in a pixel.
const STEPS: i32 = 16;

/// How many samples [`with_shifts`] makes of each.
#[must_use]
pub fn copies(schema: &Schema, pixels: f64) -> usize {
    let shifted = matches!(schema, Schema::Image { .. }) && steps(pixels) != 0;
    if shifted { 5 } else { 1 }
}

fn steps(pixels: f64) -> i32 {
    (pixels * f64::from(STEPS)).round() as i32
}

/// The samples of `train`, then each shifted by `pixels` up, down, left and right. Tables, and a shift of 0, give the samples alone.
#[must_use]
pub fn with_shifts(train: &Dataset, pixels: f64) -> Dataset {
    let step = steps(pixels);
    let Schema::Image { height, width, .. } = train.schema else { return train.clone() };
    if step == 0 {
        return train.clone();
    }
    let shifts = [(0, 0), (-step, 0), (step, 0), (0, -step), (0, step)];
    let planes = usize::from(height) * usize::from(width);
    let (rows, columns) = (i32::from(height), i32::from(width));
    let values = match &train.values {
        Values::Bytes(bytes) => Values::Bytes(shifted(bytes, planes, &shifts, |plane, shift, out| {
            shift_plane(plane, (rows, columns), shift, i64::from, |value| value as u8, out);
        })),
        Values::Keys(keys) => Values::Keys(shifted(keys, planes, &shifts, |plane, shift, out| {
            shift_plane(plane, (rows, columns), shift, i64::from, |value| value as i32, out);
        })),
    };
    Dataset {
        schema: train.schema.clone(),
        values,
        labels: train.labels.repeat(shifts.len()),
        classes: train.classes.clone(),
    }
}

fn shifted<T: Copy + Default + Send + Sync>(
    values: &[T],
    plane: usize,
    shifts: &[(i32, i32)],
    shift_plane: impl Fn(&[T], (i32, i32), &mut [T]) + Sync,
) -> Vec<T> {
    let mut out = vec![T::default(); values.len() * shifts.len()];
    for (&shift, copy) in shifts.iter().zip(out.chunks_mut(values.len().max(1))) {
        copy.par_chunks_mut(plane).zip(values.par_chunks(plane)).for_each(|(out, plane)| {
            shift_plane(plane, shift, out);
        });
    }
    out
}

/// Moves one plane down and right by `shift` sixteenths of a pixel.
fn shift_plane<T: Copy + Ord>(
    plane: &[T],
    (rows, columns): (i32, i32),
    (down, right): (i32, i32),
    widen: impl Fn(T) -> i64,
    narrow: impl Fn(i64) -> T,
    out: &mut [T],
) {
    let Some(&background) = plane.iter().min() else { return };
    let pixel = |row: i32, column: i32| {
        let inside = (0..rows).contains(&row) && (0..columns).contains(&column);
        widen(if inside { plane[(row * columns + column) as usize] } else { background })
    };
    for (index, value) in (0i32..).zip(out) {
        let (y, x) = (index / columns * STEPS - down, index % columns * STEPS - right);
        let (row, column) = (y.div_euclid(STEPS), x.div_euclid(STEPS));
        let (below, beside) = (i64::from(y.rem_euclid(STEPS)), i64::from(x.rem_euclid(STEPS)));
        let one = i64::from(STEPS);
        let sum = (one - below) * (one - beside) * pixel(row, column)
            + below * (one - beside) * pixel(row + 1, column)
            + (one - below) * beside * pixel(row, column + 1)
            + below * beside * pixel(row + 1, column + 1);
        *value = narrow((sum + one * one / 2).div_euclid(one * one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(values: Values) -> Dataset {
        Dataset {
            schema: Schema::Image { channels: 1, height: 2, width: 3 },
            values,
            labels: vec![1],
            classes: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn a_whole_pixel_moves_the_image() {
        let copies = with_shifts(&image(Values::Bytes(vec![1, 2, 3, 4, 5, 6])), 1.0);
        let Values::Bytes(bytes) = &copies.values else { panic!() };
        assert_eq!(copies.labels, [1; 5]);
        let expected: [[u8; 6]; 5] = [
            [1, 2, 3, 4, 5, 6],
            [4, 5, 6, 1, 1, 1],
            [1, 1, 1, 1, 2, 3],
            [2, 3, 1, 5, 6, 1],
            [1, 1, 2, 1, 4, 5],
        ];
        assert_eq!(bytes[..], expected.concat());
    }

    #[test]
    fn half_a_pixel_is_the_mean_of_two() {
        let copies = with_shifts(&image(Values::Keys(vec![-10, 0, 20, -10, -10, -10])), 0.5);
        let Values::Keys(keys) = &copies.values else { panic!() };
        assert_eq!(keys[18..24], [-5, 10, 5, -10, -10, -10]);
    }

    #[test]
    fn nothing_to_shift_changes_nothing() {
        let one = image(Values::Bytes(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(with_shifts(&one, 0.0), one);
    }
}
