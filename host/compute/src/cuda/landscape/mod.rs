//! The landscape of a network with one hidden layer on a card.
//!
//! Everything that it remembers of the samples stays in the card's memory, see kernels/cuda/landscape.cuh; the host holds the genome and
//! the total. The spectra of a block are one launch. A trial scores the whole set, its better half and so on in one launch, because
//! that is what the search asks for next; a commit is launched and not waited for. So a visit to a neuron costs one round trip.
//!
//! The methods of the trait cannot fail, kernels can: the first failure is recorded in a [`Failure`], after which nothing improves any
//! more, and whoever trains must ask for it before it uses the genome.

mod many;
mod state;
mod together;
mod trial;
mod views;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples, mask_impossible};
use evobit::genome::Mutation;
use evobit::loss::LossTable;
use evobit::network::Network;
use evobit::topology::{Field, Topology};

use super::device::{Buffer, Device, DeviceError, THREADS, launch};
use super::gpu::Gpu;
pub use many::spectra_of_many;
use state::{CardState, RESULTS, SETS, Sizes, TOGETHER, Terms, blocks};
pub(super) use together::Together;
use together::{Job, JobKind};
use trial::{PendingTrial, Scored};
use views::Views;

/// See the module.
pub struct CudaLandscape<'a> {
    gpu: Gpu,
    topology: &'a Topology,
    genome: Vec<u32>,
    state: CardState,
    planes: u32,
    memory: CardMemory,
    views: Views,
    total: i64,
    pending: PendingTrial,
    /// What the last trial scored beside what it was asked for.
    scored: Option<Scored>,
    /// Results used since they were last set to 0.
    used: AtomicUsize,
}

/// What `state` points to, and buffers to work in.
struct CardMemory {
    state: Buffer<CardState>,
    genome: Buffer<u32>,
    inputs: Buffer<u32>,
    labels: Buffer<u8>,
    terms: Buffer<i32>,
    on: Buffer<u32>,
    boundary: Buffer<u32>,
    ahead: Buffer<i32>,
    moves: Buffer<i16>,
    visits: Buffer<u32>,
    planes: Buffer<u32>,
    sums: Buffer<i64>,
    results: Buffer<i64>,
}

/// Why there is no landscape on the card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// Genome, samples and topology do not go together.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// The card does not.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// True where a [`CudaLandscape`] can be made: one hidden layer, of windows that slide only where they are small and of one plane, and a
/// loss without large jumps.
#[must_use]
pub fn supports(topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
    topology.depth() == 2 && state::has_views(topology.layer(0)) && Terms::new(topology, loss).is_some()
}

