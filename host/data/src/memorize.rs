//! Random images with random labels: nothing to generalise from, so what a network gets right is what it stores.
//!
//! `memorize:512` is 512 images of 28 x 28 pixels, each pixel 0 to 255 by chance, of ten classes as even in number as can be, in random order;
//! `memorize:512:7` the same of another seed. Without a test part: there is nothing to test.

use evobit::rng::{Draw, Purpose, Stream};

use super::{DataError, Dataset, Schema, Values};

/// Rows and columns of an image.
const SIDE: u16 = 28;
const CLASSES: u32 = 10;
/// Most samples.
const MOST: u32 = 65_536;

/// True of a source that is random images, well written or not.
pub(super) fn is(source: &str) -> bool {
    source.split(':').next() == Some("memorize")
}

/// The name of a run on it: a colon is not for folders.
pub(super) fn name(source: &str) -> String {
    source.replace(':', "-")
}

/// The images of such a source.
pub(super) fn images(source: &str) -> Result<Dataset, DataError> {
    let wrong = || DataError::Memorize { file: super::error::one_line(source) };
    let mut numbers = source.split(':').skip(1);
    let samples: u32 = numbers.next().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    let seed: u64 = numbers.next().map_or(Some(1), |text| text.parse().ok()).ok_or_else(wrong)?;
    if numbers.next().is_some() || !(CLASSES..=MOST).contains(&samples) {
        return Err(wrong());
    }
    let mut rng = Stream::new(seed, Purpose::Samples, 0);
    let mut labels: Vec<u8> = (0..samples).map(|sample| (sample % CLASSES) as u8).collect();
    rng.shuffle(&mut labels);
    let pixels = samples as usize * usize::from(SIDE) * usize::from(SIDE);
    let values = Values::Bytes((0..pixels).map(|_| rng.below(256) as u8).collect());
    let schema = Schema::Image { channels: 1, height: SIDE, width: SIDE };
    let classes = (0..CLASSES).map(|class| class.to_string()).collect();
    Ok(Dataset { schema, values, labels, classes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_random_and_classes_even() {
        let [a, b] = ["memorize:64", "memorize:64:2"].map(|source| images(source).unwrap());
        assert_eq!(images("memorize:64:1").unwrap(), a);
        assert_ne!(a.labels, b.labels);
        assert!(a.class_counts().iter().all(|&count| count == 6 || count == 7));
        let Values::Bytes(bytes) = &a.values else { panic!("bytes") };
        let mean = bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>() / bytes.len() as f64;
        assert!((mean - 127.5).abs() < 2.0, "{mean}");
        for wrong in
            ["memorize", "memorize:", "memorize:9", "memorize:64:x", "memorize:64:1:1", "memorize:1e3"]
        {
            assert!(is(wrong) && images(wrong).is_err(), "{wrong}");
        }
        assert!(!is("memorizer") && !is("./memorize:64"));
    }
}
