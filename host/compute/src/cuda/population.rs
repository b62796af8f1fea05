//! The loss of many genomes of one topology on a card: what the genetic algorithm asks for.
//!
//! Samples stay on the card; genomes come in batches, and so do samples where the signs of one genome's neurons do not fit beside
//! them. The integers are those of core's forward pass.

use bytemuck::{Pod, Zeroable};
use evobit::evolve::genetic::{Batch, Fitness};
use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::loss::LossTable;
use evobit::topology::{Field, Plan, Topology};

use super::device::{Buffer, DeviceError, THREADS, launch};
use super::gpu::Gpu;
use super::landscape::CudaError;
use crate::Note;

/// Words of a neuron that the forms without tensor cores hold in registers, and those with them.
const HELD: u32 = 28;
const HELD_TENSOR: u32 = 32;
/// Genomes that share a gathering of windows.
const GATHERED: u32 = 8;
/// Most genomes of a launch.
const MOST_GENOMES: usize = 1 << 12;
/// Bytes of signs that are worth having: enough for every card to be busy.
const ENOUGH: u64 = 4 << 30;

/// How dense layers are computed. All give the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A count for each word, on any card.
    Counts,
    /// Carry-save adders before the counts, on any card.
    Adders,
    /// Tensor cores with exclusive or, from compute capability 7.5 on.
    Differ,
    /// Tensor cores with and, from compute capability 8.0 on.
    Both,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Counts, Self::Adders, Self::Differ, Self::Both];

    /// The fastest for a compute capability, 75 for 7.5. Up to 6.0 a count costs no more than the adders that would spare it.
    #[must_use]
    pub const fn of(capability: u32) -> Self {
        match capability {
            80.. => Self::Both,
            75.. => Self::Differ,
            60.. => Self::Adders,
            _ => Self::Counts,
        }
    }

    /// The lowest compute capability that has it.
    #[must_use]
    pub const fn needs(self) -> u32 {
        match self {
            Self::Counts | Self::Adders => 0,
            Self::Differ => 75,
            Self::Both => 80,
        }
    }

    const fn most_words(self) -> u32 {
        match self {
            Self::Counts | Self::Adders => HELD,
            Self::Differ | Self::Both => HELD_TENSOR,
        }
    }
}

/// `Layer` of kernels/cuda/population.cu.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Layer {
    genomes: u64,
    inputs: u64,
    outputs: u64,
    input_stride: u64,
    genome_words: u32,
    count: u32,
    samples: u32,
    input_words: u32,
    output_words: u32,
    output_row_bits: u32,
    neurons: u32,
    fan_in: u32,
    row_words: u32,
    thresholds: u32,
    threshold_bits: u32,
    weights: u32,
    places: u32,
    planes: u32,
    height: u32,
    width: u32,
    input_height: u32,
    line_words: u32,
    slide: u32,
    padding: u32,
}

// The kernels assert the same.
const _: () = assert!(size_of::<Layer>() == 112);

/// How a genome does on the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The sum of the losses.
    pub loss: i64,
    /// Samples that are classified correctly.
    pub correct: u32,
}

/// Samples on a card, for genomes to be scored on.
pub struct CudaPopulation {
    note: Note,
    gpu: Gpu,
    topology: Topology,
    form: Form,
    samples: usize,
    zero: i32,
    inputs: Buffer<u32>,
    labels: Buffer<u8>,
    terms: Buffer<i32>,
    room: Option<Room>,
}

/// Memory for a batch of genomes on a batch of samples.
struct Room {
    genomes_at_once: usize,
    samples_at_once: usize,
    genomes: Buffer<u32>,
    /// `[genomes][samples][words]` of signs, by turns.
    signs: [Buffer<u32>; 2],
    sums: Buffer<i64>,
}

impl CudaPopulation {
    /// The same, which notes what it does where memory is short.
    #[must_use]
    pub fn noting(self, note: Note) -> Self {
        Self { note, ..self }
    }