impl<'a> CudaLandscape<'a> {
    /// The landscape of `genome` on `samples`. Tells `log` where the card's memory makes batches smaller.
    ///
    /// # Errors
    /// A genome or samples that do not fit; a network that [`supports`] does not have; failures of the card.
    pub fn new(
        gpu: &Gpu,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'_>,
        loss: &LossTable<&[u32]>,
        log: &dyn Fn(&str),
    ) -> Result<Self, CudaError> {
        let network = Network::new(topology, genome).map_err(LandscapeError::Genome)?;
        network.check().map_err(LandscapeError::Genome)?;
        if samples.len().checked_mul(topology.input_words()) != Some(samples.inputs.len()) {
            return Err(LandscapeError::Samples.into());
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label.into());
        }
        if topology.depth() != 2 {
            return Err(LandscapeError::Depth.into());
        }
        if !state::has_views(topology.layer(0)) {
            return Err(DeviceError::Unsupported("windows that slide of one plane and up to 8x8").into());
        }
        let terms = Terms::new(topology, loss).ok_or(LandscapeError::Sums)?;
        let sizes = Sizes::new(topology, samples.len(), terms.planes);
        let plan = topology.layer(0);
        let mut wanted = 0;
        if !plan.is_dense() {
            let mut places: Vec<u16> = (0..plan.neurons).map(|neuron| network.place(0, neuron)).collect();
            places.sort_unstable();
            places.dedup();
            wanted = places.len();
        }
        let (device, fixed) = (&gpu.device, sizes.bytes(topology, samples.len(), &terms));
        gpu.spectra.prepare()?;
        let mut slots = sizes.slots(fixed, gpu.room()?, wanted)?;
        let memory = CardMemory::new(device, topology, genome, samples, &terms, &sizes)?;
        let views = loop {
            match Views::new(device, plan, slots, sizes.view) {
                Err(DeviceError::OutOfMemory { .. }) if slots > 1 => slots /= 2,
                views => break views?,
            }
        };
        if slots < wanted {
            log(&format!(
                "the GPU's memory holds what {slots} of {wanted} places of windows show: spectra in smaller batches"
            ));
        }
        let mut state = memory.state(topology, samples.len(), &sizes, terms.zero);
        state.views = views.address().unwrap_or(state.inputs);
        memory.state.write(&[state])?;
        let mut landscape = Self {
            gpu: gpu.clone(),
            topology,
            genome: genome.to_vec(),
            state,
            planes: terms.planes,
            memory,
            views,
            total: 0,
            pending: PendingTrial::None,
            scored: None,
            used: AtomicUsize::new(0),
        };
        landscape.total = landscape.rebuild()?.0;
        Ok(landscape)
    }

    fn network(&self) -> Network<'_, &[u32]> {
        // Its length was checked when the landscape was made.
        Network::new(self.topology, &self.genome[..]).expect("the genome is one of the topology")
    }

    /// Works on the card; a failure is recorded, and `instead` is the answer from then on.
    fn or_fail<T>(&self, instead: T, done: Result<T, DeviceError>) -> T {
        if self.gpu.failure.get().is_some() {
            return instead;
        }
        done.unwrap_or_else(|error| {
            self.gpu.failure.record(error);
            instead
        })
    }

    /// Visits to the first of some hidden neurons whose views are there, at least one.
    fn visits(&mut self, neurons: &[u16]) -> Result<Vec<u32>, DeviceError> {
        let Self { views, state, topology, genome, .. } = self;
        let network = Network::new(topology, &genome[..]).expect("the genome is one of the topology");
        views.visits(state, neurons, |neuron| network.place(0, neuron.into()))
    }

    /// Runs the network of the card's genome on all samples: its loss, and how many are right.
    fn rebuild(&mut self) -> Result<(i64, u32), DeviceError> {
        if self.state.samples == 0 {
            return Ok((0, 0));
        }
        let neurons: Vec<u16> = (0..self.state.neurons as u16).collect();
        let mut rest = &neurons[..];
        while !rest.is_empty() {
            let visits = self.visits(rest)?;
            rest = &rest[visits.len()..];
            self.memory.visits.write(&visits)?;
            let grid = [blocks(&self.state), visits.len() as u32];
            launch!(self.gpu.device, ApplyNeurons, grid, self.state, self.memory.visits.address())?;
        }
        launch!(self.gpu.device, ApplyScores, [blocks(&self.state), 1], self.state)?;
        self.measure()
    }

    /// The loss of what is remembered, and how many samples are right.
    fn measure(&self) -> Result<(i64, u32), DeviceError> {
        if self.state.samples == 0 {
            return Ok((0, 0));
        }
        let first = self.results()?;
        let at = self.memory.results.at(first);
        launch!(self.gpu.device, ApplyMeasure, [blocks(&self.state), 1], self.state, at)?;
        let mut sums = [0; 2];
        self.memory.results.read(first, &mut sums)?;
        Ok((sums[0], sums[1] as u32))
    }

    /// The first of [`SETS`] results that are 0.
    fn results(&self) -> Result<usize, DeviceError> {
        let first = self.used.fetch_add(SETS, Ordering::Relaxed);
        if first + SETS <= RESULTS {
            return Ok(first);
        }
        self.memory.results.clear(RESULTS)?;
        self.used.store(SETS, Ordering::Relaxed);
        Ok(0)
    }

    fn kind(&self) -> JobKind {
        JobKind { slides: self.state.slide > 0 }
    }

    /// Tiles of samples.
    fn tiles(&self) -> u32 {
        self.state.sample_words / (state::TILE / 32) as u32
    }

    /// Makes ready for the spectra of the first of some hidden neurons, as many as there is room for, at least one. Their sums follow one another.
    fn jobs(&mut self, neurons: &[u16]) -> Result<Vec<Job>, DeviceError> {
        let mutants = self.topology.layer(0).mutants();
        let most = neurons.len().min(self.memory.sums.len() / mutants);
        let visits = self.visits(&neurons[..most])?;
        self.memory.sums.clear(visits.len() * mutants)?;
        let job = |(index, visit)| Job {
            landscape: self.memory.state.address(),
            sums: self.memory.sums.at(index * mutants),
            visit,
            padding: 0,
        };
        Ok(visits.into_iter().enumerate().map(job).collect())
    }

    fn hidden_spectra(&mut self, neurons: &[u16], deltas: &mut [i64]) -> Result<(), DeviceError> {
        let mutants = self.topology.layer(0).mutants();
        let (mut rest, mut deltas) = (neurons, deltas);
        while !rest.is_empty() {
            let jobs = self.jobs(rest)?;
            let (part, behind) = deltas.split_at_mut(jobs.len() * mutants);
            (rest, deltas) = (&rest[jobs.len()..], behind);
            self.gpu.spectra.launch(&jobs, self.kind(), self.tiles())?;
            self.memory.sums.read(0, part)?;
        }
        Ok(())
    }

    /// Makes the spectra of hidden neurons `rounds` times and leaves the sums on the card: for benchmarks. Returns how many mutants a
    /// round scores: where views or sums do not fit, those of as many neurons as do.
    ///
    /// # Errors
    /// Failures of the card.
    pub fn spectra_on_card(&mut self, neurons: &[u16], rounds: u32) -> Result<u64, DeviceError> {
        let jobs = self.jobs(neurons)?;
        for _ in 0..rounds {
            self.memory.sums.clear(jobs.len() * self.topology.layer(0).mutants())?;
            self.gpu.spectra.launch(&jobs, self.kind(), self.tiles())?;
        }
        self.gpu.device.finish()?;
        Ok((jobs.len() * self.topology.layer(0).mutants()) as u64)
    }

    /// Marks what cannot be in the spectra of some neurons.
    fn mask(&self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        let mutants = self.topology.layer(layer).mutants();
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_exact_mut(mutants)) {
            mask_impossible(&self.network(), layer, neuron.into(), deltas);
        }
    }

    fn class_spectra(&mut self, classes: &[u16], deltas: &mut [i64]) -> Result<(), DeviceError> {
        let mutants = self.topology.layer(1).mutants();
        let together = TOGETHER.min(self.memory.sums.len() / mutants);
        for (classes, part) in classes.chunks(together).zip(deltas.chunks_mut(together * mutants)) {
            let part = &mut part[..classes.len() * mutants];
            let visits: Vec<u32> = classes.iter().map(|&label| label.into()).collect();
            self.memory.visits.write(&visits)?;
            self.memory.sums.clear(part.len())?;
            let memory = &self.memory;
            let (visits, bits, sums) =
                (memory.visits.address(), memory.planes.address(), memory.sums.address());
            let count = classes.len() as u32;
            if self.state.samples > 0 {
                let grid = [blocks(&self.state), count];
                launch!(self.gpu.device, SpectrumPlanes, grid, self.state, visits, self.planes, bits, sums)?;
                let grid = [self.state.neurons.div_ceil(THREADS / 32), count];
                launch!(self.gpu.device, SpectrumClasses, grid, self.state, visits, self.planes, bits, sums)?;
            }
            self.memory.sums.read(0, part)?;
        }
        Ok(())
    }
}

