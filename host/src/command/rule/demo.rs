//! `evobit rule demo`: a rule that evolved on two functions learns the others.

use super::super::{Failure, print};
use super::RuleDemoArgs;
use evobit::evolve::genetic;
use evobit::rule::{EvolvedRule, Plasticity, ShapeError};
use evobit_rules::rule::course::boolean_table;
use evobit_rules::rule::meta::{ChapterRow, MetaSettings, assess};
use evobit_rules::rule::{Course, CourseKind, LANES, Room, evolve, live};
use evobit_search::Watch;

/// Batches of every generation.
const BATCHES: u32 = 4;

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Genetic(#[from] genetic::Error),
}

/// Says how evolution goes.
struct Told;

impl Watch<ChapterRow> for Told {
    fn row(&mut self, row: &ChapterRow) {
        // A reader that went away is told nothing more.
        let _ = print(&format!(
            "generation {:3}: {:.1} % right on exclusive or and or, {} coefficients",
            row.generation,
            100.0 * row.accuracy,
            row.terms
        ));
    }
}

pub(super) fn run(args: &RuleDemoArgs) -> Result<(), Failure> {
    let course = Course {
        kind: CourseKind::Boolean,
        learn: boolean_table(2),
        held_out: boolean_table(2),
        epochs: 5,
        most: usize::MAX,
        shapes: vec![vec![32]],
        hidden: vec![32],
        plasticity: Plasticity::default(),
        improvement: false,
        seed: args.seed,
    };
    let mut room = Room::new();
    let choosing = course.choosing(8)?;
    let (_, before) = assess(&EvolvedRule::default(), &choosing, &mut room);
    print(&format!(
        "a rule of zeros: networks answer {:.0} % right after 5 passes, which is chance",
        100.0 * before
    ))?;
    let settings = MetaSettings { generations: 40, seed: args.seed, ..MetaSettings::default() };
    let lives = |chapter| Ok(course.chapter(chapter, BATCHES)?);
    let outcome = evolve::<Refused>(&settings, lives, &choosing, &mut Told)?;
    let rule = EvolvedRule::new(&outcome.genome)?;
    print(
        "the other fourteen functions, which evolution never saw: starts that answer all four right after 5 passes",
    )?;
    let (mut learned, mut starts) = ([0u32; 14], [0u32; 14]);
    let mut next = course.last_function();
    for batch in course.last()? {
        let marks = live(&rule, &batch, &mut room)?;
        for lane in 0..LANES {
            let full = marks.last().is_some_and(|marks| marks.right[lane] == marks.samples);
            learned[next % 14] += u32::from(full);
            starts[next % 14] += 1;
            next += 1;
        }
    }
    for (function, (learned, starts)) in learned.iter().zip(starts).enumerate() {
        let table = course.truth_table(function);
        print(&format!("  {table:04b}  {learned:3} of {starts}"))?;
    }
    Ok(())
}
