//! Instructions of one mutant scored exactly, with as many samples as the board of 16 KB trains on, and of one labelled digit.

use super::Outcome;
use crate::client::{Client, Line};
use crate::problem::Problem;

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    let samples = 170;
    for (sample, label) in problem.pool.iter().take(samples) {
        client.learn(sample, label)?;
    }
    let learning = client.statistics()?.last_instructions;
    let mut own = vec![("learn_instructions", learning.into())];
    let mut equal = vec![];
    let statistics = client.statistics()?;
    equal.push(("training_samples", (statistics.stored - statistics.held_back).into()));
    for (layer, name) in [(0, "hidden_mutant_instructions"), (1, "output_mutant_instructions")] {
        // The landscape has to be made first: that is not what a mutant costs.
        client.spectrum(layer, 0)?;
        let making = client.statistics()?.last_instructions;
        let counts = client.spectrum(layer, u16::MAX)?;
        let mutants: u32 = counts.iter().sum();
        let instructions = client.statistics()?.last_instructions.saturating_sub(making);
        own.push((name, (instructions as f64 / f64::from(mutants)).into()));
        equal.push(("spectrum", counts.to_vec().into()));
    }
    Ok(Outcome { equal, own })
}
