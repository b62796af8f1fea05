//! The database of sweeps: one SQLite file.
//!
//! `runs` has a row a run, `settings` its configuration key by key, `metrics` its sweeps or generations. A run enters with all that belongs to
//! it in one transaction when it has ended, so that a kill leaves whole runs and nothing else. One sweep at a time writes: it holds a lock on
//! a file beside the database, and SQLite's own lock only for the moment of writing, so that `host runs` may look at any time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::{Metric, Planned, Results};

/// The version of the tables, as SQLite's `user_version`.
const VERSION: i32 = 1;

const TABLES: &str = "
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    configuration TEXT NOT NULL,
    varied TEXT NOT NULL,
    seed INTEGER NOT NULL,
    error TEXT,
    train_accuracy REAL, validation_accuracy REAL, test_accuracy REAL,
    genome_bits INTEGER, model_bytes INTEGER, model_crc TEXT,
    mutants INTEGER, seconds REAL, stop TEXT,
    UNIQUE (configuration, seed)
);
CREATE TABLE settings (
    run INTEGER NOT NULL REFERENCES runs, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs, step INTEGER NOT NULL, sweep INTEGER NOT NULL,
    mutants INTEGER NOT NULL, seconds REAL NOT NULL,
    train_loss REAL, train_accuracy REAL, validation_loss REAL, validation_accuracy REAL,
    PRIMARY KEY (run, step)
) WITHOUT ROWID;
";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is none.
    #[error("{}: no such database: `host sweep PLAN --database {}` makes one", path.display(), path.display())]
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

/// A run in the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its number.
    pub run: i64,
    /// All that was set, but for the seed.
    pub configuration: String,
    /// The varied part of it.
    pub varied: String,
    /// The seed.
    pub seed: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// Accuracy on training samples, on those that chose and on those held out; NaN where there are none.
    pub accuracy: [f64; 3],
    /// Bytes of the model.
    pub model_bytes: i64,
    /// Checksum of the model.
    pub model_crc: String,
    /// Mutants scored.
    pub mutants: i64,
    /// Seconds of the search.
    pub seconds: f64,
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
    /// The lock of who writes; it goes with the process.
    _lock: Option<File>,
}

impl Database {
    /// Opens a database to write, or makes it.
    ///
    /// # Errors
    /// One that another sweep writes to, or no database of sweeps.
    pub fn write(path: &Path) -> Result<Self, DatabaseError> {
        let beside = path.with_added_extension("lock");
        let lock =
            File::create(&beside).map_err(|source| DatabaseError::Lock { path: path.to_owned(), source })?;
        if let Err(std::fs::TryLockError::WouldBlock) = lock.try_lock() {
            return Err(DatabaseError::Locked { path: path.to_owned() });
        }
        let database = Self::open(path, OpenFlags::default(), Some(lock))?;
        let version = database.version()?;
        if version == 0 && database.is_empty()? {
            let tables = format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;");
            database.connection.execute_batch(&tables).map_err(|error| database.failed(error))?;
        }
        database.checked()
    }

    /// Opens a database to read.
    ///
    /// # Errors
    /// None there, or no database of sweeps.
    pub fn read(path: &Path) -> Result<Self, DatabaseError> {
        if !path.is_file() {
            return Err(DatabaseError::Missing { path: path.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open(path, flags, None)?.checked()
    }

    fn open(path: &Path, flags: OpenFlags, lock: Option<File>) -> Result<Self, DatabaseError> {
        let failed = |source| DatabaseError::Failed { path: path.to_owned(), source };
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), _lock: lock })
    }

