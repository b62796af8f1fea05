//! The committed model images are read as ever, and the broken ones are refused for the right reason.

use evobit::image::Image;
use tests::corpus::{entries, folder};

fn parse(bytes: &[u8]) -> Result<usize, evobit::image::ImageError> {
    let mut words = vec![0u32; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    Image::parse(&bytemuck::cast_slice(&words)[..bytes.len()]).map(|image| image.len())
}

#[test]
fn every_file_is_read_or_refused_for_its_reason() {
    for entry in entries() {
        let file = std::fs::read(folder().join(entry.name)).unwrap();
        assert_eq!(file, entry.bytes, "{}: the format changed: it needs a new version", entry.name);
        let expected = entry.error.map_or(Ok(entry.bytes.len()), Err);
        assert_eq!(parse(&file), expected, "{}", entry.name);
    }
}

#[test]
fn what_fuzzing_found_never_panics() {
    for file in std::fs::read_dir(folder()).unwrap() {
        let _ = parse(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
