//! `evobit predict`: one line out for each sample in.

use std::io::Write;

use evobit::network::best_class;

use super::{Failure, PredictArgs, tell};
use evobit_data::encode::encode;
use evobit_data::{ColumnChoice, LoadOptions, Writing, load_unlabelled, read_unlabelled};
use evobit_model::Model;

pub(super) fn run(args: &PredictArgs) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let (schema, classes) = (model.schema(), model.classes());
    let Some(source) = args.input.as_ref().or(args.data_flag.as_ref()) else {
        return Err(Failure::usage(
            "which samples? Give a CSV or IDX file after the model, or - for standard input",
        ));
    };
    let writing = args.writing.over(Writing::default());
    let columns = ColumnChoice { id: args.id.clone(), ..ColumnChoice::default() };
    let options = LoadOptions { label: args.label.clone(), writing, columns, ..LoadOptions::default() };
    let samples = if source == "-" {
        read_unlabelled(std::io::stdin().lock(), "standard input", &schema, &classes, &options)?
    } else {
        load_unlabelled(source, &schema, &classes, &options)?
    };
    samples.notes.iter().for_each(|note| tell(&format!("note: {note}")));
    let image = model.image();
    let packing = image.topology().layer(0).packing;
    let inputs = encode(image.encoder(), packing, &samples.values, samples.samples());
    let genome = model.genome();
    let scores = super::kind(&model)?.classifier(image.topology(), &genome)?.scores(&inputs);
    let mut text = vec![];
    write_lines(&mut text, args.scores, &scores, &classes, samples.ids.as_ref())?;
    if let Some(path) = &args.out {
        return std::fs::write(path, &text).map_err(|error| Failure {
            code: 1,
            message: format!("{}: cannot be written ({error}): choose another --out", path.display()),
        });
    }
    match std::io::stdout().lock().write_all(&text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// To memory first: errors of the CSV writer no longer say that it was the reader who went away.
fn write_lines(
    text: &mut Vec<u8>,
    with_scores: bool,
    scores: &[i32],
    classes: &[String],
    ids: Option<&(String, Vec<String>)>,
) -> csv::Result<()> {
    let mut out = csv::Writer::from_writer(text);
    if let Some((name, _)) = ids {
        out.write_field(name)?;
    }
    if with_scores || ids.is_some() {
        out.write_field("class")?;
        out.write_record(if with_scores { classes } else { &[] })?;
    }
    for (sample, scores) in scores.chunks(classes.len()).enumerate() {
        if let Some((_, ids)) = ids {
            out.write_field(&ids[sample])?;
        }
        out.write_field(&classes[best_class(scores)])?;
        if with_scores {
            scores.iter().try_for_each(|score| out.write_field(score.to_string()))?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(out.flush()?)
}
