//! `evobit rule train`: tasks in, a rule and a network that learned by it out.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::super::progress::{catch_interrupts, interrupted};
use super::super::table::{lines, percent};
use super::super::{Failure, print, tell};
use super::RuleTrainArgs;
use super::given::{self, Given};
use super::verdict::Verdict;
use evobit::evolve::genetic;
use evobit::image::Checksum;
use evobit::rule::baseline::Delta;
use evobit::rule::{EvolvedRule, GENOME_WORDS, Lanes, RuleGenes, ShapeError, Weight, image};
use evobit_report::CurvePoint;
use evobit_rules::rule::meta::{ChapterRow, MetaOutcome, MetaSettings};
use evobit_rules::rule::picture::animate;
use evobit_rules::rule::{Batch, Course, HIGHEST, Kind, LANES, Phase, Room, evolve, live};
use evobit_train::run_folder::RunFolder;

/// Frames of an animation.
const FRAMES: usize = 40;

/// Why evolution could not go on.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("{0}: change --population")]
    Genetic(#[from] genetic::Error),
}

pub(super) fn run(args: &RuleTrainArgs) -> Result<(), Failure> {
    let mut course = args.task.course(args.sample_archs.as_deref())?;
    course.most = args.most.unwrap_or(usize::MAX);
    course.improvement = args.improvement;
    for (flag, value) in [
        ("--population", args.population),
        ("--chapter", args.chapter),
        ("--batches", args.batches),
        ("--choosing", args.choosing),
    ] {
        if !(1..=10_000).contains(&value) {
            return Err(Failure::usage(format!("{flag} must be 1 to 10000")));
        }
    }
    if args.population < 2 {
        return Err(Failure::usage("--population must be at least 2"));
    }
    let from = args.from.as_deref().map(given::genome).transpose()?;
    if let (Some(name), Some(genome)) = (&args.from, &from) {
        given::check(&EvolvedRule::new(genome)?, name, &course)?;
    }
    catch_interrupts();
    let folder = RunFolder::create(args.out.as_deref(), "rule")?;
    folder.write("config.toml", toml::to_string(args)?.as_bytes())?;
    tell(&format!(
        "{:?}: {} inputs, {} classes, hidden layers {:?}; run folder {}",
        course.kind,
        course.learn.inputs,
        course.learn.classes,
        course.shapes,
        folder.path().display()
    ));
    let started = Instant::now();
    let choosing = course.choosing(args.choosing)?;
    let baseline = (course.kind != Kind::Unlabelled).then(|| given::best_delta(&choosing));
    let from = from.unwrap_or(baseline.map_or([0; GENOME_WORDS], RuleGenes::delta));
    let (outcome, best) = search(args, &course, &choosing, from)?;
    let seconds = started.elapsed().as_secs_f64();

    let rule = EvolvedRule::new(&outcome.genome)?;
    let batches = course.last()?;
    let mut room = Room::new();
    let marks = batches.iter().map(|batch| live(&rule, batch, &mut room)).collect::<Result<Vec<_>, _>>()?;
    let verdict = Verdict::new(&course, &marks);
    let baseline = baseline.map(|rate| Baseline::new(rate, &course)).transpose()?;
    save(&folder, &outcome, &best, &rule, &batches[0])?;
    let path = folder.file("rule.evr").display().to_string();
    if args.json {
        let mut object = serde_json::to_value(&verdict)?;
        let delta = serde_json::to_value(&baseline)?;
        let more = json!({
            "seconds": seconds,
            "generations": outcome.generations,
            "seed": args.task.seed,
            "rule": path,
            "terms": rule.terms(),
            "delta": delta,
        });
        if let (Some(object), serde_json::Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        return print(&object.to_string());
    }
    print(&table(&course, &verdict, baseline.as_ref(), &outcome, &rule, seconds, &path))
}

/// The delta rule on the same tasks.
#[derive(Debug, Serialize)]
struct Baseline {
    /// The rate that was best on the tasks that choose.
    rate: u8,
    /// What networks come to by it.
    #[serde(flatten)]
    verdict: Verdict,
}

impl Baseline {
    fn new(rate: u8, course: &Course) -> Result<Self, Failure> {
        let marks = Given::Delta(Delta { rate }).learn("the delta rule", course)?;
        Ok(Self { rate, verdict: Verdict::new(course, &marks) })
    }
}

/// Evolves, with a bar where there is a terminal; returns the rule it begins with and those of all chapters as well.
fn search(
    args: &RuleTrainArgs,
    course: &Course,
    choosing: &[Batch],
    from: [u32; GENOME_WORDS],
) -> Result<(MetaOutcome, Vec<EvolvedRule>), Failure> {
    let settings = MetaSettings {
        population: args.population,
        generations: args.generations,
        chapter: args.chapter,
        patience: args.patience,
        pool: args.pool,
        from,
        seed: args.task.seed,
    };
    let bar = ProgressBar::new(args.generations.into());
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed_precise} {bar:30.cyan} {pos} of {len} generations  {msg}")
    {
        bar.set_style(style);
    }
    let mut best = vec![EvolvedRule::new(&from)?];
    let outcome = evolve::<Refused>(
        &settings,
        |chapter| Ok(course.chapter(chapter, args.batches)?),
        choosing,
        |row: &ChapterRow, rule| {
            bar.set_position(row.generation.into());
            bar.set_message(format!("{} right, {} coefficients", percent(row.accuracy), row.terms));
            best.push(*rule);
            !interrupted()
        },
    );
    bar.finish_and_clear();
    Ok((outcome?, best))
}

