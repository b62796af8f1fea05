//! Samples to a board: classified, measured, learned from.

use std::path::Path;
use std::time::Instant;

use evobit::rng::{Draw, Purpose, Stream};
use evobit_link::Evolve;
use indicatif::ProgressBar;
use serde_json::json;

use super::super::eval::{Selected, confusion_text, part_name, select};
use super::super::signals::{catch, interrupted};
use super::super::table::{lines, percent};
use super::super::{DataArgs, Failure, LearnArgs, Part, print};
use super::{Session, midway, statistics_json, statistics_rows};
use evobit_boards::{Class, LinkFailure};
use evobit_data::encode::encode;
use evobit_data::{LoadOptions, load_unlabelled};
use evobit_model::Model;
use evobit_model::evaluate::{self, confusion};

/// Samples whose accuracy is shown while the board learns.
const WINDOW: usize = 50;

pub(super) fn classify(session: &mut Session<'_>, input: &str, label: Option<String>) -> Result<(), Failure> {
    let (model, _) = session.base()?;
    let (schema, classes) = (model.schema(), model.classes());
    let samples =
        load_unlabelled(input, &schema, &classes, &LoadOptions { label, ..LoadOptions::default() })?;
    let features = samples.features();
    let bytes = |sample: usize| samples.values.bytes(sample, features);
    let answers = ask(session, samples.samples(), bytes)?;
    let names: Vec<&str> = answers.iter().map(|class| classes[usize::from(class.answer)].as_str()).collect();
    if session.args.json {
        return print(&json!({ "samples": names.len(), "answers": names }).to_string());
    }
    names.into_iter().try_for_each(print)
}

