//! The spectrum-guided search held against its definition: what a step tries and what it keeps, worked out by plain loops from the
//! spectra that it was shown and the numbers that its generator draws.

#![cfg(feature = "full")]

use evobit::evolve::landscape::{IMPOSSIBLE, Landscape};
use evobit::evolve::search::{SearchConfig, SpectrumSearch};
use evobit::evolve::smooth::Smoothing;
use evobit::genome::Mutation;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use rand_core::Rng;

/// A landscape of made-up spectra, whose trials all change the loss by what a function says.
struct Made<'a> {
    topology: Topology,
    genome: Vec<u32>,
    spectra: Vec<i64>,
    change: &'a dyn Fn(usize) -> i64,
    asked: Vec<(usize, Vec<u16>)>,
    tried: Vec<Vec<Mutation>>,
    committed: Vec<usize>,
}

impl<'a> Made<'a> {
    fn new(topology: Topology, rng: &mut Stream, change: &'a dyn Fn(usize) -> i64) -> Self {
        let genome = (0..topology.genome_words()).map(|_| rng.next_u32()).collect();
        let mut spectra: Vec<i64> = (0..97).map(|_| i64::from(rng.below(400)) - 200).collect();
        spectra[5] = IMPOSSIBLE;
        Self { topology, genome, spectra, change, asked: vec![], tried: vec![], committed: vec![] }
    }

    /// The spectrum of a neuron: a stretch of the made-up numbers; thresholds are sometimes at their end.
    fn spectrum(&self, layer: usize, neuron: u16) -> Vec<i64> {
        let mutants = self.topology.layer(layer).mutants();
        let start = 7 + 13 * layer + 5 * usize::from(neuron);
        let mut spectrum: Vec<i64> = (0..mutants).map(|entry| self.spectra[(start + entry) % 97]).collect();
        spectrum
            .iter_mut()
            .take(mutants - 2)
            .filter(|delta| **delta == IMPOSSIBLE)
            .for_each(|delta| *delta = 9);
        if neuron % 2 == 1 {
            spectrum[mutants - 1] = IMPOSSIBLE;
        }
        spectrum
    }
}

impl Landscape for Made<'_> {
    fn topology(&self) -> &Topology {
        &self.topology
    }

    fn genome(&self) -> &[u32] {
        &self.genome
    }

    fn samples(&self) -> u32 {
        0
    }

    fn loss(&self) -> i64 {
        0
    }

    fn correct(&self) -> u32 {
        0
    }

    fn spectra(&mut self, layer: usize, neurons: &[u16], deltas: &mut [i64]) {
        let mutants = self.topology.layer(layer).mutants();
        for (&neuron, deltas) in neurons.iter().zip(deltas.chunks_mut(mutants)) {
            deltas.copy_from_slice(&self.spectrum(layer, neuron));
        }
        self.asked.push((layer, neurons.to_vec()));
    }

    fn trial(&mut self, mutations: &[Mutation]) -> i64 {
        self.tried.push(mutations.to_vec());
        (self.change)(mutations.len())
    }

    fn commit(&mut self) {
        self.committed.push(self.tried.len() - 1);
    }

    fn rollback(&mut self) {}
}

/// A network whose first layer reads levels of thermometer codes, and for each feature the first input behind its levels.
#[derive(Clone, Copy)]
struct Problem {
    topology: Topology,
    ends: [u32; 2],
}

/// Two features and one input beside, two hidden layers.
fn small() -> Problem {
    let layers = [Layer::dense(6), Layer::dense(4), Layer::dense(3)];
    Problem { topology: Topology::new(Shape::flat(12), &layers).unwrap(), ends: [5, 11] }
}

/// One feature of more levels than the largest mean takes in, and one of few.
fn long() -> Problem {
    let layers = [Layer::dense(3), Layer::dense(2)];
    Problem { topology: Topology::new(Shape::flat(180), &layers).unwrap(), ends: [170, 177] }
}

/// The mean around every level, in the direction of a weight of +1, turned back to that of the weight.
fn smoothed(spectrum: &[i64], weights: &[u32], ends: [u32; 2], radius: usize) -> Vec<i64> {
    let sign = |level: usize| if weights[level / 32] >> (level % 32) & 1 == 1 { -1 } else { 1 };
    let [first, second] = ends.map(|end| end as usize);
    let mut out = spectrum.to_vec();
    for feature in [0..first, first..second] {
        for level in feature.clone() {
            let around =
                level.saturating_sub(radius).max(feature.start)..(level + radius + 1).min(feature.end);
            let count = around.len() as i64;
            out[level] =
                sign(level) * (around.map(|other| sign(other) * spectrum[other]).sum::<i64>() / count);
        }
    }
    out
}