    fn failed(&self, source: rusqlite::Error) -> DatabaseError {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Locked { path },
            Some(ErrorCode::NotADatabase) => DatabaseError::Foreign { path },
            _ => DatabaseError::Failed { path, source },
        }
    }

    fn version(&self) -> Result<i32, DatabaseError> {
        let version = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.map_err(|error| self.failed(error))
    }

    fn is_empty(&self) -> Result<bool, DatabaseError> {
        let tables = self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        tables.map(|tables: i64| tables == 0).map_err(|error| self.failed(error))
    }

    fn checked(self) -> Result<Self, DatabaseError> {
        match self.version()? {
            VERSION => Ok(self),
            0 => Err(DatabaseError::Foreign { path: self.path }),
            found => Err(DatabaseError::Version { path: self.path, found }),
        }
    }

    /// True where a run has ended well before.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn has(&self, run: &Planned) -> Result<bool, DatabaseError> {
        let query = "SELECT run FROM runs WHERE configuration = ?1 AND seed = ?2 AND error IS NULL";
        let found =
            self.connection.query_row(query, params![run.configuration(), run.seed.cast_signed()], |row| {
                row.get::<_, i64>(0)
            });
        Ok(found.optional().map_err(|error| self.failed(error))?.is_some())
    }

    /// Keeps what came of a run, in place of what came of it before.
    ///
    /// # Errors
    /// A database that cannot be written; nothing of the run is in it then.
    pub fn keep(&mut self, run: &Planned, results: &Result<Results, String>) -> Result<(), DatabaseError> {
        let kept = self.keep_all(run, results);
        kept.map_err(|error| self.failed(error))
    }

    fn keep_all(&mut self, run: &Planned, results: &Result<Results, String>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let seed = run.seed.cast_signed();
        let before: Option<i64> = transaction
            .query_row(
                "SELECT run FROM runs WHERE configuration = ?1 AND seed = ?2",
                params![run.configuration(), seed],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(before) = before {
            for table in ["metrics", "settings", "runs"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [before])?;
            }
        }
        transaction.execute(
            "INSERT INTO runs (configuration, varied, seed, error) VALUES (?1, ?2, ?3, ?4)",
            params![run.configuration(), run.label(), seed, results.as_ref().err()],
        )?;
        let number = transaction.last_insert_rowid();
        for (key, value) in &run.settings {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            transaction.execute("INSERT INTO settings VALUES (?1, ?2, ?3)", params![number, key, value])?;
        }
        if let Ok(results) = results {
            let [train, validation, test] = results.accuracy.map(measured);
            transaction.execute(
                "UPDATE runs SET train_accuracy = ?2, validation_accuracy = ?3, test_accuracy = ?4, genome_bits = ?5,
                 model_bytes = ?6, model_crc = ?7, mutants = ?8, seconds = ?9, stop = ?10 WHERE run = ?1",
                params![
                    number,
                    train,
                    validation,
                    test,
                    results.genome_bits,
                    results.model_bytes as i64,
                    format!("{:08x}", results.model_crc),
                    results.mutants.cast_signed(),
                    results.seconds,
                    results.stop
                ],
            )?;
            let mut insert = transaction
                .prepare("INSERT OR REPLACE INTO metrics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
            for Metric { step, sweep, mutants, seconds, train, validation } in &results.metrics {
                let [train_loss, train_accuracy] = train.map(measured);
                let [loss, accuracy] = validation.map(measured);
                insert.execute(params![
                    number,
                    step.cast_signed(),
                    sweep,
                    mutants.cast_signed(),
                    seconds,
                    train_loss,
                    train_accuracy,
                    loss,
                    accuracy
                ])?;
            }
        }
        transaction.commit()
    }

    /// All runs, in the order in which they ended.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn runs(&self) -> Result<Vec<Kept>, DatabaseError> {
        let read = || {
            let mut query = self.connection.prepare(
                "SELECT run, configuration, varied, seed, error, train_accuracy, validation_accuracy, test_accuracy,
                 model_bytes, model_crc, mutants, seconds FROM runs ORDER BY run",
            )?;
            let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
            let rows = query.query_map([], |row| {
                Ok(Kept {
                    run: row.get(0)?,
                    configuration: row.get(1)?,
                    varied: row.get(2)?,
                    seed: row.get::<_, i64>(3)?.cast_unsigned(),
                    error: row.get(4)?,
                    accuracy: [number(row.get(5)?), number(row.get(6)?), number(row.get(7)?)],
                    model_bytes: row.get::<_, Option<i64>>(8)?.unwrap_or(0),
                    model_crc: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
                    mutants: row.get::<_, Option<i64>>(10)?.unwrap_or(0),
                    seconds: number(row.get(11)?),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(error))
    }

    /// The sweeps or generations of a run.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn metrics(&self, run: i64) -> Result<Vec<Metric>, DatabaseError> {
        let read = || {
            let mut query = self.connection.prepare(
                "SELECT step, sweep, mutants, seconds, train_loss, train_accuracy, validation_loss, validation_accuracy
                 FROM metrics WHERE run = ?1 ORDER BY step",
            )?;
            let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
            let rows = query.query_map([run], |row| {
                Ok(Metric {
                    step: row.get::<_, i64>(0)?.cast_unsigned(),
                    sweep: row.get(1)?,
                    mutants: row.get::<_, i64>(2)?.cast_unsigned(),
                    seconds: row.get(3)?,
                    train: [number(row.get(4)?), number(row.get(5)?)],
                    validation: [number(row.get(6)?), number(row.get(7)?)],
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(error))
    }
}

/// SQLite has no NaN.
fn measured(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(seed: u64) -> Planned {
        let settings: toml::Table = toml::from_str("data = \"iris\"\nlevels = 4").unwrap();
        Planned { varied: settings.clone(), settings, seed }
    }

    fn results() -> Results {
        let metric =
            |step| Metric { step, train: [0.5, 0.75], validation: [f64::NAN; 2], ..Metric::default() };
        Results {
            metrics: vec![metric(1), metric(2)],
            accuracy: [0.9, 0.8, f64::NAN],
            genome_bits: 70,
            model_bytes: 404,
            model_crc: 0xabc,
            mutants: 12,
            seconds: 0.5,
            stop: "converged".into(),
        }
    }

    #[test]
    fn what_is_kept_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.db");
        let mut database = Database::write(&path).unwrap();
        database.keep(&planned(1), &Err("no such file".into())).unwrap();
        assert!(!database.has(&planned(1)).unwrap(), "a run that failed is done again");
        database.keep(&planned(1), &Ok(results())).unwrap();
        database.keep(&planned(u64::MAX), &Ok(results())).unwrap();
        assert!(database.has(&planned(1)).unwrap() && !database.has(&planned(2)).unwrap());
        let read = Database::read(&path).unwrap();
        let runs = read.runs().unwrap();
        assert_eq!((runs.len(), runs[0].seed, runs[1].seed), (2, 1, u64::MAX));
        assert!(runs[0].accuracy[2].is_nan() && runs[0].error.is_none());
        let metrics = read.metrics(runs[1].run).unwrap();
        assert_eq!((metrics.len(), metrics[1].step, metrics[1].train), (2, 2, [0.5, 0.75]));
    }

    #[test]
    fn one_sweep_at_a_time_and_only_into_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.db");
        let first = Database::write(&path).unwrap();
        assert!(matches!(Database::write(&path), Err(DatabaseError::Locked { .. })));
        drop(first);
        Database::write(&path).unwrap();
        let held = Connection::open(&path).unwrap();
        held.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert!(matches!(Database::write(&path), Err(DatabaseError::Locked { .. })));
        drop(held);
        std::fs::write(&path, "something else, and long enough to be looked at").unwrap();
        assert!(matches!(Database::write(&path), Err(DatabaseError::Foreign { .. })));
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
        assert!(matches!(Database::write(&other), Err(DatabaseError::Foreign { .. })));
        assert!(matches!(Database::read(&folder.path().join("none")), Err(DatabaseError::Missing { .. })));
    }
}
