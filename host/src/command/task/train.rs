//! `evobit task train`: an environment in, a controller out.

use std::time::Duration;

use evobit::evolve::genetic::Genes;
use serde_json::json;

use super::super::progress::Generations;
use super::super::saved::{Kind, Resumed, Unfinished};
use super::super::signals;
use super::super::table::{count, lines};
use super::super::{Failure, print, tell, times};
use super::{TaskTrainArgs, in_world, verdict_lines};
use evobit_model::Model;
use evobit_report::{Chart, Line};
use evobit_rules::task::{
    Ground, Outcome, Part, Row, TaskConfig, TaskSearch, World, courses, judge, model, network, starts,
};
use evobit_search::checkpoint::{Checkpoints, Head};
use evobit_search::{Ended, Pace, RunFolder, Session, Stop, drive};

/// Courses in a picture.
const COURSES: usize = 10;

const RUNS: Kind = Kind { command: "task train", result: "model.evb" };

pub(super) fn run(args: &TaskTrainArgs) -> Result<(), Failure> {
    signals::listen();
    let resumed = match &args.resume {
        None => None,
        Some(path) => match RUNS.open(path, args.json)? {
            Resumed::Finished(said) => return print(&said),
            Resumed::Unfinished(run) => Some(*run),
        },
    };
    let config = match (&resumed, args.task) {
        (Some(run), _) => toml::from_str(&run.config)?,
        (None, Some(task)) => config(args, task),
        (None, None) => return Err(Failure::usage("which task? Give one such as cart-pole")),
    };
    in_world!(config.task, World => train::<World>(args, &config, resumed))
}

fn config(args: &TaskTrainArgs, task: evobit_rules::task::Task) -> TaskConfig {
    let defaults = TaskConfig::new(task, args.seed);
    TaskConfig {
        hidden: args.hidden.unwrap_or(task.hidden()),
        starts: args.starts as usize,
        choosing: args.choosing.map_or(defaults.choosing, |starts| starts as usize),
        population: args.population,
        elites: args.elites,
        tournament: args.tournament,
        flips: args.flips,
        generations: args.generations,
        patience: args.patience,
        ..defaults
    }
}