/// The board's answers to all samples.
fn ask(
    session: &mut Session<'_>,
    samples: usize,
    bytes: impl Fn(usize) -> Vec<u8>,
) -> Result<Vec<Class>, Failure> {
    let bar = ProgressBar::new(samples as u64);
    let mut answers = Vec::with_capacity(samples);
    for sample in 0..samples {
        let bytes = bytes(sample);
        session.client.check_sample(&session.info, bytes.len())?;
        answers.push(session.client.classify(&bytes).map_err(|error| {
            let what = format!("after {sample} of {samples} samples");
            midway(error, &what, "start the board again, then repeat the command: nothing was changed")
        })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let classes = session.info.classes;
    if answers.iter().any(|class| class.answer >= classes || class.network >= classes) {
        return Err(LinkFailure::Other.into());
    }
    Ok(answers)
}

pub(super) fn eval(
    session: &mut Session<'_>,
    data: &DataArgs,
    predictions: Option<&Path>,
) -> Result<(), Failure> {
    let (model, path) = session.base()?;
    let Selected { source, part, data } = select(&model, &path, data, None)?;
    let classes = model.classes();
    let answers = ask(session, data.samples(), |sample| data.bytes(sample))?;
    let given: Vec<u8> = answers.iter().map(|class| class.answer as u8).collect();
    if let Some(file) = predictions {
        let text: String = given.iter().map(|&class| format!("{}\n", classes[usize::from(class)])).collect();
        std::fs::write(file, text).map_err(|error| {
            Failure::usage(format!("{}: {error}: choose another --predictions", file.display()))
        })?;
    }
    let matrix = confusion(&given, &data.labels, classes.len());
    let share = |right: usize| right as f64 / data.samples() as f64;
    let rate = |answer: &dyn Fn(&Class) -> Option<u16>| {
        let pairs = answers.iter().zip(&data.labels);
        share(pairs.filter(|(class, label)| answer(class) == Some(u16::from(**label))).count())
    };
    let accuracy = rate(&|class| Some(class.answer));
    let network = rate(&|class| Some(class.network));
    let stored =
        answers.first().is_some_and(|class| class.samples.is_some()).then(|| rate(&|class| class.samples));
    let prototypes = answers
        .first()
        .is_some_and(|class| class.prototypes.is_some())
        .then(|| rate(&|class| class.prototypes));
    let differing = differing(session, &model, &data, &answers)?;
    if session.args.json {
        let json = json!({
            "accuracy": accuracy,
            "network_accuracy": network,
            "samples_accuracy": stored,
            "prototypes_accuracy": prototypes,
            "samples": data.samples(),
            "differs_from_host": differing,
            "confusion": matrix,
            "classes": classes,
            "part": part,
            "data": source,
            "board": session.info.board,
            "model": path.display().to_string(),
        });
        return print(&json.to_string());
    }
    let mut rows = vec![("accuracy", percent(accuracy)), ("network alone", percent(network))];
    rows.extend(stored.map(|rate| ("stored samples", percent(rate))));
    rows.extend(prototypes.map(|rate| ("prototypes", percent(rate))));
    rows.push((
        "samples",
        format!(
            "{}, {} part of {source}, classified on {}",
            data.samples(),
            part_name(part),
            session.info.board
        ),
    ));
    rows.extend(differing.map(|number| match number {
        0 => ("beside the host", "the same class for every sample".to_owned()),
        number => (
            "beside the host",
            format!("{number} samples differ: the firmware is of another version, flash it again"),
        ),
    }));
    print(&lines(&rows))?;
    print(&confusion_text(&matrix, &classes))
}

/// While the network is the flashed one: how many of its answers differ from the host's.
fn differing(
    session: &mut Session<'_>,
    model: &Model,
    data: &evobit_data::Dataset,
    answers: &[Class],
) -> Result<Option<usize>, Failure> {
    let genome = session.client.statistics()?.genome;
    if genome != evobit::image::genome_checksum(&model.genome()) {
        return Ok(None);
    }
    let image = model.image();
    let packing = image.topology().layer(0).packing;
    let inputs = encode(image.encoder(), packing, &data.values, data.samples());
    let host = evaluate::predict(&image.network(), &inputs);
    Ok(Some(host.iter().zip(answers).filter(|(host, board)| u16::from(**host) != board.network).count()))
}

pub(super) fn learn(session: &mut Session<'_>, args: &LearnArgs) -> Result<(), Failure> {
    let (model, path) = session.base()?;
    let Selected { source, part, data } = select(&model, &path, &args.data, Some(Part::Train))?;
    let mut order: Vec<usize> = (0..data.samples()).collect();
    Stream::new(args.seed, Purpose::Samples, 0).shuffle(&mut order);
    let end = args.samples.map_or(order.len(), |samples| samples.saturating_add(args.skip).min(order.len()));
    let order = order.get(args.skip..end).unwrap_or_default();
    if order.is_empty() {
        return Err(Failure::usage(format!(
            "no samples are left: there are {}, and --skip leaves out {}",
            data.samples(),
            args.skip
        )));
    }
    if args.skip == 0 {
        session.client.seed(args.seed)?;
    }
    catch();
    let (started, bar) = (Instant::now(), ProgressBar::new(order.len() as u64));
    let mut right = Vec::with_capacity(order.len());
    for &sample in order {
        let bytes = data.bytes(sample);
        session.client.check_sample(&session.info, bytes.len())?;
        let learned = session.client.learn(&bytes, data.labels[sample]).map_err(|error| {
            let taught = right.len();
            let next = format!(
                "repeat the command with --skip {} to go on where it was; a board that lost power has what it last saved",
                args.skip + taught
            );
            midway(error, &format!("after {taught} of {} samples", order.len()), &next)
        })?;
        right.push(learned.right);
        let window = &right[right.len().saturating_sub(WINDOW)..];
        let lately = window.iter().filter(|right| **right).count() as f64 / window.len() as f64;
        bar.set_message(format!("{} right lately", percent(lately)));
        bar.inc(1);
        if learned.drifted {
            bar.suspend(|| {
                super::super::tell(&format!("sample {}: the board noticed drift and evolves", right.len()));
            });
        }
        if interrupted() {
            break;
        }
    }
    bar.finish_and_clear();
    let settled = match args.idle {
        idle if idle > 0 && !interrupted() => session.client.evolve(Evolve::Network, idle),
        _ => session.client.settle(),
    };
    let next = "the samples are learned; `evobit link PORT info` shows what came of them";
    let settled = settled.map_err(|error| midway(error, "while the board evolved", next))?;
    let share = |right: &[bool]| right.iter().filter(|right| **right).count() as f64 / right.len() as f64;
    let lately = share(&right[right.len().saturating_sub(WINDOW)..]);
    if session.args.json {
        let mut json = statistics_json(&settled);
        json["taught"] = right.len().into();
        json["accuracy_before_learning"] = share(&right).into();
        json["accuracy_lately"] = lately.into();
        json["seconds"] = started.elapsed().as_secs_f64().into();
        json["data"] = source.into();
        return print(&json.to_string());
    }
    let mut rows = vec![
        ("taught", format!("{} samples, {} part of {source}", right.len(), part_name(part))),
        (
            "right before learning",
            format!(
                "{}, {} of the last {}",
                percent(share(&right)),
                percent(lately),
                right.len().min(WINDOW)
            ),
        ),
    ];
    rows.extend(statistics_rows(&settled));
    print(lines(&rows).trim_end())
}