    /// Brings the samples to the card. `form` is of the card's choice where it is `None`.
    ///
    /// # Errors
    /// Samples that do not fit the topology; failures of the card.
    pub fn new(
        gpu: &Gpu,
        topology: &Topology,
        samples: Samples<'_>,
        loss: &LossTable<&[u32]>,
        form: Option<Form>,
    ) -> Result<Self, CudaError> {
        if samples.len().checked_mul(topology.input_words()) != Some(samples.inputs.len()) {
            return Err(LandscapeError::Samples.into());
        }
        if samples.labels.iter().any(|&label| usize::from(label) >= topology.classes()) {
            return Err(LandscapeError::Label.into());
        }
        let zero = 2 * topology.layer(topology.depth() - 1).inputs as i32;
        let terms: Vec<i32> = (-zero..=zero).map(|difference| loss.term(difference)).collect();
        let device = &gpu.device;
        let form = form.unwrap_or_else(|| Form::of(device.capability()));
        if form.needs() > device.capability() {
            return Err(DeviceError::Unsupported("newer GPUs in this form").into());
        }
        Ok(Self {
            note: Note::default(),
            gpu: gpu.clone(),
            topology: *topology,
            form,
            samples: samples.len(),
            zero,
            inputs: Buffer::with(device, samples.inputs)?,
            labels: Buffer::with(device, samples.labels)?,
            terms: Buffer::with(device, &terms)?,
            room: None,
        })
    }

    /// Genomes and samples of a batch, once there was one.
    #[must_use]
    pub fn batch(&self) -> Option<(usize, usize)> {
        self.room.as_ref().map(|room| (room.genomes_at_once, room.samples_at_once))
    }

    /// Scores genomes, `[count][genome words]`. Tells `log` where the card's memory makes batches smaller.
    ///
    /// # Errors
    /// Failures of the card.
    pub fn measure(&mut self, genomes: &[u32], log: &dyn Fn(&str)) -> Result<Vec<Measured>, DeviceError> {
        let words = self.topology.genome_words();
        let mut measured = Vec::with_capacity(genomes.len() / words);
        if self.samples == 0 {
            return Ok(vec![Measured::default(); genomes.len() / words]);
        }
        let room = match self.room.take() {
            Some(room) if room.genomes_at_once >= genomes.len() / words => room,
            smaller => {
                drop(smaller);
                self.make_room(genomes.len() / words, log)?
            }
        };
        for batch in genomes.chunks(room.genomes_at_once * words) {
            let count = batch.len() / words;
            room.genomes.write(batch)?;
            room.sums.clear(2 * count)?;
            for first in (0..self.samples).step_by(room.samples_at_once) {
                self.run(&room, count, first, room.samples_at_once.min(self.samples - first))?;
            }
            let mut sums = vec![0; 2 * count];
            room.sums.read(0, &mut sums)?;
            measured.extend(sums.chunks(2).map(|sums| Measured { loss: sums[0], correct: sums[1] as u32 }));
        }
        self.room = Some(room);
        Ok(measured)
    }

    /// Words of the widest hidden layer's signs.
    fn most_words(&self) -> usize {
        self.topology.layers()[1..].iter().map(|plan| plan.packing.words()).max().unwrap_or(0)
    }

    /// Memory for as many of `wanted` genomes at a time as fit on all samples, or for one on as many samples as fit.
    fn make_room(&self, wanted: usize, log: &dyn Fn(&str)) -> Result<Room, DeviceError> {
        let free = self.gpu.room()?;
        // Some is lost to the granularity of allocations.
        let usable = (free - free / 32).min(ENOUGH);
        let (words, each) = (self.topology.genome_words(), 8 * self.most_words().max(1) as u64);
        let most = wanted.clamp(1, MOST_GENOMES);
        let of_genomes = |count: usize| (4 * words + 16) as u64 * count as u64;
        let bytes = |count: usize, samples: usize| of_genomes(count) + each * (count * samples) as u64;
        let mut at_once = (most, self.samples);
        loop {
            if bytes(at_once.0, at_once.1) <= usable {
                match self.try_room(at_once) {
                    Err(DeviceError::OutOfMemory { .. }) => {}
                    room => {
                        if at_once.1 < self.samples {
                            log(&format!(
                                "the GPU's memory holds one genome on {} samples at a time",
                                at_once.1
                            ));
                        } else if at_once.0 < most {
                            log(&format!("the GPU's memory holds {} of {most} genomes at a time", at_once.0));
                        }
                        return room;
                    }
                }
            }
            at_once = match at_once {
                (1, samples) if samples <= THREADS as usize => {
                    return Err(DeviceError::OutOfMemory { bytes: bytes(1, samples) });
                }
                (1, samples) => (1, samples.div_ceil(2)),
                (genomes, samples) => (genomes.div_ceil(2), samples),
            };
        }
    }

