//! The folder of a run: made before training begins, never written over by another.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a run folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is something there.
    #[error("{}: exists already, and a run never overwrites another: choose another --out or remove it", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// It is not the folder of a run.
    #[error("{}: is not the folder of a run, it has no config.toml: give one such as runs/digits-1", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Another program is at work in it.
    #[error("{}: another run is at work in it: wait until it ends, or end it with Ctrl-C first", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("{}: the disk is full: make room, then go on with --resume and the run folder", path.display())]
    Full {
        /// The folder or file.
        path: PathBuf,
    },
    /// It cannot be made or written.
    #[error("{}: cannot be written ({source}): choose a folder you may write with --out", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl FolderError {
    fn writing(path: PathBuf, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Write { path, source },
        }
    }
}

/// A row of a search as a line of `metrics.csv`.
pub trait Line {
    /// The names of the columns, separated by commas.
    const COLUMNS: &'static str;

    /// The cells, separated by commas; what was not measured stays empty.
    fn line(&self) -> String;
}

/// A folder of its own for one run, locked against others until the last clone goes.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The folder, opened and locked; none where the system locks no folders. The lock goes with the process, however
    /// that ends.
    _lock: Option<Arc<fs::File>>,
}

impl RunFolder {
    /// Makes `path`, or without one the first free of `runs/NAME-1`, `runs/NAME-2`, and so on.
    ///
    /// # Errors
    /// A folder that exists or cannot be written.
    pub fn create(path: Option<&Path>, name: &str) -> Result<Self, FolderError> {
        let made = match path {
            Some(path) => {
                if let Some(parent) = path.parent() {
                    make_all(parent)?;
                }
                make(path)?
            }
            None => {
                let runs = Path::new("runs");
                make_all(runs)?;
                (1u32..)
                    .map(|number| make(&runs.join(format!("{name}-{number}"))))
                    .find(|made| !matches!(made, Err(FolderError::Exists { .. })))
                    .unwrap_or_else(|| Err(FolderError::Exists { path: runs.to_owned() }))?
            }
        };
        Self::lock(made)
    }

    /// The folder of a run that was begun before.
    ///
    /// # Errors
    /// A path that is none, or where a run is at work.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let path = path.to_owned();
        if path.join("config.toml").is_file() { Self::lock(path) } else { Err(FolderError::NoRun { path }) }
    }

    /// The folder of a run that another process of it holds.
    #[must_use]
    pub fn join(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    fn lock(path: PathBuf) -> Result<Self, FolderError> {
        let Ok(folder) = fs::File::open(&path) else { return Ok(Self { path, _lock: None }) };
        match folder.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Err(FolderError::Busy { path }),
            locked => Ok(Self { path, _lock: locked.is_ok().then(|| Arc::new(folder)) }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole or not at all: beside its place first, then renamed.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let (path, beside) = (self.file(name), self.file(&format!("{name}.part")));
        let written = fs::File::create(&beside).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        });
        written.map_err(|source| {
            // Half a file is of no use, and on a full disk in the way.
            let _ = fs::remove_file(&beside);
            FolderError::writing(path, source)
        })
    }

    /// Writes the rows of a search as `metrics.csv`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_metrics<Row: Line>(&self, rows: &[Row]) -> Result<(), FolderError> {
        let mut text = format!("{}\n", Row::COLUMNS);
        for row in rows {
            text += &row.line();
            text.push('\n');
        }
        self.write("metrics.csv", text.as_bytes())
    }
}

fn make_all(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(|source| FolderError::writing(path.to_owned(), source))
}

fn make(path: &Path) -> Result<PathBuf, FolderError> {
    match fs::create_dir(path) {
        Ok(()) => Ok(path.to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(FolderError::Exists { path: path.to_owned() })
        }
        Err(source) => Err(FolderError::writing(path.to_owned(), source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_never_overwrites_another() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/run");
        let folder = RunFolder::create(Some(&path), "x").unwrap();
        folder.write("model.evb", b"12").unwrap();
        assert_eq!(fs::read(path.join("model.evb")).unwrap(), b"12");
        assert!(matches!(RunFolder::create(Some(&path), "x"), Err(FolderError::Exists { .. })));
        assert!(matches!(RunFolder::open(&path), Err(FolderError::NoRun { .. })));
        folder.write("config.toml", b"").unwrap();
        #[cfg(unix)]
        assert!(matches!(RunFolder::open(&path), Err(FolderError::Busy { .. })));
        drop(folder);
        RunFolder::open(&path).unwrap();
        let file = path.join("model.evb/run");
        assert!(matches!(RunFolder::create(Some(&file), "x"), Err(FolderError::Write { .. })));
    }

    #[test]
    fn what_cannot_be_written_leaves_no_half_file() {
        let base = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(Some(&base.path().join("run")), "x").unwrap();
        // A folder with something in it is in the way.
        fs::create_dir_all(folder.file("model.evb/in")).unwrap();
        assert!(matches!(folder.write("model.evb", b"12"), Err(FolderError::Write { .. })));
        assert!(!folder.file("model.evb.part").exists());
        let full = FolderError::writing("run/model.evb".into(), std::io::ErrorKind::StorageFull.into());
        assert_eq!(
            full.to_string(),
            "run/model.evb: the disk is full: make room, then go on with --resume and the run folder"
        );
    }
}
