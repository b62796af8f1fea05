//! Makes lives: which samples a lane sees in which order, and what it starts with.

use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::{PlasticBuffers, PlasticNetwork, PlasticShape, Plasticity, ShapeError, Unit, Weight};

use super::table::Table;
use super::{Batch, LANES, Phase, Sample};

/// Random weights are -48 to 48.
const START: u8 = 48;

/// Lives on a table: every lane draws its own samples to learn from and to be examined on, its own order and its own start.
#[derive(Clone, Copy, Debug)]
pub struct TableTask<'a> {
    /// The samples.
    pub table: &'a Table,
    /// Times that a lane sees each sample.
    pub epochs: u32,
    /// Which share of the samples the exam has, in 256ths.
    pub exam: u32,
    /// Samples that a lane learns from at most.
    pub most: usize,
    /// How updates are applied.
    pub plasticity: Plasticity,
    /// Whether features and labels are permuted, in every lane otherwise.
    pub permuted: bool,
    /// Samples for the exam, in place of a share of the table's; all lanes then learn from the whole table.
    pub held_out: Option<&'a Table>,
}

/// One lane's view of a table: which input and label stands for which.
#[derive(Clone, Debug)]
pub struct Disguise {
    inputs: Vec<u16>,
    labels: Vec<u8>,
}

impl Disguise {
    /// None.
    #[must_use]
    pub fn none(table: &Table) -> Self {
        Self { inputs: (0..table.inputs as u16).collect(), labels: (0..table.classes as u8).collect() }
    }

    /// A random one.
    #[must_use]
    pub fn random(table: &Table, rng: &mut Stream) -> Self {
        let mut disguise = Self::none(table);
        rng.shuffle(&mut disguise.inputs);
        rng.shuffle(&mut disguise.labels);
        disguise
    }

    /// A random one that leaves the labels.
    #[must_use]
    pub fn of_inputs(table: &Table, rng: &mut Stream) -> Self {
        let mut disguise = Self::none(table);
        rng.shuffle(&mut disguise.inputs);
        disguise
    }
}

/// Samples of all lanes: `rows[lane]` are the samples of a lane, all of one length.
#[must_use]
pub fn lecture(table: &Table, rows: &[Vec<u32>], disguises: &[Disguise]) -> Vec<Sample> {
    let steps = rows.iter().map(Vec::len).min().unwrap_or(0);
    let sample = |step: usize| {
        let mut sample = Sample { inputs: vec![[0; LANES]; table.inputs], classes: [0; LANES] };
        for (lane, (rows, disguise)) in rows.iter().zip(disguises).enumerate() {
            let row = rows[step] as usize;
            for (input, &from) in sample.inputs.iter_mut().zip(&disguise.inputs) {
                input[lane] = table.row(row)[usize::from(from)];
            }
            sample.classes[lane] = disguise.labels[usize::from(table.labels[row])];
        }
        sample
    };
    (0..steps).map(sample).collect()
}

/// `rows` shuffled anew for every epoch, one epoch after the other.
#[must_use]
pub fn epochs(rows: &[u32], epochs: u32, rng: &mut Stream) -> Vec<u32> {
    let mut order = rows.to_vec();
    let mut all = Vec::with_capacity(rows.len() * epochs as usize);
    for _ in 0..epochs {
        rng.shuffle(&mut order);
        all.extend_from_slice(&order);
    }
    all
}

/// Random weights for all lanes.
///
/// # Errors
/// Never for a shape.
pub fn start(
    shape: PlasticShape,
    plasticity: Plasticity,
    seed: u64,
    index: u32,
) -> Result<Vec<Weight<LANES>>, ShapeError> {
    let mut weights = vec![Weight::ABSENT; shape.weights()];
    let (mut units, mut scores) = (vec![Unit::ZERO; shape.units()], vec![[0; LANES]; shape.classes()]);
    let buffers = PlasticBuffers { weights: &mut weights, units: &mut units, scores: &mut scores };
    let lane = |lane: usize| Stream::new(seed, Purpose::Start, index * LANES as u32 + lane as u32);
    let mut streams: [Stream; LANES] = std::array::from_fn(lane);
    PlasticNetwork::new(shape, plasticity, buffers)?.start(START, streams.each_mut());
    Ok(weights)
}

