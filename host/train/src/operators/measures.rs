//! What makes an individual fit: functions of what its network says of the samples that it is judged by.

use evobit::network::{Network, best_class};

use super::given::Judged;
use evobit_model::evaluate;

/// The fitness of a network on samples, and of its first parent where the objective needs that.
pub type Measure = fn(Judged<'_>, own: &[u32], parent: &[u32]) -> i64;

/// The loss, negated.
pub(super) fn loss(judged: Judged<'_>, own: &[u32], _: &[u32]) -> i64 {
    let network = Network::new(judged.topology, own);
    network.map_or(i64::MIN, |network| -evaluate::score(&network, &judged.loss, judged.samples).loss)
}

/// Samples that are right.
pub(super) fn accuracy(judged: Judged<'_>, own: &[u32], _: &[u32]) -> i64 {
    let network = Network::new(judged.topology, own);
    network.map_or(i64::MIN, |network| evaluate::score(&network, &judged.loss, judged.samples).correct as i64)
}

/// How much lower the loss is than the parent's: what the child's own mutations are worth, whatever it inherits.
pub(super) fn improvement(judged: Judged<'_>, own: &[u32], parent: &[u32]) -> i64 {
    loss(judged, own, parent).saturating_sub(loss(judged, parent, own))
}

/// Samples that are right before the first that is not, in their order. No later sample is looked at.
pub(super) fn first_error(judged: Judged<'_>, own: &[u32], _: &[u32]) -> i64 {
    let Judged { topology, samples, .. } = judged;
    let Ok(network) = Network::new(topology, own) else { return i64::MIN };
    let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    let mut results = samples.inputs.chunks_exact(topology.input_words()).zip(samples.labels);
    let first = results.position(|(input, &label)| {
        network.run(input, &mut hidden, &mut scores);
        best_class(&scores) != usize::from(label)
    });
    first.unwrap_or(samples.len()) as i64
}
