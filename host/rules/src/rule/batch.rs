//! Lives of plastic networks, and how a rule lives them.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays side by side become vector instructions"
)]

use evobit::rule::{
    Lanes, LocalRule, PlasticBuffers, PlasticNetwork, PlasticShape, Plasticity, RuleNeeds, ShapeError, Unit,
    Weight,
};
use evobit_search::Interrupt;

/// Plastic networks that live beside each other: a register of AVX2 holds a value of all.
pub const LANES: usize = 16;
/// What a right answer is worth in an exam, in units of the score's activation.
const RIGHT: i32 = 256;
/// The largest margin that counts, in units of the score's activation: were it larger, rules that drive weights to their bounds
/// would win over rules that are right.
const MOST_MARGIN: i32 = 8;

/// The highest fitness: right in all answers, by the largest margin.
pub const HIGHEST: i64 = (RIGHT + MOST_MARGIN) as i64 * 256;

/// A sample of every lane.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// `[inputs]`, each of all lanes, -127 to 127.
    pub inputs: Vec<[i8; LANES]>,
    /// Its class in every lane.
    pub classes: [u8; LANES],
}

/// A part of a life.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Samples to learn from, each shown once, in this order.
    Learn(Vec<Sample>),
    /// Samples to answer. What they come to counts so many times for the fitness.
    Exam(Vec<Sample>, i64),
    /// These weights become others: a lesion, or growth.
    Replace(Vec<(u32, Weight<LANES>)>),
}

/// Lives of plastic networks of one shape.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Their shape.
    pub shape: PlasticShape,
    /// How updates are applied.
    pub plasticity: Plasticity,
    /// The weights they start with, `[PlasticShape::weights]`.
    pub start: Vec<Weight<LANES>>,
    /// What happens to them.
    pub phases: Vec<Phase>,
    /// Whether samples to learn from bring their classes. Where they do not, rules that need errors cannot be lived by, and an exam
    /// asks how well the most active output tells classes apart.
    pub labelled: bool,
}

impl Batch {
    /// Lives whose samples bring their classes.
    #[must_use]
    pub const fn labelled(
        shape: PlasticShape,
        plasticity: Plasticity,
        start: Vec<Weight<LANES>>,
        phases: Vec<Phase>,
    ) -> Self {
        Self { shape, plasticity, start, phases, labelled: true }
    }

    /// Whether all is there that a rule needs.
    #[must_use]
    pub const fn gives(&self, needs: RuleNeeds) -> bool {
        self.labelled || !needs.error
    }

    /// Puts the last exam at the beginning as well, where it counts against what is reached in the end.
    pub fn begin_with_exam(&mut self) {
        if let Some(Phase::Exam(samples, weight)) = self.phases.last() {
            let first = Phase::Exam(samples.clone(), -weight);
            self.phases.insert(0, first);
        }
    }
}

/// What an exam came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Right answers of every lane.
    pub right: [u32; LANES],
    /// Samples of the exam.
    pub samples: u32,
    /// Right answers and margins of every lane, over all samples.
    pub worth: [i64; LANES],
    /// How often it counts.
    pub weight: i64,
}

/// The buffers of the networks of a batch, to be used again.
#[derive(Debug, Default)]
pub struct Room<Source> {
    /// Once it is set, lives end where they are and what they come to is of no use.
    interrupt: Interrupt,
    weights: Vec<Weight<LANES>>,
    units: Vec<Unit<LANES>>,
    scores: Vec<[i32; LANES]>,
    sources: Vec<Source>,
}

impl<Source> Room<Source> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::heeding(&Interrupt::default())
    }

    /// An empty one whose lives end once `interrupt` is set. Whoever uses it looks at that before believing any marks.
    #[must_use]
    pub fn heeding(interrupt: &Interrupt) -> Self {
        let interrupt = interrupt.clone();
        Self { interrupt, weights: vec![], units: vec![], scores: vec![], sources: vec![] }
    }

    /// The weights that the last life ended with.
    #[must_use]
    pub fn weights(&self) -> &[Weight<LANES>] {
        &self.weights
    }
}

/// Lives through `batch` by `rule` and returns the marks of all its exams; `room` keeps the weights. The result does not depend on
/// the instructions of the machine.
///
/// # Errors
/// Never, for batches as [`super::tasks`] makes them; else buffers that do not fit the shape.
pub fn live<R>(rule: &R, batch: &Batch, room: &mut Room<R::Source>) -> Result<Vec<Marks>, ShapeError>
where
    R: LocalRule<LANES>,
    R::Source: Default,
{
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { live_avx2(rule, batch, room) };
    }
    live_here(rule, batch, room)
}

