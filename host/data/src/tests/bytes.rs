//! Random and damaged bytes: every reader answers with data that keeps its promises, or with an
//! error of one line, and never panics.

use super::*;
use crate::{input::Input, known::Known, text::Text};

fn check_error(error: &DataError) -> Result<(), TestCaseError> {
    let message = error.to_string();
    prop_assert!(!message.chars().any(char::is_control), "{message:?}");
    prop_assert!(message.len() < 2000, "{message}");
    Ok(())
}

fn check(read: Result<Dataset, DataError>) -> Result<(), TestCaseError> {
    match read {
        Err(error) => check_error(&error),
        Ok(set) => {
            prop_assert!((2..=256).contains(&set.classes.len()));
            prop_assert!(set.samples() > 0 && set.features() > 0);
            prop_assert_eq!(set.values.len(), set.samples() * set.features());
            prop_assert!(set.labels.iter().all(|&label| usize::from(label) < set.classes.len()));
            Ok(())
        }
    }
}

/// Reads bytes in every way there is.
fn read_all(bytes: &[u8], label: Option<String>) -> Result<(), TestCaseError> {
    let image = Schema::Image { channels: 1, height: 1, width: 2 };
    let kinds = [ColumnKind::Integer, ColumnKind::Real, ColumnKind::Category(names(&["x", "y"]))];
    let column = |kind| Column::new("a", kind);
    let classes = names(&["0", "1"]);
    for shape in [None, Some((1, 1, 2))] {
        let options = LoadOptions { label: label.clone(), shape, ..LoadOptions::default() };
        check(read_csv(bytes, "bytes", &options))?;
        for schema in [image.clone(), Schema::Table(kinds.clone().map(column).to_vec())] {
            match read_unlabelled(bytes, "bytes", &schema, &classes, &options) {
                Err(error) => check_error(&error)?,
                Ok(set) => prop_assert_eq!(set.values.len(), set.samples() * set.features()),
            }
            let text = Input::new("bytes", bytes).and_then(|input| Text::read(input, Writing::default()));
            let known = Known { schema: &schema, classes: &classes, options: &options };
            check(text.and_then(|text| known.labelled(&text)).map(|labelled| labelled.set))?;
        }
    }
    for read in [
        Input::new("bytes", bytes).and_then(crate::idx::labels),
        Input::new("bytes", bytes).and_then(crate::idx::images).map(|images| vec![0; images.pixels.len()]),
    ] {
        if let Err(error) = read {
            check_error(&error)?;
        }
    }
    Ok(())
}

/// A sound file of some kind, and a place to start damaging it from.
fn sound() -> impl Strategy<Value = Vec<u8>> {
    let idx = [2051u32, 3, 1, 2].into_iter().flat_map(u32::to_be_bytes).chain([1, 2, 3, 4, 5, 6]);
    let channels = [2052u32, 1, 3, 1, 2].into_iter().flat_map(u32::to_be_bytes).chain([1, 2, 3, 4, 5, 6]);
    let labels = [2049u32, 2].into_iter().flat_map(u32::to_be_bytes).chain([0, 1]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"a,b,y\n1,2,0\n3,4,1\n").unwrap();
    prop::sample::select(vec![
        idx.collect(),
        channels.collect(),
        labels.collect(),
        encoder.finish().unwrap(),
        b"a,b,y\n1,2.5,0\n3,-4,1\n5,6e2,0\n".to_vec(),
        b"1,2,0\n3,4,1\n5,6,0\n".to_vec(),
        b"a,b,c,y\n1,\"x, z\",0,p\n2,y,1,q\n".to_vec(),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        label in prop::option::of(".{0,3}"),
    ) {
        read_all(&bytes, label)?;
    }

    #[test]
    fn random_texts_never_panic(
        text in "([0-9a-c.,\"\n\r \u{feff}\u{e9}+e-]|nan|inf|,1|,0\n|,1\n){0,60}",
        label in prop::option::of("[0-4a-c]"),
    ) {
        read_all(text.as_bytes(), label)?;
    }

    #[test]
    fn damaged_files_never_panic(
        mut bytes in sound(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        read_all(&bytes, None)?;
    }
}
