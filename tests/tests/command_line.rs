//! What a user relies on who types commands and reads, or pipes on, what they print.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tests::program::{Folder, gzip, idx};

/// Training that takes a moment and leaves a model that knows something of digits.
const QUICK: &str = "train --data digits --steps 300 --copies 1 --out run";

/// What `inspect` and the table print behind `name`, up to the first word that is no number.
fn printed(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name)).expect("a line of that name");
    let digits: String = line.trim().chars().take_while(|letter| !letter.is_whitespace()).collect();
    digits.replace(',', "").parse().expect("a number")
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
fn without_arguments_it_trains_and_says_what_to_do_next() {
    let folder = Folder::new();
    let mut command = folder.command([""; 0]);
    let mut first = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !folder.path("runs/digits-1").exists() {
        assert!(first.try_wait().unwrap().is_none(), "it ended without a run folder");
        std::thread::sleep(Duration::from_millis(10));
    }
    // A second one while the first still works: it takes a folder of its own, and the same seed
    // gives the same network.
    folder.ok("");
    let first = first.wait_with_output().unwrap();
    assert_eq!((first.status.code(), first.stderr.len()), (Some(0), 0));
    assert_eq!(folder.read("runs/digits-1/model.evb"), folder.read("runs/digits-2/model.evb"));

    let stdout = String::from_utf8(first.stdout).unwrap();
    for file in ["config.toml", "metrics.csv", "curves.svg", "confusion.svg", "weights.png", "spectrum.svg"] {
        assert!(!folder.read(format!("runs/digits-1/{file}")).is_empty(), "{file}");
        assert!(file.ends_with("toml") || file.ends_with("csv") || stdout.contains(file), "{file}");
    }
    let model_bytes = folder.read("runs/digits-1/model.evb").len() as u64;
    assert_eq!(printed(&stdout, "model "), model_bytes);
    let line = stdout.lines().find(|line| line.contains("accuracy on test samples")).expect("the accuracy");
    let accuracy: f64 =
        line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number of per cent");
    assert!((95.0..=100.0).contains(&accuracy), "{line}");

    let commands: Vec<&str> =
        stdout.lines().filter_map(|line| line.trim().strip_prefix("cargo run -p host -- ")).collect();
    assert_eq!(commands.len(), 3, "{stdout}");
    for command in commands {
        assert!(!folder.ok(command).is_empty());
    }
}

#[test]
fn train_eval_and_inspect_agree() {
    let folder = Folder::new();
    let trained = folder.json(QUICK);
    assert_eq!((number(&trained, "seed"), trained["model"].as_str()), (1, Some("run/model.evb")));
    assert!(number(&trained, "mutants_scored") > 0 && trained["seconds"].as_f64() > Some(0.0));
    for part in ["test", "validation", "train"] {
        let measured = folder.json(&format!("eval run/model.evb --part {part}"));
        assert_eq!(measured["accuracy"], trained[format!("{part}_accuracy")], "{part}");
        assert_eq!(measured["samples"], trained[format!("{part}_samples")], "{part}");
        assert_eq!(measured["part"], part);
        let rows = measured["confusion"].as_array().expect("a matrix").iter();
        let cells: Vec<Vec<u64>> = rows.map(|row| serde_json::from_value(row.clone()).unwrap()).collect();
        let samples = number(&measured, "samples");
        assert_eq!(cells.iter().flatten().sum::<u64>(), samples);
        let correct: u64 = (0..10).map(|class| cells[class][class]).sum();
        assert_eq!(measured["accuracy"], json!(correct as f64 / samples as f64));
        let text = folder.ok(&format!("eval run/model.evb --part {part}"));
        assert!(text.contains(&format!("({correct} of {samples})")), "{text}");
    }
    // The held-out part is the default, also where the data is named again.
    for command in ["eval run/model.evb", "eval run/model.evb digits", "eval run/model.evb --data digits"] {
        assert_eq!(folder.json(command)["accuracy"], trained["test_accuracy"], "{command}");
    }
    assert_eq!(number(&folder.json("eval run/model.evb --part all"), "samples"), 1797);

    let inspected = folder.json("inspect run/model.evb");
    let bytes = folder.read("run/model.evb").len() as u64;
    assert_eq!((number(&inspected, "model_bytes"), number(&trained, "model_bytes")), (bytes, bytes));
    let parts = ["genome_bytes", "encoder_bytes", "loss_bytes", "other_bytes"];
    assert_eq!(parts.map(|part| number(&inspected, part)).iter().sum::<u64>(), bytes);
    assert_eq!(inspected["genome_bits"], trained["genome_bits"]);
    assert_eq!(inspected["model_crc"], trained["model_crc"]);
    let layers = inspected["layers"].as_array().expect("layers");
    let of_layers = layers.iter().map(|layer| number(layer, "bytes")).sum::<u64>();
    assert_eq!(of_layers, number(&inspected, "genome_bytes"));
    let text = folder.ok("inspect run/model.evb");
    for (name, key) in [
        ("flash", "model_bytes"),
        ("genome ", "genome_bytes"),
        ("encoder ", "encoder_bytes"),
        ("loss  ", "loss_bytes"),
        ("names, shape, checksum", "other_bytes"),
        ("evolvable bits", "genome_bits"),
        ("RAM to classify", "inference_ram_bytes"),
        ("RAM to evolve", "learning_ram_bytes"),
    ] {
        let lines: Vec<&str> = text.lines().filter(|line| line.trim().starts_with(name)).collect();
        let agrees = lines.iter().any(|line| printed(line, name) == number(&inspected, key));
        assert!(agrees, "{name}: {lines:?}, {key}: {}", inspected[key]);
    }
    let crc = inspected["model_crc"].as_str().expect("a checksum");
    assert!(text.contains(crc), "{text}");
}