impl Landscape for CudaLandscape<'_> {
    fn topology(&self) -> &Topology {
        self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        self.state.samples
    }

    fn loss(&self) -> i64 {
        self.total
    }

    /// Also holds the sum of all changes so far against the loss measured anew.
    fn correct(&self) -> u32 {
        let measured = self.measure().and_then(|(loss, correct)| {
            let pending = matches!(self.pending, PendingTrial::Whole { .. });
            if loss != self.total && !pending {
                return Err(DeviceError::Wrong(format!(
                    "the loss is {loss}, changes add up to {}",
                    self.total
                )));
            }
            Ok(correct)
        });
        self.or_fail(0, measured)
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        self.rollback();
        let plan = *self.topology.layer(layer);
        let mutants = plan.mutants();
        assert!(deltas.len() / mutants >= neurons.len(), "deltas are too short");
        assert!(neurons.iter().all(|&neuron| u32::from(neuron) < plan.neurons), "no such neuron");
        let deltas = &mut deltas[..neurons.len() * mutants];
        let done = if layer == 0 {
            self.hidden_spectra(neurons, deltas)
        } else {
            self.class_spectra(neurons, deltas)
        };
        if self.or_fail(None, done.map(Some)).is_none() {
            return deltas.fill(IMPOSSIBLE);
        }
        self.mask(layer, neurons, deltas);
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.rollback();
        if mutations.len() > MAX_TRIAL {
            return IMPOSSIBLE;
        }
        let Some(steps) = self.steps(mutations) else { return IMPOSSIBLE };
        let change = self.try_mutations(mutations, &steps);
        self.or_fail(IMPOSSIBLE, change)
    }

    fn commit(&mut self) {
        let pending = std::mem::replace(&mut self.pending, PendingTrial::None);
        let done = self.commit_pending(pending);
        self.or_fail((), done);
    }

    fn rollback(&mut self) {
        if let PendingTrial::Whole { .. } = std::mem::replace(&mut self.pending, PendingTrial::None) {
            let done = self.restore();
            self.or_fail((), done);
        }
    }
}

