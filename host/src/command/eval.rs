//! `host eval`: how good a model is on data.

use std::path::Path;

use serde_json::json;

use super::table::{lines, percent};
use super::{EvalArgs, Failure, Part, print, read_settings};
use crate::data::{Dataset, LoadOptions, Loaded, load_known};
use crate::encode::encode;
use crate::evaluate::{self, confusion};
use crate::model::Model;
use crate::settings::{Config, Facts};
use crate::train;

pub(super) fn run(args: &EvalArgs) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let (schema, classes) = (model.schema(), model.classes());
    let beside = args.model.with_file_name("config.toml");
    let config = if beside.is_file() {
        let settings = read_settings(&beside)?;
        Some(
            settings
                .resolve(Facts { schema: &schema, classes: &classes, samples: 0, data: None })
                .map_err(Failure::usage)?,
        )
    } else {
        None
    };
    let given = args.data.clone().or_else(|| args.data_flag.clone());
    let Some(source) = given.or_else(|| config.as_ref().map(|config| config.data.clone())) else {
        return Err(Failure::usage(
            "which data? There is no config.toml beside the model: give a data set after it",
        ));
    };
    let config = config.filter(|config| same_source(&config.data, &source));
    let label = args.label.clone().or_else(|| config.as_ref().and_then(|config| config.label.clone()));
    let loaded = load_known(&source, &schema, &classes, &LoadOptions { label, shape: None })?;
    let (part, data) = choose(args.part, loaded, config.as_ref(), &args.model)?;
    if data.samples() == 0 {
        let message = format!("{source}: its {} part is empty: choose another --part", part_name(part));
        return Err(Failure { code: 1, message });
    }
    report(args, &model, &source, part, &data, &classes)
}

/// True for the same built-in set or path.
fn same_source(a: &str, b: &str) -> bool {
    let canonical = |path: &str| Path::new(path).canonicalize().ok();
    a == b || canonical(a).is_some_and(|path| Some(path) == canonical(b))
}

fn part_name(part: Part) -> String {
    format!("{part:?}").to_lowercase()
}

fn choose(
    part: Option<Part>,
    loaded: Loaded,
    config: Option<&Config>,
    model: &Path,
) -> Result<(Part, Dataset), Failure> {
    let part = part.unwrap_or(if config.is_some() || loaded.test.is_some() { Part::Test } else { Part::All });
    let data = match (part, config, loaded.test.is_some()) {
        (Part::All, ..) => loaded.train,
        (Part::Test, None, true) => loaded.test.unwrap_or(loaded.train),
        (_, Some(config), _) => {
            let [train, validation, test] = train::parts(&loaded, config)?;
            match part {
                Part::Train => train,
                Part::Validation => validation,
                _ => test,
            }
        }
        (_, None, _) => {
            return Err(Failure::usage(format!(
                "{}: to know its {} part, the config.toml of its run must lie beside it and name the same data; use --part all",
                model.display(),
                part_name(part)
            )));
        }
    };
    Ok((part, data))
}

fn report(
    args: &EvalArgs,
    model: &Model,
    source: &str,
    part: Part,
    data: &Dataset,
    classes: &[String],
) -> Result<(), Failure> {
    let image = model.image();
    let packing = image.topology().layer(0).packing;
    let inputs = encode(image.encoder(), packing, &data.values, data.samples());
    let predictions = evaluate::predict(&image.network(), &inputs);
    let matrix = confusion(&predictions, &data.labels, classes.len());
    let correct: u32 = (0..classes.len()).map(|class| matrix[class][class]).sum();
    let accuracy = f64::from(correct) / data.samples() as f64;
    if args.json {
        let json = json!({
            "accuracy": accuracy,
            "samples": data.samples(),
            "confusion": matrix,
            "classes": classes,
            "part": part,
            "data": source,
            "model": args.model.display().to_string(),
        });
        return print(&json.to_string());
    }
    print(&lines(&[
        ("accuracy", format!("{} ({correct} of {})", percent(accuracy), data.samples())),
        ("samples", format!("{} part of {source}", part_name(part))),
    ]))?;
    print(&confusion_text(&matrix, classes))
}

/// The confusion matrix as text for few classes, else the classes that are mistaken most.
fn confusion_text(matrix: &[Vec<u32>], classes: &[String]) -> String {
    let most = matrix.iter().flatten().max().map_or(1, |count| count.to_string().len());
    let short = |name: &str| name.chars().take(12).collect::<String>();
    let width = classes.iter().map(|name| short(name).chars().count()).max().unwrap_or(1);
    let cell = width.max(most);
    if classes.len() * (cell + 1) > 100 {
        return format!("{} classes; --json prints the confusion matrix", classes.len());
    }
    let mut text = String::from("truth (row) and what it was taken for (column):\n");
    let header: String = classes.iter().map(|name| format!(" {:>cell$}", short(name))).collect();
    text += &format!("  {:width$}{header}\n", "");
    for (name, row) in classes.iter().zip(matrix) {
        let cells: String = row.iter().map(|count| format!(" {count:>cell$}")).collect();
        text += &format!("  {:>width$}{cells}\n", short(name));
    }
    text.truncate(text.trim_end().len());
    text
}
