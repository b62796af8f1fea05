//! Landscapes held against plain arithmetic: networks of -1 and +1 read from the packed words bit by bit, run as a whole for every mutant,
//! and a loss read from the table's entries.

use evobit::evolve::compact::{CompactBuffers, CompactLandscape, CompactNeeds, Score};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, MAX_TRIAL, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
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
struct Plain<'a> {
    plans: &'a [Plan],
    neurons: Vec<Vec<Neuron>>,
}

impl<'a> Plain<'a> {
    fn read(topology: &'a Topology, words: &[u32]) -> Self {
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
    fn mutated(mut self, mutation: Mutation) -> Option<Self> {
        let neuron = &mut self.neurons[usize::from(mutation.layer)][usize::from(mutation.neuron)];
        match mutation.gene {
            Gene::Weight(input) => neuron.weights[usize::from(input)] *= -1,
            Gene::Raise => neuron.threshold += 1,
            Gene::Lower => neuron.threshold -= 1,
        }
        (0..neuron.weights.len() as i32).contains(&neuron.threshold).then_some(self)
    }

    /// The scores of a sample, from its units of -1 and +1.
    fn scores(&self, units: &[i32]) -> Vec<i32> {
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
struct Case {
    topology: Topology,
    genome: Vec<u32>,
    inputs: Vec<u32>,
    units: Vec<Vec<i32>>,
    labels: Vec<u8>,
    loss: Vec<u32>,
}

impl Case {
    fn new(topology: Topology, samples: usize, rng: &mut Stream) -> Self {
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

    fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }

    fn table(&self) -> LossTable<&[u32]> {
        LossTable::new(&self.loss[..]).unwrap()
    }

    /// The loss of one wrong class, from the table's words: first difference, slope, unit, entries, then two entries to a word.
    fn term(&self, difference: i32) -> i64 {
        let (low, slope, count) = (self.loss[0] as i32, self.loss[1], self.loss[3] as i32);
        let entry = |index: i32| i64::from(number(&self.loss, 4, 16, index as u32));
        match difference - low {
            ..0 => 0,
            index if index < count => entry(index),
            index => (entry(count - 1) + i64::from(slope) * i64::from(index - count + 1)).min(1 << 22),
        }
    }

    /// Loss and correct answers of a network. The first of the best classes is its answer.
    fn measure(&self, plain: &Plain<'_>) -> (i64, u32) {
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

    /// Every entry of every spectrum is the loss after that mutation less the loss now.
    fn check_spectra(&self, landscape: &mut impl Landscape) {
        let plain = Plain::read(&self.topology, landscape.genome());
        let now = self.measure(&plain);
        assert_eq!((landscape.loss(), landscape.correct()), now, "{:?}", self.topology);
        assert_eq!(landscape.samples() as usize, self.labels.len());
        assert_eq!(*landscape.topology(), self.topology);
        for (layer, plan) in self.topology.layers().iter().enumerate() {
            // In any order, some of them.
            let neurons: Vec<u16> = (0..plan.neurons as u16).rev().step_by(1 + layer % 2).collect();
            let mut deltas = vec![7; neurons.len() * plan.mutants()];
            landscape.spectra(layer, &neurons, &mut deltas);
            for (&neuron, deltas) in neurons.iter().zip(deltas.chunks(plan.mutants())) {
                let genes = (0..plan.inputs as u16).map(Gene::Weight).chain([Gene::Raise, Gene::Lower]);
                for (gene, &delta) in genes.zip(deltas) {
                    let mutation = Mutation { layer: layer as u8, neuron, gene };
                    let expected =
                        plain.clone().mutated(mutation).map(|plain| self.measure(&plain).0 - now.0);
                    assert_eq!(delta, expected.unwrap_or(IMPOSSIBLE), "{mutation:?} of {:?}", self.topology);
                }
            }
        }
    }

    /// Trials are exact and leave the genome alone; a commit makes them so, and what is rolled back never comes.
    fn check_trials(&self, landscape: &mut impl Landscape, rng: &mut Stream) {
        for round in 0..12 {
            let mutations = self.mutations(round % 3, rng);
            let before = landscape.genome().to_vec();
            let plain = Plain::read(&self.topology, &before);
            let (now, correct) = self.measure(&plain);
            let after = mutations.iter().try_fold(plain, |plain, &mutation| plain.mutated(mutation));
            let expected = after.map_or((IMPOSSIBLE, correct), |plain| {
                let (loss, correct) = self.measure(&plain);
                (loss - now, correct)
            });
            assert_eq!(landscape.trial(&mutations), expected.0, "{mutations:?} of {:?}", self.topology);
            assert_eq!((landscape.genome(), landscape.loss()), (&before[..], now));
            let forgotten = rng.below(3);
            match forgotten {
                0 => landscape.rollback(),
                1 => landscape.spectra(0, &[0], &mut vec![0; self.topology.layer(0).mutants()]),
                _ => {}
            }
            landscape.commit();
            if forgotten < 2 || expected.0 == IMPOSSIBLE {
                assert_eq!((landscape.genome(), landscape.loss()), (&before[..], now));
            } else {
                assert_eq!((landscape.loss(), landscape.correct()), (now + expected.0, expected.1));
            }
        }
        self.check_spectra(landscape);
    }

    /// A few mutations: of one neuron, of one layer, or anywhere.
    fn mutations(&self, spread: u32, rng: &mut Stream) -> Vec<Mutation> {
        let mut layer = rng.below(self.topology.depth() as u32) as usize;
        let mut neuron = rng.below(self.topology.layer(layer).neurons);
        let mut mutations = vec![];
        for _ in 0..=rng.below(4) {
            layer = if spread == 2 { rng.below(self.topology.depth() as u32) as usize } else { layer };
            let plan = self.topology.layer(layer);
            neuron = if spread > 0 { rng.below(plan.neurons) } else { neuron };
            let entry = rng.below(plan.mutants() as u32 + 2) as usize;
            // The thresholds twice as often.
            let entry = if entry >= plan.mutants() { entry - 2 } else { entry };
            mutations.push(Mutation::at(layer, neuron, entry, plan.inputs));
        }
        mutations
    }
}

fn topologies() -> Vec<Topology> {
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
    ]
    .map(|(input, layers)| Topology::new(input, &layers).unwrap())
    .into()
}

/// Runs `check` on every topology with no sample, few and more.
fn each_case(check: impl Fn(&Case, &mut Stream)) {
    let mut rng = Stream::new(15, Purpose::Test, 3);
    for samples in [0, 1, 5, 17] {
        for topology in topologies() {
            check(&Case::new(topology, samples, &mut rng), &mut rng);
        }
    }
}

/// Checks the scalar landscape of a case, with kept pre-activations or without.
fn check_scalar(case: &Case, cached: bool, rng: &mut Stream) {
    let needs = Needs::new(&case.topology, case.labels.len());
    // Old contents must not matter.
    let (mut hidden, mut scores) = (vec![0xdead_beef; needs.hidden], vec![-99; needs.scores]);
    let (mut scratch, mut scratch_scores) =
        (vec![0xdead_beef; needs.scratch], vec![55; needs.scratch_scores]);
    let mut preactivations = vec![0; needs.preactivations];
    let mut genome = case.genome.clone();
    let buffers = Buffers {
        hidden: &mut hidden,
        scores: &mut scores,
        preactivations: cached.then_some(&mut preactivations),
        scratch: &mut scratch,
        scratch_scores: &mut scratch_scores,
    };
    let mut landscape =
        ScalarLandscape::new(&case.topology, &mut genome, case.samples(), case.table(), buffers).unwrap();
    case.check_spectra(&mut landscape);
    case.check_trials(&mut landscape, rng);
    let plain = Plain::read(&case.topology, landscape.genome());
    for (sample, units) in case.units.iter().enumerate() {
        let scores: Vec<i32> = landscape.scores(sample).iter().map(|&score| score.into()).collect();
        assert_eq!(scores, plain.scores(units));
        assert_eq!(landscape.hidden(sample).len(), case.topology.hidden_words());
    }
    check_too_long(&mut landscape);
}

/// A trial of more mutations than there may be is impossible, and nothing of it is left to commit.
fn check_too_long(landscape: &mut impl Landscape) {
    let (before, loss) = (landscape.genome().to_vec(), landscape.loss());
    let flip = Mutation { layer: 0, neuron: 0, gene: Gene::Weight(0) };
    assert_eq!(landscape.trial(&vec![flip; MAX_TRIAL]), 0);
    assert_eq!(landscape.trial(&vec![flip; MAX_TRIAL + 1]), IMPOSSIBLE);
    landscape.commit();
    assert_eq!((landscape.genome(), landscape.loss()), (&before[..], loss));
}

fn check_compact<S: Score>(case: &Case, rng: &mut Stream) {
    if case.topology.depth() != 2 || case.topology.layer(1).inputs > S::MOST_INPUTS {
        return;
    }
    let needs = CompactNeeds::new(&case.topology, case.labels.len());
    let (mut hidden, mut scores) = (vec![0xdead_beef; needs.hidden], vec![S::default(); needs.scores]);
    let mut genome = case.genome.clone();
    let buffers = CompactBuffers { hidden: &mut hidden, scores: &mut scores };
    let mut landscape =
        CompactLandscape::new(&case.topology, &mut genome, case.samples(), case.table(), buffers).unwrap();
    case.check_spectra(&mut landscape);
    case.check_trials(&mut landscape, rng);
    check_too_long(&mut landscape);
    if case.labels.is_empty() {
        return;
    }
    // Another sample takes the place of one, while a trial is pending that is not to come.
    let place = rng.below(case.labels.len() as u32) as usize;
    landscape.trial(&[Mutation { layer: 1, neuron: 0, gene: Gene::Weight(0) }]);
    landscape.forget(place);
    landscape.commit();
    let (total, genome_now) = (landscape.loss(), landscape.genome().to_vec());
    let mut other = Case::new(case.topology, case.labels.len(), rng);
    let words = case.topology.input_words();
    for sample in (0..case.labels.len()).filter(|&sample| sample != place) {
        other.inputs[sample * words..][..words].copy_from_slice(&case.inputs[sample * words..][..words]);
        other.units[sample].clone_from(&case.units[sample]);
        other.labels[sample] = case.labels[sample];
    }
    other.loss.clone_from(&case.loss);
    let buffers = CompactBuffers { hidden: &mut hidden, scores: &mut scores };
    let mut genome = genome_now.clone();
    let table = case.table();
    let mut resumed =
        CompactLandscape::resume(&case.topology, &mut genome, other.samples(), table, buffers, total)
            .unwrap();
    resumed.trial(&[Mutation { layer: 1, neuron: 0, gene: Gene::Weight(0) }]);
    resumed.learn(place);
    resumed.commit();
    assert_eq!(resumed.genome(), genome_now);
    other.check_spectra(&mut resumed);
    other.check_trials(&mut resumed, rng);
}

#[test]
fn scalar_landscapes_are_the_loss_of_every_mutant_run_anew() {
    each_case(|case, rng| check_scalar(case, false, rng));
}

#[test]
fn scalar_landscapes_that_keep_preactivations_are_the_same() {
    each_case(|case, rng| check_scalar(case, true, rng));
}

#[test]
fn compact_landscapes_are_the_loss_of_every_mutant_run_anew() {
    each_case(check_compact::<i16>);
}

#[test]
fn compact_landscapes_with_scores_of_a_byte_are_the_same() {
    each_case(check_compact::<i8>);
}

/// The network itself, on words as they lie in memory and on words as an image holds them.
#[test]
fn forward_passes_are_plain_sums() {
    each_case(|case, _| {
        let mut hidden = vec![0; case.topology.hidden_words()];
        let mut scores = vec![0; case.topology.classes()];
        let plain = Plain::read(&case.topology, &case.genome);
        let network = evobit::network::Network::new(&case.topology, &case.genome[..]).unwrap();
        for (input, units) in case.inputs.chunks(case.topology.input_words()).zip(&case.units) {
            let expected = plain.scores(units);
            let best = *expected.iter().max().unwrap();
            let class = network.classify(input, &mut hidden, &mut scores);
            assert_eq!(scores, expected);
            assert_eq!(Some(class), expected.iter().position(|&score| score == best));
        }
    });
}
