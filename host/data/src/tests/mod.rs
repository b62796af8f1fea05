//! Tests of loading as a whole, by what is loaded: built-in and real data here, then IDX, CSV, CSV
//! by a known schema, and random bytes.

mod bytes;
mod cases;
mod csv;
mod idx;
mod known;

use proptest::prelude::*;
use skips::shared_data;

use super::*;

/// Fails unless `result` is this error, in one line that has this text.
macro_rules! assert_fails {
    ($result:expr, $variant:ident, $text:expr) => {
        match $result {
            Err(error @ crate::DataError::$variant { .. }) => {
                let message = error.to_string();
                assert!(message.contains($text), "{message}");
                assert_eq!(message.lines().count(), 1, "{message}");
            }
            other => panic!("not {}: {other:?}", stringify!($variant)),
        }
    };
}
use assert_fails;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn digits_are_built_in_as_images() {
    let loaded = load("digits", &LoadOptions::default()).unwrap();
    let set = loaded.train;
    assert_eq!((loaded.name.as_str(), loaded.test), ("digits", None));
    assert_eq!(set.schema, Schema::Image { channels: 1, height: 8, width: 8 });
    assert!(matches!(set.values, Values::Bytes(_)));
    assert_eq!((set.samples(), set.features(), set.values.len()), (1797, 64, 1797 * 64));
    assert_eq!(set.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!(set.classes, names(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));
    assert_eq!((set.key(0, 2), set.key(1, 3), set.labels[1]), (5, 12, 1));
    assert!((0..set.values.len()).all(|index| (0..=16).contains(&set.values.key(index))));
}

#[test]
fn iris_is_built_in_as_a_table() {
    let set = load("iris", &LoadOptions::default()).unwrap().train;
    let Schema::Table(columns) = &set.schema else { panic!("{:?}", set.schema) };
    assert_eq!(columns[0], Column::new("sepal_length", ColumnKind::Real));
    assert_eq!((set.samples(), set.features()), (150, 4));
    assert_eq!(set.classes, names(&["setosa", "versicolor", "virginica"]));
    assert_eq!(set.class_counts(), [50, 50, 50]);
    assert_eq!((set.key(0, 0), set.key(34, 3)), (real_key(5.1), real_key(0.2)));
}

#[test]
fn samples_are_selected_in_order() {
    let set = load("iris", &LoadOptions::default()).unwrap().train;
    let some = set.select(&[149, 0, 0]);
    assert_eq!(some.labels, [2, 0, 0]);
    assert_eq!(some.samples(), 3);
    for feature in 0..4 {
        assert_eq!(some.key(0, feature), set.key(149, feature));
        assert_eq!(some.key(2, feature), set.key(0, feature));
    }
    assert_eq!(some.class_counts(), [2, 0, 1]);
    let none = set.select(&[]);
    assert_eq!((none.samples(), none.values.is_empty()), (0, true));
}

#[test]
fn built_in_sets_can_be_tested_and_predicted() {
    for name in ["digits", "iris"] {
        let set = load(name, &LoadOptions::default()).unwrap().train;
        let again = load_known(name, &set.schema, &set.classes, &LoadOptions::default()).unwrap();
        assert_eq!(again.train, set);
        let bare = load_unlabelled(name, &set.schema, &set.classes, &LoadOptions::default()).unwrap();
        assert_eq!((bare.values.clone(), bare.samples()), (set.values.clone(), set.samples()));
        assert_eq!(bare.key(7, 3), set.key(7, 3));
    }
}

#[test]
fn mnist_loads_as_published() {
    let Some(folder) = shared_data("mnist") else { return };
    let loaded = load(&folder.to_string_lossy(), &LoadOptions::default()).unwrap();
    let (train, test) = (loaded.train, loaded.test.unwrap());
    assert_eq!(loaded.name, "mnist");
    assert_eq!(train.schema, Schema::Image { channels: 1, height: 28, width: 28 });
    assert_eq!((train.samples(), test.samples()), (60_000, 10_000));
    assert_eq!((&train.labels[..5], &test.labels[..5]), (&[5, 0, 4, 1, 9][..], &[7, 2, 1, 0, 4][..]));
    assert_eq!(train.class_counts(), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(test.class_counts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    let mean = (0..train.values.len()).map(|i| train.values.key(i) as f64).sum::<f64>()
        / (255.0 * train.values.len() as f64);
    assert!((mean - 0.1307).abs() < 0.0001, "{mean}");
    let images = folder.join("t10k-images-idx3-ubyte.gz");
    let bare =
        load_unlabelled(&images.to_string_lossy(), &train.schema, &train.classes, &LoadOptions::default());
    assert_eq!(bare.unwrap().values, test.values);
}

#[test]
fn a_label_in_the_middle_of_a_real_table_is_found() {
    let Some(file) = shared_data("imu-motion.csv") else { return };
    let options = LoadOptions { label: Some("label".into()), ..LoadOptions::default() };
    let set = load(&file.to_string_lossy(), &options).unwrap().train;
    assert_eq!((set.samples(), set.features()), (28_319, 9));
    assert_eq!(set.classes, names(&["Idle", "Lift", "Maritime", "Terrestrial"]));
    let Schema::Table(columns) = &set.schema else { panic!("{:?}", set.schema) };
    assert_eq!(columns[0].kind, ColumnKind::Category(names(&["test", "train"])));
    assert_eq!((&columns[1].kind, &columns[3].kind), (&ColumnKind::Integer, &ColumnKind::Real));
}

#[test]
fn a_missing_source_names_the_built_in_sets() {
    let missing = load("no/such\nplace.csv", &LoadOptions::default());
    assert_fails!(missing, NotFound, "no/such\\nplace.csv: no such file or folder");
    assert_fails!(load("", &LoadOptions::default()), NotFound, "digits, iris");
}

#[test]
fn what_cannot_be_read_is_said() {
    let schema = Schema::Image { channels: 1, height: 1, width: 1 };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_string_lossy().into_owned();
    let refused = load_unlabelled(&folder, &schema, &[], &LoadOptions::default());
    assert_fails!(refused, Unreadable, "cannot be read");
}

proptest! {
    #[test]
    fn real_keys_order_as_the_floats(
        a in any::<f32>().prop_filter("finite", |a| a.is_finite()),
        b in any::<f32>().prop_filter("finite", |b| b.is_finite()),
    ) {
        prop_assert_eq!(Some(real_key(a).cmp(&real_key(b))), a.partial_cmp(&b));
    }
}

#[test]
fn both_zeros_have_one_key() {
    assert_eq!(real_key(-0.0), real_key(0.0));
    assert!(real_key(-f32::MIN_POSITIVE) < real_key(0.0));
    assert!(real_key(f32::MIN_POSITIVE) > real_key(0.0));
}
