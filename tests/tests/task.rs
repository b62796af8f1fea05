//! Tasks beyond classification, as users run them: environments, and images to memorize.

use tests::program::Folder;

#[test]
fn a_controller_balances_a_pole_the_same_with_any_threads() {
    let folder = Folder::new();
    let train = "task train cart-pole --generations 6 --choosing 200 --unseen 50 --seed 3";
    let first = folder.json(&format!("{train} --threads 1"));
    let second = folder.json(&format!("{train} --threads 2"));
    assert_eq!(first["model_crc"], second["model_crc"]);
    assert!(first["genome_bits"].as_u64() <= Some(256), "{first}");
    assert!(first["mean_reward"].as_f64() > Some(350.0), "{first}");
    for file in ["model.evb", "config.toml", "metrics.csv", "curves.svg", "courses.svg"] {
        assert!(!folder.read(format!("runs/cart-pole-1/{file}")).is_empty(), "{file}");
    }
    // The starts of the last look are those of the run, and others with another seed.
    let eval = |more: &str| folder.json(&format!("task eval runs/cart-pole-1/model.evb --starts 50 {more}"));
    assert_eq!(eval("")["mean_reward"], first["mean_reward"]);
    assert_ne!(eval("--seed 9")["mean_steps"], eval("--seed 8")["mean_steps"]);
    // A controller is a model as any other.
    assert_eq!(
        folder.json("inspect runs/cart-pole-1/model.evb")["classes"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn random_images_are_memorized_whole() {
    let folder = Folder::new();
    let run = folder.json("train --data memorize:64:5 --hidden 64 --out run");
    assert_eq!((&run["train_accuracy"], &run["stop"]), (&1.into(), &"target".into()), "{run}");
    assert_eq!((&run["train_samples"], &run["test_samples"]), (&64.into(), &0.into()));
    assert_eq!(folder.json("eval run/model.evb --part all")["accuracy"], 1);
    let counted = folder.json(
        "train --data memorize:16 --hidden 32 --algorithm genetic --objective first-error --sweeps 400 --flips 16",
    );
    assert_eq!((&counted["train_accuracy"], &counted["stop"]), (&1.into(), &"target".into()), "{counted}");
}
