//! Makes lives: which samples a lane sees in which order, and what it starts with.

use evobit::rng::{Draw, Purpose, Stream};
use evobit::rule::{Buffers, Plasticity, Shape, ShapeError, TaskNetwork, Unit, Weight};

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
    /// Whether features and labels are permuted, in every lane otherwise.
    pub permuted: bool,
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
pub fn start(shape: Shape, seed: u64, index: u32) -> Result<Vec<Weight<LANES>>, ShapeError> {
    let mut weights = vec![Weight::ABSENT; shape.weights()];
    let (mut units, mut scores) = (vec![Unit::ZERO; shape.units()], vec![[0; LANES]; shape.classes()]);
    let buffers = Buffers { weights: &mut weights, units: &mut units, scores: &mut scores };
    let lane = |lane: usize| Stream::new(seed, Purpose::Start, index * LANES as u32 + lane as u32);
    let mut streams: [Stream; LANES] = std::array::from_fn(lane);
    TaskNetwork::new(shape, Plasticity::default(), buffers)?.start(START, streams.each_mut());
    Ok(weights)
}

impl TableTask<'_> {
    /// The batch of this `seed` and `index`, of networks with these hidden layers.
    ///
    /// # Errors
    /// Hidden layers that make no shape.
    pub fn batch(
        &self,
        hidden: &[u16],
        plasticity: Plasticity,
        seed: u64,
        index: u32,
    ) -> Result<Batch, ShapeError> {
        let shape = shape(self.table, hidden)?;
        let (mut learned, mut examined, mut disguises) = (vec![], vec![], vec![]);
        for lane in 0..LANES as u32 {
            let mut rng = Stream::new(seed, Purpose::Samples, index * LANES as u32 + lane);
            let mut rows: Vec<u32> = (0..self.table.samples() as u32).collect();
            rng.shuffle(&mut rows);
            let exam = rows.split_off(rows.len() - rows.len() * self.exam as usize / 256);
            rows.truncate(self.most);
            disguises.push(if self.permuted {
                Disguise::random(self.table, &mut rng)
            } else {
                Disguise::none(self.table)
            });
            learned.push(epochs(&rows, self.epochs, &mut rng));
            examined.push(exam);
        }
        let phases = vec![
            Phase::Learn(lecture(self.table, &learned, &disguises)),
            Phase::Exam(lecture(self.table, &examined, &disguises), 1),
        ];
        Ok(Batch { shape, plasticity, start: start(shape, seed, index)?, phases })
    }
}

/// The shape of a network for a table.
///
/// # Errors
/// Hidden layers that make no shape.
pub fn shape(table: &Table, hidden: &[u16]) -> Result<Shape, ShapeError> {
    let ends = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
    let widths = [&[ends(table.inputs)], hidden, &[ends(table.classes)]].concat();
    Shape::new(&widths)
}

/// The life that counts: all of `learn`, undisguised, then the exam of `test`. Lanes have starts and orders of their own.
///
/// # Errors
/// Hidden layers that make no shape.
pub fn last_life(
    learn: &Table,
    test: &Table,
    hidden: &[u16],
    times: u32,
    seed: u64,
) -> Result<Batch, ShapeError> {
    let shape = shape(learn, hidden)?;
    let all = |table: &Table| -> Vec<u32> { (0..table.samples() as u32).collect() };
    let order = |lane: usize| {
        epochs(&all(learn), times, &mut Stream::new(seed, Purpose::Samples, u32::MAX - lane as u32))
    };
    let learned: Vec<_> = (0..LANES).map(order).collect();
    let disguises = vec![Disguise::none(learn); LANES];
    let phases = vec![
        Phase::Learn(lecture(learn, &learned, &disguises)),
        Phase::Exam(lecture(test, &vec![all(test); LANES], &disguises), 1),
    ];
    Ok(Batch { shape, plasticity: Plasticity::default(), start: start(shape, seed, 2_000_000)?, phases })
}
