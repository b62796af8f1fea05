//! What a rule is evolved on and what it is judged by: a kind of task over given data.

use evobit::rule::{Plasticity, ShapeError};

use super::Batch;
use super::table::Table;
use super::tasks::{BooleanTask, Damage, TableTask};

/// A kind of task.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Learn a table or images
    #[default]
    Table,
    /// Learn Boolean functions: evolution sees exclusive or and or, the exam is all other functions
    Boolean,
    /// Learn, then learn the same samples with their inputs permuted; both are examined in the end
    Switch,
    /// Learn, lose 20 % of the weights, learn on
    Lesion,
    /// Learn, gain a quarter more neurons in the first hidden layer, learn on
    Growth,
}

/// The share of weights that a lesion takes, in per cent.
const LESION: u8 = 20;
/// Random starts of each Boolean function in the last exam.
const BOOLEAN_STARTS: u32 = 32;
/// Indices of batches from here on are never used to evolve.
const CHOOSING: u32 = 1_000_000;
/// Indices of batches of the last exam.
const LAST: u32 = 2_000_000;
/// The share of the samples that is examined while evolving, in 256ths.
const EXAM: u32 = 64;

/// A course: tasks to evolve on, tasks to choose by, tasks to be judged by.
#[derive(Clone, Debug)]
pub struct Course {
    /// The kind of task.
    pub kind: Kind,
    /// Samples to learn from.
    pub learn: Table,
    /// Samples that only the last exam has.
    pub held_out: Table,
    /// Times that samples are shown.
    pub epochs: u32,
    /// Samples that a network learns from at most while the rule evolves.
    pub most: usize,
    /// Hidden layers of the networks that evolution sees, one batch after the other.
    pub shapes: Vec<Vec<u16>>,
    /// Hidden layers in the last exam.
    pub hidden: Vec<u16>,
    /// How updates are applied.
    pub plasticity: Plasticity,
    /// Whether fitness is what an exam is better than one before.
    pub improvement: bool,
    /// Seed of all lives.
    pub seed: u64,
}

impl Course {
    /// The batches of a chapter.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn chapter(&self, chapter: u32, batches: u32) -> Result<Vec<Batch>, ShapeError> {
        (0..batches).map(|index| self.batch(chapter * batches + index)).collect()
    }

    /// The batches that choose between rules: other draws of the samples to learn from.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn choosing(&self, batches: u32) -> Result<Vec<Batch>, ShapeError> {
        (0..batches).map(|index| self.batch(CHOOSING + index)).collect()
    }

    fn batch(&self, index: u32) -> Result<Batch, ShapeError> {
        let hidden = &self.shapes[index as usize % self.shapes.len().max(1)];
        let task = TableTask {
            table: &self.learn,
            epochs: self.epochs,
            exam: EXAM,
            most: self.most,
            permuted: true,
            held_out: None,
        };
        let mut batch = match self.kind {
            Kind::Boolean => self.boolean(&self.functions()[..2]).batch(hidden, self.seed, index)?,
            _ => self.of_table(&task, hidden, index)?,
        };
        batch.plasticity = self.plasticity;
        if self.improvement {
            batch.begin_with_exam();
        }
        Ok(batch)
    }

    /// The batches of the last exam: everything is learned from, what is held out is asked.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn last(&self) -> Result<Vec<Batch>, ShapeError> {
        let task = TableTask {
            table: &self.learn,
            epochs: self.epochs,
            exam: 0,
            most: usize::MAX,
            permuted: false,
            held_out: Some(&self.held_out),
        };
        let mut batches = match self.kind {
            Kind::Boolean => {
                let functions = self.functions();
                let unseen = self.boolean(&functions[2..]);
                let lives = (functions.len() as u32 - 2) * BOOLEAN_STARTS;
                let batch = |index| unseen.batch(&self.hidden, self.seed, LAST + index);
                (0..lives.div_ceil(super::LANES as u32)).map(batch).collect::<Result<Vec<_>, _>>()?
            }
            _ => vec![self.of_table(&task, &self.hidden, LAST)?],
        };
        batches.iter_mut().for_each(|batch| batch.plasticity = self.plasticity);
        Ok(batches)
    }

    fn of_table(&self, task: &TableTask<'_>, hidden: &[u16], index: u32) -> Result<Batch, ShapeError> {
        match self.kind {
            Kind::Switch => task.switch(hidden, self.seed, index),
            Kind::Lesion => task.damaged(hidden, Damage::Lesion(LESION), self.seed, index),
            Kind::Growth => {
                let neurons = hidden.first().map_or(0, |&width| width / 5);
                task.damaged(hidden, Damage::Growth(neurons), self.seed, index)
            }
            Kind::Table | Kind::Boolean => task.batch(hidden, self.seed, index),
        }
    }

    fn boolean<'a>(&self, functions: &'a [u32]) -> BooleanTask<'a> {
        BooleanTask { inputs: self.learn.inputs as u32, functions, passes: self.epochs }
    }

    /// The unseen function, by its number among them, that the first lane of the last exam's first batch has.
    #[must_use]
    pub fn last_function(&self) -> usize {
        LAST as usize * super::LANES
    }

    /// The truth table of an unseen function: bit `i` is the answer to the inputs whose bits make `i`.
    #[must_use]
    pub fn truth_table(&self, unseen: usize) -> u32 {
        self.functions()[2..].get(unseen).copied().unwrap_or(0)
    }

    /// All functions of so many inputs; first exclusive or, or.
    fn functions(&self) -> Vec<u32> {
        let rows = 1u32 << self.learn.inputs;
        let parity = (0..rows).fold(0, |table, row| table | (row.count_ones() & 1) << row);
        let any = (0..rows).skip(1).fold(0, |table, row| table | 1 << row);
        let all = (0..1u64 << rows).map(|table| table as u32);
        [parity, any].into_iter().chain(all.filter(|&table| table != parity && table != any)).collect()
    }
}

/// A table of nothing but the inputs of a Boolean function.
#[must_use]
pub fn boolean_table(inputs: usize) -> Table {
    Table { inputs, classes: 2, ..Table::default() }
}
