//! Movements are taught to a board that knows none: after so many of each label, how many of the held-out recordings are answered right.

use anyhow::ensure;
use evobit_link::Evolve;
use serde_json::Value;

use super::{Accuracy, Outcome, accuracy, tell};
use crate::client::{Client, Line};
use crate::problem::Problem;

/// Movements taught of each label when accuracy is looked at.
const STAGES: [usize; 4] = [2, 5, 10, 20];
/// Mutants of the idle time after each stage.
const MUTANTS: u32 = 50_000;

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem, say: bool) -> anyhow::Result<Outcome> {
    let labels = 1 + problem.pool.labels.iter().copied().max().unwrap_or(0);
    let mut taught = 0;
    let mut course: Vec<Accuracy> = vec![];
    for stage in STAGES {
        for label in 0..labels {
            let of_label = problem.pool.iter().filter(|&(_, other)| other == label);
            for (sample, label) in of_label.skip(taught).take(stage - taught) {
                client.learn(sample, label)?;
            }
        }
        taught = stage;
        client.evolve(Evolve::Network, MUTANTS)?;
        let now = accuracy(client, &problem.test)?;
        let Accuracy { answer, network, samples, .. } = now;
        tell(
            say,
            &format!("{stage} of each: answer {answer:.1} %, network {network:.1}, samples {samples:.1}"),
        );
        course.push(now);
    }
    let last = course.last().map_or(0.0, |last| last.answer);
    ensure!(last >= 90.0, "after {taught} of each label only {last:.1} % are answered right");
    let list = |of: fn(&Accuracy) -> f64| course.iter().map(of).collect::<Vec<_>>();
    let learned = client.statistics()?;
    Ok(Outcome::of(&learned).found([
        ("taught_of_each", Value::from(STAGES.to_vec())),
        ("accuracy", list(|one| one.answer).into()),
        ("accuracy_network", list(|one| one.network).into()),
        ("accuracy_memory", list(|one| one.samples).into()),
    ]))
}
