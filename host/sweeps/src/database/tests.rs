use super::*;

fn planned(seed: u64) -> Planned {
    let settings: toml::Table = toml::from_str("data = \"iris\"\nlevels = 4").unwrap();
    Planned { varied: settings.clone(), settings, seed }
}

fn results() -> Results {
    let metric = |step| Metric { step, train: [0.5, 0.75], validation: [f64::NAN; 2], ..Metric::default() };
    Results {
        metrics: vec![metric(1), metric(2)],
        accuracy: [0.9, 0.8, f64::NAN],
        genome_bits: 70,
        genome_crc: 0xdef,
        model_bytes: 404,
        model_crc: 0xabc,
        mutants: 12,
        seconds: 0.5,
        stop: "converged".into(),
        lineage: None,
    }
}

#[test]
fn what_is_kept_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut database = Database::write(&path).unwrap();
    database.keep(&planned(1), &Err("no such file".into())).unwrap();
    assert_eq!(database.number(&planned(1)).unwrap(), None, "a run that failed is done again");
    database.keep(&planned(1), &Ok(results())).unwrap();
    database.keep(&planned(u64::MAX), &Ok(results())).unwrap();
    assert_eq!([1, 2].map(|seed| database.number(&planned(seed)).unwrap().is_some()), [true, false]);
    let read = Database::read(&path).unwrap();
    let runs = read.runs().unwrap();
    assert_eq!((runs.len(), runs[0].seed, runs[1].seed), (2, 1, u64::MAX));
    assert!(runs[0].accuracy[2].is_nan() && runs[0].error.is_none());
    let metrics = read.metrics(runs[1].run).unwrap();
    assert_eq!((metrics.len(), metrics[1].step, metrics[1].train), (2, 2, [0.5, 0.75]));
}

#[test]
fn one_sweep_at_a_time_and_only_into_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let first = Database::write(&path).unwrap();
    assert!(matches!(Database::write(&path), Err(DatabaseError::Locked { .. })));
    drop(first);
    Database::write(&path).unwrap();
    let held = Connection::open(&path).unwrap();
    held.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(matches!(Database::write(&path), Err(DatabaseError::Locked { .. })));
    drop(held);
    std::fs::write(&path, "something else, and long enough to be looked at").unwrap();
    assert!(matches!(Database::write(&path), Err(DatabaseError::Foreign { .. })));
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
    assert!(matches!(Database::write(&other), Err(DatabaseError::Foreign { .. })));
    assert!(matches!(Database::read(&folder.path().join("none")), Err(DatabaseError::Missing { .. })));
}
