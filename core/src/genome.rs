//! Changing a genome: the single mutations of evolution, and random starts.
//!
//! A mutation flips one weight or moves one threshold by one step. That is the whole alphabet: the
//! spectrum scores exactly these, a board reports what it learned as these. A genetic algorithm sees the same words as
//! plain evolvable bits: the weights and the digits of the thresholds.

use core::ops::Range;

use rand_core::Rng;

use crate::bits;
use crate::evolve::genetic::Genes;
use crate::network::{GenomeError, Network, row_start, set_field};
use crate::rng::Draw;
use crate::topology::{Plan, Topology};

/// What a mutation changes in its neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Gene {
    /// Flips the weight of this input.
    Weight(u16),
    /// One more mismatch is allowed: the threshold rises by 1.
    Raise,
    /// One mismatch less is allowed: the threshold falls by 1.
    Lower,
}

/// The smallest change of a genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mutation {
    /// Layer, counted from 0.
    pub layer: u8,
    /// Neuron of that layer.
    pub neuron: u16,
    /// What changes.
    pub gene: Gene,
}

impl Mutation {
    /// The mutation at `entry` of a neuron's spectrum: the weights in order, then raise, then lower.
    #[must_use]
    pub const fn at(layer: usize, neuron: u32, entry: usize, inputs: u32) -> Self {
        let gene = if entry < inputs as usize {
            Gene::Weight(entry as u16)
        } else if entry == inputs as usize {
            Gene::Raise
        } else {
            Gene::Lower
        };
        Self { layer: layer as u8, neuron: neuron as u16, gene }
    }

    /// The mutation that undoes this one.
    #[must_use]
    pub const fn inverse(self) -> Self {
        let gene = match self.gene {
            Gene::Weight(input) => Gene::Weight(input),
            Gene::Raise => Gene::Lower,
            Gene::Lower => Gene::Raise,
        };
        Self { gene, ..self }
    }
}

/// A genome that can be changed.
#[derive(Debug)]
pub struct GenomeMut<'a> {
    topology: &'a Topology,
    words: &'a mut [u32],
}

impl<'a> GenomeMut<'a> {
    /// Views `words` as a genome, without looking at their values.
    ///
    /// # Errors
    /// [`GenomeError::Length`].
    pub fn new(topology: &'a Topology, words: &'a mut [u32]) -> Result<Self, GenomeError> {
        Network::new(topology, &*words)?;
        Ok(Self { topology, words })
    }

    /// The genome as a network.
    #[must_use]
    pub fn network(&self) -> Network<'_, &[u32]> {
        Network::view(self.topology, &*self.words)
    }

    /// Applies a mutation. False, and nothing changed, where there is no such mutant: a layer, neuron or
    /// input out of range, or a threshold at its end.
    pub fn apply(&mut self, mutation: Mutation) -> bool {
        let (layer, neuron) = (usize::from(mutation.layer), u32::from(mutation.neuron));
        let Some(plan) = self.plan_of(layer, neuron) else { return false };
        let threshold = self.network().threshold(layer, neuron);
        match mutation.gene {
            Gene::Weight(input) if u32::from(input) < plan.inputs => {
                let start = row_start(plan, neuron);
                bits::flip(&mut self.words[start..start + plan.row_words as usize], u32::from(input));
            }
            Gene::Raise if threshold + 1 < plan.inputs => self.set_threshold(layer, neuron, threshold + 1),
            Gene::Lower if threshold > 0 => self.set_threshold(layer, neuron, threshold - 1),
            _ => return false,
        }
        true
    }

    /// The layer's plan, where the genome has this neuron. Tables lie side by side: an entry past the end of one would
    /// be written into the next.
    fn plan_of(&self, layer: usize, neuron: u32) -> Option<&'a Plan> {
        self.topology.layers().get(layer).filter(|plan| neuron < plan.neurons)
    }

    /// Applies all of `mutations`, or none: false where one of them cannot be applied after those before it.
    pub fn apply_all(&mut self, mutations: &[Mutation]) -> bool {
        for (applied, &mutation) in mutations.iter().enumerate() {
            if !self.apply(mutation) {
                for undone in mutations[..applied].iter().rev() {
                    self.apply(undone.inverse());
                }
                return false;
            }
        }
        true
    }

    /// Sets the threshold of a neuron; values over `inputs - 1` become that. Nothing changes where there is no such
    /// neuron.
    pub fn set_threshold(&mut self, layer: usize, neuron: u32, threshold: u32) {
        let Some(plan) = self.plan_of(layer, neuron) else { return };
        let value = threshold.min(plan.inputs - 1);
        set_field(self.words, plan.thresholds, plan.threshold_bits, neuron, value);
    }

    /// Moves the window of a neuron to begin at a plane, row and column. False, and nothing changed, where there is no
    /// such neuron, the layer is dense or no window fits there.
    pub fn set_place(&mut self, layer: usize, neuron: u32, plane: u32, row: u32, column: u32) -> bool {
        let Some(plan) = self.plan_of(layer, neuron) else { return false };
        let (planes, rows, columns) = plan.places_range();
        let fits = plane < planes && row < rows && column < columns;
        let windowed = !plan.is_dense();
        if fits && windowed {
            set_field(self.words, plan.places, 16, neuron, u32::from(plan.place(plane, row, column)));
        }
        fits && windowed
    }

    /// Random weights and places; thresholds in the middle of their range.
    pub fn randomize(&mut self, rng: &mut impl Rng) {
        self.words.fill(0);
        for (layer, plan) in self.topology.layers().iter().enumerate() {
            let (planes, rows, columns) = plan.places_range();
            for neuron in 0..plan.neurons {
                if !plan.is_dense() {
                    let (plane, row, column) = (rng.below(planes), rng.below(rows), rng.below(columns));
                    self.set_place(layer, neuron, plane, row, column);
                }
                self.set_threshold(layer, neuron, (plan.inputs - 1) / 2);
                let start = row_start(plan, neuron);
                let row = &mut self.words[start..start + plan.row_words as usize];
                row.iter_mut().for_each(|word| *word = rng.next_u32());
                if let Some(last) = row.last_mut() {
                    *last &= bits::tail_mask(plan.inputs);
                }
            }
        }
    }
}

