//! Finds which IDX files of a folder belong together.
//!
//! A pair is a file with `images` in its name and one with `labels`, equal before that word:
//! `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, with a dot or a hyphen before `idx`,
//! with or without `.gz` (the plain file wins where both are there). A pair with `t10k` or `test`
//! before that word, at the start of a word, is the test pair; any other is the training pair.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;
use super::error::{listed, one_line};

/// The two files of a pair.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) images: PathBuf,
    pub(super) labels: PathBuf,
}

/// The pairs of a folder, at least one.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) train: Option<Pair>,
    pub(super) test: Option<Pair>,
}

/// A file name in lower case without `.gz`, and the name as it is.
type Named = (String, String);

/// Pairs the files of `folder`.
pub(super) fn pairs(folder: &Path) -> Result<Pairs, DataError> {
    let place = one_line(&folder.display().to_string());
    let mut halves: BTreeMap<String, [Option<Named>; 2]> = BTreeMap::new();
    for name in names(folder)? {
        let lower = name.to_lowercase();
        let plain = lower.strip_suffix(".gz").unwrap_or(&lower).to_owned();
        for (half, word) in ["images", "labels"].into_iter().enumerate() {
            if let Some(end) = plain.find(word) {
                // Names come sorted, so that the plain file is met before the compressed one.
                let halves = halves.entry(plain[..end].to_owned()).or_default();
                halves[half].get_or_insert((plain, name));
                break;
            }
        }
    }
    let mut found: [BTreeMap<String, Pair>; 2] = Default::default();
    for (prefix, halves) in halves {
        let pair = match halves {
            [Some((_, images)), Some((_, labels))] => {
                Pair { images: folder.join(images), labels: folder.join(labels) }
            }
            [Some((plain, name)), None] => {
                let missing =
                    plain.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
                return Err(half(place, &name, &missing));
            }
            [None, Some((plain, name))] => {
                return Err(half(place, &name, &plain.replace("labels", "images").replace("idx1", "idx3")));
            }
            [None, None] => continue,
        };
        found[usize::from(is_test(&prefix))].insert(prefix, pair);
    }
    let [train, test] = found;
    let pairs = Pairs { train: only(&place, "training", train)?, test: only(&place, "test", test)? };
    if pairs.train.is_none() && pairs.test.is_none() {
        return Err(DataError::NoPairs { folder: place });
    }
    Ok(pairs)
}

/// Whether a word of the name begins with `test`, which none of `latest` or `contest` does.
fn is_test(name: &str) -> bool {
    name.split(|letter: char| !letter.is_alphanumeric())
        .any(|word| word.starts_with("test") || word == "t10k")
}

/// The names of the files in `folder`, sorted; hidden ones are left out.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let unreadable = |reason| DataError::Unreadable { file: one_line(&folder.display().to_string()), reason };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| !name.starts_with('.') && path.is_file()) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The one pair of a part, if it has any.
fn only(
    place: &str,
    part: &'static str,
    mut pairs: BTreeMap<String, Pair>,
) -> Result<Option<Pair>, DataError> {
    if pairs.len() > 1 {
        let names = listed(pairs.keys().map(String::as_str));
        return Err(DataError::SeveralPairs { folder: place.to_owned(), part, names });
    }
    Ok(pairs.pop_first().map(|(_, pair)| pair))
}

fn half(folder: String, present: &str, missing: &str) -> DataError {
    DataError::HalfPair { folder, present: one_line(present), missing: one_line(missing) }
}
