//! Networks in plain numbers, and cases to hold against them.

use evobit::evolve::landscape::Samples;
use evobit::genome::{Gene, GenomeMut, Mutation};
use evobit::loss::{LossTable, write_logistic};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Field, Layer, Plan, Shape, Topology};

/// A number of `bits` bits in a packed table that begins at word `start`.
fn number(words: &[u32], start: u32, bits: u32, index: u32) -> u32 {
    let at = |bit: u32| words[(start + bit / 32) as usize] >> (bit % 32) & 1;
    (0..bits).map(|bit| at(index * bits + bit) << bit).sum()
}

/// A neuron in plain numbers.
#[derive(Clone)]
struct Neuron {
    place: u32,
    threshold: i32,
    weights: Vec<i32>,
}

/// A network in plain numbers.
#[derive(Clone)]
pub(crate) struct Plain<'a> {
    plans: &'a [Plan],
    neurons: Vec<Vec<Neuron>>,
}

impl<'a> Plain<'a> {
    pub(crate) fn read(topology: &'a Topology, words: &[u32]) -> Self {
        let sign = |bit: u32| if bit == 1 { 1 } else { -1 };
        let neuron = |plan: &Plan, index: u32| Neuron {
            place: if plan.field == Field::Dense { 0 } else { number(words, plan.places, 16, index) },
            threshold: number(words, plan.thresholds, plan.threshold_bits, index) as i32,
            weights: (0..plan.inputs)
                .map(|input| sign(number(words, plan.weights + index * plan.row_words, 1, input)))
                .collect(),
        };
        let layer = |plan: &Plan| (0..plan.neurons).map(|index| neuron(plan, index)).collect();
        Self { plans: topology.layers(), neurons: topology.layers().iter().map(layer).collect() }
    }

    /// The same after a mutation, where there is such a mutant.
    pub(crate) fn mutated(mut self, mutation: Mutation) -> Option<Self> {
        let neuron = &mut self.neurons[usize::from(mutation.layer)][usize::from(mutation.neuron)];
        match mutation.gene {
            Gene::Weight(input) => neuron.weights[usize::from(input)] *= -1,
            Gene::Raise => neuron.threshold += 1,
            Gene::Lower => neuron.threshold -= 1,
        }
        (0..neuron.weights.len() as i32).contains(&neuron.threshold).then_some(self)
    }

    /// The scores of a sample, from its units of -1 and +1.
    pub(crate) fn scores(&self, units: &[i32]) -> Vec<i32> {
        let mut units = units.to_vec();
        for (plan, neurons) in self.plans.iter().zip(&self.neurons) {
            units = neurons.iter().map(|neuron| ahead(plan, neuron, &units)).collect();
            if plan.end != self.plans[self.plans.len() - 1].end {
                units.iter_mut().for_each(|unit| *unit = if *unit >= 0 { 1 } else { -1 });
            }
        }
        units
    }
}

/// The threshold less the mismatches, at the position of the window where that is most.
fn ahead(plan: &Plan, neuron: &Neuron, units: &[i32]) -> i32 {
    let differing = |seen: &[i32]| seen.iter().zip(&neuron.weights).filter(|(x, w)| x != w).count() as i32;
    let Field::Window { planes, height, width, slide } = plan.field else {
        return neuron.threshold - differing(units);
    };
    let [planes, height, width, slide] = [planes, height, width, slide].map(u32::from);
    let [rows, columns] = [plan.input.height, plan.input.width].map(u32::from);
    // A place is a bit address in an input whose lines are padded to whole words.
    let line = columns.div_ceil(32) * 32;
    let (corner_row, corner_column) = (neuron.place / line, neuron.place % line);
    let mut best = i32::MIN;
    for (down, right) in (0..=slide).flat_map(|down| (0..=slide).map(move |right| (down, right))) {
        let mut seen = vec![];
        for (plane, row) in (0..planes).flat_map(|plane| (0..height).map(move |row| (plane, row))) {
            let start = (corner_row + plane * rows + row + down) * columns + corner_column + right;
            seen.extend((start..start + width).map(|unit| units[unit as usize]));
        }
        best = best.max(neuron.threshold - differing(&seen));
    }
    best
}

/// A network, samples and a loss.
pub(crate) struct Case {
    pub(crate) topology: Topology,
    pub(crate) genome: Vec<u32>,
    pub(crate) inputs: Vec<u32>,
    pub(crate) units: Vec<Vec<i32>>,
    pub(crate) labels: Vec<u8>,
    pub(crate) loss: Vec<u32>,
}

