use super::*;
use crate::checkpoint::{Checkpoint, find, head};
use crate::settings::{Settings, TrainConfig};
use crate::{Prepared, Row, Session, prepare, run};
use evobit_search::checkpoint::Checkpoints;
use evobit_search::{RunFolder, Silent};

/// The checkpoint of a run that 15 generations ended, as if it had been killed there.
fn killed(prepared: &Prepared, config: &TrainConfig) -> Checkpoint {
    let base = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(Some(&base.path().join("run")), "x").unwrap();
    let config = TrainConfig { steps: Some(15), ..config.clone() };
    let head = head(prepared, config.to_toml());
    let mut checkpoints = Checkpoints::new(&folder, head, std::time::Duration::MAX, None);
    let session = Session { checkpoints: Some(&mut checkpoints), ..Session::default() };
    run(prepared, &config, session, None, &mut Silent).unwrap();
    let mut read = find(&folder).newest.unwrap().0;
    assert!(read.fits(prepared, &config));
    read.sealed.stop = None;
    read
}

/// Training loss after the first and after the last generation of a run with these settings, which going on from a checkpoint does not
/// change.
fn losses(settings: &str) -> [f64; 2] {
    let loaded = evobit_data::load("iris", &evobit_data::LoadOptions::default()).unwrap();
    let settings = format!(
        "data = 'iris'\nalgorithm = 'genetic'\nhidden = ['16']\nlevels = 6\npopulation = 20\nsweeps = 40\n{settings}"
    );
    let config = toml::from_str::<Settings>(&settings).unwrap().resolve(&loaded.train).unwrap();
    let prepared = prepare(&loaded, &config).unwrap();
    let outcome = run(&prepared, &config, Session::default(), None, &mut Silent).unwrap();
    let from = killed(&prepared, &config);
    assert_eq!(from.state.course.now.step, 15);
    let again = run(&prepared, &config, Session::default(), Some(from), &mut Silent).unwrap();
    let losses = |rows: &[Row]| rows.iter().map(|row| row.train_loss).collect::<Vec<f64>>();
    assert_eq!((&outcome.genome, losses(&outcome.rows)), (&again.genome, losses(&again.rows)), "{settings}");
    [0, outcome.rows.len() - 1].map(|row| outcome.rows[row].train_loss)
}

#[test]
fn every_operator_learns_and_repeats() {
    let names = |setting: &str, names: Vec<&str>| -> Vec<String> {
        names.iter().map(|name| format!("{setting} = '{name}'")).collect()
    };
    fn of<Make>(table: Table<Make>) -> Vec<&'static str> {
        table.iter().map(|entry| entry.0).collect()
    }
    let all = [
        names("mutation", of(MUTATIONS)),
        names("mating", of(MATINGS)),
        names("selection", of(SELECTIONS)),
        names("objective", of(OBJECTIVES)),
        vec!["batch = 60".into(), "mutation = 'adaptive'\nrate-generations = 5".into()],
    ];
    for settings in all.concat() {
        let [first, last] = losses(&settings);
        // Some select for other things than a low loss, and still must not lose their way.
        assert!(last < first * 1.05, "{settings}: {last} after {first}");
    }
}

#[test]
fn an_unknown_operator_is_named() {
    let loaded = evobit_data::load("iris", &evobit_data::LoadOptions::default()).unwrap();
    let settings: Settings = toml::from_str("selection = 'roulette'").unwrap();
    let error = settings.resolve(&loaded.train).unwrap_err();
    assert!(
        error.starts_with("selection `roulette` is not known: it must be one of tournament, "),
        "{error}"
    );
}