/// How much chance forgives: the upper half of the product of a draw and the heat.
fn forgiven(rng: &mut Stream, heat: u32) -> i64 {
    if heat == 0 { 0 } else { (u64::from(rng.next_u32()) * u64::from(heat) / (1 << 32)) as i64 }
}

/// Takes `steps` steps and works out each of them a second time. Returns how many trials there were and how many of them were kept.
fn check_on(
    Problem { topology, ends }: Problem,
    config: SearchConfig,
    heat: u32,
    radius: u16,
    change: &dyn Fn(usize) -> i64,
) -> (usize, usize) {
    let mut rng = Stream::new(15, Purpose::Test, 4);
    let mut made = Made::new(topology, &mut rng, change);
    let mut order = vec![0; SpectrumSearch::<Stream>::order_len(&topology)];
    let mut deltas = vec![0; SpectrumSearch::<Stream>::deltas_len(&topology, config)];
    let mut search =
        SpectrumSearch::new(&made.topology, config, rng.clone(), &mut order, &mut deltas).unwrap();
    if radius > 0 {
        search = search.smoothed(Smoothing { radius, ends: &ends });
    }
    let plan = *topology.layer(0);
    let rows = made.genome[plan.weights as usize..].to_vec();
    let weights =
        |neuron: u16| &rows[usize::from(neuron) * plan.row_words as usize..][..plan.row_words as usize];
    let (mut tried, mut kept) = (0, 0);
    for _ in 0..60 {
        if search.position() == 0 {
            // The order of visits is drawn when a sweep begins.
            let mut order = search.order().to_vec();
            rng.shuffle(&mut order);
        }
        let step = search.step(&mut made, heat);
        let (layer, neurons) = made.asked.last().unwrap().clone();
        let (mut mutants, mut total, mut committed) = (0, 0, 0);
        for neuron in neurons {
            let mut spectrum = made.spectrum(layer, neuron);
            mutants += spectrum.iter().filter(|&&delta| delta != IMPOSSIBLE).count();
            if heat > 0 && radius > 0 && layer == 0 {
                spectrum = smoothed(&spectrum, weights(neuron), ends, usize::from(radius).min(63));
            }
            for delta in spectrum.iter_mut().filter(|delta| **delta != IMPOSSIBLE) {
                *delta -= forgiven(&mut rng, heat);
            }
            let mut best: Vec<usize> = (0..spectrum.len()).filter(|&entry| spectrum[entry] < 0).collect();
            best.sort_by_key(|&entry| spectrum[entry]);
            best.truncate(config.proposals.into());
            let inputs = made.topology.layer(layer).inputs;
            let mutation = |&entry: &usize| Mutation::at(layer, neuron.into(), entry, inputs);
            let mut proposal: Vec<Mutation> = best.iter().map(mutation).collect();
            while !proposal.is_empty() {
                assert_eq!(made.tried.get(tried), Some(&proposal), "heat {heat}, radius {radius}");
                let is_kept = change(proposal.len()) < forgiven(&mut rng, heat);
                assert_eq!(made.committed.contains(&tried), is_kept, "heat {heat}");
                (tried, mutants) = (tried + 1, mutants + 1);
                if is_kept {
                    (kept, committed, total) =
                        (kept + 1, committed + proposal.len(), total + change(proposal.len()));
                    break;
                }
                proposal.truncate(proposal.len() / 2);
            }
        }
        assert_eq!((step.mutants, step.change, step.committed), (mutants as u64, total, committed as u32));
        assert_eq!(step.sweep_ended, search.position() == 0);
        assert_eq!((made.tried.len(), made.committed.len()), (tried, kept));
        assert_eq!(search.rng(), &rng);
    }
    (tried, kept)
}

fn check(config: SearchConfig, heat: u32, radius: u16, change: &dyn Fn(usize) -> i64) -> (usize, usize) {
    check_on(small(), config, heat, radius, change)
}

