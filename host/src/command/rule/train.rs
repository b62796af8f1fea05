//! `evobit rule train`: tasks in, a rule and a network that learned by it out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::progress::Generations;
use super::super::saved::{Kind as Runs, Resumed, Unfinished};
use super::super::signals::{self, interrupted};
use super::super::table::{percent, plural};
use super::super::{Failure, print, tell, times};
use super::RuleTrainArgs;
use super::given;
use super::leaves::{Baseline, save, table};
use super::verdict::Verdict;
use evobit::evolve::genetic;
use evobit::image::Checksum;
use evobit::rule::{EvolvedRule, GENOME_WORDS, RuleGenes, ShapeError};
use evobit_rules::rule::meta::{ChapterRow, MetaOutcome, MetaSettings, RuleSearch, RuleState};
use evobit_rules::rule::{Batch, Course, CourseKind, Marks, Room, live, rule_image};
use evobit_search::checkpoint::{Checkpoints, Head};
use evobit_search::run_folder::FolderError;
use evobit_search::{Ended, Pace, RunFolder, Session, Stop, drive};

const RUNS: Runs = Runs { command: "rule train", result: "rule.evr" };

/// Why evolution could not go on.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("{0}: change --population")]
    Genetic(#[from] genetic::Error),
}

/// What a run is begun on, beside its arguments. It is found once and saved, as finding it takes long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ground {
    /// A checksum of the samples.
    samples: u32,
    /// The rate at which the delta rule is best; none without labels.
    rate: Option<u8>,
    /// The genome that evolution begins with.
    from: Vec<u32>,
}

/// A run that is prepared.
struct Run {
    args: RuleTrainArgs,
    course: Course,
    choosing: Vec<Batch>,
    ground: Ground,
    settings: MetaSettings,
    folder: RunFolder,
    checkpoints: Checkpoints,
    /// Where it goes on, and after how many generations and seconds.
    state: Option<RuleState>,
    before: (u64, f64),
    budget: Option<Duration>,
}

pub(super) fn run(args: &RuleTrainArgs) -> Result<(), Failure> {
    signals::listen();
    let resumed = match &args.resume {
        None => None,
        Some(path) => match RUNS.open(path, args.json)? {
            Resumed::Finished(said) => return print(&said),
            Resumed::Unfinished(run) => Some(*run),
        },
    };
    let mut run = prepare(args, resumed)?;
    let (outcome, ended, seconds) = search(&mut run)?;
    if ended.stop == Stop::Interrupted {
        return Err(stopped(&run, &outcome, ended));
    }
    finish(&mut run, &outcome, ended, seconds)
}

/// What is to be known before the search begins. Nothing is written until all of it is.
fn prepare(args: &RuleTrainArgs, resumed: Option<Unfinished>) -> Result<Run, Failure> {
    let (budget, interval) = times(args.budget, args.checkpoint)?;
    let args = match &resumed {
        None => args.clone(),
        Some(run) => RuleTrainArgs { json: args.json, ..toml::from_str(&run.config)? },
    };
    if let Some(path) = args.out.as_ref().filter(|path| resumed.is_none() && path.exists()) {
        // To look for the best delta rule first may take minutes.
        return Err(FolderError::Exists { path: path.clone() }.into());
    }
    let course = course(&args)?;
    let samples = checksum(&course);
    let newest = resumed.as_ref().and_then(|run| run.newest.as_ref());
    let choosing = course.choosing(args.choosing)?;
    let ground = match newest {
        None => Ground::find(&args, &course, &choosing, samples)?,
        Some((checkpoint, _)) => postcard::from_bytes(&checkpoint.head.fingerprint)?,
    };
    let Ok(from) = <[u32; GENOME_WORDS]>::try_from(&ground.from[..]) else {
        return Err(Failure { code: 1, message: "the rule to begin with is not one".into() });
    };
    if ground.samples != samples {
        let data = &args.task.data;
        return Err(Failure {
            code: 1,
            message: format!("the samples are not as when this run began: restore the data, {data}"),
        });
    }
    let settings = MetaSettings {
        population: args.population,
        generations: args.generations,
        chapter: args.chapter,
        patience: args.patience,
        pool: args.pool,
        from,
        seed: args.task.seed,
    };
    let read = |(checkpoint, _): &(evobit_search::checkpoint::Checkpoint, usize)| {
        RuleState::read(&checkpoint.state, &settings).ok_or_else(|| Failure {
            code: 1,
            message: "the checkpoint does not fit the configuration: begin anew with `evobit rule train`"
                .into(),
        })
    };
    let state = newest.map(read).transpose()?;
    let before = newest.map_or((0, 0.0), |(checkpoint, _)| (checkpoint.step, checkpoint.seconds));
    // From here on a signal leaves a run that goes on, not half a folder.
    signals::catch();
    let config = toml::to_string(&args)?;
    let folder = match &resumed {
        Some(run) => run.folder.clone(),
        None => RunFolder::create(args.out.as_deref(), "rule")?,
    };
    folder.write("config.toml", config.as_bytes())?;
    let head = Head { command: RUNS.command.into(), config, fingerprint: postcard::to_stdvec(&ground)? };
    let mut checkpoints = Checkpoints::new(&folder, head, interval, newest);
    if let Some((checkpoint, _)) = newest.filter(|(checkpoint, _)| checkpoint.ended().is_some()) {
        checkpoints.ended(checkpoint.clone());
    }
    Ok(Run { args, course, choosing, ground, settings, folder, checkpoints, state, before, budget })
}

/// The tasks that the arguments name, and a look at the other arguments.
fn course(args: &RuleTrainArgs) -> Result<Course, Failure> {
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
    Ok(course)
}