    fn try_room(&self, (genomes_at_once, samples_at_once): (usize, usize)) -> Result<Room, DeviceError> {
        let signs = || Buffer::new(&self.gpu.device, genomes_at_once * samples_at_once * self.most_words());
        Ok(Room {
            genomes_at_once,
            samples_at_once,
            genomes: Buffer::new(&self.gpu.device, genomes_at_once * self.topology.genome_words())?,
            signs: [signs()?, signs()?],
            sums: Buffer::new(&self.gpu.device, 2 * genomes_at_once)?,
        })
    }

    /// Runs `count` genomes on samples from `first` on and adds to the sums.
    fn run(&self, room: &Room, count: usize, first: usize, samples: usize) -> Result<(), DeviceError> {
        let blocks = (samples as u32).div_ceil(THREADS);
        let mut inputs = self.inputs.at(first * self.topology.input_words());
        let mut stride = 0;
        for (index, pair) in self.topology.layers().windows(2).enumerate() {
            let outputs = room.signs[index % 2].address();
            let words = pair[1].packing.words();
            let mut layer = self.layer(&pair[0], room, count, samples);
            (layer.inputs, layer.input_stride, layer.outputs) = (inputs, stride, outputs);
            (layer.output_words, layer.output_row_bits) = (words as u32, pair[1].packing.row_bits);
            self.launch_layer(layer, blocks, pair[1].packing.rows == 1)?;
            (inputs, stride) = (outputs, (samples * words) as u64);
        }
        let Some(last) = self.topology.layers().last() else { return Ok(()) };
        let mut layer = self.layer(last, room, count, samples);
        (layer.inputs, layer.input_stride) = (inputs, stride);
        let (labels, terms, sums) = (self.labels.at(first), self.terms.address(), room.sums.address());
        launch!(
            self.gpu.device,
            PopulationLoss,
            [blocks, count as u32],
            layer,
            labels,
            terms,
            self.zero,
            sums
        )
    }

    fn layer(&self, plan: &Plan, room: &Room, count: usize, samples: usize) -> Layer {
        let [planes, height, width] = match plan.field {
            Field::Dense => [0; 3],
            Field::Window { planes, height, width, .. } => [planes, height, width].map(u32::from),
        };
        Layer {
            genomes: room.genomes.address(),
            genome_words: self.topology.genome_words() as u32,
            count: count as u32,
            samples: samples as u32,
            input_words: plan.packing.words() as u32,
            neurons: plan.neurons,
            fan_in: plan.inputs,
            row_words: plan.row_words,
            thresholds: plan.thresholds,
            threshold_bits: plan.threshold_bits,
            weights: plan.weights,
            places: plan.places,
            planes,
            height,
            width,
            input_height: plan.input.height.into(),
            line_words: plan.packing.row_words,
            slide: plan.slide(),
            ..Layer::default()
        }
    }

    fn launch_layer(&self, layer: Layer, blocks: u32, one_row: bool) -> Result<(), DeviceError> {
        let (device, grid) = (&self.gpu.device, [blocks, layer.count]);
        if layer.planes > 0 && layer.input_stride == 0 {
            return launch!(device, PopulationWindows, [blocks, layer.count.div_ceil(GATHERED)], layer);
        }
        if layer.planes > 0 || !one_row || layer.row_words > self.form.most_words() {
            return launch!(device, PopulationLayer, grid, layer);
        }
        match self.form {
            Form::Counts => launch!(device, PopulationCounts, grid, layer),
            Form::Adders => launch!(device, PopulationAdders, grid, layer),
            Form::Differ => launch!(device, PopulationDiffer, grid, layer),
            Form::Both => launch!(device, PopulationBoth, grid, layer),
        }
    }
}

impl Fitness for CudaPopulation {
    /// The loss, negated. After a failure, which is recorded, the lowest there is.
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        fitness.fill(i64::MIN);
        if self.gpu.failure.get().is_some() {
            return;
        }
        let note = self.note;
        match self.measure(genomes.as_words(), &note.0) {
            Ok(measured) => {
                for (fitness, measured) in fitness.iter_mut().zip(measured) {
                    *fitness = -measured.loss;
                }
            }
            Err(error) => self.gpu.failure.record(error),
        }
    }
}
