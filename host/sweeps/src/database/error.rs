//! What can be wrong with a database, each in one line that says what to do about it.

use std::path::PathBuf;

use super::VERSION;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is none.
    #[error("{}: no such database: `evobit sweep PLAN --database {}` makes one", path.display(), path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Another sweep writes to it, or another program holds it.
    #[error("{}: is locked by another sweep or program: wait until it ends, or choose another --database", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{}: is not a database of sweeps: choose another --database", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is of another version of this program.
    #[error("{}: is of version {found} of sweeps, this program writes version {VERSION}: choose another --database", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// Its pages no longer make sense.
    #[error("{}: is damaged: put a copy of it in its place, or move it away and sweep anew; nothing was changed", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("{}: {source}: check that it lies where you may write, on a disk with room", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file of the lock cannot be made.
    #[error("{}: cannot be written ({source}): choose another --database", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}
