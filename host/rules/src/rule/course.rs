//! What a rule is evolved on and what it is judged by: a kind of task over given data.

use evobit::rule::{Plasticity, RuleNeeds, ShapeError};

use super::Batch;
use super::table::Table;
use super::tasks::{BooleanTask, Damage, TableTask};

evobit_data::named! {
    /// A kind of task.
    #[derive(Default)]
    pub enum CourseKind {
        /// Learn a table or images
        Table = "table" (default),
        /// Learn Boolean functions: evolution sees exclusive or and or, the exam is all other functions
        Boolean = "boolean",
        /// Learn, then learn the same samples with their inputs permuted; both are examined in the end
        Switch = "switch",
        /// Learn, lose 20 % of the weights, learn on
        Lesion = "lesion",
        /// Learn a table or images without being told classes; the exam asks how well outputs tell them apart
        Unlabelled = "unlabelled",
        /// Learn, gain a quarter more neurons in the first hidden layer, learn on
        Growth = "growth",
    }
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
    pub kind: CourseKind,
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
    /// What a rule needs and these tasks do not give.
    #[must_use]
    pub const fn lacks(&self, needs: RuleNeeds) -> Option<&'static str> {
        match self.kind {
            CourseKind::Unlabelled if needs.error => Some("errors, so labelled samples"),
            _ => None,
        }
    }

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
            plasticity: self.plasticity,
            permuted: true,
            held_out: None,
        };
        let mut batch = match self.kind {
            CourseKind::Boolean => self.boolean(&self.functions()[..2]).batch(hidden, self.seed, index)?,
            _ => self.of_table(&task, hidden, index)?,
        };
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
            plasticity: self.plasticity,
            permuted: false,
            held_out: Some(&self.held_out),
        };
        Ok(match self.kind {
            CourseKind::Boolean => {
                let functions = self.functions();
                let unseen = self.boolean(&functions[2..]);
                let lives = (functions.len() as u32 - 2) * BOOLEAN_STARTS;
                let batch = |index| unseen.batch(&self.hidden, self.seed, LAST + index);
                (0..lives.div_ceil(super::LANES as u32)).map(batch).collect::<Result<Vec<_>, _>>()?
            }
            _ => vec![self.of_table(&task, &self.hidden, LAST)?],
        })
    }

    fn of_table(&self, task: &TableTask<'_>, hidden: &[u16], index: u32) -> Result<Batch, ShapeError> {
        match self.kind {
            CourseKind::Switch => task.switch(hidden, self.seed, index),
            CourseKind::Lesion => task.damaged(hidden, Damage::Lesion(LESION), self.seed, index),
            CourseKind::Growth => {
                let neurons = hidden.first().map_or(0, |&width| width / 5);
                task.damaged(hidden, Damage::Growth(neurons), self.seed, index)
            }
            CourseKind::Unlabelled => Ok(Batch { labelled: false, ..task.batch(hidden, self.seed, index)? }),
            CourseKind::Table | CourseKind::Boolean => task.batch(hidden, self.seed, index),
        }
    }

    fn boolean<'a>(&self, functions: &'a [u32]) -> BooleanTask<'a> {
        BooleanTask {
            inputs: self.learn.inputs as u32,
            functions,
            passes: self.epochs,
            plasticity: self.plasticity,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{LANES, Phase, Sample};

    fn course(kind: CourseKind) -> Course {
        // What is held out has values that nothing else has.
        let table = |values: [i8; 2]| Table {
            inputs: 2,
            values: values.repeat(40),
            labels: [0, 1].repeat(20),
            classes: 2,
        };
        let boolean = kind == CourseKind::Boolean;
        Course {
            kind,
            learn: if boolean { boolean_table(2) } else { table([1, 2]) },
            held_out: if boolean { boolean_table(2) } else { table([3, 4]) },
            epochs: 2,
            most: usize::MAX,
            shapes: vec![vec![5]],
            hidden: vec![5],
            plasticity: Plasticity::default(),
            improvement: false,
            seed: 1,
        }
    }

    fn asked_or_shown(phase: &Phase, exams: bool) -> &[Sample] {
        match phase {
            Phase::Learn(samples) if !exams => samples,
            Phase::Exam(samples, _) if exams => samples,
            _ => &[],
        }
    }

    fn samples(batches: &[Batch], exams: bool) -> Vec<&Sample> {
        let phases = batches.iter().flat_map(|batch| &batch.phases);
        phases.flat_map(|phase| asked_or_shown(phase, exams)).collect()
    }

    #[test]
    fn evolution_never_sees_what_is_held_out() {
        for kind in [
            CourseKind::Table,
            CourseKind::Switch,
            CourseKind::Lesion,
            CourseKind::Growth,
            CourseKind::Unlabelled,
        ] {
            let course = course(kind);
            let batches = [course.chapter(0, 2).unwrap(), course.choosing(2).unwrap()].concat();
            let last = course.last().unwrap();
            let held_out = |samples: Vec<&Sample>| {
                let values = samples.iter().flat_map(|sample| sample.inputs.iter().flatten());
                values.copied().map(|value| value > 2).collect::<std::collections::BTreeSet<bool>>()
            };
            for exams in [false, true] {
                assert_eq!(held_out(samples(&batches, exams)), [false].into());
                assert_eq!(held_out(samples(&last, exams)), [exams].into());
            }
        }
    }

    #[test]
    fn functions_to_evolve_on_are_not_those_to_be_judged_by() {
        let course = course(CourseKind::Boolean);
        let functions = |batches: &[Batch]| {
            let truth = |sample: &Sample, lane: usize| {
                let row =
                    usize::from(sample.inputs[0][lane] > 0) + 2 * usize::from(sample.inputs[1][lane] > 0);
                u32::from(sample.classes[lane]) << row
            };
            let mut tables = std::collections::BTreeSet::new();
            for batch in batches {
                let exam = samples(std::slice::from_ref(batch), true);
                tables.extend(
                    (0..LANES).map(|lane| exam.iter().fold(0, |table, sample| table | truth(sample, lane))),
                );
            }
            tables
        };
        assert_eq!(functions(&course.chapter(3, 2).unwrap()), [0b0110, 0b1110].into());
        assert_eq!(functions(&course.choosing(2).unwrap()), [0b0110, 0b1110].into());
        let others: Vec<u32> = (0..16).filter(|table| ![0b0110, 0b1110].contains(table)).collect();
        assert_eq!(functions(&course.last().unwrap()).into_iter().collect::<Vec<_>>(), others);
    }
}