impl Case {
    pub(crate) fn new(topology: Topology, samples: usize, rng: &mut Stream) -> Self {
        let mut genome = vec![0; topology.genome_words()];
        let mut view = GenomeMut::new(&topology, &mut genome).unwrap();
        view.randomize(rng);
        for (layer, plan) in topology.layers().iter().enumerate() {
            for neuron in 0..plan.neurons {
                let threshold = match rng.below(6) {
                    0 => [0, plan.inputs - 1][rng.below(2) as usize],
                    // Of many positions the best one has few mismatches.
                    _ => (plan.inputs / 2 + rng.below(4)).saturating_sub(2 + plan.slide()),
                };
                view.set_threshold(layer, neuron, threshold);
            }
        }
        let (packing, words) = (topology.layer(0).packing, topology.input_words());
        let mut inputs = vec![0; samples * words];
        let mut units = vec![vec![-1; packing.units() as usize]; samples];
        for (row, units) in inputs.chunks_mut(words).zip(&mut units) {
            for (index, unit) in units.iter_mut().enumerate().filter(|_| rng.below(2) == 1) {
                let (line, column) = (index as u32 / packing.row_bits, index as u32 % packing.row_bits);
                row[(line * packing.row_bits.div_ceil(32) + column / 32) as usize] |= 1 << (column % 32);
                *unit = 1;
            }
        }
        let labels = (0..samples).map(|_| rng.below(topology.classes() as u32) as u8).collect();
        let mut loss = vec![0; 4100];
        let margin = f64::from(rng.below(12)) - 2.0;
        let slope = 1 + rng.below(100);
        let len = write_logistic(margin, 0.5 + f64::from(rng.below(10)), slope, &mut loss).unwrap();
        loss.truncate(len);
        Self { topology, genome, inputs, units, labels, loss }
    }

    pub(crate) fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }

    pub(crate) fn table(&self) -> LossTable<&[u32]> {
        LossTable::new(&self.loss[..]).unwrap()
    }

    /// The loss of one wrong class, from the table's words: first difference, slope, unit, entries, then two entries to a word.
    pub(crate) fn term(&self, difference: i32) -> i64 {
        let (low, slope, count) = (self.loss[0] as i32, self.loss[1], self.loss[3] as i32);
        let entry = |index: i32| i64::from(number(&self.loss, 4, 16, index as u32));
        match difference - low {
            ..0 => 0,
            index if index < count => entry(index),
            index => (entry(count - 1) + i64::from(slope) * i64::from(index - count + 1)).min(1 << 22),
        }
    }

    /// Loss and correct answers of a network. The first of the best classes is its answer.
    pub(crate) fn measure(&self, plain: &Plain<'_>) -> (i64, u32) {
        let (mut loss, mut correct) = (0, 0);
        for (units, &label) in self.units.iter().zip(&self.labels) {
            let (scores, label) = (plain.scores(units), usize::from(label));
            let wrong = scores.iter().enumerate().filter(|&(class, _)| class != label);
            loss += wrong.map(|(_, score)| self.term(score - scores[label])).sum::<i64>();
            let best = *scores.iter().max().unwrap();
            correct += u32::from(scores.iter().position(|&score| score == best) == Some(label));
        }
        (loss, correct)
    }
}

pub(crate) fn topologies() -> Vec<Topology> {
    let image = Shape { planes: 2, height: 4, width: 5 };
    let wide = Shape { planes: 1, height: 3, width: 37 };
    let inner = Shape { planes: 1, height: 3, width: 4 };
    let placed = |layer: Layer| Layer { output: inner, ..layer };
    [
        (Shape::flat(5), vec![Layer::dense(3)]),
        (Shape::flat(40), vec![Layer::dense(2)]),
        (Shape::flat(7), vec![Layer::dense(5), Layer::dense(2)]),
        (Shape::flat(35), vec![Layer::dense(3), Layer::dense(40)]),
        (Shape::flat(3), vec![Layer::dense(34), Layer::dense(3)]),
        (image, vec![Layer::windows(4, 1, 2, 3), Layer::dense(3)]),
        (wide, vec![Layer::windows(4, 1, 2, 20), Layer::dense(2)]),
        (image, vec![Layer::windows(4, 2, 2, 2).sliding(2), Layer::dense(3)]),
        (wide, vec![Layer::windows(3, 1, 1, 4).sliding(1), Layer::dense(3)]),
        (Shape::flat(6), vec![Layer::dense(4), Layer::dense(5), Layer::dense(3)]),
        (
            image,
            vec![placed(Layer::windows(12, 1, 2, 2)), Layer::windows(5, 1, 2, 2).sliding(1), Layer::dense(2)],
        ),
        (Shape::flat(4), vec![Layer::dense(33), Layer::dense(3), Layer::dense(4), Layer::dense(2)]),
        (Shape::flat(3), [5, 4, 3, 4, 3, 2].map(Layer::dense).to_vec()),
    ]
    .map(|(input, layers)| Topology::new(input, &layers).unwrap())
    .into()
}

/// Runs `check` on every topology with no sample, few and more.
pub(crate) fn each_case(check: impl Fn(&Case, &mut Stream)) {
    let mut rng = Stream::new(15, Purpose::Test, 3);
    for samples in [0, 1, 5, 17] {
        for topology in topologies() {
            check(&Case::new(topology, samples, &mut rng), &mut rng);
        }
    }
}
