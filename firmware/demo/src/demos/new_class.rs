//! A tenth digit is taught to a network of nine.

use evobit_link::Evolve;

use super::{IDLE_MUTANTS, Outcome, accuracy, tell};
use crate::client::{Client, Line};
use crate::problem::Problem;

/// The digit that is taught on the board.
pub(super) const NEW_CLASS: u8 = 9;
const ANCHORS: usize = 10;
const NEW_SAMPLES: usize = 20;

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem, say: bool) -> anyhow::Result<Outcome> {
    let (old, new) =
        (problem.test.only(|label| label != NEW_CLASS), problem.test.only(|label| label == NEW_CLASS));
    let (old_before, new_before) = (accuracy(client, &old)?, accuracy(client, &new)?);
    tell(say, &format!("nine digits: {:.1} %; the tenth: {:.1} %", old_before.answer, new_before.answer));
    let mut anchors = [0; 10];
    for (sample, label) in problem.pool.iter() {
        let seen = &mut anchors[usize::from(label)];
        if label != NEW_CLASS && *seen < ANCHORS {
            *seen += 1;
            client.learn(sample, label)?;
        }
    }
    for (sample, label) in problem.pool.only(|label| label == NEW_CLASS).iter().take(NEW_SAMPLES) {
        client.learn(sample, label)?;
        client.settle()?;
    }
    let statistics = client.evolve(Evolve::Network, IDLE_MUTANTS)?;
    let (old_after, new_after) = (accuracy(client, &old)?, accuracy(client, &new)?);
    let last_instructions = client.statistics()?.last_instructions;
    tell(
        say,
        &format!(
            "after {NEW_SAMPLES} samples: {:.1} %; the tenth: {:.1} %",
            old_after.answer, new_after.answer
        ),
    );
    Ok(Outcome::of(&statistics)
        .found([
            ("accuracy_before", old_before.answer.into()),
            ("accuracy_after", old_after.answer.into()),
            ("new_before", new_before.answer.into()),
            ("new_after", new_after.answer.into()),
            ("new_network", new_after.network.into()),
            ("old_network", old_after.network.into()),
            ("new_memory", new_after.samples.into()),
            ("old_memory", old_after.samples.into()),
            ("labelled_samples", NEW_SAMPLES.into()),
        ])
        .own([("instructions", last_instructions.into())]))
}
