//! `evobit train --folds K`: cross-validation.

use evobit::rng::{Purpose, Stream};
use serde_json::json;

use super::measured::{class_lines, extend, measured_rows};
use super::table::{count, lines, percent, plural};
use super::train::open;
use super::{Failure, TrainArgs, print, read_settings, signals, tell};
use evobit_data::{Division, Part};
use evobit_model::evaluate::{self, confusion};
use evobit_model::measures::Measures;
use evobit_train::{Session, Silent, Source, prepare_from};

/// Numbers the stream that deals the folds: that of number 0 parts the samples of a single run.
const DEAL: u32 = 1;

/// Trains once for each fold, on all others, and says how the models do on what they did not see. No model is kept: none was chosen.
pub(super) fn run(args: &TrainArgs, folds: usize) -> Result<(), Failure> {
    let settings = match &args.config {
        Some(path) => args.settings.clone().or(read_settings(path)?),
        None => args.settings.clone(),
    };
    let (Source { mut loaded, model }, config) = open(settings)?;
    signals::catch();
    loaded.notes.iter().for_each(|note| tell(&format!("{}: {note}", loaded.name)));
    if loaded.test.take().is_some() {
        tell("the test part of the data is left out: folds are of the training part");
    }
    let (labels, classes) = (loaded.train.labels.clone(), loaded.train.classes.clone());
    let mut stream = Stream::new(config.seed, Purpose::Split, DEAL);
    let dealt = loaded.division.folds(&labels, classes.len(), folds, &mut stream)?;
    let (mut accuracies, mut together) = (vec![], vec![vec![0; classes.len()]; classes.len()]);
    for (number, fold) in dealt.iter().enumerate() {
        let mut parts = vec![Part::Train; labels.len()];
        fold.iter().for_each(|&sample| parts[sample as usize] = Part::Test);
        loaded.division = Division::Parts(parts);
        let mut prepared = prepare_from(&loaded, &config, model.as_ref())
            .map_err(|error| if error.is_setting() { Failure::usage(error) } else { error.into() })?;
        prepared.instructions = args.instructions;
        let session = Session { interrupt: signals::interrupt(), ..Session::default() };
        let outcome = evobit_train::run(&prepared, &config, session, None, &mut Silent)?;
        if let Some(signal) = signals::interrupt().signal() {
            let message =
                format!("stopped in fold {} of {folds}: no figure would be of all folds", number + 1);
            return Err(Failure { code: signal.exit_code(), message });
        }
        let scores = prepared.classifier(&outcome.genome)?.scores(&prepared.test.inputs);
        let answers = evaluate::answers(&scores, classes.len());
        let matrix = confusion(&answers, &prepared.test.labels, classes.len());
        let accuracy = Measures::new(&matrix, &classes).accuracy;
        let samples = plural(fold.len() as u64, "sample");
        tell(&format!("fold {} of {folds}: {} of {samples}", number + 1, percent(accuracy)));
        accuracies.push(accuracy);
        for (sums, row) in together.iter_mut().zip(&matrix) {
            sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
    }
    let (mean, spread) = mean_and_spread(&accuracies);
    // Every sample was tested once.
    let measures = Measures::new(&together, &classes);
    if args.json {
        let mut json = json!(measures);
        let more = json!({ "folds": accuracies, "mean_accuracy": mean, "spread": spread, "samples": labels.len(), "seed": config.seed });
        extend(&mut json, more);
        return print(&json.to_string());
    }
    let mut rows = vec![
        (
            "accuracy",
            format!(
                "{} +- {} (mean and standard deviation of {folds} folds)",
                percent(mean),
                percent(spread)
            ),
        ),
        ("samples", format!("{}, each tested once", count(labels.len() as u64))),
    ];
    rows.extend(measured_rows(&measures));
    print(&lines(&rows))?;
    print(class_lines(&measures).trim_end())
}

/// The mean of some values and the standard deviation of a sample of them.
fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::mean_and_spread;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        assert_eq!(mean_and_spread(&[2.0, 4.0, 9.0]), (5.0, 13.0f64.sqrt()));
        assert_eq!(mean_and_spread(&[3.0, 3.0]), (3.0, 0.0));
    }
}