fn save(
    folder: &RunFolder,
    outcome: &MetaOutcome,
    chapters: &[EvolvedRule],
    rule: &EvolvedRule,
    batch: &Batch,
) -> Result<(), Failure> {
    let mut bytes = vec![0; image::image_len(None)];
    image::write(&outcome.genome, None, &mut bytes)?;
    folder.write("rule.evr", &bytes)?;
    let mut room = Room::new();
    live(rule, batch, &mut room)?;
    let mut bytes = vec![0; image::image_len(Some(&batch.shape))];
    image::write(
        &outcome.genome,
        Some((&batch.shape, batch.plasticity.kind, &first_lane(room.weights()))),
        &mut bytes,
    )?;
    folder.write("network.evr", &bytes)?;
    let trained = first_lane(room.weights());
    let mut bytes = vec![0; image::image_len(Some(&batch.shape))];
    image::write(
        &outcome.genome,
        Some((&batch.shape, batch.plasticity.kind, &first_lane(&batch.start))),
        &mut bytes,
    )?;
    folder.write("start.evr", &bytes)?;
    folder.write("samples.bin", &first_stream(batch))?;
    folder.write("network.crc", format!("{:08x}", weights_checksum(&trained)).as_bytes())?;
    let mut text = String::from("generation,best,mean,validation,validation_accuracy,flips,terms\n");
    for row in &outcome.rows {
        text += &format!(
            "{},{},{},{},{:.6},{:.2},{}\n",
            row.generation,
            row.best,
            row.mean,
            row.validation,
            row.accuracy,
            f64::from(row.flips) / 16.0,
            row.terms
        );
    }
    folder.write("metrics.csv", text.as_bytes())?;
    let point = |row: &ChapterRow| CurvePoint {
        x: row.generation.into(),
        train_accuracy: f64::NAN,
        validation_accuracy: row.accuracy,
        train_loss: 1.0 - row.best as f64 / HIGHEST as f64,
        validation_loss: 1.0 - row.validation as f64 / HIGHEST as f64,
    };
    let points: Vec<CurvePoint> = outcome.rows.iter().map(point).collect();
    evobit_report::curves(&folder.file("curves.svg"), "generations", &points)?;
    animate(&folder.file("epochs.gif"), &batch.shape, &course_of(rule, batch)?)?;
    let mut ends = vec![];
    for chapter in chapters {
        live(chapter, batch, &mut room)?;
        ends.push(room.weights().to_vec());
    }
    animate(&folder.file("generations.gif"), &batch.shape, &ends)?;
    Ok(())
}

