//! What a landscape remembers, filled by running the network once on all samples.

use evobit::bits;
use evobit::evolve::landscape::{LandscapeError, Samples, check_start};
use evobit::loss::LossTable;
use evobit::network::Network;
use evobit::topology::Topology;

use super::kernels::{Ahead, Cell, Chunk, Column, Kernels, LANES, Labels};
use super::samples::Sorted;
use super::tables::Tables;
use super::windows::Strips;
use super::{PendingTrial, VectorLandscape, hidden, is_narrow};

impl<'a, K: Kernels, C: Cell> VectorLandscape<'a, K, C> {
    /// Runs the network of `genome` on all samples.
    ///
    /// # Errors
    /// A genome that is not one of `topology` or samples that do not fit it; [`LandscapeError::Buffers`] where
    /// [`supports`](super::supports) says no, or `C` is too small for the topology, see [`is_narrow`].
    pub fn new(
        kernels: K,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'_>,
        loss: &LossTable<&[u32]>,
    ) -> Result<Self, LandscapeError> {
        check_start(topology, genome, samples)?;
        let fits = super::supports(topology, loss) && (size_of::<C>() > 1 || is_narrow(topology));
        let tables = Tables::new(topology, loss).filter(|_| fits);
        let sorted = Sorted::new(samples, topology.input_words());
        let mut landscape = Self {
            kernels,
            topology,
            genome: genome.to_vec(),
            labels: Labels::new(&sorted.labels),
            tables: tables.ok_or(LandscapeError::Buffers)?,
            columns: columns(topology, sorted.as_samples()),
            strips: Strips::new(topology.layer(0), sorted.as_samples()),
            samples: sorted,
            preactivations: vec![],
            on: vec![],
            boundary: vec![],
            ahead: vec![],
            rising: vec![],
            total: 0,
            pending: PendingTrial::None,
            work: hidden::Work::default(),
        };
        landscape.run();
        Ok(landscape)
    }

    /// Fills everything that is remembered by running the network.
    fn run(&mut self) {
        let (blocks, words) = (self.blocks(), self.sample_words());
        let Ok(network) = Network::new(self.topology, &self.genome[..]) else { return };
        let (neurons, inputs) = (self.hidden().neurons, self.hidden().inputs);
        let step = |weight: bool| if weight { 1 } else { -1 };
        // A sum of steps is inputs less twice the mismatches.
        let finish = |value: i16, threshold: u32, inputs: u32| threshold as i16 - (inputs as i16 - value) / 2;
        let zeros = vec![Chunk::<i16>::default(); words];
        let mut row = zeros.clone();
        let mut preactivations = vec![Chunk::<C>::default(); neurons as usize * words];
        let mut on = vec![0; neurons as usize * words];
        for neuron in 0..neurons {
            let cells = self.row(neuron);
            if self.slides() {
                self.sliding_row(neuron, &[], &mut preactivations[cells.clone()]);
            } else {
                let (weights, threshold) = (network.weights(0, neuron), network.threshold(0, neuron));
                let columns: Vec<Column<'_>> =
                    (0..inputs).map(|i| self.column(neuron, i, step(bits::get(weights, i)))).collect();
                self.kernels.add_columns(&zeros, &columns, 0, &mut row);
                for (chunk, wide) in preactivations[cells.clone()].iter_mut().zip(&row) {
                    let values = chunk.0.iter_mut().zip(&wide.0);
                    values.for_each(|(cell, &wide)| *cell = C::from_wide(finish(wide, threshold, inputs)));
                }
            }
            self.kernels.on_bits(&preactivations[cells.clone()], &mut on[cells]);
        }
        let mut ahead = vec![Ahead::default(); self.samples.len() * blocks];
        for class in 0..self.topology.classes() {
            let weights = network.weights(1, class as u32);
            let column =
                |neuron| Column { bits: &on[self.row(neuron)], step: step(bits::get(weights, neuron)) };
            let columns: Vec<Column<'_>> = (0..neurons).map(column).collect();
            self.kernels.add_columns(&zeros, &columns, 0, &mut row);
            let of_class = ahead.iter_mut().skip(class / LANES).step_by(blocks);
            let scores = row.iter().flat_map(|chunk| chunk.0);
            of_class.zip(scores).for_each(|(ahead, score)| {
                ahead.0[class % LANES] = finish(score, network.threshold(1, class as u32), neurons);
            });
        }
        for (scores, &label) in ahead.chunks_exact_mut(blocks).zip(&self.samples.labels) {
            let right = scores[usize::from(label) / LANES].0[usize::from(label) % LANES];
            for class in 0..self.topology.classes() {
                scores[class / LANES].0[class % LANES] -= right;
            }
        }
        (self.preactivations, self.on, self.ahead) = (preactivations, on, ahead);
        self.boundary = vec![0; neurons as usize * words];
        (0..neurons).for_each(|neuron| self.find_boundary(neuron));
        self.total = (0..self.samples.len()).map(|sample| self.sample_loss(&self.ahead, sample)).sum();
    }
}

/// The input bits as one row of samples for each unit: `[units][samples / 64]`.
pub(super) fn columns(topology: &Topology, samples: Samples<'_>) -> Vec<u64> {
    let packing = topology.layer(0).packing;
    let sample_words = samples.len().div_ceil(64);
    let mut columns = vec![0; packing.units() as usize * sample_words];
    for sample in 0..samples.len() {
        for (index, &word) in (0u32..).zip(samples.input(sample, packing.words())) {
            let row = index / packing.row_words;
            let first = row * packing.row_bits + index % packing.row_words * 32;
            let mut bits = word;
            while bits != 0 {
                let unit = (first + bits.trailing_zeros()) as usize;
                columns[unit * sample_words + sample / 64] |= 1 << (sample % 64);
                bits &= bits - 1;
            }
        }
    }
    columns
}
