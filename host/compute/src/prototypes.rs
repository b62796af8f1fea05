//! The landscape of a memory: the exact change of loss of every bit of a prototype.
//!
//! Flipping a bit of a prototype moves its distance to every sample by one: further where the sample agreed, nearer where it
//! differed. The score of its class moves with it only on samples to which no other prototype of the class is nearer. On such a sample
//! the change of loss does not depend on which bit flipped but on the direction alone, so that a spectrum is two masked sums, as for a
//! neuron on its boundary samples.

use evobit::bits;
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use evobit::genome::{Gene, Mutation};
use evobit::loss::LossTable;
use evobit::network::Network;
use evobit::topology::Topology;

use evobit_model::prototypes::{Prototypes, fits};

/// A memory's loss on some samples, and that of every memory one bit away. It keeps the distance between each prototype and each sample.
#[derive(Debug)]
pub struct MemoryLandscape<'a> {
    topology: &'a Topology,
    samples: Samples<'a>,
    loss: LossTable<&'a [u32]>,
    genome: Vec<u32>,
    prototypes: Prototypes,
    /// `[prototypes][samples]`
    distances: Vec<u16>,
    /// Distance to the nearest prototype of each class, `[classes][samples]`.
    nearest: Vec<u16>,
    /// Distance to the nearest other prototype of the class of the one that is looked at, `[samples]`.
    others: Vec<u16>,
    total: i64,
    pending: Option<PendingTrial>,
}

/// A trial: a prototype with some bits flipped.
#[derive(Debug)]
struct PendingTrial {
    prototype: usize,
    row: Vec<u32>,
    distances: Vec<u16>,
    change: i64,
}

/// Bytes that a landscape takes for these samples.
#[must_use]
pub fn bytes_needed(topology: &Topology, samples: usize) -> u64 {
    let each = topology.layer(0).neurons as usize + topology.classes() + 2;
    2 * (samples as u64).saturating_mul(each as u64)
}

impl<'a> MemoryLandscape<'a> {
    /// The landscape of `genome` on these samples.
    ///
    /// # Errors
    /// A topology that does not fit a memory, a genome that is not one of it, samples that do not fit.
    pub fn new(
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'a>,
        loss: LossTable<&'a [u32]>,
    ) -> Result<Self, LandscapeError> {
        let words = topology.input_words();
        if samples.labels.len().checked_mul(words) != Some(samples.inputs.len()) {
            return Err(LandscapeError::Samples);
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label);
        }
        let network = Network::new(topology, genome).map_err(LandscapeError::Genome)?;
        if !fits(topology) {
            return Err(LandscapeError::Depth);
        }
        let prototypes = Prototypes::of(&network);
        let rows = prototypes.rows.chunks_exact(words);
        let distances = rows.flat_map(|row| distances(row, samples.inputs)).collect();
        let mut landscape = Self {
            topology,
            samples,
            loss,
            genome: genome.to_vec(),
            distances,
            nearest: vec![prototypes.far; topology.classes() * samples.len()],
            others: vec![0; samples.len()],
            prototypes,
            total: 0,
            pending: None,
        };
        for prototype in 0..landscape.prototypes.labels.len() {
            landscape.gather(prototype);
        }
        landscape.total = (0..samples.len()).map(|sample| landscape.loss_of(sample)).sum();
        Ok(landscape)
    }

    /// Counts a prototype among those nearest.
    fn gather(&mut self, prototype: usize) {
        let len = self.samples.len();
        let class = usize::from(self.prototypes.labels[prototype]);
        let nearest = &mut self.nearest[class * len..][..len];
        for (nearest, &distance) in nearest.iter_mut().zip(&self.distances[prototype * len..][..len]) {
            *nearest = (*nearest).min(distance);
        }
    }

    fn score(&self, class: usize, sample: usize) -> i32 {
        -i32::from(self.nearest[class * self.samples.len() + sample])
    }

    fn loss_of(&self, sample: usize) -> i64 {
        let label = usize::from(self.samples.labels[sample]);
        let right = self.score(label, sample);
        let wrong = (0..self.topology.classes()).filter(|&class| class != label);
        wrong.map(|class| i64::from(self.loss.term(self.score(class, sample) - right))).sum()
    }

    /// The change of a sample's loss where the nearest prototype of a class comes to lie at `distance`.
    fn change(&self, sample: usize, class: usize, distance: u16) -> i64 {
        let label = usize::from(self.samples.labels[sample]);
        let (before, after) = (self.score(class, sample), -i32::from(distance));
        let step = |difference, by| i64::from(self.loss.change(difference, by));
        if before == after {
            0
        } else if class == label {
            let wrong = (0..self.topology.classes()).filter(|&class| class != label);
            wrong.map(|class| step(self.score(class, sample) - before, before - after)).sum()
        } else {
            step(before - self.score(label, sample), after - before)
        }
    }

    /// Finds the distances to the nearest other prototype of the class of this one.
    fn find_others(&mut self, prototype: usize) {
        let (len, labels) = (self.samples.len(), &self.prototypes.labels);
        self.others.fill(self.prototypes.far);
        for (other, &label) in labels.iter().enumerate() {
            if other != prototype && label == labels[prototype] {
                let distances = &self.distances[other * len..][..len];
                self.others
                    .iter_mut()
                    .zip(distances)
                    .for_each(|(least, &distance)| *least = (*least).min(distance));
            }
        }
    }

    /// The spectrum of one prototype.
    fn spectrum(&mut self, prototype: usize, deltas: &mut [i64]) {
        self.find_others(prototype);
        let (len, words) = (self.samples.len(), self.prototypes.words);
        let class = usize::from(self.prototypes.labels[prototype]);
        let row = &self.prototypes.rows[prototype * words..][..words];
        // What all bits have in common, and what those have beyond it where the sample differs.
        let mut agreeing = 0;
        deltas.fill(0);
        for sample in 0..len {
            let (distance, other) = (self.distances[prototype * len + sample], self.others[sample]);
            if distance > other {
                continue;
            }
            let further = self.change(sample, class, (distance + 1).min(other));
            let nearer = self.change(sample, class, distance.saturating_sub(1));
            agreeing += further;
            if nearer == further {
                continue;
            }
            for (word, (&weights, &input)) in row.iter().zip(self.samples.input(sample, words)).enumerate() {
                let mut differing = weights ^ input;
                while differing != 0 {
                    deltas[word * 32 + differing.trailing_zeros() as usize] += nearer - further;
                    differing &= differing - 1;
                }
            }
        }
        deltas.iter_mut().for_each(|delta| *delta += agreeing);
    }

    /// The prototype that all these mutations are flips of, and what becomes of it.
    fn mutated(&self, mutations: &[Mutation]) -> Option<(usize, Vec<u32>)> {
        let (prototype, plan) = (usize::from(mutations.first()?.neuron), self.topology.layer(0));
        let words = self.prototypes.words;
        let mut row = self.prototypes.rows.get(prototype * words..(prototype + 1) * words)?.to_vec();
        for mutation in mutations {
            let Gene::Weight(input) = mutation.gene else { return None };
            let fits = mutation.layer == 0 && usize::from(mutation.neuron) == prototype;
            if !fits || u32::from(input) >= plan.inputs {
                return None;
            }
            bits::flip(&mut row, input.into());
        }
        Some((prototype, row))
    }
}

