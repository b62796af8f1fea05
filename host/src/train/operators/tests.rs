use super::*;
use crate::settings::Settings;
use crate::train::{Session, Silent, prepare, run};

/// Training loss after the first and after the last generation of a run with these settings.
fn losses(settings: &str) -> [f64; 2] {
    let loaded = crate::data::load("iris", &crate::data::LoadOptions::default()).unwrap();
    let settings = format!(
        "data = 'iris'\nalgorithm = 'genetic'\nhidden = ['16']\nlevels = 6\npopulation = 20\nsweeps = 40\n{settings}"
    );
    let config = toml::from_str::<Settings>(&settings).unwrap().resolve(&loaded.train).unwrap();
    let prepared = prepare(&loaded, &config).unwrap();
    let outcome = run(&prepared, &config, Session::default(), None, &mut Silent).unwrap();
    let again = run(&prepared, &config, Session::default(), None, &mut Silent).unwrap();
    assert_eq!(outcome.genome, again.genome, "{settings}");
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
    let loaded = crate::data::load("iris", &crate::data::LoadOptions::default()).unwrap();
    let settings: Settings = toml::from_str("selection = 'roulette'").unwrap();
    let error = settings.resolve(&loaded.train).unwrap_err();
    assert!(
        error.starts_with("selection `roulette` is not known: it must be one of tournament, "),
        "{error}"
    );
}
