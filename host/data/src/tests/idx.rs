//! IDX folders and files: what pairs, what is read, and each way to be wrong.

use std::fs;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;

fn images(magic: u32, sizes: &[u32], pixels: &[u8]) -> Vec<u8> {
    let numbers = std::iter::once(&magic).chain(sizes).flat_map(|number| number.to_be_bytes());
    numbers.chain(pixels.iter().copied()).collect()
}

fn labels(values: &[u8]) -> Vec<u8> {
    images(2049, &[values.len() as u32], values)
}

/// Three images of 1 x 2 pixels.
fn three() -> Vec<u8> {
    images(2051, &[3, 1, 2], &[1, 2, 3, 4, 5, 255])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn load_files(files: &[(&str, Vec<u8>)]) -> Result<Loaded, DataError> {
    load(&folder(files).path().to_string_lossy(), &LoadOptions::default())
}

/// Loads a training pair of these bytes.
fn load_pair(images: Vec<u8>, labels: Vec<u8>) -> Result<Loaded, DataError> {
    load_files(&[("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)])
}

#[test]
fn the_usual_names_pair_plain_and_compressed() {
    for (images, labels, squeezed) in [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", false),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", false),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", true),
        ("letters-images", "letters-labels", false),
        ("Images.IDX", "labels.idx", false),
    ] {
        let pack = |bytes: Vec<u8>| if squeezed { gzip(&bytes) } else { bytes };
        let loaded = load_files(&[(images, pack(three())), (labels, pack(super::idx::labels(&[0, 2, 2])))]);
        let loaded = loaded.unwrap();
        assert_eq!(loaded.train.schema, Schema::Image { channels: 1, height: 1, width: 2 });
        assert_eq!(loaded.train.values, Values::Bytes(vec![1, 2, 3, 4, 5, 255]));
        // A class is a label that is there: sets whose labels begin at 1 have no empty class.
        assert_eq!(loaded.train.classes, names(&["0", "2"]));
        assert_eq!(loaded.train.class_counts(), [1, 2]);
        assert_eq!(loaded.test, None);
    }
}

#[test]
fn test_pairs_are_kept_apart_and_plain_files_win() {
    for (images, test_labels) in
        [("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"), ("test-images.gz", "test-labels")]
    {
        let loaded = load_files(&[
            ("train-images-idx3-ubyte", three()),
            ("train-images-idx3-ubyte.gz", b"not read".to_vec()),
            ("train-labels-idx1-ubyte", labels(&[0, 1, 1])),
            (images, super::idx::images(2051, &[1, 1, 2], &[7, 8])),
            (test_labels, labels(&[1])),
            (".images-hidden", Vec::new()),
        ])
        .unwrap();
        assert_eq!((loaded.train.samples(), loaded.test.unwrap().labels), (3, vec![1]));
    }
}

#[test]
fn images_may_have_channels() {
    let loaded = load_pair(images(2052, &[2, 3, 1, 1], &[1, 2, 3, 4, 5, 6]), labels(&[0, 1])).unwrap();
    assert_eq!(loaded.train.schema, Schema::Image { channels: 3, height: 1, width: 1 });
    assert_eq!((loaded.train.key(1, 0), loaded.train.key(1, 2)), (4, 6));
}

#[test]
fn all_256_labels_are_classes() {
    let all: Vec<u8> = (0..=255).collect();
    let set = load_pair(images(2051, &[256, 1, 1], &all), labels(&all)).unwrap().train;
    assert_eq!((set.classes.len(), set.labels), (256, all));
}

#[test]
fn a_folder_must_hold_whole_pairs() {
    assert_fails!(load_files(&[]), NoPairs, "holds no IDX files");
    let name = "train-images-idx3-ubyte.gz";
    assert_fails!(load_files(&[(name, three())]), HalfPair, "add train-labels-idx1-ubyte (or");
    let name = "t10k-labels.idx1-ubyte";
    let files = [("a-images", three()), ("a-labels", labels(&[0, 1, 1])), (name, labels(&[0]))];
    assert_fails!(load_files(&files), HalfPair, "add t10k-images.idx3-ubyte (or");
    let files = [("t10k-images", three()), ("t10k-labels", labels(&[0, 1, 1]))];
    assert_fails!(load_files(&files), NoTraining, "only test data (t10k-images)");
    let two = ["a-images", "a-labels", "b-images", "b-labels"].map(|name| (name, Vec::new()));
    assert_fails!(load_files(&two), SeveralPairs, "more than one training pair (\"a-\", \"b-\")");
}

#[test]
fn an_images_file_by_itself_is_no_training_data() {
    let folder = folder(&[("train-images-idx3-ubyte", three())]);
    let file = folder.path().join("train-images-idx3-ubyte");
    let lone = load(&file.to_string_lossy(), &LoadOptions::default());
    assert_fails!(lone, LoneIdx, "give the folder");
}

#[test]
fn the_magic_number_is_checked() {
    let swapped = load_pair(labels(&[0, 1, 1]), three());
    assert_fails!(swapped, Magic, "the number 2049, where IDX images start with 2051");
    let swapped = load_pair(three(), three());
    assert_fails!(swapped, Magic, "the number 2051, where IDX labels start with 2049");
}

#[test]
fn sizes_in_headers_are_checked() {
    assert_fails!(load_pair(images(2051, &[0, 1, 2], &[]), labels(&[])), NoImages, "counts 0 images");
    let flat = load_pair(images(2051, &[3, 0, 2], &[]), labels(&[0, 1, 1]));
    assert_fails!(flat, ImageSize, "1 x 0 x 2");
    let huge = load_pair(images(2051, &[3, 70_000, 2], &[]), labels(&[0, 1, 1]));
    assert_fails!(huge, ImageSize, "1 x 70000 x 2");
}

#[test]
fn a_header_cannot_ask_for_memory_the_file_does_not_fill() {
    let sizes = [u32::MAX, 65_535, 65_535, 65_535];
    let absurd = load_pair(images(2052, &sizes, &[1, 2, 3]), labels(&[0, 1]));
    assert_fails!(absurd, Truncated, "and holds 23");
    let absurd = load_pair(three(), images(2049, &[u32::MAX], &[1, 2, 3]));
    assert_fails!(absurd, Truncated, "should hold 4294967303 bytes and holds 11");
}

#[test]
fn a_file_ends_where_its_header_says() {
    for length in 0..three().len() {
        let cut = load_pair(three()[..length].to_vec(), labels(&[0, 1, 1]));
        assert_fails!(cut, Truncated, &format!("holds {length}:"));
    }
    let cut = load_pair(three(), labels(&[0, 1, 1])[..10].to_vec());
    assert_fails!(cut, Truncated, "train-labels-idx1-ubyte: is cut short");
    let longer = load_pair([three(), vec![0]].concat(), labels(&[0, 1, 1]));
    assert_fails!(longer, TrailingBytes, "after the 22 bytes");
    let longer = load_pair(gzip(&[three(), vec![0]].concat()), labels(&[0, 1, 1]));
    assert_fails!(longer, TrailingBytes, "after the 22 bytes");
}

#[test]
fn damaged_gzip_is_an_error() {
    let whole = gzip(&three());
    assert!(load_pair(whole.clone(), labels(&[0, 1, 1])).is_ok());
    for length in 2..whole.len() {
        assert_fails!(load_pair(whole[..length].to_vec(), labels(&[0, 1, 1])), Gzip, "gzip data");
    }
    let mut changed = whole.clone();
    let checksum = changed.len() - 6;
    changed[checksum] ^= 1;
    assert_fails!(load_pair(changed, labels(&[0, 1, 1])), Gzip, "gzip data");
    assert_fails!(load_pair([whole, b"junk".to_vec()].concat(), labels(&[0, 1, 1])), Gzip, "gzip data");
}

#[test]
fn labels_must_match_images() {
    assert_fails!(load_pair(three(), labels(&[0, 1])), LabelCount, "holds 3 images");
    assert_fails!(load_pair(three(), labels(&[4, 4, 4])), OneClass, "the label 4");
    let files = [
        ("train-images", three()),
        ("train-labels", labels(&[0, 1, 1])),
        ("test-images", three()),
        ("test-labels", labels(&[0, 2, 1])),
    ];
    assert_fails!(load_files(&files), UnknownClass, "sample 2 has the label \"2\"");
}

#[test]
fn test_images_and_the_shape_asked_for_must_match() {
    let files = [
        ("train-images", three()),
        ("train-labels", labels(&[0, 1, 1])),
        ("test-images", images(2051, &[1, 2, 1], &[1, 2])),
        ("test-labels", labels(&[0])),
    ];
    assert_fails!(load_files(&files), OtherShape, "images of 1 x 2 x 1, where 1 x 1 x 2 is expected");
    let folder = folder(&files[..2]);
    let options = LoadOptions { shape: Some((1, 2, 1)), ..LoadOptions::default() };
    let refused = load(&folder.path().to_string_lossy(), &options);
    assert_fails!(refused, OtherShape, "images of 1 x 1 x 2, where 1 x 2 x 1 is expected");
}

#[test]
fn a_known_schema_reads_pairs_and_lone_images() {
    let options = LoadOptions::default();
    let schema = Schema::Image { channels: 1, height: 1, width: 2 };
    let folder = folder(&[("t10k-images", three()), ("t10k-labels", labels(&[5, 3, 3]))]);
    let source = folder.path().to_string_lossy().into_owned();
    let loaded = load_known(&source, &schema, &names(&["3", "5"]), &options).unwrap();
    assert_eq!((loaded.train.labels, loaded.test), (vec![1, 0, 0], None));
    let unknown = load_known(&source, &schema, &names(&["3", "4"]), &options);
    assert_fails!(unknown, UnknownClass, "knows \"3\", \"4\"");

    let lone = folder.path().join("t10k-images").to_string_lossy().into_owned();
    let bare = load_unlabelled(&lone, &schema, &[], &options).unwrap();
    assert_eq!((bare.samples(), bare.features(), bare.key(2, 1)), (3, 2, 255));
    let table = Schema::Table(vec![Column::new("a", ColumnKind::Integer)]);
    assert_fails!(load_unlabelled(&lone, &table, &[], &options), ImagesForTable, "reads a table");
    assert_fails!(load_known(&lone, &schema, &[], &options), LoneIdx, "give the folder");
    let stream = read_unlabelled(gzip(&three()).as_slice(), "standard input", &schema, &[], &options);
    assert_eq!(stream.unwrap(), bare);
}

/// How a value is written.
type ToBytes = fn(i32) -> Vec<u8>;

/// Three images of 1 x 2 pixels as another type, by what a value is written as.
fn typed(code: u32, write: impl Fn(i32) -> Vec<u8>) -> Vec<u8> {
    let values: Vec<u8> = [1, 2, 3, 4, 5, -6].into_iter().flat_map(write).collect();
    images(code << 8 | 3, &[3, 1, 2], &values)
}

#[test]
fn other_types_of_values_are_read() {
    let all: [(u32, ToBytes); 5] = [
        (0x09, |value| (value as i8).to_be_bytes().to_vec()),
        (0x0b, |value| (value as i16).to_be_bytes().to_vec()),
        (0x0c, |value| value.to_be_bytes().to_vec()),
        (0x0d, |value| (value as f32).to_be_bytes().to_vec()),
        (0x0e, |value| f64::from(value).to_be_bytes().to_vec()),
    ];
    for (code, write) in all {
        let set = load_pair(typed(code, write), labels(&[0, 1, 1])).unwrap().train;
        assert_eq!(set.values, Values::Keys(vec![1, 2, 3, 4, 5, -6]), "{code:#x}");
        let mut cut = typed(code, write);
        cut.pop();
        assert_fails!(load_pair(cut, labels(&[0, 1, 1])), Truncated, "is cut short");
        // Labels too.
        let wide = images(code << 8 | 1, &[3], &[0, 7, 7].into_iter().flat_map(write).collect::<Vec<u8>>());
        assert_eq!(load_pair(three(), wide).unwrap().train.classes, names(&["0", "7"]));
    }
    let half = typed(0x0d, |value| (value as f32 + 0.5).to_be_bytes().to_vec());
    assert_fails!(
        load_pair(half, labels(&[0, 1, 1])),
        IdxFraction,
        "holds floats of 32 bits, and value 1 is \"1.5\""
    );
    let not_a_number = typed(0x0e, |_| f64::NAN.to_be_bytes().to_vec());
    assert_fails!(load_pair(not_a_number, labels(&[0, 1, 1])), IdxFraction, "value 1 is \"NaN\"");
    let negative = images(0x0901, &[3], &[0, 1, 255]);
    assert_fails!(load_pair(three(), negative), IdxLabel, "label 3 is -1");
    assert_fails!(
        load_pair(images(0x0a03, &[3, 1, 2], &[0; 6]), labels(&[0, 1, 1])),
        Magic,
        "the number 2563"
    );
}

#[test]
fn channels_may_come_last() {
    // One image of 4 x 5 pixels in three colours: pixel p of colour c is 10 c + p.
    let pixels: Vec<u8> = (0..20).flat_map(|place| [place, 100 + place, 200 + place]).collect();
    let two = [pixels.clone(), pixels].concat();
    let loaded = load_pair(images(2052, &[2, 4, 5, 3], &two), labels(&[0, 1])).unwrap();
    assert_eq!(loaded.train.schema, Schema::Image { channels: 3, height: 4, width: 5 });
    assert_eq!(loaded.notes, ["the last dimension is read as 3 channels, of images of 4x5"]);
    for place in 0..20 {
        assert_eq!(
            [0, 20, 40].map(|channel| loaded.train.key(1, channel + place as usize)),
            [place, 100 + place, 200 + place]
        );
    }
    let first = load_pair(images(2052, &[2, 3, 4, 5], &two), labels(&[0, 1])).unwrap();
    assert_eq!(first.train.schema, Schema::Image { channels: 3, height: 4, width: 5 });
    assert!(first.notes.is_empty() && first.train.key(0, 1) == 100);
}

#[test]
fn test_within_another_word_is_no_test_part() {
    for name in ["latest-", "contest_", "protest."] {
        let loaded = load_files(&[
            (&format!("{name}images-idx3-ubyte"), three()),
            (&format!("{name}labels-idx1-ubyte"), labels(&[0, 1, 1])),
        ]);
        assert_eq!(loaded.unwrap().train.samples(), 3, "{name}");
    }
    for name in ["test-", "my_test_", "testing-", "T10k-"] {
        let only = load_files(&[
            (&format!("{name}images-idx3-ubyte"), three()),
            (&format!("{name}labels-idx1-ubyte"), labels(&[0, 1, 1])),
        ]);
        assert_fails!(only, NoTraining, "holds only test data");
    }
}

#[test]
fn shared_cases_are_read() {
    let Some(floats) = skips::shared_case("idx/float") else { return };
    let refused = load(&floats.to_string_lossy(), &LoadOptions::default());
    assert_fails!(refused, IdxFraction, "holds floats of 32 bits");
    for (folder, channels, note) in [
        ("idx/int8", 1, false),
        ("idx/gztrail", 1, false),
        ("idx/latest", 1, false),
        ("idx/rgb_hwc", 3, true),
    ] {
        let Some(path) = skips::shared_case(folder) else { return };
        let loaded = load(&path.to_string_lossy(), &LoadOptions::default());
        let loaded = loaded.unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert_eq!(loaded.train.schema, Schema::Image { channels, height: 8, width: 8 }, "{folder}");
        assert_eq!((loaded.train.samples(), loaded.notes.len()), (600, usize::from(note)), "{folder}");
    }
}
