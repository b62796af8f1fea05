use proptest::prelude::*;

use super::*;
use crate::settings::Settings;
use crate::{Outcome, Session, prepare, run};
use evobit_data::{LoadOptions, load};
use evobit_search::Watch;
use evobit_search::checkpoint::Checkpoints;
use evobit_search::seal::reseal;

struct Unforgiving;

impl Watch<Row> for Unforgiving {
    fn unsaved(&mut self, reason: &str) {
        panic!("{reason}");
    }
}

/// A small run that `steps` steps end, with a checkpoint after each.
struct Run {
    prepared: Prepared,
    config: TrainConfig,
}

impl Run {
    fn new(algorithm: Algorithm, steps: u64) -> Self {
        let settings = Settings {
            algorithm: Some(algorithm),
            hidden: Some(vec!["6".parse().unwrap(), "4".parse().unwrap()]),
            levels: Some(2),
            population: Some(4),
            steps: Some(steps),
            ..Settings::default()
        };
        let loaded = load("iris", &LoadOptions::default()).unwrap();
        let config = settings.resolve(&loaded.train).unwrap();
        Self { prepared: prepare(&loaded, &config).unwrap(), config }
    }

    fn go(&self, from: Option<Checkpoint>) -> Outcome {
        run(&self.prepared, &self.config, Session::default(), from, &mut Unforgiving).unwrap()
    }

    /// The last two checkpoints: after the last step and the one before it.
    fn checkpoints(&self) -> [Checkpoint; 2] {
        let base = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(Some(&base.path().join("run")), "x").unwrap();
        let head = head(&self.prepared, self.config.to_toml());
        let mut checkpoints = Checkpoints::new(&folder, head, std::time::Duration::ZERO, None);
        let session = Session { checkpoints: Some(&mut checkpoints), ..Session::default() };
        run(&self.prepared, &self.config, session, None, &mut Unforgiving).unwrap();
        let last = find(&folder).newest.unwrap();
        std::fs::remove_file(folder.file(["checkpoint-a.bin", "checkpoint-b.bin"][last.1])).unwrap();
        let before = find(&folder).newest.unwrap();
        assert!(folder.file("model.evb").exists());
        [last.0, before.0]
    }
}

/// What was found, but for the time it took.
fn found(outcome: Outcome) -> (Vec<u32>, Vec<Row>, Stop) {
    let rows = outcome.rows.into_iter().map(|row| Row { seconds: 0.0, ..row });
    (outcome.genome, rows.collect(), outcome.stop)
}

const BOTH: [Algorithm; 2] = [Algorithm::Spectrum, Algorithm::Genetic];

#[test]
fn a_state_comes_back_as_it_was() {
    for algorithm in BOTH {
        // A sweep is 13 steps: in its midst, at its end, after it.
        for steps in [2, 13, 14, 20] {
            let run = Run::new(algorithm, steps);
            let [last, before] = run.checkpoints();
            assert_eq!((last.ended(), before.sealed.stop), (Some(Stop::Steps), None));
            assert_eq!((last.state.course.now.step, before.state.course.now.step), (steps, steps - 1));
            for checkpoint in [last, before] {
                let bytes = checkpoint.sealed.to_bytes().unwrap();
                let read = Checkpoint::from_bytes(&bytes).unwrap();
                assert!(read.fits(&run.prepared, &run.config));
                assert_eq!(read.state.to_bytes(), checkpoint.state.to_bytes());
                assert_eq!(found(run.go(Some(read))), found(run.go(None)));
            }
        }
    }
}

#[test]
fn every_byte_counts() {
    for algorithm in BOTH {
        let bytes = Run::new(algorithm, 3).checkpoints()[1].sealed.to_bytes().unwrap();
        for len in 0..bytes.len() {
            assert_eq!(Checkpoint::from_bytes(&bytes[..len]).err(), Some(SealError::Damaged));
        }
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << (place % 8);
            assert_eq!(Checkpoint::from_bytes(&bytes).err(), Some(SealError::Damaged), "{place}");
        }
    }
}

#[test]
fn other_versions_are_named() {
    let mut bytes = Run::new(Algorithm::Spectrum, 3).checkpoints()[0].sealed.to_bytes().unwrap();
    bytes[4] = 1;
    reseal(&mut bytes);
    let error = Checkpoint::from_bytes(&bytes).unwrap_err();
    assert_eq!(error, SealError::Version { found: 1, wanted: 3 });
    assert_eq!(error.to_string(), "of version 1, and this program reads version 3");
}

#[test]
fn a_checkpoint_of_another_network_does_not_fit() {
    let [spectrum, genetic] = BOTH.map(|algorithm| Run::new(algorithm, 3));
    let [of_spectrum, of_genetic] = [&spectrum, &genetic].map(|run| run.checkpoints()[1].clone());
    assert!(!of_spectrum.fits(&genetic.prepared, &genetic.config));
    assert!(!of_genetic.fits(&spectrum.prepared, &spectrum.config));
    let mut other = of_spectrum.clone();
    let Search::Spectrum { genome, .. } = &mut other.state.search else { panic!("a spectrum search") };
    genome.pop();
    assert!(!other.fits(&spectrum.prepared, &spectrum.config));
    let mut other = of_genetic;
    let Search::Genetic(Saved { fitness, .. }) = &mut other.state.search else { panic!("a genetic search") };
    fitness[0] = i64::MIN;
    assert!(!other.fits(&genetic.prepared, &genetic.config));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    /// Bytes whose checksum is right and whose contents are not: refused, or a search that goes on without a panic.
    #[test]
    fn forged_bytes_do_no_harm(
        genetic: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        use std::sync::LazyLock;
        static RUNS: LazyLock<[(Run, Vec<u8>); 2]> = LazyLock::new(|| {
            BOTH.map(|algorithm| {
                let bytes = Run::new(algorithm, 16).checkpoints()[1].sealed.to_bytes().unwrap();
                (Run::new(algorithm, 20), bytes)
            })
        });
        let (run, bytes) = &RUNS[usize::from(genetic)];
        let mut bytes = bytes.clone();
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for (place, value) in changes {
            // Nothing is at the end of no bytes.
            let place = place.index(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        reseal(&mut bytes);
        if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes)
            && checkpoint.fits(&run.prepared, &run.config)
        {
            // An order with a neuron twice is for the search to find.
            let _ = super::super::run(&run.prepared, &run.config, Session::default(), Some(checkpoint), &mut Unforgiving);
        }
    }

    #[test]
    fn any_bytes_are_a_checkpoint_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if bytes.len() > 10 {
            bytes[..6].copy_from_slice(b"evck\x03\0");
            reseal(&mut bytes);
        }
        let _ = Checkpoint::from_bytes(&bytes);
    }
}
