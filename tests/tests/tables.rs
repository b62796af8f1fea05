//! Tables as people have them, from the file to the answers.

use serde_json::{Value, json};
use skips::shared_case;
use tests::program::Folder;

/// Settings that let a small table be learned in a moment.
const QUICK: &str = "--sweeps 20 --out run";

/// A folder with small inputs that went wrong; `None` where they are missing and the caller's test is skipped.
fn folder_with(cases: &[&str]) -> Option<Folder> {
    let folder = Folder::new();
    for case in cases {
        folder.write(case, std::fs::read(shared_case(case)?).unwrap());
    }
    Some(folder)
}

/// Runs a command that fails so, and returns its one line.
fn fails(folder: &Folder, code: i32, command: &str) -> String {
    let ran = folder.run(command);
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(code), 1), "{command}: {}", ran.stderr);
    ran.stderr
}

fn number(json: &Value, key: &str) -> f64 {
    json[key].as_f64().unwrap_or_else(|| panic!("{key} in {json}"))
}

#[test]
fn missing_values_hardly_cost_accuracy_whatever_marks_them() {
    for (clean, marked) in [
        ("real_clean.csv", &["real_q.csv"][..]),
        ("wisc_clean.csv", &["wisc_q.csv", "wisc_NA.csv", "wisc_NaN.csv", "wisc_empty.csv"]),
    ] {
        let Some(folder) = folder_with(&[&[clean], marked].concat()) else { return };
        let without = folder.json(&format!("train --data {clean} {QUICK}-clean"));
        for file in marked {
            let run = format!("run-{file}");
            let with = folder.json(&format!("train --data {file} --sweeps 20 --out {run}"));
            let (with, without) = (number(&with, "accuracy"), number(&without, "accuracy"));
            assert!(with > without - 0.05, "{file}: {with} beside {without}");
            // What is missing is no category: the column still is one of numbers, and has a bit for it.
            let described = folder.json(&format!("data {file}"));
            let columns = described["columns"].as_array().unwrap();
            assert!(
                columns.iter().all(|column| column["kind"].as_str().unwrap().contains("numbers")),
                "{described}"
            );
            assert!(columns.iter().any(|column| column["missing"].as_u64() > Some(0)), "{described}");
            assert!(described["warnings"].to_string().contains("missing, in"), "{described}");
        }
    }
}

#[test]
fn missing_values_can_be_left_out_or_errors() {
    let folder = Folder::new();
    let rows: String =
        (0..60).map(|row| format!("{row},{},{}\n", row % 7, if row < 30 { "a" } else { "b" })).collect();
    folder.write("gaps.csv", format!("x,z,y\n{rows}?,3,a\n5,NA,a\n"));
    let samples = |trained: &Value| {
        ["train_samples", "validation_samples", "test_samples"]
            .map(|part| number(trained, part))
            .iter()
            .sum::<f64>()
    };
    let all = folder.json("train --data gaps.csv --sweeps 3 --out all");
    assert_eq!(samples(&all), 62.0);
    let left = folder.json("train --data gaps.csv --missing skip --sweeps 3 --out left");
    assert_eq!(samples(&left), 60.0);
    // The model's run knows it, so what is evaluated are the same samples.
    assert_eq!(folder.json("eval left/model.evb")["accuracy"], left["accuracy"]);
    let refused = fails(&folder, 1, "train --data gaps.csv --missing error --out no");
    assert!(refused.contains("line 62, column \"x\" is \"?\", a missing value"), "{refused}");
    // A line that lacks what no line of training lacked has an answer, and that is said.
    folder.write("new.csv", "x,z\n,3\n40,5\n");
    let answered = folder.run("predict left/model.evb new.csv");
    assert_eq!((answered.code, answered.stdout.lines().count()), (Some(0), 2));
    assert!(answered.stderr.contains("1 cell of column \"x\" without a value"), "{}", answered.stderr);
}

