//! Pictures of a training run.
//!
//! | function | shows | file |
//! |---|---|---|
//! | [`curves()`] | accuracy and loss while a run goes on | SVG |
//! | [`confusion()`] | which class is taken for which | SVG |
//! | [`weights()`] | the weights of single neurons, one tile each | PNG |
//! | [`lines()`] | anything over steps, runs side by side | SVG |
//! | [`spectrum_histogram()`] | what one changed bit does to the loss | SVG |
//! | [`importance()`] | what each column of a table is worth | SVG |
//! | [`Events`] | scalars while a run goes on | TensorBoard's |
//!
//! A picture is drawn into memory and then written in one go, so that a
//! failed run leaves no half picture behind. Equal input gives equal bytes:
//! nothing depends on fonts of the machine, on time or on the order of a hash
//! table. Every function accepts empty input and draws an empty figure.
//!
//! `canvas` holds the pen, `axis` scales and ticks, `text` how numbers
//! and names are written; each of the other files is one kind of figure.

use std::io;
use std::path::{Path, PathBuf};

mod axis;
mod canvas;
mod confusion;
mod curves;
#[cfg_attr(not(feature = "tensorboard"), path = "without_events.rs")]
mod events;
mod histogram;
mod importance;
mod lines;
mod text;
mod weights;

pub use confusion::confusion;
pub use curves::{CurvePoint, curves};
pub use events::Events;
pub use histogram::spectrum_histogram;
pub use importance::{Importance, MOST_BARS, importance};
pub use lines::{Chart, Line, MOST_NAMES, lines};
pub use weights::{Cell, weights};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file could not be written.
    #[error("could not write {}: {source}; check that the folder exists and is writable", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tiles are too large to fit a bitmap of bearable size.
    #[error("could not write {}: a sheet with tiles of {height} x {width} weights is too large", path.display())]
    SheetTooLarge {
        /// The file that was to be written.
        path: PathBuf,
        /// Rows of weights in a tile.
        height: u32,
        /// Columns of weights in a tile.
        width: u32,
    },
    /// The program cannot write event files.
    #[error(
        "this program was built without TensorBoard's files: build it with `cargo build --release -p host --features tensorboard`"
    )]
    NoEvents,
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    std::fs::write(path, bytes).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `draw` twice; checks that both files are equal and well-formed SVG.
    pub(super) fn svg_of(draw: impl Fn(&Path) -> Result<(), ReportError>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("a.svg"), folder.path().join("b.svg")];
        let [first, second] = paths.map(|path| {
            draw(&path).unwrap();
            std::fs::read_to_string(&path).unwrap()
        });
        assert_eq!(first, second, "equal input must give equal bytes");
        assert!(first.starts_with("<svg "));
        assert!(first.trim_end().ends_with("</svg>"));
        assert!(!first.contains("NaN") && !first.contains("inf"), "a number was not finite");
        assert_tags_close(&first);
        first
    }

    fn assert_tags_close(svg: &str) {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, rest) = tag.split_once('>').expect("a tag ends");
            assert!(!rest.contains('>'), "text is escaped");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name)),
                None if tag.ends_with('/') => {}
                None => open.push(tag.split(' ').next().unwrap()),
            }
        }
        assert!(open.is_empty());
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("curves.svg");
        let failures = [
            curves(&path, "sweeps", &[]),
            confusion(&path, &[], &[]),
            weights(&path, 1, 2, 2, |_, _, _| Cell::Plus),
            spectrum_histogram(&path, &[], 1),
            lines(&path, "curves.svg", &[]),
        ];
        for failure in failures {
            assert!(failure.unwrap_err().to_string().contains("curves.svg"));
        }
    }
}
