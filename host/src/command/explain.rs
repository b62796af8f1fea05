//! `evobit explain`: which columns a model goes by.
//!
//! Permutation importance (Breiman, Random forests, Machine Learning 45, 2001): the values of one column are shuffled among the samples, and
//! what accuracy loses is what the column was worth to the model. Columns that say the same share their worth.

use evobit::rng::{Draw, Purpose, Stream};
use rayon::prelude::*;
use serde_json::json;

use super::eval::{part_name, select};
use super::table::percent;
use super::{ExplainArgs, Failure, print, tell};
use evobit_data::encode::encode;
use evobit_data::{Dataset, Schema, Values};
use evobit_model::Model;
use evobit_model::evaluate;
use evobit_report::Importance;

/// Most columns that are listed for people.
const MOST_LISTED: usize = 40;

pub(super) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    if args.shuffles == 0 {
        return Err(Failure::usage("--shuffles must be at least 1"));
    }
    let model = Model::read(&args.model)?;
    let selected = select(&model, &args.model, &args.data, None)?;
    let data = &selected.data;
    let Schema::Table(columns) = &data.schema else {
        return Err(Failure::usage(
            "explain is for tables: of an image look at weights.png in the run folder, pixels say little by themselves",
        ));
    };
    let right = accuracy(&model, &data.values, data)?;
    let worth = |(feature, column): (usize, &evobit_data::Column)| {
        let lost: Result<Vec<f64>, Failure> = (0..args.shuffles)
            .map(|shuffle| {
                let index = feature as u32 * args.shuffles + shuffle;
                let values = shuffled(data, feature, &mut Stream::new(args.seed, Purpose::Samples, index));
                Ok(right - accuracy(&model, &values, data)?)
            })
            .collect();
        let lost = lost?;
        let count = lost.len() as f64;
        let loss = lost.iter().sum::<f64>() / count;
        let squares = lost.iter().map(|one| (one - loss) * (one - loss)).sum::<f64>();
        let spread = (squares / (count - 1.0).max(1.0)).sqrt();
        Ok(Importance { name: column.name.clone(), loss, spread })
    };
    let mut all = columns.par_iter().enumerate().map(worth).collect::<Result<Vec<Importance>, Failure>>()?;
    all.sort_by(|one, other| other.loss.total_cmp(&one.loss));
    if let Some(path) = &args.out {
        evobit_report::importance(path, &all)?;
    }
    if args.json {
        let columns: Vec<_> = all
            .iter()
            .map(|column| json!({ "column": column.name, "loss": column.loss, "spread": column.spread }))
            .collect();
        let part = part_name(selected.part);
        return print(
            &json!({ "accuracy": right, "samples": data.samples(), "part": part, "columns": columns })
                .to_string(),
        );
    }
    let (part, samples) = (part_name(selected.part), data.samples());
    print(&format!("{} right on {samples} samples, the {part} part of {}", percent(right), selected.source))?;
    print(&text(&all))?;
    if let Some(path) = &args.out {
        tell(&format!("picture  {}", path.display()));
    }
    Ok(())
}

fn text(all: &[Importance]) -> String {
    let mut text = format!("  {:32}  {:>9}  {:>9}\n", "accuracy lost without it", "mean", "spread");
    for column in all.iter().take(MOST_LISTED) {
        let name: String = column.name.chars().take(32).collect();
        text += &format!("  {name:32}  {:>9}  {:>9}\n", percent(column.loss), percent(column.spread));
    }
    if all.len() > MOST_LISTED {
        text += &format!("  and {} more, which --json lists\n", all.len() - MOST_LISTED);
    }
    text.truncate(text.trim_end().len());
    text
}

/// The values with those of one column in another order.
fn shuffled(data: &Dataset, feature: usize, stream: &mut Stream) -> Values {
    let (samples, features) = (data.samples(), data.features());
    let mut order: Vec<u32> = (0..samples as u32).collect();
    stream.shuffle(&mut order);
    let key = |index: usize| {
        let (sample, column) = (index / features, index % features);
        data.key(if column == feature { order[sample] as usize } else { sample }, column)
    };
    Values::Keys((0..samples * features).map(key).collect())
}

fn accuracy(model: &Model, values: &Values, data: &Dataset) -> Result<f64, Failure> {
    let image = model.image();
    let inputs = encode(image.encoder(), image.topology().layer(0).packing, values, data.samples());
    let genome = model.genome();
    let classifier = super::kind(model)?.classifier(image.topology(), &genome)?;
    let answers = evaluate::predict(&*classifier, &inputs);
    let right = answers.iter().zip(&data.labels).filter(|(answer, label)| answer == label).count();
    Ok(right as f64 / data.samples() as f64)
}