#[test]
fn the_label_is_found_by_its_name() {
    let Some(folder) = folder_with(&["eval_train.csv", "eval_other_last.csv"]) else { return };
    folder.json(&format!("train --data eval_train.csv {QUICK}"));
    let evaluated = folder.json("eval run/model.evb eval_other_last.csv");
    assert!(number(&evaluated, "accuracy") > 0.9, "{evaluated}");
    // Without the run folder nobody knows the name: two columns could be it.
    folder.write("alone.evb", folder.read("run/model.evb"));
    let refused = fails(&folder, 1, "eval alone.evb eval_other_last.csv");
    assert!(refused.contains("--label"), "{refused}");
    let told = folder.json("eval alone.evb eval_other_last.csv --label fault");
    assert_eq!(told["accuracy"], evaluated["accuracy"]);
}

#[test]
fn columns_are_not_matched_by_place_without_a_word() {
    let Some(folder) =
        folder_with(&["eval_train.csv", "pred_index_noheader.csv", "pred_index_otherheader.csv"])
    else {
        return;
    };
    folder.json(&format!("train --data eval_train.csv {QUICK}"));
    let refused = fails(&folder, 1, "predict run/model.evb pred_index_noheader.csv");
    assert!(refused.contains("has 3 columns, where the model reads 2"), "{refused}");
    let matched = folder.run("predict run/model.evb pred_index_otherheader.csv");
    assert_eq!(matched.code, Some(0), "{}", matched.stderr);
    assert!(matched.stderr.contains("without regard to capital letters"), "{}", matched.stderr);
    // The same cells under the model's own names have the same answers.
    let text = folder.text("pred_index_otherheader.csv").replacen("Temp,Hum", "temp,hum", 1);
    folder.write("named.csv", text);
    assert_eq!(folder.ok("predict run/model.evb named.csv"), matched.stdout);
    folder.write("foreign.csv", "t,h\n33,43\n15,59\n");
    let placed = folder.run("predict run/model.evb foreign.csv");
    assert_eq!((placed.code, placed.stdout.lines().count()), (Some(0), 2));
    assert!(placed.stderr.contains("\"temp\" is \"t\", \"hum\" is \"h\""), "{}", placed.stderr);
}

#[test]
fn whole_numbers_in_training_take_fractions_later() {
    let Some(folder) = folder_with(&["int_train.csv", "int_pred_real.csv"]) else { return };
    folder.json(&format!("train --data int_train.csv {QUICK}"));
    let rows = folder.text("int_pred_real.csv").lines().count() - 1;
    assert_eq!(folder.ok("predict run/model.evb int_pred_real.csv").lines().count(), rows);
}

#[test]
fn every_line_has_an_answer_and_what_is_new_is_counted() {
    let Some(folder) = folder_with(&["cats.csv", "onefeature.csv", "onefeature_blank.csv"]) else { return };
    folder.json(&format!("train --data cats.csv {QUICK}"));
    folder.write("new.csv", "colour,x\nmagenta,0.5\norange,0.1\nteal,0.2\n");
    let answered = folder.run("predict run/model.evb new.csv");
    assert_eq!((answered.code, answered.stdout.lines().count()), (Some(0), 3));
    assert!(answered.stderr.contains(
        "2 cells of column \"colour\" with a category that training did not have, such as \"magenta\""
    ));
    folder.json("train --data onefeature.csv --sweeps 20 --out one");
    let answered = folder.run("predict one/model.evb onefeature_blank.csv");
    assert_eq!((answered.code, answered.stdout.lines().count()), (Some(0), 3), "{}", answered.stderr);
}