fn train<E: World>(
    args: &TaskTrainArgs,
    config: &TaskConfig,
    resumed: Option<Unfinished>,
) -> Result<(), Failure> {
    let (budget, interval) = times(args.budget, args.checkpoint)?;
    let (encoder, topology) = network::<E>(config.hidden).map_err(Failure::usage)?;
    let bits = topology.count();
    if config.elites >= config.population
        || !(1..=config.population).contains(&config.tournament)
        || config.flips > bits
    {
        return Err(Failure::usage(format!(
            "elites must be fewer than the population, tournament 1 to the population, flips at most {bits}"
        )));
    }
    // From here on a signal leaves a run that goes on, not half a folder.
    signals::catch();
    let folder = match &resumed {
        Some(run) => run.folder.clone(),
        None => RunFolder::create(args.out.as_deref(), E::NAME)?,
    };
    let text = toml::to_string(config)?;
    folder.write("config.toml", text.as_bytes())?;
    tell(&format!(
        "{}: {} observations, {} actions, {bits} evolvable bits in a genome of {}; run folder {}",
        E::NAME,
        E::OBSERVATIONS.len(),
        E::ACTIONS.len(),
        topology.genome_words() * 32,
        folder.path().display()
    ));
    let newest = resumed.as_ref().and_then(|run| run.newest.as_ref());
    let head = Head { command: RUNS.command.into(), config: text, fingerprint: vec![] };
    let mut checkpoints = Checkpoints::new(&folder, head, interval, newest);
    let (outcome, ended, seconds) = search::<E>(config, newest, &mut checkpoints, budget)?;
    if ended.stop == Stop::Interrupted {
        return Err(stopped::<E>(args, &folder, &outcome, ended));
    }
    let model = model::<E>(&encoder, &topology, &outcome.genome)?;
    folder.write("model.evb", model.bytes())?;
    let unseen = starts::<E>(config.seed, Part::Unseen, args.unseen as usize);
    let verdict = judge(&model, &unseen)?;
    save::<E>(&folder, &outcome, &model, &unseen)?;
    if let Err(reason) = checkpoints.complete() {
        tell(&format!("warning: the last checkpoint was not written: {reason}"));
    }
    let path = folder.file("model.evb").display().to_string();
    let (generations, scored) = outcome.rows.last().map_or((0, 0), |row| (row.generation, row.scored));
    if args.json {
        let mut object = serde_json::to_value(&verdict)?;
        let more = json!({
            "task": E::NAME,
            "seed": config.seed,
            "evolvable_bits": bits,
            "genome_bits": topology.genome_words() * 32,
            "model_bytes": model.bytes().len(),
            "generations": generations,
            "stop": ended.stop,
            "genomes_scored": scored,
            "seconds": seconds,
            "model": path,
            "model_crc": format!("{:08x}", model.image().checksum()),
        });
        if let (Some(object), serde_json::Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        return print(&object.to_string());
    }
    let mut text = verdict_lines(&verdict);
    text += &lines(&[
        ("genome", format!("{} bits, {bits} of them evolvable", topology.genome_words() * 32)),
        ("search", format!("{seconds:.1} s, {generations} generations, {} genomes scored", count(scored))),
    ]);
    text += &format!("\nmodel     {path}\npictures  beside it: curves.svg, courses.svg");
    print(&text)
}

/// Searches, with a bar where there is a terminal. Seconds are those of the whole search.
fn search<E: World>(
    config: &TaskConfig,
    newest: Option<&(evobit_search::checkpoint::Checkpoint, usize)>,
    checkpoints: &mut Checkpoints,
    budget: Option<Duration>,
) -> Result<(Outcome, Ended, f64), Failure> {
    let ground = Ground::<E>::new(config)?;
    let (mut search, mut before) = (TaskSearch::new(&ground)?, (0, 0.0));
    if let Some((checkpoint, _)) = newest {
        before = (checkpoint.step, checkpoint.seconds);
        tell(&format!("goes on from generation {}", before.0));
        let resumed = TaskSearch::resume(&ground, &checkpoint.state)?;
        search = resumed.ok_or_else(|| Failure {
            code: 1,
            message: "the checkpoint does not fit the configuration: begin anew with `evobit task train`"
                .into(),
        })?;
        if let Some(stop) = checkpoint.ended() {
            checkpoints.ended(checkpoint.clone());
            return Ok((search.outcome(stop), Ended { stop, step: before.0, is_saved: true }, before.1));
        }
    }
    let mut bar = Generations::new(config.generations, |row: &Row| {
        format!("reward {:.1}, from other starts {:.1} of {}", row.best, row.choosing, E::MOST)
    });
    let interrupt = signals::interrupt();
    let mut session =
        Session { budget, before, checkpoints: Some(checkpoints), interrupt, ..Session::default() };
    let pace = Pace::new(&session);
    let ended = drive(&mut search, &pace, &mut session, &mut bar)?;
    Ok((search.outcome(ended.stop), ended, pace.seconds()))
}

/// Leaves what there is of a run that a signal stopped.
fn stopped<E: World>(args: &TaskTrainArgs, folder: &RunFolder, outcome: &Outcome, ended: Ended) -> Failure {
    let generations = outcome.rows.last().map_or(0, |row| row.generation);
    if let Err(error) = folder.write_metrics(&outcome.rows) {
        tell(&format!("warning: {error}"));
    }
    if args.json {
        let object = json!({ "task": E::NAME, "stop": ended.stop, "generations": generations });
        // Also where nobody reads it any more.
        let _ = print(&object.to_string());
    }
    let at = format!("generation {generations}");
    signals::stopped(&at, RUNS.command, folder.path(), ended.is_saved)
}

fn save<E: World>(folder: &RunFolder, outcome: &Outcome, model: &Model, unseen: &[E]) -> Result<(), Failure> {
    folder.write_metrics(&outcome.rows)?;
    let curve = |name: &str, value: fn(&Row) -> f64| Line {
        name: name.into(),
        points: outcome.rows.iter().map(|row| (f64::from(row.generation), value(row))).collect(),
    };
    let chart = Chart {
        title: "mean reward".into(),
        lines: vec![
            curve("best, starts of fitness", |row| row.best),
            curve("all, starts of fitness", |row| row.mean),
            curve("best, starts that choose", |row| row.choosing),
        ],
    };
    evobit_report::lines(&folder.file("curves.svg"), "generations", &[chart])?;
    let courses = courses(model, &unseen[..unseen.len().min(COURSES)])?;
    let charts: Vec<Chart> = E::TRACES
        .iter()
        .zip(courses)
        .map(|(title, courses)| Chart {
            title: (*title).into(),
            lines: courses
                .into_iter()
                .map(|course| Line {
                    name: String::new(),
                    points: (0u32..).map(f64::from).zip(course).collect(),
                })
                .collect(),
        })
        .collect();
    evobit_report::lines(&folder.file("courses.svg"), "steps, from unseen starts", &charts)?;
    Ok(())
}
