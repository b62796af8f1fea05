//! What a labelled digit costs a board and gains it, beside a network that learns from the same digits by gradients.

use evobit::rng::{Draw, Purpose, Stream};
use serde_json::json;

use super::drift::BEFORE;
use super::{Outcome, accuracy, tell};
use crate::Arguments;
use crate::client::{Client, Line};
use crate::gradients::Perceptron;
use crate::problem::{Problem, Raw};

/// Labelled digits after which held-out ones are classified.
const LOOKS: [usize; 8] = [5, 10, 20, 40, 70, 100, 150, 200];
/// Passes over the pool that the other network is trained with before the change.
const PASSES: usize = 10;
/// Its rate then, and after the change: of 0.01, 0.02, 0.05 and 0.1 the one that was best after 200 labelled digits of the seeds 101 to 103.
const FIRST_RATE: f32 = 0.05;
const RATE: f32 = 0.02;

/// The input changes; after some labelled digits each, accuracy and the instructions so far, evolution included.
pub(super) fn show<L: Line>(
    client: &mut Client<L>,
    problem: &Problem,
    arguments: &Arguments,
    say: bool,
) -> anyhow::Result<Outcome> {
    let (drift, seed) = (arguments.drift, arguments.seed);
    let (changed, stream) = (problem.test.changed(drift, seed), problem.pool.changed(drift, seed));
    for (sample, label) in problem.pool.iter().take(BEFORE) {
        client.learn(sample, label)?;
    }
    let before = accuracy(client, &changed)?.answer;
    let (gradients_before, gradients) = descend(problem, &stream, &changed, seed);
    let (mut instructions, mut evolved) = (0, client.settle()?.evolving_instructions);
    let mut rows = vec![];
    for (number, (sample, label)) in (1..).zip(stream.iter().skip(BEFORE)).take(LOOKS[LOOKS.len() - 1]) {
        client.learn(sample, label)?;
        instructions += client.statistics()?.last_instructions;
        let evolving = client.settle()?.evolving_instructions;
        instructions += evolving - evolved;
        evolved = evolving;
        if LOOKS.contains(&number) {
            let answer = accuracy(client, &changed)?.answer;
            // How many samples the other network takes to come as far.
            let same = gradients.iter().position(|&other| other >= answer);
            tell(
                say,
                &format!(
                    "{number} labelled digits: {answer:.1} %, {instructions} instructions; gradients: {:.1} %, as far after {same:?}",
                    gradients[number]
                ),
            );
            rows.push((number, answer, instructions, gradients[number], same));
        }
    }
    let equal = rows.iter().map(|row| json!([row.0, row.1, row.3, row.4])).collect::<Vec<_>>();
    let own = rows.iter().map(|row| json!([row.0, row.2])).collect::<Vec<_>>();
    Ok(Outcome { equal: vec![], own: vec![] }
        .found([
            ("accuracy_drifted", before.into()),
            ("gradients_before", gradients_before.into()),
            ("gradients_drifted", gradients[0].into()),
            ("accuracy_by_labelled_digits", equal.into()),
        ])
        .own([("instructions_by_labelled_digits", own.into())]))
}

/// Held-out accuracy of a perceptron of 64, 32 and 10 units, trained on the pool: before the change, and behind it after each step on the stream: one for each labelled digit, then again
/// from the first.
fn descend(problem: &Problem, stream: &Raw, changed: &Raw, seed: u64) -> (f64, Vec<f64>) {
    let mut network = Perceptron::new(seed);
    let mut rng = Stream::new(seed, Purpose::Samples, 8);
    let mut order: Vec<usize> = (0..problem.pool.labels.len()).collect();
    for _ in 0..PASSES {
        rng.shuffle(&mut order);
        order.iter().for_each(|&index| {
            network.learn(&problem.pool.samples[index], problem.pool.labels[index], FIRST_RATE);
        });
    }
    let right = |network: &Perceptron, test: &Raw| {
        let right = test.iter().filter(|(sample, label)| network.classify(sample) == *label).count();
        right as f64 * 100.0 / test.labels.len() as f64
    };
    let before = right(&network, &problem.test);
    let mut all = vec![right(&network, changed)];
    for (sample, label) in stream.iter().skip(BEFORE).chain(stream.iter()) {
        network.learn(sample, label, RATE);
        all.push(right(&network, changed));
    }
    (before, all)
}