/// [`live_here`], compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn live_avx2<R>(rule: &R, batch: &Batch, room: &mut Room<R::Source>) -> Result<Vec<Marks>, ShapeError>
where
    R: LocalRule<LANES>,
    R::Source: Default,
{
    live_here(rule, batch, room)
}

#[inline(always)]
fn live_here<R>(rule: &R, batch: &Batch, room: &mut Room<R::Source>) -> Result<Vec<Marks>, ShapeError>
where
    R: LocalRule<LANES>,
    R::Source: Default,
{
    let shape = batch.shape;
    room.weights.clear();
    room.weights.extend_from_slice(&batch.start);
    room.units.clear();
    room.units.resize(shape.units(), Unit::ZERO);
    room.scores.resize(shape.classes().max(room.scores.len()), [0; LANES]);
    room.sources.resize_with(shape.widest_row().max(room.sources.len()), R::Source::default);
    let buffers =
        PlasticBuffers { weights: &mut room.weights, units: &mut room.units, scores: &mut room.scores };
    let mut network = PlasticNetwork::new(shape, batch.plasticity, buffers)?;
    let mut marks = vec![];
    for phase in &batch.phases {
        if room.interrupt.is_set() {
            return Ok(marks);
        }
        match phase {
            Phase::Learn(samples) => {
                for sample in samples {
                    if room.interrupt.is_set() {
                        return Ok(marks);
                    }
                    show(&mut network, sample);
                    network.learn(rule, sample.classes, &mut room.sources);
                }
            }
            Phase::Exam(samples, weight) if batch.labelled => marks.push(sit(&mut network, samples, *weight)),
            Phase::Exam(samples, weight) => marks.push(group(&mut network, samples, *weight)),
            Phase::Replace(list) => {
                for &(index, weight) in list {
                    network.weights_mut()[index as usize] = weight;
                }
            }
        }
    }
    Ok(marks)
}

#[inline(always)]
fn show(network: &mut PlasticNetwork<'_, LANES>, sample: &Sample) {
    for (unit, input) in network.inputs_mut().iter_mut().zip(&sample.inputs) {
        unit.activation = Lanes(input.map(i16::from));
    }
}

#[inline(always)]
fn sit(network: &mut PlasticNetwork<'_, LANES>, samples: &[Sample], weight: i64) -> Marks {
    let (mut right, mut worth) = ([0; LANES], [0; LANES]);
    let shift = network.score_shift();
    for sample in samples {
        show(network, sample);
        network.run();
        for lane in 0..LANES {
            let class = usize::from(sample.classes[lane]);
            let mut rival = i32::MIN;
            // Of equal scores the first class is the answer, so a later one must be beaten by more.
            for (other, score) in network.scores().iter().enumerate().filter(|&(other, _)| other != class) {
                rival = rival.max(score[lane] + i32::from(other < class));
            }
            let margin = network.scores()[class][lane] - rival;
            right[lane] += u32::from(margin >= 0);
            let answer = if margin >= 0 { RIGHT } else { 0 };
            worth[lane] += i64::from(answer + (margin >> shift).clamp(-MOST_MARGIN, MOST_MARGIN));
        }
    }
    Marks { right, samples: samples.len() as u32, worth, weight }
}

/// The marks of networks that were told no classes: every output answers with the class that most of its samples have (purity).
fn group(network: &mut PlasticNetwork<'_, LANES>, samples: &[Sample], weight: i64) -> Marks {
    let classes = network.shape().classes();
    let mut counts = vec![[0u32; LANES]; classes * classes];
    for sample in samples {
        show(network, sample);
        network.run();
        for lane in 0..LANES {
            let output = usize::from(network.class(lane));
            counts[output * classes + usize::from(sample.classes[lane])][lane] += 1;
        }
    }
    let mut right = [0; LANES];
    for output in counts.chunks_exact(classes) {
        for lane in 0..LANES {
            right[lane] += output.iter().map(|count| count[lane]).max().unwrap_or(0);
        }
    }
    let worth = right.map(|right| i64::from(right) * i64::from(RIGHT));
    Marks { right, samples: samples.len() as u32, worth, weight }
}

impl Marks {
    /// Right answers and margins, per sample and lane, times 256.
    #[must_use]
    pub fn fitness(&self) -> i64 {
        let answers = i64::from(self.samples) * LANES as i64;
        (self.worth.iter().sum::<i64>() * 256).checked_div(answers).unwrap_or(0)
    }

    /// The share of right answers over all lanes, 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        f64::from(self.right.iter().sum::<u32>()) / f64::from(self.samples.max(1)) / LANES as f64
    }
}