/// The evolvable bits of a network: layer after layer the weights, neuron by neuron, then the binary digits of the thresholds.
/// Places are not evolved.
impl Genes for Topology {
    fn count(&self) -> u32 {
        self.layers().iter().map(|plan| plan.neurons * (plan.inputs + plan.threshold_genes())).sum()
    }

    fn position(&self, gene: u32) -> u32 {
        let mut rest = gene;
        for plan in self.layers() {
            let weights = plan.neurons * plan.inputs;
            if rest < weights {
                let (neuron, input) = (rest / plan.inputs, rest % plan.inputs);
                return (plan.weights + neuron * plan.row_words) * bits::WORD_BITS + input;
            }
            rest -= weights;
            let digits = plan.neurons * plan.threshold_genes();
            if rest < digits {
                let (neuron, digit) = (rest / plan.threshold_genes(), rest % plan.threshold_genes());
                return plan.thresholds * bits::WORD_BITS + neuron * plan.threshold_bits + digit;
            }
            rest -= digits;
        }
        u32::MAX
    }

    fn words(&self) -> usize {
        self.genome_words()
    }

    fn layer_count(&self) -> u32 {
        self.depth() as u32
    }

    fn layer_genes(&self, layer: u32) -> Range<u32> {
        let genes = |plan: &Plan| plan.neurons * (plan.inputs + plan.threshold_genes());
        let Some((plan, before)) = self.layers().get(..=layer as usize).and_then(<[_]>::split_last) else {
            return 0..0;
        };
        let start = before.iter().map(genes).sum();
        start..start + genes(plan)
    }

    fn units(&self) -> u32 {
        self.neurons()
    }

    /// A neuron's weights, its threshold and the place of its window.
    fn fields(&self, unit: u32) -> [Range<u32>; 3] {
        let field = |first_word: u32, bits: u32, index: u32| {
            let start = first_word * bits::WORD_BITS + index * bits;
            start..start + bits
        };
        let mut neuron = unit;
        for plan in self.layers() {
            if neuron < plan.neurons {
                return [
                    field(plan.weights, plan.row_words * bits::WORD_BITS, neuron),
                    field(plan.thresholds, plan.threshold_bits, neuron),
                    if plan.is_dense() { 0..0 } else { field(plan.places, 16, neuron) },
                ];
            }
            neuron -= plan.neurons;
        }
        [0..0, 0..0, 0..0]
    }

