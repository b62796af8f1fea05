//! Neurons whose windows slide: what differs for them.
//!
//! Their pre-activations are counted anew for a trial, at all positions, where those of other neurons move by the columns of the
//! flipped weights; and a boundary sample adds its change of loss where a flip would turn the neuron at all positions together.

use evobit::genome::{Gene, Mutation};
use evobit::network::Network;

use super::VectorLandscape;
use super::kernels::{Cell, Chunk, Kernels, Rows, Slide};
use super::loops::{GATHERED, IN_ORDER};

impl<K: Kernels, C: Cell> VectorLandscape<'_, K, C> {
    /// True where the windows of the hidden neurons slide.
    pub(super) fn slides(&self) -> bool {
        self.hidden().slide() > 0
    }

    /// What a neuron sees, its weights and its threshold.
    fn slide(&self, neuron: u32) -> Option<(Slide<'_>, u64, u32)> {
        let network = Network::new(self.topology, &self.genome[..]).ok()?;
        let slide = self.strips.as_ref()?.slide(self.hidden(), network.place(0, neuron))?;
        let weights = slide.spread(network.weights(0, neuron));
        Some((slide, weights, network.threshold(0, neuron)))
    }

    /// Writes the pre-activations of a hidden neuron of the present genome with those of `mutations` that change it.
    pub(super) fn sliding_row(&self, neuron: u32, mutations: &[Mutation], new: &mut [Chunk<C>]) {
        let Some((slide, mut weights, threshold)) = self.slide(neuron) else { return };
        let (width, mut threshold) = (slide.window.width, threshold as i16);
        for mutation in mutations.iter().filter(|m| (m.layer, u32::from(m.neuron)) == (0, neuron)) {
            match mutation.gene {
                Gene::Weight(input) => {
                    weights ^= 1 << (u32::from(input) / width * 8 + u32::from(input) % width);
                }
                Gene::Raise => threshold += 1,
                Gene::Lower => threshold -= 1,
            }
        }
        self.kernels.slide_row(&slide, weights, threshold, self.samples.len(), new);
    }

    /// For each input of a neuron, the sum of the amounts of the found samples that decide as if it were set.
    pub(super) fn sliding_sums(
        &self,
        neuron: u32,
        (found, amounts): (&[u32], &[i16]),
        most: i16,
        rows: &mut Vec<u32>,
        sums: &mut [i32],
    ) {
        let Some((slide, weights, threshold)) = self.slide(neuron) else { return };
        for (found, amounts) in found.chunks(GATHERED).zip(amounts.chunks(GATHERED)) {
            rows.clear();
            self.kernels.slide_deciding(&slide, weights, threshold, found, rows);
            let rows = Rows { bits: rows, words: 2 };
            self.kernels.sum_rows(rows, &IN_ORDER[..found.len()], amounts, most, sums);
        }
        slide.close_gaps(sums);
    }
}