impl CardMemory {
    fn new(
        device: &Arc<dyn Device>,
        topology: &Topology,
        genome: &[u32],
        samples: Samples<'_>,
        terms: &Terms,
        sizes: &Sizes,
    ) -> Result<Self, DeviceError> {
        let neurons = topology.layer(0).neurons as usize;
        let (count, classes) = (samples.len(), topology.classes());
        Ok(Self {
            state: Buffer::new(device, 1)?,
            genome: Buffer::with(device, genome)?,
            inputs: Buffer::with(device, samples.inputs)?,
            labels: Buffer::with(device, samples.labels)?,
            terms: Buffer::with(device, &terms.terms)?,
            on: Buffer::new(device, neurons * sizes.sample_words)?,
            boundary: Buffer::new(device, neurons * sizes.sample_words)?,
            ahead: Buffer::new(device, count * classes)?,
            moves: Buffer::new(device, 2 * count * sizes.class_slots)?,
            visits: Buffer::new(device, neurons.max(classes))?,
            planes: Buffer::new(device, sizes.planes)?,
            sums: Buffer::new(device, sizes.sums)?,
            results: Buffer::new(device, RESULTS)?,
        })
    }

    /// Without the views.
    fn state(&self, topology: &Topology, samples: usize, sizes: &Sizes, zero: u32) -> CardState {
        let (hidden, output) = (topology.layer(0), topology.layer(1));
        let [height, width] = match hidden.field {
            Field::Dense => [0; 2],
            Field::Window { height, width, .. } => [height, width],
        };
        CardState {
            genome: self.genome.address(),
            inputs: self.inputs.address(),
            labels: self.labels.address(),
            terms: self.terms.address(),
            views: 0,
            on: self.on.address(),
            boundary: self.boundary.address(),
            ahead: self.ahead.address(),
            moves: self.moves.address(),
            samples: samples as u32,
            sample_words: sizes.sample_words as u32,
            neurons: hidden.neurons,
            fan_in: hidden.inputs,
            row_words: hidden.row_words,
            classes: output.neurons,
            class_slots: sizes.class_slots as u32,
            zero,
            thresholds: hidden.thresholds,
            threshold_bits: hidden.threshold_bits,
            weights: hidden.weights,
            out_thresholds: output.thresholds,
            out_threshold_bits: output.threshold_bits,
            out_weights: output.weights,
            out_row_words: output.row_words,
            view_words: state::view_words(hidden),
            height: height.into(),
            width: width.into(),
            slide: hidden.slide(),
            padding: 0,
        }
    }
}