/// What the first lane is shown, as a board reads it: 0 to learn, 1 to answer or 2 to learn without a class, the class, the inputs.
fn first_stream(batch: &Batch) -> Vec<u8> {
    let mut bytes = vec![];
    for phase in &batch.phases {
        let (mode, samples) = match phase {
            Phase::Learn(samples) => (if batch.labelled { 0 } else { 2 }, samples),
            Phase::Exam(samples, _) => (1, samples),
            // A board's weights change by learning alone.
            Phase::Replace(_) => break,
        };
        for sample in samples {
            bytes.extend([mode, sample.classes[0]]);
            bytes.extend(sample.inputs.iter().map(|input| input[0] as u8));
        }
    }
    bytes
}

/// The checksum of values and states, as a board tells it.
fn weights_checksum(weights: &[Weight<1>]) -> u32 {
    let mut sum = Checksum::new();
    for weight in weights {
        sum.update(&weight.value.0[0].to_le_bytes());
        sum.update(&weight.state.0[0].to_le_bytes());
    }
    sum.value()
}

/// The weights of the first lane.
fn first_lane(weights: &[Weight<LANES>]) -> Vec<Weight<1>> {
    let lane = |weight: &Weight<LANES>| Weight {
        value: Lanes([weight.value.0[0]]),
        state: Lanes([weight.state.0[0]]),
    };
    weights.iter().map(lane).collect()
}

/// The weights at equal distances of the first lesson, the start included.
fn course_of(rule: &EvolvedRule, batch: &Batch) -> Result<Vec<Vec<Weight<LANES>>>, ShapeError> {
    let mut frames = vec![batch.start.clone()];
    let lesson = batch
        .phases
        .iter()
        .find_map(|phase| if let Phase::Learn(samples) = phase { Some(samples) } else { None });
    let lesson = lesson.map_or(&[][..], |samples| samples);
    let mut room = Room::new();
    for part in lesson.chunks(lesson.len().div_ceil(FRAMES).max(1)) {
        let start = frames.last().cloned().unwrap_or_default();
        let phases = vec![Phase::Learn(part.to_vec())];
        live(rule, &Batch { start, phases, ..batch.clone() }, &mut room)?;
        frames.push(room.weights().to_vec());
    }
    Ok(frames)
}

fn table(
    course: &Course,
    verdict: &Verdict,
    baseline: Option<&Baseline>,
    outcome: &MetaOutcome,
    rule: &EvolvedRule,
    seconds: f64,
    path: &str,
) -> String {
    let name = if course.kind == Kind::Boolean {
        "functions learned, all answers right"
    } else {
        "accuracy on held-out samples"
    };
    let exams: Vec<String> = verdict.exams.iter().map(|&share| percent(share)).collect();
    let by_delta = baseline.map_or_else(
        || String::from("-"),
        |Baseline { rate, verdict }| {
            let [first, mean] = [verdict.test_accuracy, verdict.mean_accuracy].map(percent);
            format!("{first}, mean of all networks {mean} (delta:{rate}, the best rate while evolving)")
        },
    );
    let mut text = lines(&[
        (name, percent(verdict.test_accuracy)),
        ("exams, mean of all networks", exams.join(", ")),
        ("the same by the delta rule", by_delta),
        ("networks", verdict.networks.to_string()),
        ("rule", format!("{} coefficients", rule.terms())),
        ("evolution", format!("{seconds:.1} s, {} generations", outcome.generations)),
    ]);
    text += &format!("\nrule      {path}\n");
    text += "pictures  beside it: curves.svg, epochs.gif, generations.gif";
    text
}