    /// Brings thresholds back into `0..inputs`.
    fn repair(&self, genome: &mut [u32]) {
        let Ok(mut genome) = GenomeMut::new(self, genome) else { return };
        for (layer, plan) in self.layers().iter().enumerate() {
            for neuron in 0..plan.neurons {
                let threshold = genome.network().threshold(layer, neuron);
                genome.set_threshold(layer, neuron, threshold);
            }
        }
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use crate::topology::{Layer, Shape};
    use std::vec;

    #[test]
    fn every_mutation_is_undone_by_its_inverse() {
        let image = Shape { planes: 1, height: 6, width: 6 };
        let topology = Topology::new(image, &[Layer::windows(5, 1, 3, 3), Layer::dense(3)]).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.randomize(&mut Stream::new(1, Purpose::Test, 0));
        let before = genome.words.to_vec();
        for (layer, plan) in topology.layers().iter().enumerate() {
            for neuron in 0..plan.neurons {
                for entry in 0..plan.mutants() {
                    let mutation = Mutation::at(layer, neuron, entry, plan.inputs);
                    assert!(genome.apply(mutation), "{mutation:?}");
                    assert_ne!(genome.words, before);
                    assert_eq!(genome.network().check(), Ok(()));
                    assert!(genome.apply(mutation.inverse()));
                    assert_eq!(genome.words, before);
                }
            }
        }
    }

    #[test]
    fn every_evolvable_bit_is_its_own_and_keeps_the_genome_sound() {
        let image = Shape { planes: 1, height: 7, width: 6 };
        let layers = [Layer::windows(5, 1, 3, 3), Layer::dense(300), Layer::dense(3)];
        let topology = Topology::new(image, &layers).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.randomize(&mut Stream::new(1, Purpose::Test, 0));
        let mut seen = vec![0; words.len()];
        assert_eq!(topology.count(), 5 * (9 + 4) + 300 * (5 + 3) + 3 * (300 + 9));
        for gene in 0..topology.count() {
            let position = topology.position(gene);
            assert!(!bits::get(&seen[..], position));
            bits::set(&mut seen, position, true);
            let mut mutant = words.clone();
            bits::flip(&mut mutant, position);
            topology.repair(&mut mutant);
            assert_eq!(Network::new(&topology, &mutant[..]).unwrap().check(), Ok(()), "gene {gene}");
        }
    }

    #[test]
    fn layers_hold_all_genes_and_neurons_all_bits() {
        let image = Shape { planes: 1, height: 7, width: 6 };
        let layers = [Layer::windows(5, 1, 3, 3), Layer::dense(300), Layer::dense(3)];
        let topology = Topology::new(image, &layers).unwrap();
        let ranges = [0, 1, 2, 3].map(|layer| topology.layer_genes(layer));
        assert_eq!(ranges, [0..65, 65..2465, 2465..topology.count(), 0..0]);
        let (mut words, mut seen) =
            (vec![0; topology.genome_words()], vec![0u8; 32 * topology.genome_words()]);
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.randomize(&mut Stream::new(1, Purpose::Test, 0));
        assert_eq!(topology.units(), 308);
        for bit in (0..topology.units()).flat_map(|unit| topology.fields(unit)).flatten() {
            seen[bit as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count < 2));
        let all = |of: &dyn Fn(u32) -> bool| (0..32 * words.len() as u32).all(of);
        assert!(all(&|bit| !bits::get(&words[..], bit) || seen[bit as usize] == 1));
        let genes: std::collections::BTreeSet<u32> =
            (0..topology.count()).map(|gene| topology.position(gene)).collect();
        assert!(genes.iter().all(|&bit| seen[bit as usize] == 1));
        assert_eq!(topology.fields(308), [0..0, 0..0, 0..0]);
    }

    #[test]
    fn what_is_out_of_range_changes_nothing() {
        let topology = Topology::new(Shape::flat(9), &[Layer::dense(4), Layer::dense(2)]).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.set_threshold(1, 0, 99);
        let before = genome.words.to_vec();
        for (layer, neuron, gene) in [
            (0, 0, Gene::Weight(9)),
            (0, 0, Gene::Lower),
            (0, 4, Gene::Weight(0)),
            (1, 0, Gene::Raise),
            (2, 0, Gene::Weight(0)),
        ] {
            assert!(!genome.apply(Mutation { layer, neuron, gene }));
        }
        assert!(!genome.set_place(0, 0, 0, 0, 0));
        assert_eq!(genome.words, before);
    }

    #[test]
    fn a_neuron_that_is_not_there_has_no_threshold_or_place_to_set() {
        let image = Shape { planes: 1, height: 6, width: 6 };
        let topology = Topology::new(image, &[Layer::windows(4, 1, 3, 3), Layer::dense(2)]).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        for (layer, neuron) in [(0, 4), (1, 2), (2, 0), (0, u32::MAX)] {
            genome.set_threshold(layer, neuron, 5);
            assert!(!genome.set_place(layer, neuron, 0, 1, 1));
        }
        assert!(genome.words.iter().all(|&word| word == 0));
    }
}
