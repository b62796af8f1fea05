//! Landscapes held against plain arithmetic: networks of -1 and +1 read from the packed words bit by bit, run as a whole for every mutant,
//! and a loss read from the table's entries.

mod forward;
mod plain;

use evobit::evolve::compact::{CompactBuffers, CompactLandscape, CompactNeeds, Score};
use evobit::evolve::landscape::{IMPOSSIBLE, Landscape, LandscapeError, MAX_TRIAL, Samples};
use evobit::evolve::scalar::{Buffers, Needs, ScalarLandscape};
use evobit::genome::{Gene, Mutation};
use evobit::rng::{Draw, Stream};
use plain::{Case, Plain, each_case};

impl Case {
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
        for round in 0..30 {
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
            let forgotten = rng.below(6);
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
    assert_eq!(landscape.trial(&[flip; MAX_TRIAL]), 0);
    assert_eq!(landscape.trial(&[flip; MAX_TRIAL + 1]), IMPOSSIBLE);
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

#[test]
fn samples_are_counted_by_their_labels() {
    let none = Samples { inputs: &[], labels: &[] };
    let two = Samples { inputs: &[1, 2, 3, 4], labels: &[0, 1] };
    assert_eq!((none.is_empty(), none.len(), two.is_empty(), two.len()), (true, 0, false, 2));
    assert_eq!([two.input(0, 2), two.input(1, 2)], [[1, 2], [3, 4]]);
}

#[test]
fn errors_say_what_is_wrong() {
    for (error, part) in [
        (LandscapeError::Genome(evobit::network::GenomeError::Padding { layer: 7 }), "layer 7"),
        (LandscapeError::Samples, "different numbers of samples"),
        (LandscapeError::Label, "label"),
        (LandscapeError::Buffers, "buffer is too short"),
        (LandscapeError::Depth, "one hidden layer"),
        (LandscapeError::Scores, "score"),
        (LandscapeError::Sums, "overflow"),
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}