/// A change that leaves the loss as it is is not kept without heat, however often it is tried; one less by 1 always is.
#[test]
fn without_heat_only_what_lowers_the_loss_is_kept() {
    let config = SearchConfig { proposals: 4, block: 2 };
    let (tried, kept) = check(config, 0, 0, &|_| 0);
    assert!(tried > 60 && kept == 0);
    let (tried, kept) = check(config, 0, 0, &|_| -1);
    assert!(tried > 20 && kept == tried);
    // Two together do not help, one alone does.
    let (tried, kept) = check(config, 0, 0, &|count| if count == 1 { -3 } else { 0 });
    assert!(kept > 20 && tried > 2 * kept);
}

#[test]
fn heat_forgives_a_random_amount_below_it() {
    for block in [1, 3, 4] {
        let config = SearchConfig { proposals: 5, block };
        assert_eq!(check(config, 50, 0, &|_| 50).1, 0);
        for change in [-1, 0, 10, 49] {
            let (tried, kept) = check(config, 50, 0, &|_| change);
            assert!(change > 0 || kept > 0, "{change}: {kept} of {tried}");
        }
        // The least heat forgives nothing: draws are whole numbers below it.
        assert_eq!(check(config, 1, 0, &|_| 0).1, 0);
    }
}

/// The spectra of the first layer are smoothed while there is heat, of no other layer, and never without heat.
#[test]
fn smoothed_spectra_choose_what_is_tried() {
    for radius in [1, 2, 9] {
        let config = SearchConfig { proposals: 3, block: 2 };
        check(config, 40, radius, &|_| 1);
        check(config, 0, radius, &|_| 1);
    }
    // No mean takes in more than 63 levels to either side.
    for radius in [1, 30, 62, 63, 64, 200] {
        check_on(long(), SearchConfig { proposals: 9, block: 2 }, 40, radius, &|_| 1);
    }
}

/// Spectra of windows are not smoothed: neighbours there are no levels.
#[test]
fn windows_are_not_smoothed() {
    let image = Shape { planes: 1, height: 3, width: 4 };
    let topology = Topology::new(image, &[Layer::windows(5, 1, 3, 4), Layer::dense(3)]).unwrap();
    let run = |smoothing: Option<Smoothing<'static>>| {
        let mut rng = Stream::new(15, Purpose::Test, 5);
        let mut made = Made::new(topology, &mut rng, &|_| 1);
        let (mut order, mut deltas) = (vec![0; 8], vec![0; 14]);
        let config = SearchConfig { proposals: 3, block: 1 };
        let mut search = SpectrumSearch::new(&topology, config, rng, &mut order, &mut deltas).unwrap();
        if let Some(smoothing) = smoothing {
            search = search.smoothed(smoothing);
        }
        for _ in 0..24 {
            search.step(&mut made, 40);
        }
        made.tried
    };
    assert_eq!(run(Some(Smoothing { radius: 2, ends: &[12] })), run(None));
}

/// A neuron past the end of its layer is none, though its number in the network is that of the next layer's first neuron.
#[test]
fn an_order_of_visits_has_no_neuron_past_the_end_of_a_layer() {
    let topology = small().topology;
    let all = || {
        (0..3u32).zip([6, 4, 3]).flat_map(|(layer, count)| (0..count).map(move |neuron| layer << 16 | neuron))
    };
    let resumes = |mut order: Vec<u32>| {
        let (rng, config) = (Stream::new(15, Purpose::Test, 9), SearchConfig::default());
        SpectrumSearch::resume(&topology, config, rng, &mut order, &mut [0; 14], 0).is_some()
    };
    assert!(resumes(all().collect()) && resumes(all().rev().collect()));
    // Nor has it one twice, or one that is marked.
    for (wrong, right) in [(0, 5), (1 << 16, 0), (2 << 16 | 2, 1), (1 << 31, 0), (1 << 31 | 5, 5)] {
        assert!(
            !resumes(all().map(|visit| if visit == right { wrong } else { visit }).collect()),
            "{wrong:x}"
        );
    }
    for (wrong, right) in [(6, 1 << 16), (1 << 16 | 4, 2 << 16), (2 << 16 | 3, 0), (3 << 16, 0)] {
        assert!(
            !resumes(all().map(|visit| if visit == right { wrong } else { visit }).collect()),
            "{wrong:x}"
        );
    }
}
