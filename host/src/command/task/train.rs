//! `evobit task train`: an environment in, a controller out.

use std::time::Instant;

use evobit::evolve::genetic::Genes;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::progress::{catch_interrupts, interrupted};
use super::super::table::{count, lines};
use super::super::{Failure, print, tell};
use super::{TaskTrainArgs, in_world, verdict_lines};
use evobit_model::Model;
use evobit_report::{Chart, Line};
use evobit_rules::task::{
    Config, Outcome, Part, TaskError, World, courses, judge, model, network, search, starts,
};
use evobit_train::run_folder::RunFolder;

/// Courses in a picture.
const COURSES: usize = 10;

pub(super) fn run(args: &TaskTrainArgs) -> Result<(), Failure> {
    let defaults = Config::new(args.task, args.seed);
    let config = Config {
        hidden: args.hidden.unwrap_or(args.task.hidden()),
        starts: args.starts as usize,
        choosing: args.choosing.map_or(defaults.choosing, |starts| starts as usize),
        population: args.population,
        elites: args.elites,
        tournament: args.tournament,
        flips: args.flips,
        generations: args.generations,
        patience: args.patience,
        ..defaults
    };
    in_world!(args.task, World => train::<World>(args, &config))
}

fn train<E: World>(args: &TaskTrainArgs, config: &Config) -> Result<(), Failure> {
    let (encoder, topology) = network::<E>(config.hidden).map_err(Failure::usage)?;
    let bits = topology.count();
    if args.elites >= args.population
        || !(1..=args.population).contains(&args.tournament)
        || args.flips > bits
    {
        return Err(Failure::usage(format!(
            "elites must be fewer than the population, tournament 1 to the population, flips at most {bits}"
        )));
    }
    catch_interrupts();
    let folder = RunFolder::create(args.out.as_deref(), E::NAME)?;
    folder.write("config.toml", toml::to_string(config)?.as_bytes())?;
    tell(&format!(
        "{}: {} observations, {} actions, {bits} evolvable bits in a genome of {}; run folder {}",
        E::NAME,
        E::OBSERVATIONS.len(),
        E::ACTIONS.len(),
        topology.genome_words() * 32,
        folder.path().display()
    ));
    let started = Instant::now();
    let outcome = followed::<E>(config)?;
    let seconds = started.elapsed().as_secs_f64();
    let model = model::<E>(&encoder, &topology, &outcome.genome)?;
    folder.write("model.evb", model.bytes())?;
    let unseen = starts::<E>(config.seed, Part::Unseen, args.unseen as usize);
    let verdict = judge(&model, &unseen)?;
    save::<E>(&folder, &outcome, &model, &unseen)?;

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

/// Searches, with a bar where there is a terminal.
fn followed<E: World>(config: &Config) -> Result<Outcome, TaskError> {
    let bar = ProgressBar::new(config.generations.into());
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed_precise} {bar:30.cyan} {pos} of {len} generations  {msg}")
    {
        bar.set_style(style);
    }
    let outcome = search::<E>(config, |row| {
        bar.set_position(row.generation.into());
        bar.set_message(format!(
            "reward {:.1}, from other starts {:.1} of {}",
            row.best,
            row.choosing,
            E::MOST
        ));
        !interrupted()
    });
    bar.finish_and_clear();
    outcome
}

fn save<E: World>(folder: &RunFolder, outcome: &Outcome, model: &Model, unseen: &[E]) -> Result<(), Failure> {
    let mut text = String::from("generation,best,mean,choosing,genomes_scored\n");
    for row in &outcome.rows {
        text += &format!(
            "{},{:.3},{:.3},{:.3},{}\n",
            row.generation, row.best, row.mean, row.choosing, row.scored
        );
    }
    folder.write("metrics.csv", text.as_bytes())?;
    let curve = |name: &str, value: fn(&evobit_rules::task::Row) -> f64| Line {
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
