use std::cell::RefCell;
use std::collections::VecDeque;

use super::*;
use crate::settings::Settings;
use crate::{Session, prepare};
use evobit_search::Silent;

fn small(settings: &str) -> (Prepared, TrainConfig) {
    let loaded = evobit_data::load("digits", &evobit_data::LoadOptions::default()).unwrap();
    let settings =
        format!("data = 'digits'\nhidden = ['24@4x4']\nlevels = 2\ncopies = 2\npatience = 99\n{settings}");
    let config = toml::from_str::<Settings>(&settings).unwrap().resolve(&loaded.train).unwrap();
    (prepare(&loaded, &config).unwrap(), config)
}

fn outcome(settings: &str, threads: usize) -> Outcome {
    let (prepared, config) = small(settings);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| crate::run(&prepared, &config, Session::default(), None, &mut Silent).unwrap())
}

#[test]
fn one_island_is_a_run_without_islands() {
    let settings = "sweeps = 4";
    let [one, none] = [outcome(&format!("{settings}\nislands = 1"), 1), outcome(settings, 1)];
    assert_eq!(one.genome, none.genome);
    assert_eq!(one.heats, none.heats);
}

#[test]
fn islands_do_not_depend_on_threads_but_on_their_settings() {
    let base = "sweeps = 4\nislands = 4";
    let mut seen = vec![];
    for settings in [
        "",
        "graph = 'torus'\nlatency = 2",
        "graph = 'random'\nmating = 'uniform'",
        "graph = 'all'\nmating = 'vote'\nshare = 'parts'",
        "epoch = 2\nmating = 'none'",
        "algorithm = 'genetic'\npopulation = 6\nepoch = 2\nmutation = 'adaptive'",
    ] {
        let settings = format!("{base}\n{settings}");
        let one = outcome(&settings, 1);
        assert_eq!(one.genome, outcome(&settings, 3).genome, "{settings}");
        assert!(!seen.contains(&one.genome), "{settings}");
        seen.push(one.genome);
    }
}

#[test]
fn nobody_waits_where_migration_is_asynchronous() {
    let outcome = outcome("sweeps = 3\nislands = 3\nmigration = 'async'", 2);
    assert_eq!(outcome.stop, Stop::Sweeps);
    assert!(outcome.rows.len() == 3 && outcome.best.validation_accuracy > 0.3);
}

/// What others sent, and what was sent to them.
#[derive(Debug, Default)]
struct Recorded {
    others: usize,
    came: RefCell<VecDeque<Vec<u8>>>,
    went: RefCell<Vec<Vec<u8>>>,
}

impl Transport for Recorded {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1 + self.others
    }

    fn send(&self, _: usize, bytes: &[u8]) {
        self.went.borrow_mut().push(bytes.to_vec());
    }

    fn receive(&self) -> Option<Vec<u8>> {
        self.came.borrow_mut().pop_front()
    }

    fn abort(&self) -> ! {
        unreachable!("nobody asked to")
    }
}

#[test]
fn migrants_that_come_before_the_beginning_are_kept() {
    let (prepared, _) = small("islands = 3");
    let change = ancestry::Change::Whole(vec![]);
    let migrant = Migrant { from: 2, to: 1, epoch: 0, base: 0, loss: 0, change };
    let transport = Recorded { others: 2, ..Recorded::default() };
    let parcels = [Parcel::Migrant(migrant), Parcel::Begin { folder: None, epochs: vec![4, 5, 6] }];
    let parcels = parcels.map(|parcel| postcard::to_stdvec(&parcel).unwrap());
    transport.came.borrow_mut().extend(parcels);
    let begun = follow(&prepared, &transport, 7).unwrap().expect("there is something to do");
    assert_eq!((begun.early.len(), begun.epochs), (1, vec![4, 5, 6]));
}

#[test]
fn ranks_of_other_versions_do_not_begin() {
    let (prepared, config) = small("islands = 3");
    let fingerprint = Fingerprint::new(&prepared);
    let hello = |version: &str, config| {
        let hello = Parcel::Hello { rank: 1, version: version.into(), config, fingerprint };
        postcard::to_stdvec(&hello).unwrap()
    };
    let own = env!("CARGO_PKG_VERSION");
    for (bytes, says) in [
        (hello("0.0.9", 7), "one rank is of version 0.0.9, another of"),
        (hello(own, 8), "rank 1 has another run than rank 0: the settings"),
        (vec![200, 1, 2], "does not speak this program's language: install one version"),
        (hello(own, 7)[..9].to_vec(), "does not speak this program's language: install one version"),
    ] {
        let transport = Recorded { others: 2, ..Recorded::default() };
        transport.came.borrow_mut().extend([bytes, hello(own, 7)]);
        let begun = lead(&prepared, &config, &mut Session::default(), (&transport, 7), false);
        let reason = begun.err().expect("they cannot work together");
        assert!(reason.contains(says) && reason.lines().count() == 1, "{reason}");
        // Nobody waits for ever.
        let went = transport.went.borrow();
        assert_eq!(went.len(), 2);
        assert!(went.iter().all(|bytes| matches!(postcard::from_bytes(bytes), Ok(Parcel::Stop))));
    }
    let transport = Recorded { others: 1, ..Recorded::default() };
    transport.came.borrow_mut().push_back(hello(own, 7));
    let begun = lead(&prepared, &config, &mut Session::default(), (&transport, 7), false);
    assert_eq!(begun.unwrap().epochs, [0; 3]);
}
