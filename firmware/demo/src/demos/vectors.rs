//! The same work on every board, small enough that sizes do not matter: 96 samples, a network and a memory evolved.

use anyhow::ensure;
use evobit::image::genome_checksum;
use evobit_link::Evolve;

use super::Outcome;
use crate::client::{Client, Line};
use crate::problem::{Drift, Problem};

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    for (sample, label) in problem.pool.changed(Drift::Permute, 1).iter().take(96) {
        client.learn(sample, label)?;
        client.settle()?;
    }
    let network = client.evolve(Evolve::Network, 60_000)?;
    let memory = client.evolve(Evolve::Memory { prototypes: 24 }, 500)?;
    let mut votes = 0u32;
    for (sample, _) in problem.test.iter().take(60) {
        let class = client.classify(sample)?;
        let answers =
            [class.answer, class.network, class.samples.unwrap_or(99), class.prototypes.unwrap_or(99)];
        votes =
            answers.into_iter().fold(votes, |sum, answer| sum.wrapping_mul(31).wrapping_add(answer.into()));
    }
    let before = genome_checksum(&problem.genome);
    client.push(problem.model_checksum(), &problem.genome, &problem.genome)?;
    ensure!(client.statistics()?.genome == before, "an empty update is the base genome");
    Ok(Outcome::of(&network).found([
        ("memory_loss", memory.loss.into()),
        ("prototypes", memory.prototypes.into()),
        ("votes", format!("{votes:08x}").into()),
    ]))
}
