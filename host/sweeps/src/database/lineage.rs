//! How the best genomes of runs of islands came to be, in tables.

use evobit_link::Flips;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row as TableRow, Transaction, params};

use super::{Database, DatabaseError, measured};
use evobit_train::Row;
use evobit_train::islands::ancestry::{Ancestry, Cause, Step};
use evobit_train::islands::lineage::{Lineage, Winner};

/// Keeps the lineage of run `number`.
pub(super) fn keep(transaction: &Transaction<'_>, number: i64, lineage: &Lineage) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT INTO epochs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for record in &lineage.records {
        let (mated, accuracy) = (record.matings(), measured(record.validation));
        insert.execute(params![
            number,
            record.island,
            record.epoch,
            mated,
            record.changed,
            record.loss,
            accuracy
        ])?;
    }
    let Some(Winner { island, islands, row, ancestry }) = &lineage.winner else { return Ok(()) };
    let base: Vec<u8> = ancestry.base().iter().flat_map(|word| word.to_le_bytes()).collect();
    transaction.execute(
        "INSERT INTO winners VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![number, island, islands, row.sweep, measured(row.validation_accuracy), base],
    )?;
    let mut insert = transaction.prepare("INSERT INTO lineage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (index, step) in (0i64..).zip(ancestry.steps()) {
        let (cause, from, epoch) = match step.cause {
            Cause::Search => ("search", *island, None),
            Cause::Migrant { from, epoch } => ("migrant", from, Some(epoch)),
        };
        let flipped = Flips::new(&step.flips, 0).count() as i64;
        insert.execute(params![number, index, step.sweep, cause, from, epoch, flipped, step.flips])?;
    }
    Ok(())
}

impl Database {
    /// The best genome of a run of islands, and how it came to be; none of a run without islands, or where there is no such run.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn winner(&self, run: i64) -> Result<Option<Winner>, DatabaseError> {
        let read = || {
            let winner = self.connection.query_row(
                "SELECT island, islands, sweep, validation_accuracy, base FROM winners WHERE run = ?1",
                [run],
                |row| {
                    let accuracy = row.get::<_, Option<f64>>(3)?.unwrap_or(f64::NAN);
                    let best = Row { sweep: row.get(2)?, validation_accuracy: accuracy, ..Row::default() };
                    Ok((row.get(0)?, row.get(1)?, best, words(&row.get::<_, Vec<u8>>(4)?)?))
                },
            );
            let Some((island, islands, row, base)) = winner.optional()? else { return Ok(None) };
            let mut query = self.connection.prepare(
                "SELECT sweep, cause, island, epoch, flips FROM lineage WHERE run = ?1 ORDER BY step",
            )?;
            let steps = query.query_map([run], step)?.collect::<rusqlite::Result<Vec<Step>>>()?;
            Ok(Some(Winner { island, islands, row, ancestry: Ancestry::of(base, steps) }))
        };
        read().map_err(|error| self.failed(error))
    }
}

fn step(row: &TableRow<'_>) -> rusqlite::Result<Step> {
    let cause = match row.get::<_, String>(1)?.as_str() {
        "search" => Cause::Search,
        _ => Cause::Migrant { from: row.get(2)?, epoch: row.get(3)? },
    };
    Ok(Step { sweep: row.get(0)?, cause, flips: row.get(4)? })
}

fn words(bytes: &[u8]) -> rusqlite::Result<Vec<u32>> {
    match bytes.as_chunks() {
        (words, []) => Ok(words.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect()),
        _ => Err(rusqlite::Error::InvalidColumnType(4, "base".into(), Type::Blob)),
    }
}
