//! Classifies with two models as a firmware does: without a heap, with buffers of sizes known to the compiler.
//!
//! ```sh
//! cargo run -p evobit --example classify
//! ```

use evobit::{BufferClassifier, Classifier, ClassifierError, include_model};

/// 64 pixels from 0 to 16, ten classes. Made by `evobit train --data digits --seed 1`.
static DIGITS: &[u8] = include_model!("digits.evb");
/// Four lengths in centimetres, three classes. Made by `evobit train --data iris --hidden 16 --seed 1`.
static IRIS: &[u8] = include_model!("iris.evb");

/// Images of 8x8 pixels and what is written there, lines 2 to 4 of `host/data/digits.csv`.
#[rustfmt::skip]
const SAMPLES: [([u8; 64], usize); 3] = [
    ([0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12, 0, 0, 8, 8, 0,
      0, 5, 8, 0, 0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0, 0, 0, 0, 6, 13, 10, 0, 0, 0], 0),
    ([0, 0, 0, 12, 13, 5, 0, 0, 0, 0, 0, 11, 16, 9, 0, 0, 0, 0, 3, 15, 16, 6, 0, 0, 0, 7, 15, 16, 16, 2, 0, 0,
      0, 0, 1, 16, 16, 3, 0, 0, 0, 0, 1, 16, 16, 6, 0, 0, 0, 0, 1, 16, 16, 6, 0, 0, 0, 0, 0, 11, 16, 10, 0, 0], 1),
    ([0, 0, 0, 4, 15, 12, 0, 0, 0, 0, 3, 16, 15, 14, 0, 0, 0, 0, 8, 13, 8, 16, 0, 0, 0, 0, 1, 6, 15, 11, 0, 0,
      0, 1, 8, 13, 15, 1, 0, 0, 0, 9, 16, 16, 5, 0, 0, 0, 0, 3, 13, 16, 16, 11, 5, 0, 0, 0, 0, 3, 11, 16, 9, 0], 2),
];

fn main() -> Result<(), ClassifierError> {
    let mut digits = Classifier::<24, 16, 10>::parse(DIGITS)?;
    for (pixels, label) in &SAMPLES {
        let class = digits.classify(pixels)?;
        println!("digit {class}, scores {:?}", digits.scores());
        assert_eq!(class, *label);
    }

    // A program that does not know its models brings buffers that are large enough.
    let (mut words, mut scores) = ([0; 256], [0; 32]);
    let mut iris = BufferClassifier::parse(IRIS, &mut words, &mut scores)?;
    for (lengths, species) in [
        ([5.1_f32, 3.5, 1.4, 0.2], "setosa"),
        ([7.0, 3.2, 4.7, 1.4], "versicolor"),
        ([6.3, 3.3, 6.0, 2.5], "virginica"),
    ] {
        let class = iris.classify(&lengths)?;
        println!("{lengths:?} is {}", iris.class_name(class).unwrap_or("a class without a name"));
        assert_eq!(iris.class_name(class), Some(species));
    }

    // The columns are real numbers: millimetres as integers are refused, not compared with the wrong levels.
    let refused = iris.classify(&[51, 35, 14, 2]).map_err(|error| error.to_string());
    println!("{}", refused.unwrap_err());
    Ok(())
}
