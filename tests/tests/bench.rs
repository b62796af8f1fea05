//! What `bench` promises: every figure, from a moment of measuring. How large they are is not for tests to say.

use serde_json::Value;
use tests::program::Folder;

#[test]
fn bench_measures_everything_it_names() {
    let folder = Folder::new();
    let report = folder.json("bench --seconds 0.2");
    for network in ["dense", "windows"] {
        let figures = &report[network];
        for key in [
            "mutants_per_second",
            "ratio_full",
            "ratio_neuron",
            "boundary_share",
            "train_accuracy",
            "samples",
            "neurons",
            "full_evaluations_per_second",
            "neuron_evaluations_per_second",
            "baseline_bit_operations_per_second",
            "inference_samples_per_second",
            "inference_samples_per_second_one_thread",
        ] {
            assert!(figures[key].as_f64() > Some(0.0), "{network}.{key}: {figures}");
        }
        let accuracy = figures["train_accuracy"].as_f64().unwrap();
        assert!((0.90..=0.95).contains(&accuracy), "{network}: {accuracy}");
        assert!(figures["boundary_share"].as_f64() < Some(1.0) && figures["samples"] == 1797);
    }
    assert_eq!((&report["dense"]["neurons"], &report["windows"]["neurons"]), (&128.into(), &1024.into()));
    let small = &report["small"];
    assert!(small["inference_samples_per_second_one_thread"].as_f64() > Some(0.0), "{small}");
    for accuracy in ["90", "95", "97"] {
        let seconds = &report["time_to_accuracy"][accuracy];
        assert!(report["time_to_accuracy"].as_object().is_some_and(|times| times.contains_key(accuracy)));
        assert!(*seconds == Value::Null || seconds.as_f64() > Some(0.0), "{accuracy}: {seconds}");
    }
    assert!(report["threads"].as_u64() > Some(0) && report["data"] == "digits");
    assert!(report["instructions"].is_string());
    assert!(folder.contents().is_empty(), "it leaves nothing behind");
}

#[test]
fn the_measured_networks_are_the_same_every_time_and_with_any_threads() {
    let folder = Folder::new();
    let checkpoint = |args: &str| {
        let report = folder.json(&format!("bench --seconds 0.01 {args}"));
        ["dense", "windows"].map(|network| {
            ["train_accuracy", "boundary_share"].map(|key| report[network][key].as_f64().expect("a share"))
        })
    };
    assert_eq!(checkpoint("--threads 1"), checkpoint("--threads 3"));
}

#[test]
fn time_to_accuracy_is_measured_after_runs_that_know_nothing_of_it() {
    let folder = Folder::new();
    let train = "--data digits --hidden 64 --copies 1 --sweeps 6";
    let report = folder.json(&format!("bench time {train} --seed 3 --targets 30,80,100 --seeds 2"));
    assert!(folder.contents().is_empty(), "it leaves nothing behind");
    assert_eq!((&report["data"], report["seeds"].as_array().map(Vec::len)), (&"digits".into(), Some(2)));
    for (index, seed) in [3, 4].into_iter().enumerate() {
        let timed = &report["seeds"][index];
        let trained = folder.json(&format!("train {train} --seed {seed} --out {seed}"));
        for (key, of_run) in
            [("seed", "seed"), ("test_accuracy", "test_accuracy"), ("model_bytes", "model_bytes")]
        {
            assert_eq!(timed[key], trained[of_run], "{timed}");
        }
        let [easy, hard, never] = [0, 1, 2].map(|target| timed["seconds_to"][target].as_f64());
        assert!(easy > Some(0.0) && easy <= hard && hard < timed["seconds"].as_f64(), "{timed}");
        assert_eq!(never, None);
    }
    let targets = report["targets"].as_array().expect("targets");
    assert_eq!(
        targets.iter().map(|target| target["accuracy"].as_f64()).collect::<Vec<_>>(),
        [30.0, 80.0, 100.0].map(Some)
    );
    assert!(
        targets[0]["fastest"].as_f64() <= targets[0]["median"].as_f64() && targets[2]["median"].is_null()
    );
    let text = folder.ok(&format!("bench time {train} --targets 30,100 --seeds 1"));
    let line =
        |name: &str| text.lines().find(|line| line.trim().starts_with(name)).expect("a line").to_owned();
    assert!(line("seed").contains("30 %") && line("median").contains("never"), "{text}");
}

#[test]
fn bench_says_what_it_cannot_measure() {
    let folder = Folder::new();
    for (args, says) in [
        ("bench --data iris", "give digits or a folder"),
        ("bench --seconds 0", "--seconds must be"),
        ("bench --seconds nan", "--seconds must be"),
        ("bench --threads 0", "--threads must be"),
        ("bench time --targets 0", "--targets must be"),
        ("bench time --targets nan", "--targets must be"),
        ("bench time --seeds 0", "--seeds must be"),
        ("bench time --budget -1", "--budget must be"),
        ("bench time --test 0", "no test samples are left"),
        ("bench time --levels 0", "levels must be"),
    ] {
        let ran = folder.run(args);
        assert!(ran.code == Some(2) && ran.stderr.contains(says) && ran.stdout.is_empty(), "{args}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{args}: {}", ran.stderr);
    }
}
