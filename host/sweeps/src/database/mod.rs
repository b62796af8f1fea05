//! The database of sweeps: one SQLite file.
//!
//! `runs` has a row a run, `settings` its configuration key by key, `metrics` its sweeps or generations; of islands `winners` and `lineage` say how the
//! best genome came to be and `epochs` what each island did: see `tables.sql`. A run enters with all that belongs to
//! it in one transaction when it has ended, so that a kill leaves whole runs and nothing else. One sweep at a time writes: it holds a lock on
//! a file beside the database, and SQLite's own lock only for the moment of writing, so that `evobit runs` may look at any time.

mod error;
mod lineage;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, params};

use super::{Metric, Planned, Results};
pub use error::DatabaseError;

/// The version of the tables, as SQLite's `user_version`.
const VERSION: i32 = 2;

const TABLES: &str = include_str!("tables.sql");

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
    /// Checksum of the genome.
    pub genome_crc: String,
    /// Bytes of the model.
    pub model_bytes: i64,
    /// Checksum of the model.
    pub model_crc: String,
    /// Mutants scored.
    pub mutants: i64,
    /// Seconds of the search.
    pub seconds: f64,
    /// Why it ended.
    pub stop: String,
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
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
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
        let database = database.checked()?;
        // From here on who waits says so, and waits again.
        let waits = database.connection.busy_timeout(Duration::from_secs(1));
        waits.map_err(|error| database.failed(error))?;
        Ok(database)
    }

    /// Opens a database to read.
    ///
    /// # Errors
    /// None there, or no database of sweeps.
    pub fn read(path: &Path) -> Result<Self, DatabaseError> {
        if !path.is_file() {
            return Err(DatabaseError::Missing { path: path.to_owned() });
        }
        // Not read-only: what a kill left half written is taken back by whoever looks next.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
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
            // None: SQLite gave a value that is no such as was written.
            Some(ErrorCode::DatabaseCorrupt) | None => DatabaseError::Damaged { path },
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

    /// Do its pages make sense? It takes as long as reading the file.
    fn is_whole(&self) -> Result<bool, DatabaseError> {
        let found = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        found.map(|found| found == "ok").map_err(|error| self.failed(error))
    }

    fn checked(self) -> Result<Self, DatabaseError> {
        match self.version()? {
            VERSION if self.is_whole()? => Ok(self),
            VERSION => Err(DatabaseError::Damaged { path: self.path }),
            0 => Err(DatabaseError::Foreign { path: self.path }),
            found => Err(DatabaseError::Version { path: self.path, found }),
        }
    }

    /// The number of a run that has ended well before.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn number(&self, run: &Planned) -> Result<Option<i64>, DatabaseError> {
        let query = "SELECT run FROM runs WHERE configuration = ?1 AND seed = ?2 AND error IS NULL";
        let key = params![run.configuration(), run.seed.cast_signed()];
        let found = self.connection.query_row(query, key, |row| row.get::<_, i64>(0));
        found.optional().map_err(|error| self.failed(error))
    }

    /// Keeps what came of a run, in place of what came of it before.
    ///
    /// # Errors
    /// A database that cannot be written, or that another program has held for a second; nothing of the run is in it then.
    pub fn keep(&mut self, run: &Planned, results: &Result<Results, String>) -> Result<(), DatabaseError> {
        let kept = self.keep_all(run, results);
        kept.map_err(|error| self.failed(error))
    }

    fn keep_all(&mut self, run: &Planned, results: &Result<Results, String>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        forget(&transaction, run)?;
        transaction.execute(
            "INSERT INTO runs (configuration, varied, seed, error) VALUES (?1, ?2, ?3, ?4)",
            params![run.configuration(), run.label(), run.seed.cast_signed(), results.as_ref().err()],
        )?;
        let number = transaction.last_insert_rowid();
        for (key, value) in &run.settings {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            transaction.execute("INSERT INTO settings VALUES (?1, ?2, ?3)", params![number, key, value])?;
        }
        if let Ok(results) = results {
            keep_results(&transaction, number, results)?;
            if let Some(lineage) = &results.lineage {
                lineage::keep(&transaction, number, lineage)?;
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
                 genome_crc, model_bytes, model_crc, mutants, seconds, stop FROM runs ORDER BY run",
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
                    genome_crc: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
                    model_bytes: row.get::<_, Option<i64>>(9)?.unwrap_or(0),
                    model_crc: row.get::<_, Option<String>>(10)?.unwrap_or_default(),
                    mutants: row.get::<_, Option<i64>>(11)?.unwrap_or(0),
                    seconds: number(row.get(12)?),
                    stop: row.get::<_, Option<String>>(13)?.unwrap_or_default(),
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

/// Removes what came of a run before.
fn forget(transaction: &Transaction<'_>, run: &Planned) -> rusqlite::Result<()> {
    let query = "SELECT run FROM runs WHERE configuration = ?1 AND seed = ?2";
    let key = params![run.configuration(), run.seed.cast_signed()];
    let before: Option<i64> = transaction.query_row(query, key, |row| row.get(0)).optional()?;
    if let Some(before) = before {
        for table in ["epochs", "lineage", "winners", "metrics", "settings", "runs"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [before])?;
        }
    }
    Ok(())
}

fn keep_results(transaction: &Transaction<'_>, number: i64, results: &Results) -> rusqlite::Result<()> {
    let [train, validation, test] = results.accuracy.map(measured);
    transaction.execute(
        "UPDATE runs SET train_accuracy = ?2, validation_accuracy = ?3, test_accuracy = ?4, genome_bits = ?5, genome_crc = ?6,
         model_bytes = ?7, model_crc = ?8, mutants = ?9, seconds = ?10, stop = ?11 WHERE run = ?1",
        params![
            number,
            train,
            validation,
            test,
            results.genome_bits,
            format!("{:08x}", results.genome_crc),
            results.model_bytes as i64,
            format!("{:08x}", results.model_crc),
            results.mutants.cast_signed(),
            results.seconds,
            results.stop
        ],
    )?;
    let mut insert =
        transaction.prepare("INSERT OR REPLACE INTO metrics VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for Metric { step, sweep, mutants, seconds, train, validation } in &results.metrics {
        let [train_loss, train_accuracy] = train.map(measured);
        let [loss, accuracy] = validation.map(measured);
        let (step, mutants) = (step.cast_signed(), mutants.cast_signed());
        insert.execute(params![
            number,
            step,
            sweep,
            mutants,
            seconds,
            train_loss,
            train_accuracy,
            loss,
            accuracy
        ])?;
    }
    Ok(())
}

/// SQLite has no NaN.
fn measured(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests;