#[test]
fn what_looks_like_an_index_is_said_and_can_be_left_out() {
    let Some(folder) = folder_with(&["sorted_index.csv"]) else { return };
    let described = folder.json("data sorted_index.csv");
    let warnings = described["warnings"].to_string();
    assert!(warnings.contains("ascends from line to line") && warnings.contains("--drop c1"), "{warnings}");
    let trained = folder.run("train --data sorted_index.csv --drop c1 --sweeps 2 --out run");
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert!(!trained.stderr.contains("ascends"), "{}", trained.stderr);
    let inspected = folder.json("inspect run/model.evb");
    assert_eq!(number(&inspected, "features"), described["features"].as_f64().unwrap() - 1.0);
    // Evaluated on the same file, the column that was left out is no label.
    assert_eq!(folder.json("eval run/model.evb")["part"], "test");
}

#[test]
fn rare_classes_are_reported() {
    let Some(folder) = folder_with(&["imb.csv"]) else { return };
    let trained = folder.json(&format!("train --data imb.csv {QUICK}"));
    assert!(number(&trained, "majority_accuracy") > 0.95, "{trained}");
    for json in [&trained, &folder.json("eval run/model.evb")] {
        let classes = json["per_class"].as_array().unwrap();
        let recall: f64 =
            classes.iter().map(|class| number(class, "recall")).sum::<f64>() / classes.len() as f64;
        assert!((recall - number(json, "balanced_accuracy")).abs() < 1e-9);
        let support: f64 = classes.iter().map(|class| number(class, "support")).sum();
        assert_eq!(support, number(&trained, "test_samples"));
        assert!((0.0..=1.0).contains(&number(json, "auroc")));
    }
    let said = folder.ok("eval run/model.evb");
    for words in ["always the largest class", "balanced accuracy", "precision     recall"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_file_is_described_before_anything_is_trained() {
    let folder = Folder::new();
    let rows: String = (0..40)
        .map(|row| format!("{};{},5;{};{}\n", 40 - row, row % 9, ["red", "blue"][row % 2], row / 20))
        .collect();
    folder.write("table.csv", format!("n;r;colour;fault\n{rows}"));
    let before = folder.contents();
    let described = folder.json("data table.csv");
    assert_eq!(folder.contents(), before, "nothing is written");
    for (key, value) in [
        ("rows", json!(40)),
        ("separator", json!("semicolon")),
        ("decimal", json!("comma")),
        ("header", json!(true)),
        ("label", json!("fault")),
        ("majority_accuracy", json!(0.5)),
    ] {
        assert_eq!(described[key], value, "{described}");
    }
    let column = |index: usize, key: &str| described["columns"][index][key].clone();
    assert_eq!(
        (column(0, "kind"), column(0, "least"), column(0, "greatest")),
        (json!("whole numbers"), json!(1.0), json!(40.0))
    );
    assert_eq!((column(1, "kind"), column(1, "greatest")), (json!("real numbers"), json!(8.5)));
    assert_eq!((column(2, "kind"), column(2, "categories")), (json!("categories"), json!(["blue", "red"])));
    let said = folder.ok("data table.csv");
    assert!(said.contains("semicolon between cells, a comma before decimals, a header"), "{said}");
    // What was found out can be overruled.
    let forced = folder.json("data table.csv --separator semicolon --decimal point --categorical n --numeric r --drop colour --missing bit");
    assert_eq!(forced["columns"][0]["kind"], "categories");
    assert_eq!(
        (&forced["columns"][1]["kind"], &forced["columns"][1]["missing"]),
        (&json!("whole numbers"), &json!(40))
    );
    assert_eq!(forced["features"], 2);
    let bare = folder.json("data table.csv --no-header --label 3 --only 1,2 --categorical 1,2");
    assert_eq!((&bare["rows"], &bare["header"]), (&json!(41), &json!(false)));
    let wrong = fails(&folder, 1, "data table.csv --drop weight");
    assert!(wrong.contains("has no column \"weight\", which --drop names"), "{wrong}");
}

/// Samples of ten people, who are told apart by what has nothing to do with the class: 12 samples each.
fn people() -> String {
    let row = |sample: usize| {
        let (person, class) = (sample / 12, sample / 12 % 2);
        format!("p{person},{},{},{}\n", 10 * person, sample * 7 % 11, ["sits", "walks"][class])
    };
    "person,height,noise,does\n".to_owned() + &(0..120).map(row).collect::<String>()
}

#[test]
fn nobody_is_on_both_sides_of_a_split_by_group() {
    let folder = Folder::new();
    folder.write("people.csv", people());
    let trained = folder.json("train --data people.csv --group person --sweeps 10 --out run");
    // Whole people: the parts are multiples of 12.
    for part in ["train_samples", "validation_samples", "test_samples"] {
        let samples = number(&trained, part);
        assert!(samples > 0.0 && samples % 12.0 == 0.0, "{part}: {samples}");
    }
    assert_eq!(number(&folder.json("inspect run/model.evb"), "features"), 2.0, "the group is no feature");
    assert_eq!(folder.json("eval run/model.evb")["accuracy"], trained["accuracy"]);
    let many = fails(&folder, 1, "train --data people.csv --group does --label height --out no");
    assert!(many.contains("2 groups for 3 parts"), "{many}");
    let none = fails(&folder, 1, "train --data people.csv --group who --out no");
    assert!(none.contains("has no column \"who\", which --group names"), "{none}");
}

#[test]
fn a_column_or_a_file_may_hold_the_test_part() {
    let folder = Folder::new();
    let rows = |from: usize, to: usize, part: bool| -> String {
        let row = |row: usize| {
            let named = if row.is_multiple_of(5) { "test," } else { "train," };
            format!(
                "{}{},{},{}\n",
                if part { named } else { "" },
                row,
                row * 7 % 10,
                if row % 40 < 20 { "a" } else { "b" }
            )
        };
        (from..to).map(row).collect()
    };
    folder.write("parted.csv", format!("part,x,z,y\n{}", rows(0, 200, true)));
    let trained = folder.json("train --data parted.csv --split part --sweeps 10 --out by-column");
    assert_eq!((number(&trained, "test_samples"), number(&trained, "train_samples")), (40.0, 152.0));
    assert_eq!(folder.json("eval by-column/model.evb")["accuracy"], trained["accuracy"]);
    folder.write("wrong.csv", folder.text("parted.csv").replacen("train,", "later,", 1));
    let wrong = fails(&folder, 1, "train --data wrong.csv --split part --out no");
    assert!(
        wrong.contains("column \"part\" is \"later\", where train, validation or test belongs"),
        "{wrong}"
    );

    folder.write("train.csv", format!("x,z,y\n{}", rows(0, 160, false)));
    // Other columns, in another order.
    let test: String = (160..200)
        .map(|row| format!("{},0,{},{}\n", if row % 40 < 20 { "a" } else { "b" }, row * 7 % 10, row))
        .collect();
    folder.write("test.csv", format!("y,more,z,x\n{test}"));
    let trained = folder.json("train --data train.csv --test test.csv --sweeps 10 --out by-file");
    assert_eq!((number(&trained, "test_samples"), number(&trained, "validation_samples")), (40.0, 8.0));
    let evaluated = folder.json("eval by-file/model.evb");
    assert_eq!((&evaluated["accuracy"], &evaluated["samples"]), (&trained["accuracy"], &json!(40)));
    let missing = fails(&folder, 1, "train --data train.csv --test tset.csv --out no");
    assert!(missing.contains("tset.csv: no such file"), "{missing}");
}

#[test]
fn folds_test_every_sample_once() {
    let folder = Folder::new();
    folder.write("people.csv", people());
    let before = folder.contents();
    let iris = folder.json("train --data iris --folds 5 --sweeps 20");
    let folds: Vec<f64> =
        iris["folds"].as_array().unwrap().iter().map(|fold| fold.as_f64().unwrap()).collect();
    assert_eq!((folds.len(), number(&iris, "samples")), (5, 150.0));
    assert!((folds.iter().sum::<f64>() / 5.0 - number(&iris, "mean_accuracy")).abs() < 1e-9);
    assert!(number(&iris, "mean_accuracy") > 0.9 && number(&iris, "spread") < 0.1, "{iris}");
    let support: f64 =
        iris["per_class"].as_array().unwrap().iter().map(|class| number(class, "support")).sum();
    assert_eq!(support, 150.0);
    assert_eq!(folder.json("train --data iris --folds 5 --sweeps 20 --threads 1"), iris);
    // What tells people apart says nothing of other people.
    let alone =
        folder.json("train --data people.csv --drop person --categorical height --folds 5 --sweeps 20");
    let grouped =
        folder.json("train --data people.csv --group person --categorical height --folds 5 --sweeps 20");
    assert!(number(&alone, "mean_accuracy") > 0.9, "{alone}");
    assert!(number(&grouped, "mean_accuracy") < 0.8, "{grouped}");
    assert_eq!(folder.contents(), before, "nothing is written");
    let many = fails(&folder, 1, "train --data people.csv --group person --folds 11");
    assert!(many.contains("10 groups for 11 parts"), "{many}");
    assert!(fails(&folder, 1, "train --data iris --folds 1").contains("choose 2 to 150"));
}

#[test]
fn answers_carry_the_names_of_their_samples() {
    let Some(folder) =
        folder_with(&["eval_train.csv", "pred_index_noheader.csv", "pred_index_otherheader.csv"])
    else {
        return;
    };
    folder.json(&format!("train --data eval_train.csv {QUICK}"));
    let named = folder.ok("predict run/model.evb pred_index_otherheader.csv --id id");
    let lines: Vec<&str> = named.lines().collect();
    assert!(lines[0] == "id,class" && lines[1].starts_with("0,") && lines[2].starts_with("1,"), "{named}");
    assert_eq!(lines.len(), folder.text("pred_index_otherheader.csv").lines().count());
    // With the index named, the rest has its places.
    let bare = folder.ok("predict run/model.evb pred_index_noheader.csv --id 1 --scores");
    assert!(bare.starts_with("c1,class,0,1\n0,"), "{bare}");
    assert_eq!(folder.ok("predict run/model.evb pred_index_otherheader.csv --id id --out answers.csv"), "");
    assert_eq!(folder.text("answers.csv"), named);
    let wrong = folder.run("predict run/model.evb pred_index_noheader.csv --id 1 --out no/such/answers.csv");
    assert_eq!((wrong.code, wrong.stdout.len()), (Some(1), 0));
    assert!(wrong.stderr.contains("no/such/answers.csv: cannot be written"), "{}", wrong.stderr);
}

#[test]
fn the_column_that_decides_is_found() {
    let folder = Folder::new();
    let rows: String = (0..200)
        .map(|row| format!("{},{},{}\n", row * 13 % 50, row * 7 % 100, u8::from(row * 7 % 100 < 50)))
        .collect();
    folder.write("one.csv", format!("noise,signal,y\n{rows}"));
    folder.json(&format!("train --data one.csv {QUICK}"));
    let explained = folder.json("explain run/model.evb --out worth.svg");
    let column = |place: usize| {
        (explained["columns"][place]["column"].clone(), number(&explained["columns"][place], "loss"))
    };
    let ((first, most), (second, least)) = (column(0), column(1));
    assert_eq!((first, second), (json!("signal"), json!("noise")));
    assert!(most > 0.3 && least.abs() < 0.1, "{explained}");
    assert_eq!(folder.json("explain run/model.evb"), explained, "the same seed shuffles alike");
    assert!(folder.text("worth.svg").contains("signal"));
    folder.ok("train --data digits --steps 20 --copies 1 --out images");
    assert!(fails(&folder, 2, "explain images/model.evb").contains("explain is for tables"));
}
