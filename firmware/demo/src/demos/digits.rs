//! Classifies held-out digits; every answer of the network must be the host's.

use anyhow::ensure;
use evobit::image::Image;

use super::Outcome;
use crate::client::{Client, Line};
use crate::problem::Problem;

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    let model = problem.model_words();
    let image = Image::parse(bytemuck::cast_slice(&model))?;
    let topology = image.topology();
    let (mut input, mut hidden, mut scores) =
        (vec![0; topology.input_words()], vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    let mut right = 0;
    for (sample, label) in problem.test.iter() {
        let packing = topology.layer(0).packing;
        image.encoder().encode(|feature| sample[feature as usize].into(), packing, &mut input);
        let expected = image.network().classify(&input, &mut hidden, &mut scores) as u16;
        let class = client.classify(sample)?;
        ensure!(class.network == expected, "the board says {}, the host {expected}", class.network);
        right += u32::from(class.answer == u16::from(label));
    }
    let statistics = client.statistics()?;
    let accuracy = f64::from(right) * 100.0 / problem.test.labels.len() as f64;
    Ok(Outcome::of(&statistics)
        .found([("accuracy_before", accuracy.into())])
        .own([("instructions", statistics.last_instructions.into())]))
}