#[test]
fn predict_prints_a_line_for_each_sample() {
    let folder = Folder::new();
    folder.ok("train --data iris --out run");
    let iris = include_str!("../../host/data/iris.csv");
    folder.write("iris.csv", iris);
    folder.write("iris.csv.gz", gzip(iris.as_bytes()));
    let features: String =
        iris.lines().map(|line| format!("{}\n", line.rsplit_once(',').expect("cells").0)).collect();
    folder.write("features.csv", &features);

    let predicted = folder.ok("predict run/model.evb iris.csv");
    let truth = iris.lines().skip(1).map(|line| line.rsplit_once(',').expect("cells").1);
    assert_eq!(predicted.lines().count(), 150);
    let correct = predicted.lines().zip(truth).filter(|(line, class)| line == class).count();
    let measured = folder.json("eval run/model.evb iris.csv");
    assert_eq!(measured["accuracy"], json!(correct as f64 / 150.0));
    assert_eq!((&measured["samples"], &measured["part"]), (&json!(150), &json!("all")));

    for args in ["iris.csv.gz", "features.csv", "iris", "--data iris.csv"] {
        assert_eq!(folder.ok(&format!("predict run/model.evb {args}")), predicted, "{args}");
    }
    let headless = features.split_once('\n').expect("lines").1;
    for input in [iris, &features, headless] {
        let ran = folder.pipe("predict run/model.evb -", input.as_bytes());
        assert_eq!((ran.code, &ran.stdout, ran.stderr.as_str()), (Some(0), &predicted, ""));
    }

    let scores = folder.ok("predict run/model.evb iris.csv --scores");
    let mut lines = scores.lines();
    assert_eq!(lines.next(), Some("class,setosa,versicolor,virginica"));
    let classes = ["setosa", "versicolor", "virginica"];
    for (line, predicted) in lines.by_ref().zip(predicted.lines()) {
        let (class, scores) = line.split_once(',').expect("cells");
        let scores: Vec<i32> = scores.split(',').map(|score| score.parse().expect("a number")).collect();
        let of_class = classes.iter().position(|&name| name == class).expect("a class");
        assert_eq!((class, scores.len(), scores.iter().max()), (predicted, 3, Some(&scores[of_class])));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_label_column_may_stand_anywhere() {
    let folder = Folder::new();
    let rows = |numbers: &str| {
        let row = |sample: usize| format!("{}{numbers}\n", ["low,0", "high,9"][sample % 2]);
        (0..40).map(row).collect::<String>()
    };
    folder.write("first.csv", format!("size,x,y\n{}", rows(",5")));
    let trained = folder.json("train --data first.csv --label size --out run");
    assert_eq!(trained["train_accuracy"], 1.0);
    assert_eq!(folder.json("eval run/model.evb")["accuracy"], trained["test_accuracy"]);
    folder.write("columns.csv", "y,x\n5,0\n5,9\n");
    assert_eq!(folder.ok("predict run/model.evb columns.csv"), "low\nhigh\n");
    folder.write("named.csv", "size,y,x\n?,5,0\nhigh,5,9\n");
    assert_eq!(folder.ok("predict run/model.evb named.csv --label size"), "low\nhigh\n");
}

#[test]
fn networks_of_every_depth_and_kind_train() {
    let folder = Folder::new();
    for (run, hidden) in ["none", "64", "64,32", "4x6x6@3x3,64@1x2x2,32"].into_iter().enumerate() {
        let train = format!("train --data digits --sweeps 2 --hidden {hidden} --out {run}");
        let trained = folder.json(&train);
        assert!(trained["test_accuracy"].as_f64() > Some(0.5), "{hidden}: {trained}");
        assert_eq!(folder.json(&format!("eval {run}/model.evb"))["accuracy"], trained["test_accuracy"]);
        let inspected = folder.json(&format!("inspect {run}/model.evb"));
        assert_eq!(inspected["genome_bits"], trained["genome_bits"]);
        let layers = inspected["layers"].as_array().expect("layers");
        let windowed: Vec<bool> = layers.iter().map(|layer| layer["windowed"] == true).collect();
        let expected: Vec<bool> = match hidden {
            "none" => vec![false],
            _ => hidden.split(',').map(|layer| layer.contains('@')).chain([false]).collect(),
        };
        assert_eq!(windowed, expected, "{hidden}");
        let listed = hidden.split(',').map(|layer| format!("\"{layer}\"")).collect::<Vec<_>>().join(", ");
        assert!(folder.text(format!("{run}/config.toml")).contains(&format!("hidden = [{listed}]")));
    }
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let folder = Folder::new();
    folder.write("mine.toml", "data = \"iris\"\nseed = 7\nhidden = [\"32\"]\nsweeps = 3\n");
    let trained = folder.json("train --config mine.toml --seed 9 --patience 2 --out run");
    assert_eq!(trained["seed"], 9);
    let saved = folder.text("run/config.toml");
    for line in
        ["data = \"iris\"", "seed = 9", "hidden = [\"32\"]", "sweeps = 3", "patience = 2", "levels = 24"]
    {
        assert!(saved.lines().any(|saved| saved == line), "{line} in {saved}");
    }
    // All that the help names from the heading Data on is a setting, and all of it is saved, but for
    // those that stay open where nothing limits or names them, and preset and slide, whose choices are saved.
    let help = folder.ok("train --help");
    let settings = help.split_once("\nData:").expect("a heading").1;
    let names = settings.lines().filter_map(|line| line.trim().strip_prefix("--"));
    let names: Vec<&str> = names.map(|name| name.split([' ', '[']).next().unwrap_or_default()).collect();
    assert!(names.len() > 20, "{names:?}");
    let open = ["label", "shape", "from", "steps", "target", "islands", "preset", "slide"];
    let reading = [
        "missing",
        "separator",
        "decimal",
        "no-header",
        "drop",
        "only",
        "categorical",
        "numeric",
        "group",
        "split",
    ];
    let open = [&open[..], &reading].concat();
    for name in names.iter().filter(|name| !open.contains(name)) {
        assert!(saved.lines().any(|line| line.starts_with(&format!("{name} = "))), "{name} in {saved}");
    }
}

#[test]
fn presets_keep_to_their_bytes_and_repeat_from_what_they_chose() {
    let folder = Folder::new();
    let bytes = |trained: &Value| number(trained, "model_bytes");
    for (data, preset, least, most) in
        [("digits", "small", 7900, 8192), ("digits", "medium", 32_000, 32_768), ("iris", "small", 1000, 8192)]
    {
        let run = format!("{data}-{preset}");
        let trained =
            folder.json(&format!("train --data {data} --preset {preset} --steps 3 --copies 1 --out {run}"));
        assert!((least..=most).contains(&bytes(&trained)), "{run}: {trained}");
        let saved = folder.text(format!("{run}/config.toml"));
        assert!(saved.contains("copies = 1") && saved.contains("steps = 3"), "{saved}");
        folder.ok(&format!("train --config {run}/config.toml --out again-{run}"));
        assert_eq!(folder.text(format!("again-{run}/config.toml")), saved);
        assert_eq!(folder.read(format!("{run}/model.evb")), folder.read(format!("again-{run}/model.evb")));
    }
    // A flag wins over a file, also over what an earlier preset chose.
    let larger = "train --config digits-small/config.toml --preset medium --copies 1 --out larger";
    assert_eq!(bytes(&folder.json(larger)), bytes(&folder.json("inspect digits-medium/model.evb")));
}

#[test]
fn a_target_is_of_the_validation_samples_and_ends_the_run_at_once() {
    let folder = Folder::new();
    let train = "train --data digits --hidden 64 --copies 1";
    let share = |trained: &Value| trained["validation_accuracy"].as_f64().expect("a share");
    let reached = folder.json(&format!("{train} --target 0.8 --out reached"));
    assert_eq!(reached["stop"], "target");
    assert!(share(&reached) >= 0.8, "{reached}");
    // Not reached a sweep before, and repeated from what was saved.
    let sweeps = number(&reached, "sweeps");
    if sweeps > 1 {
        let before = folder.json(&format!("{train} --sweeps {} --cooling 30 --out before", sweeps - 1));
        assert!(share(&before) < 0.8, "{before}");
    }
    let text = folder.ok("train --config reached/config.toml --out again");
    assert!(text.contains("80.00 % of the validation samples were right"), "{text}");
    assert_eq!(folder.read("reached/model.evb"), folder.read("again/model.evb"));
    assert_eq!(folder.text("reached/config.toml"), folder.text("again/config.toml"));
    assert!(folder.ok("train --resume reached").contains("has finished"));
    // Out of reach: as without.
    let missed = folder.json(&format!("{train} --sweeps 2 --target 1 --out missed"));
    assert_eq!(missed["stop"], "sweeps");
}

#[test]
fn small_and_odd_data_trains() {
    let folder = Folder::new();
    let mut run = 0;
    let mut train = |args: &str| {
        run += 1;
        let trained = folder.json(&format!("train {args} --sweeps 3 --out {run}"));
        folder.json(&format!("inspect {run}/model.evb"));
        folder.json(&format!("eval {run}/model.evb --part train"));
        (trained, run)
    };
    folder.write("two.csv", "x,y\n1,a\n2,b\n");
    let (trained, _) = train("--data two.csv");
    assert_eq!((&trained["train_samples"], &trained["test_accuracy"]), (&json!(2), &Value::Null));
    folder.write("constant.csv", "x,z,y\n1,0.5,a\n1,0.5,b\n1,0.5,a\n1,0.5,b\n1,0.5,a\n1,0.5,b\n");
    train("--data constant.csv --test 0.4");
    folder.write("single.csv", "x,y\n1,a\n2,a\n3,a\n4,a\n5,a\n6,a\n9,b\n");
    train("--data single.csv --test 0.3 --validation 0.3");
    // Windows over the bits of a table, up to three columns of it.
    train("--data iris --hidden 16@1x30");
    folder.write("kinds.csv", "colour,x,y\nred,1,a\nblue,2,b\nred,3,a\n\"dark, blue\",4,b\nred,5,a\n,6,b\n");
    let (_, run) = train("--data kinds.csv");
    folder.write("other.csv", "colour,x\ngreen,4\n");
    assert_eq!(folder.ok(&format!("predict {run}/model.evb other.csv")).lines().count(), 1);

    folder.write("dots/train-images-idx3-ubyte", idx(2051, &[8, 1, 1], &[0, 9, 0, 9, 0, 9, 0, 9]));
    folder.write("dots/train-labels-idx1-ubyte", idx(2049, &[8], &[0, 1, 0, 1, 0, 1, 0, 1]));
    train("--data dots");
    folder.write("black/images.gz", gzip(&idx(2052, &[4, 2, 2, 2], &[0; 32])));
    folder.write("black/labels.gz", gzip(&idx(2049, &[4], &[0, 1, 0, 1])));
    train("--data black");
    folder.write("dots.csv", "c1,c2,c3,c4,y\n0,0,9,9,a\n9,9,0,0,b\n0,1,8,9,a\n9,8,1,0,b\n");
    train("--data dots.csv --shape 2x2");
    let classes = (0..256).map(|class| format!("{class},c{class}\n"));
    folder.write("many.csv", format!("x,class\n{}", classes.collect::<String>()));
    train("--data many.csv --hidden 8");
}

#[test]
fn parts_may_be_left_out() {
    let folder = Folder::new();
    let trained = folder.json("train --data iris --test 0 --validation 0 --out run");
    assert_eq!(trained["train_samples"], 150);
    assert_eq!((&trained["test_accuracy"], &trained["validation_accuracy"]), (&Value::Null, &Value::Null));
    // Nothing that was not measured is reported, as a number or as a picture.
    assert!(!folder.path("run/confusion.svg").exists());
    let metrics = folder.text("run/metrics.csv");
    assert!(metrics.lines().nth(1).is_some_and(|row| row.contains(",,,")), "{metrics}");
    let text = folder.ok("train --data iris --test 0 --out other");
    assert!(!text.contains("confusion.svg") && text.contains("no samples"), "{text}");
    assert_eq!(folder.json("eval run/model.evb --part train")["accuracy"], trained["train_accuracy"]);
    let ran = folder.run("eval run/model.evb");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("error: iris: its test part is empty"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    folder.ok(QUICK);
    // Far more than a pipe holds.
    let csv = include_str!("../../host/data/digits.csv");
    let (header, rows) = csv.split_once('\n').expect("lines");
    folder.write("many.csv", format!("{header}\n{}", rows.repeat(3)));
    for args in ["predict run/model.evb many.csv --scores", "inspect run/model.evb", "eval run/model.evb"] {
        let mut command = folder.command(args.split(' '));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args}");
    }
    // Not even messages need a reader.
    let mut command = folder.command("train --data iris --out silent".split(' '));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(folder.path("silent/model.evb").exists());
}