/// What one lane draws from a table.
struct Drawn {
    learn: Vec<u32>,
    exam: Vec<u32>,
    rng: Stream,
}

impl TableTask<'_> {
    /// Which samples every lane of batch `index` learns from and is examined on.
    fn draw(&self, seed: u64, index: u32) -> Vec<Drawn> {
        let lane = |lane: u32| {
            let mut rng = Stream::new(seed, Purpose::Samples, index * LANES as u32 + lane);
            let mut learn: Vec<u32> = (0..self.table.samples() as u32).collect();
            rng.shuffle(&mut learn);
            let exam = match self.held_out {
                Some(table) => (0..table.samples() as u32).collect(),
                None => learn.split_off(learn.len() - learn.len() * self.exam as usize / 256),
            };
            learn.truncate(self.most);
            Drawn { learn, exam, rng }
        };
        (0..LANES as u32).map(lane).collect()
    }

    fn disguises(&self, drawn: &mut [Drawn]) -> Vec<Disguise> {
        let disguise = |drawn: &mut Drawn| {
            if self.permuted {
                Disguise::random(self.table, &mut drawn.rng)
            } else {
                Disguise::none(self.table)
            }
        };
        drawn.iter_mut().map(disguise).collect()
    }

    fn lesson(&self, drawn: &mut [Drawn], disguises: &[Disguise]) -> Phase {
        let rows: Vec<_> =
            drawn.iter_mut().map(|drawn| epochs(&drawn.learn, self.epochs, &mut drawn.rng)).collect();
        Phase::Learn(lecture(self.table, &rows, disguises))
    }

    fn examination(&self, drawn: &[Drawn], disguises: &[Disguise], weight: i64) -> Phase {
        let rows: Vec<_> = drawn.iter().map(|drawn| drawn.exam.clone()).collect();
        Phase::Exam(lecture(self.held_out.unwrap_or(self.table), &rows, disguises), weight)
    }

    /// The batch of this `seed` and `index`, of networks with these hidden layers: learn, then one exam.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn batch(&self, hidden: &[u16], seed: u64, index: u32) -> Result<Batch, ShapeError> {
        let shape = shape(self.table, hidden)?;
        let mut drawn = self.draw(seed, index);
        let disguises = self.disguises(&mut drawn);
        let phases = vec![self.lesson(&mut drawn, &disguises), self.examination(&drawn, &disguises, 1)];
        Ok(Batch::labelled(shape, self.plasticity, start(shape, self.plasticity, seed, index)?, phases))
    }

    /// A stream whose task switches: learn, exam, learn the same samples with inputs permuted otherwise, exam of the second task,
    /// exam of the first.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn switch(&self, hidden: &[u16], seed: u64, index: u32) -> Result<Batch, ShapeError> {
        let shape = shape(self.table, hidden)?;
        let mut drawn = self.draw(seed, index);
        let first = self.disguises(&mut drawn);
        let other = |(drawn, first): (&mut Drawn, &Disguise)| {
            let inputs = Disguise::of_inputs(self.table, &mut drawn.rng).inputs;
            Disguise { inputs, labels: first.labels.clone() }
        };
        let second: Vec<Disguise> = drawn.iter_mut().zip(&first).map(other).collect();
        let phases = vec![
            self.lesson(&mut drawn, &first),
            self.examination(&drawn, &first, 1),
            self.lesson(&mut drawn, &second),
            self.examination(&drawn, &second, 1),
            self.examination(&drawn, &first, 1),
        ];
        Ok(Batch::labelled(shape, self.plasticity, start(shape, self.plasticity, seed, index)?, phases))
    }

    /// Learn, exam, then `damage` is done to the weights, exam, learn again, exam.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn damaged(
        &self,
        hidden: &[u16],
        damage: Damage,
        seed: u64,
        index: u32,
    ) -> Result<Batch, ShapeError> {
        let shape = shape(self.table, hidden)?;
        let mut drawn = self.draw(seed, index);
        let disguises = self.disguises(&mut drawn);
        let mut weights = start(shape, self.plasticity, seed, index)?;
        let mut rng = Stream::new(seed, Purpose::Samples, u32::MAX - index);
        let replaced: Vec<(u32, Weight<LANES>)> = match damage {
            Damage::Lesion(share) => {
                let mut places: Vec<u32> = (0..weights.len() as u32).collect();
                rng.shuffle(&mut places);
                places.truncate(weights.len() * usize::from(share) / 100);
                places.into_iter().map(|place| (place, Weight::ABSENT)).collect()
            }
            Damage::Growth(neurons) => {
                let places = growing(&shape, usize::from(neurons));
                let grown = places.iter().map(|&place| (place, weights[place as usize])).collect();
                places.iter().for_each(|&place| weights[place as usize] = Weight::ABSENT);
                grown
            }
        };
        let phases = vec![
            self.lesson(&mut drawn, &disguises),
            self.examination(&drawn, &disguises, 1),
            Phase::Replace(replaced),
            self.examination(&drawn, &disguises, 0),
            self.lesson(&mut drawn, &disguises),
            self.examination(&drawn, &disguises, 1),
        ];
        Ok(Batch::labelled(shape, self.plasticity, weights, phases))
    }
}