/// The distance from a prototype to each sample.
fn distances(row: &[u32], inputs: &[u32]) -> impl Iterator<Item = u16> {
    inputs.chunks_exact(row.len()).map(move |input| bits::mismatches(row, input) as u16)
}

/// The bits of prototypes are the genes; mutants of thresholds and of the labels are [`IMPOSSIBLE`], and so are trials of several prototypes.
impl Landscape for MemoryLandscape<'_> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.samples.len() as u32
    }

    fn loss(&self) -> i64 {
        self.total
    }

    fn correct(&self) -> u32 {
        let is_right = |sample: &usize| {
            let label = usize::from(self.samples.labels[*sample]);
            let right = self.score(label, *sample);
            // Among equals the first class is the answer.
            (0..self.topology.classes()).all(|class| {
                let score = self.score(class, *sample);
                class == label || score < right || score == right && class > label
            })
        };
        (0..self.samples.len()).filter(is_right).count() as u32
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.pending = None;
        let plan = self.topology.layer(layer);
        let (inputs, mutants) = (plan.inputs as usize, plan.mutants());
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            deltas.fill(IMPOSSIBLE);
            if layer == 0 {
                self.spectrum(neuron.into(), &mut deltas[..inputs]);
            }
        }
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.pending = None;
        let Some((prototype, row)) = self.mutated(mutations).filter(|_| mutations.len() <= MAX_TRIAL) else {
            return IMPOSSIBLE;
        };
        self.find_others(prototype);
        let class = usize::from(self.prototypes.labels[prototype]);
        let distances: Vec<u16> = distances(&row, self.samples.inputs).collect();
        let nearest = distances.iter().zip(&self.others).map(|(&distance, &other)| distance.min(other));
        let change = nearest.enumerate().map(|(sample, distance)| self.change(sample, class, distance)).sum();
        self.pending = Some(PendingTrial { prototype, row, distances, change });
        change
    }

    fn commit(&mut self) {
        let Some(PendingTrial { prototype, row, distances, change }) = self.pending.take() else { return };
        let (len, words) = (self.samples.len(), self.prototypes.words);
        self.distances[prototype * len..][..len].copy_from_slice(&distances);
        self.prototypes.rows[prototype * words..][..words].copy_from_slice(&row);
        let at = self.topology.layer(0).weights as usize + prototype * words;
        self.genome[at..at + words].copy_from_slice(&row);
        let class = usize::from(self.prototypes.labels[prototype]);
        self.nearest[class * len..][..len].copy_from_slice(&self.others);
        self.gather(prototype);
        self.total += change;
    }

    fn rollback(&mut self) {
        self.pending = None;
    }
}

#[cfg(test)]
mod tests;
