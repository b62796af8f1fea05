//! Which rule a command is about: one written by hand, or one from a file.

use rayon::prelude::*;

use super::super::Failure;
use evobit::rule::baseline::{CubicHebbian, Delta, Oja};
use evobit::rule::image::RuleImage;
use evobit::rule::{EvolvedRule, GENOME_WORDS, LocalRule, RuleGenes, ShapeError};
use evobit_rules::rule::meta::lives;
use evobit_rules::rule::{Batch, Course, LANES, Marks, Room, live};

/// Rates of rules written by hand.
const RATES: std::ops::RangeInclusive<u8> = 0..=7;
/// The size of activations that the cubic Hebbian rule keeps to.
const TARGET: u8 = 40;

/// A rule to learn by.
#[derive(Debug)]
pub(super) enum Given {
    Delta(Delta),
    Oja(Oja),
    Hebbian(CubicHebbian),
    Evolved(Box<EvolvedRule>),
}

impl Given {
    /// The rule that `text` names: `delta:3`, `oja:4`, `hebbian:4`, or a file.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        Ok(match by_hand(text)? {
            Some(("delta", rate)) => Self::Delta(Delta { rate }),
            Some(("oja", rate)) => Self::Oja(Oja { rate }),
            Some((_, rate)) => Self::Hebbian(CubicHebbian { rate, target: TARGET }),
            None => Self::Evolved(Box::new(EvolvedRule::new(&genome(text)?)?)),
        })
    }

    /// What networks come to in the last exams of `course` by this rule, which is called `name`.
    pub(super) fn learn(&self, name: &str, course: &Course) -> Result<Vec<Vec<Marks>>, Failure> {
        match self {
            Self::Delta(rule) => learn(rule, name, course),
            Self::Oja(rule) => learn(rule, name, course),
            Self::Hebbian(rule) => learn(rule, name, course),
            Self::Evolved(rule) => learn(&**rule, name, course),
        }
    }
}

/// CourseKind and rate of a rule written as `kind:RATE`.
fn by_hand(text: &str) -> Result<Option<(&str, u8)>, Failure> {
    let Some((kind @ ("delta" | "oja" | "hebbian"), rate)) = text.split_once(':') else { return Ok(None) };
    match rate.parse() {
        Ok(rate) if RATES.contains(&rate) => Ok(Some((kind, rate))),
        _ => {
            Err(Failure::usage(format!("{text}: rules written by hand have rates 0 to 7, such as {kind}:3")))
        }
    }
}

/// The genome of a rule: zeros, the delta rule, or one in a file.
pub(super) fn genome(text: &str) -> Result<[u32; GENOME_WORDS], Failure> {
    match by_hand(text)? {
        Some(("delta", rate)) => return Ok(RuleGenes::delta(rate)),
        Some((kind, _)) => {
            return Err(Failure::usage(format!(
                "evolution cannot begin at {kind}: give zeros, delta:RATE or a rule such as runs/rule-1/rule.evr"
            )));
        }
        None if text == "zeros" => return Ok([0; GENOME_WORDS]),
        None => {}
    }
    let failed = |message: String| Failure { code: 1, message: format!("{text}: {message}") };
    let bytes = std::fs::read(text).map_err(|error| {
        failed(format!("cannot be read ({error}): give a rule such as runs/rule-1/rule.evr"))
    })?;
    RuleImage::parse(&bytes).map(|image| *image.genome()).map_err(|error| failed(error.to_string()))
}

/// Says so where `course` does not give what `rule` needs.
pub(super) fn check<R: LocalRule<LANES>>(rule: &R, name: &str, course: &Course) -> Result<(), Failure> {
    course.lacks(rule.needs()).map_or(Ok(()), |lack| {
        Err(Failure::usage(format!(
            "{name} needs {lack}, which this task does not give: take another --task, or a rule that needs none, such as \
             oja:4 or one evolved by --task unlabelled"
        )))
    })
}

fn learn<R>(rule: &R, name: &str, course: &Course) -> Result<Vec<Vec<Marks>>, Failure>
where
    R: LocalRule<LANES>,
    R::Source: Default,
{
    check(rule, name, course)?;
    let mut room = Room::new();
    let marks: Result<_, ShapeError> =
        course.last()?.iter().map(|batch| live(rule, batch, &mut room)).collect();
    Ok(marks?)
}

/// The rate at which the delta rule is best on `batches`.
pub(super) fn best_delta(batches: &[Batch]) -> u8 {
    let fitness = |rate: u8| lives(&Delta { rate }, batches, &mut Room::new()).0;
    let fitness: Vec<i64> = RATES.into_par_iter().map(fitness).collect();
    // Of equal ones the slowest.
    RATES.max_by_key(|&rate| fitness[usize::from(rate)]).unwrap_or(3)
}
