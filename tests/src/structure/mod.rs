//! What the repository promises of its own structure: imports without large circles, dependencies that point down, functions and crates
//! of a size that can be read.
//!
//! The check reads sources as text, without a compiler: [`tokens`] strips comments and literals, [`modules`] finds the files of a crate and
//! what they import, [`circles`] searches their graph. It takes less than a second.

pub mod circles;
pub mod functions;
pub mod modules;
pub mod packages;
pub mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// All files under `folder` with this extension, in order; without what Cargo builds and what runs of the program leave.
///
/// # Panics
/// When a folder cannot be read.
#[must_use]
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !matches!(&*name, "target" | ".git" | "runs") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file's text.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path as people write it: from the folder of the repository.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}
