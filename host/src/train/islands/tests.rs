use super::*;
use crate::settings::Settings;
use crate::train::{Session, Silent, prepare};

fn outcome(settings: &str, threads: usize) -> Outcome {
    let loaded = crate::data::load("digits", &crate::data::LoadOptions::default()).unwrap();
    let settings =
        format!("data = 'digits'\nhidden = ['24@4x4']\nlevels = 2\ncopies = 2\npatience = 99\n{settings}");
    let config = toml::from_str::<Settings>(&settings).unwrap().resolve(&loaded.train).unwrap();
    let prepared = prepare(&loaded, &config).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| crate::train::run(&prepared, &config, Session::default(), None, &mut Silent).unwrap())
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