/// What happens to networks in the middle of their lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// So many of 100 weights go, for good.
    Lesion(u8),
    /// So many neurons of the first hidden layer come, with random weights; before, they were not there.
    Growth(u16),
}

/// The places of all weights into and out of the last `neurons` of the first hidden layer.
fn growing(shape: &PlasticShape, neurons: usize) -> Vec<u32> {
    let (first, second) = (shape.layer(0), shape.layer(1));
    let new = first.neurons.saturating_sub(neurons)..first.neurons;
    let into = new.clone().flat_map(|neuron| (0..first.row()).map(move |place| neuron * first.row() + place));
    let out = (0..second.neurons)
        .flat_map(|neuron| new.clone().map(move |place| second.weights + neuron * second.row() + place));
    let out = out.filter(|_| shape.depth() > 1);
    into.chain(out).map(|place| place as u32).collect()
}

/// Boolean functions of a few inputs, as truth tables: bit `i` is the answer to the inputs whose bits make `i`.
#[derive(Clone, Copy, Debug)]
pub struct BooleanTask<'a> {
    /// Inputs of the functions, 1 to 5.
    pub inputs: u32,
    /// The functions; lanes take one after the other.
    pub functions: &'a [u32],
    /// Times that a lane sees each combination of inputs.
    pub passes: u32,
    /// How updates are applied.
    pub plasticity: Plasticity,
}

impl BooleanTask<'_> {
    /// The batch of this `seed` and `index`, of networks with these hidden layers and two outputs.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn batch(&self, hidden: &[u16], seed: u64, index: u32) -> Result<Batch, ShapeError> {
        let rows = 1u32 << self.inputs;
        let bit = |row: u32, input: u32| if row >> input & 1 == 1 { 100 } else { -100 };
        let values = (0..rows).flat_map(|row| (0..self.inputs).map(move |input| bit(row, input))).collect();
        let table =
            Table { inputs: self.inputs as usize, values, labels: vec![0; rows as usize], classes: 2 };
        let shape = shape(&table, hidden)?;
        let all: Vec<u32> = (0..rows).collect();
        let order = |lane: u32| {
            epochs(&all, self.passes, &mut Stream::new(seed, Purpose::Samples, index * LANES as u32 + lane))
        };
        let learned: Vec<_> = (0..LANES as u32).map(order).collect();
        let disguises = vec![Disguise::none(&table); LANES];
        let answered = |rows: &[Vec<u32>]| {
            let mut samples = lecture(&table, rows, &disguises);
            for (step, sample) in samples.iter_mut().enumerate() {
                for (lane, class) in sample.classes.iter_mut().enumerate() {
                    let function = self.functions[(index as usize * LANES + lane) % self.functions.len()];
                    *class = (function >> rows[lane][step] & 1) as u8;
                }
            }
            samples
        };
        let phases = vec![Phase::Learn(answered(&learned)), Phase::Exam(answered(&vec![all; LANES]), 1)];
        Ok(Batch::labelled(shape, self.plasticity, start(shape, self.plasticity, seed, index)?, phases))
    }
}

/// The shape of a network for a table.
///
/// # Errors
/// Hidden layers that make no shape.
pub fn shape(table: &Table, hidden: &[u16]) -> Result<PlasticShape, ShapeError> {
    let ends = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
    let widths = [&[ends(table.inputs)], hidden, &[ends(table.classes)]].concat();
    PlasticShape::new(&widths)
}
