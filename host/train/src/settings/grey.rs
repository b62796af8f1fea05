//! Whether images are of greys or of lines.
//!
//! Ink on paper is dark or bright, and one level a pixel tells nearly all of it. Photographs are grey nearly everywhere,
//! and one level throws most of them away. What is looked at are some of the samples to learn from, never held-out ones.

use evobit::rng::{Purpose, Stream};

use super::Settings;
use super::open::Open;
use evobit_data::{Dataset, Schema, stratified};

/// Most samples that are looked at.
const SAMPLES: usize = 2000;

/// Pixels in the middle half of the range, one in so many, that make images grey. Handwriting has one in twenty there.
const ONE_IN: usize = 5;

impl Settings {
    /// True of images with many pixels that are neither dark nor bright.
    pub(super) fn is_grey(&self, data: &Dataset) -> bool {
        if !matches!(data.schema, Schema::Image { .. }) {
            return false;
        }
        let open = Open::new(self, data.into());
        let mut stream = Stream::new(open.seed(), Purpose::Split, 0);
        let (validation, test) = (open.validation(), open.test().share());
        // Shares that make no split are told of later.
        stratified(&data.labels, data.classes.len(), validation, test, &mut stream)
            .is_ok_and(|split| is_grey(data, &split.train))
    }
}

/// The same of some of these samples.
fn is_grey(data: &Dataset, samples: &[u32]) -> bool {
    let features = data.features();
    let some = || samples.iter().step_by(samples.len().div_ceil(SAMPLES).max(1));
    let pixels = || some().flat_map(|&sample| (0..features).map(move |feature| (sample as usize, feature)));
    let values = || pixels().map(|(sample, feature)| i64::from(data.key(sample, feature)));
    let (low, high) =
        values().fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let quarter = high.saturating_sub(low) / 4;
    let middle = values().filter(|value| (low + quarter..=high - quarter).contains(value)).count();
    low < high && middle * ONE_IN >= some().count() * features
}

#[cfg(test)]
mod tests {
    use super::*;
    use evobit_data::Values;

    /// Images of one class, 10 pixels each.
    fn images(values: Vec<u8>) -> Dataset {
        Dataset {
            schema: Schema::Image { channels: 1, height: 2, width: 5 },
            labels: vec![0; values.len() / 10],
            values: Values::Bytes(values),
            classes: vec!["a".into()],
        }
    }

    fn grey(values: Vec<u8>) -> bool {
        Settings::default().is_grey(&images(values))
    }

    #[test]
    fn greys_are_those_in_the_middle() {
        let ink = [0, 0, 255, 255, 0, 0, 0, 255, 0, 128].repeat(50);
        assert!(!grey(ink));
        let photographs = [0, 60, 70, 80, 90, 200, 180, 255, 0, 0].repeat(50);
        assert!(grey(photographs));
        assert!(!grey(vec![7; 500]) && !grey(vec![]));
    }

    #[test]
    fn held_out_images_are_not_looked_at() {
        let (mut stream, settings) = (Stream::new(1, Purpose::Split, 0), Settings::default());
        let split = stratified(&[0; 100], 1, 0.1, 0.2, &mut stream).unwrap();
        let mut values = [0, 255].repeat(500);
        for &sample in split.test.iter().chain(&split.validation) {
            values[10 * sample as usize..][..10].fill(128);
        }
        assert!(!settings.is_grey(&images(values)));
    }
}
