//! `evobit eval`: how good a model is on data.

use std::path::Path;

use serde_json::json;

use super::measured::{class_lines, extend, measured_rows};
use super::table::{lines, percent};
use super::{DataArgs, EvalArgs, Failure, Part, print, read_settings, tell};
use evobit_boards::learned;
use evobit_data::encode::encode;
use evobit_data::{Dataset, LoadOptions, Loaded, load_known};
use evobit_model::Model;
use evobit_model::evaluate::{self, confusion};
use evobit_model::measures::Measures;
use evobit_train::settings::{Facts, Settings, TrainConfig};
use evobit_train::with_test_file;

pub(super) fn run(args: &EvalArgs) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let selected = select(&model, &args.model, &args.data, None)?;
    report(args, &model, &selected)
}

/// Samples that were asked for.
pub(super) struct Selected {
    pub(super) source: String,
    pub(super) part: Part,
    pub(super) data: Dataset,
}

/// The samples that a user means, read as the model needs them: by default those of the run beside the model, of these `default`, else the
/// held-out ones.
pub(super) fn select(
    model: &Model,
    path: &Path,
    args: &DataArgs,
    default: Option<Part>,
) -> Result<Selected, Failure> {
    let (schema, classes) = (model.schema(), model.classes());
    let beside = path.with_file_name("config.toml");
    let settings = if beside.is_file() { Some(read_settings(&beside)?) } else { None };
    let given = args.data.clone().or_else(|| args.data_flag.clone());
    let Some(source) = given.or_else(|| settings.as_ref().and_then(|settings| settings.data.clone())) else {
        return Err(Failure::usage(
            "which data? There is no config.toml beside the model: give a data set after it",
        ));
    };
    let trained_label = settings.as_ref().and_then(|settings| settings.label.clone());
    // Of other data the run says nothing but the name of its label.
    let settings = settings
        .filter(|settings| settings.data.as_ref().is_some_and(|trained_on| same_source(trained_on, &source)));
    let known = settings.as_ref().map(Settings::load_options).unwrap_or_default();
    let label = args.label.clone().or_else(|| known.label.clone());
    let options = LoadOptions { label, trained_label, writing: args.writing.over(known.writing), ..known };
    let loaded = load_known(&source, &schema, &classes, &options)?;
    let test = settings.as_ref().and_then(|settings| settings.test.as_ref());
    let loaded = with_test_file(loaded, test, &options)?;
    let facts = Facts { schema: &schema, classes: &classes, samples: 0, data: None };
    let config = settings.map(|settings| settings.resolve(facts)).transpose().map_err(Failure::usage)?;
    loaded.notes.iter().for_each(|note| tell(&format!("note: {note}")));
    let known = config.is_some() || loaded.test.is_some();
    let part = args.part.or(default.filter(|_| known));
    let (part, data) = choose(part, loaded, config.as_ref(), path)?;
    if data.samples() == 0 {
        let message = format!("{source}: its {} part is empty: choose another --part", part_name(part));
        return Err(Failure { code: 1, message });
    }
    Ok(Selected { source, part, data })
}

/// True for the same built-in set or path.
fn same_source(a: &str, b: &str) -> bool {
    let canonical = |path: &str| Path::new(path).canonicalize().ok();
    a == b || canonical(a).is_some_and(|path| Some(path) == canonical(b))
}

pub(super) fn part_name(part: Part) -> String {
    format!("{part:?}").to_lowercase()
}

fn choose(
    part: Option<Part>,
    loaded: Loaded,
    config: Option<&TrainConfig>,
    model: &Path,
) -> Result<(Part, Dataset), Failure> {
    let part = part.unwrap_or(if config.is_some() || loaded.test.is_some() { Part::Test } else { Part::All });
    let data = match (part, config, loaded.test.is_some()) {
        (Part::All, ..) | (Part::Train, None, true) => loaded.train,
        (Part::Test, None, true) => loaded.test.unwrap_or(loaded.train),
        (_, Some(config), _) => {
            let [train, validation, test] = evobit_train::parts(&loaded, config)?;
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

fn report(args: &EvalArgs, model: &Model, selected: &Selected) -> Result<(), Failure> {
    let Selected { source, part, data } = selected;
    let image = model.image();
    let classes = model.classes();
    let packing = image.topology().layer(0).packing;
    let inputs = encode(image.encoder(), packing, &data.values, data.samples());
    let genome = model.genome();
    let classifier = super::kind(model)?.classifier(image.topology(), &genome)?;
    let scores = classifier.scores(&inputs);
    let network = confusion(&evaluate::answers(&scores, classes.len()), &data.labels, classes.len());
    // What was pulled from a board answers as the board does.
    let answers = match learned::answers(model, (0..data.samples()).map(|sample| data.bytes(sample))) {
        Some(answers) => Some(answers?.iter().map(|answers| answers.answer).collect::<Vec<u8>>()),
        None => None,
    };
    let matrix = answers.as_ref().map(|answers| confusion(answers, &data.labels, classes.len()));
    let matrix = matrix.as_ref().unwrap_or(&network);
    let right = |matrix: &[Vec<u32>]| (0..classes.len()).map(|class| matrix[class][class]).sum::<u32>();
    let share = |right: u32| f64::from(right) / data.samples() as f64;
    let (correct, by_network) = (right(matrix), right(&network));
    let measures = Measures::new(matrix, &classes);
    // The scores are the network's: where the board answers otherwise, they say nothing.
    let measures = if answers.is_some() { measures } else { measures.with_scores(&scores, &data.labels) };
    if args.json {
        let mut json = json!(measures);
        let more = json!({
            "samples": data.samples(),
            "confusion": matrix,
            "classes": classes,
            "part": part,
            "data": source,
            "model": args.model.display().to_string(),
        });
        extend(&mut json, more);
        if answers.is_some() {
            json["network_accuracy"] = share(by_network).into();
        }
        return print(&json.to_string());
    }
    let shown = |right: u32| format!("{} ({right} of {})", percent(share(right)), data.samples());
    let mut rows = vec![("accuracy", shown(correct))];
    if answers.is_some() {
        rows[0].1 += ", answering as the board did that it was pulled from";
        rows.push(("network alone", shown(by_network)));
    }
    rows.extend(measured_rows(&measures));
    rows.push(("samples", format!("{} part of {source}", part_name(*part))));
    print(&lines(&rows))?;
    print(&class_lines(&measures))?;
    print(&confusion_text(matrix, &classes))
}

/// The confusion matrix as text for few classes, else the classes that are mistaken most.
pub(super) fn confusion_text(matrix: &[Vec<u32>], classes: &[String]) -> String {
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