/// A checksum of the samples.
fn checksum(course: &Course) -> u32 {
    let mut sum = Checksum::new();
    for table in [&course.learn, &course.held_out] {
        let values: Vec<u8> = table.values.iter().map(|&value| value as u8).collect();
        sum.update(&(values.len() as u64).to_le_bytes());
        sum.update(&values);
        sum.update(&table.labels);
    }
    sum.value()
}

impl Ground {
    fn find(
        args: &RuleTrainArgs,
        course: &Course,
        choosing: &[Batch],
        samples: u32,
    ) -> Result<Self, Failure> {
        let from = args.from.as_deref().map(given::genome).transpose()?;
        if let (Some(name), Some(genome)) = (&args.from, &from) {
            given::check(&EvolvedRule::new(genome)?, name, course)?;
        }
        let rate = (course.kind != CourseKind::Unlabelled).then(|| given::best_delta(choosing));
        let from = from.unwrap_or(rate.map_or([0; GENOME_WORDS], RuleGenes::delta));
        Ok(Self { samples, rate, from: from.to_vec() })
    }
}

/// The hidden layers of the networks that evolution sees, as --hidden and --sample-archs take them.
fn shapes(shapes: &[Vec<u16>]) -> String {
    let layers = |layers: &Vec<u16>| layers.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let all: Vec<String> =
        shapes.iter().map(|shape| if shape.is_empty() { "none".into() } else { layers(shape) }).collect();
    all.join("/")
}

/// Evolves, with a bar where there is a terminal. Seconds are those of the whole search.
fn search(run: &mut Run) -> Result<(MetaOutcome, Ended, f64), Failure> {
    let Run { args, course, choosing, settings, folder, checkpoints, .. } = run;
    tell(&format!(
        "{}: {}, {}, hidden layers {}; run folder {}",
        course.kind,
        plural(course.learn.inputs as u64, "input"),
        plural(course.learn.classes as u64, "class"),
        shapes(&course.shapes),
        folder.path().display()
    ));
    let lives = |chapter| Ok::<_, Refused>(course.chapter(chapter, args.batches)?);
    let (state, before) = (run.state.take(), run.before);
    let begins = state.is_none();
    let mut search = match state {
        None => RuleSearch::new(settings, lives, choosing),
        Some(state) => {
            tell(&format!("goes on from generation {}", state.generations()));
            RuleSearch::resume(settings, lives, choosing, state)
        }
    };
    if let Some(stop) = checkpoints.has_ended() {
        return Ok((search.outcome(), Ended { stop, step: before.0, is_saved: true }, before.1));
    }
    if begins && let Err(reason) = checkpoints.write((0, 0.0), search.saved(), None) {
        // The first step may take minutes.
        tell(&format!("warning: no checkpoint was written, the search goes on: {reason}"));
    }
    let mut bar = Generations::new(settings.generations, |row: &ChapterRow| {
        format!("{} right, {} coefficients", percent(row.accuracy), row.terms)
    });
    let (budget, interrupt) = (run.budget, signals::interrupt());
    let mut session =
        Session { budget, before, checkpoints: Some(checkpoints), interrupt, ..Session::default() };
    let pace = Pace::new(&session);
    let ended = drive(&mut search, &pace, &mut session, &mut bar)?;
    Ok((search.outcome(), ended, pace.seconds()))
}

/// Leaves what there is of a run that a signal stopped.
fn stopped(run: &Run, outcome: &MetaOutcome, ended: Ended) -> Failure {
    let kept = || -> Result<(), Failure> {
        run.folder.write("rule.evr", &rule_image(&outcome.genome)?)?;
        run.folder.write_metrics(&outcome.rows)?;
        if run.args.json {
            let path = run.folder.file("rule.evr").display().to_string();
            let object = json!({ "stop": ended.stop, "generations": outcome.generations, "rule": path });
            print(&object.to_string())?;
        }
        Ok(())
    };
    if let Err(failure) = kept() {
        tell(&format!("warning: {}", failure.message));
    }
    let at = format!("generation {}", outcome.generations);
    signals::stopped(&at, RUNS.command, run.folder.path(), ended.is_saved)
}

/// The last exam, files and pictures.
fn finish(run: &mut Run, outcome: &MetaOutcome, ended: Ended, seconds: f64) -> Result<(), Failure> {
    let Run { args, course, ground, settings, folder, checkpoints, .. } = run;
    let rule = EvolvedRule::new(&outcome.genome)?;
    folder.write("rule.evr", &rule_image(&outcome.genome)?)?;
    folder.write_metrics(&outcome.rows)?;
    let batches = course.last()?;
    let mut room = Room::heeding(&signals::interrupt());
    let marks: Vec<Vec<Marks>> =
        batches.iter().map(|batch| live(&rule, batch, &mut room)).collect::<Result<_, _>>()?;
    let baseline =
        ground.rate.filter(|_| !interrupted()).map(|rate| Baseline::new(rate, course)).transpose()?;
    if interrupted() {
        let at = "its last exam";
        return Err(signals::stopped(at, RUNS.command, folder.path(), ended.is_saved));
    }
    let verdict = Verdict::new(course, &marks);
    save(folder, outcome, &EvolvedRule::new(&settings.from)?, &rule, &batches[0])?;
    if let Err(reason) = checkpoints.complete() {
        tell(&format!("warning: the last checkpoint was not written: {reason}"));
    }
    let path = folder.file("rule.evr").display().to_string();
    if args.json {
        let mut object = serde_json::to_value(&verdict)?;
        let delta = serde_json::to_value(&baseline)?;
        let more = json!({
            "seconds": seconds,
            "generations": outcome.generations,
            "stop": ended.stop,
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
    print(&table(course, &verdict, baseline.as_ref(), outcome, &rule, seconds, &path))
}
