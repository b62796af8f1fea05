//! `evobit train --resume`: which run goes on, and whether it still is the run it was.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Failure, TrainArgs, read_settings, tell};
use evobit_search::{RunFolder, Stop, checkpoint as sealed};
use evobit_train::Prepared;
use evobit_train::checkpoint::{Checkpoint, Course, Fingerprint, Found, find};
use evobit_train::settings::{Settings, TrainConfig};

/// What there is to do in a run folder.
pub(super) enum Resumed {
    /// Nothing, which this says in one line.
    Finished(String),
    /// The rest of a run.
    Unfinished(Box<Unfinished>),
}

/// A run to go on with.
pub(super) struct Unfinished {
    pub(super) folder: RunFolder,
    /// The settings it was begun with.
    pub(super) settings: Settings,
    /// Its newest checkpoint and which file that is in; none where it was killed before its first.
    newest: Option<(Checkpoint, usize)>,
}

/// Opens the run folder at `path` and reads what it was begun with; the data is not looked at yet.
pub(super) fn open(args: &TrainArgs, path: &Path) -> Result<Resumed, Failure> {
    check_flags(args)?;
    let folder = RunFolder::open(path)?;
    let Found { newest, faults, other } = find(&folder);
    let shown = path.display();
    if let Some(other) = other {
        return Err(Failure::usage(format!(
            "{shown}: is a run of `evobit {other}`: go on with `evobit {other} --resume {shown}`"
        )));
    }
    let written = read_settings(&folder.file("config.toml"))?;
    let Some((checkpoint, file)) = newest else {
        if let [fault, ..] = &faults[..] {
            return Err(failure(format!("{fault}: no checkpoint can be used: {}", anew(&folder))));
        }
        if folder.file("model.evb").exists() {
            return Err(failure(format!("{shown}: has no checkpoint to go on from: {}", anew(&folder))));
        }
        // Killed before its first checkpoint: the rest of the run is all of it.
        return Ok(Resumed::Unfinished(Box::new(Unfinished { folder, settings: written, newest: None })));
    };
    let settings: Settings = toml::from_str(&checkpoint.sealed.head.config)?;
    if let Some(difference) = difference(&settings, &written, &checkpoint) {
        let file = folder.file("config.toml");
        return Err(failure(format!("{}: {difference}: restore that, or {}", file.display(), anew(&folder))));
    }
    let step = checkpoint.state.course.now.step;
    if let Some(stop) = checkpoint.ended().filter(|_| checkpoint.sealed.complete) {
        let model = folder.file("model.evb").display().to_string();
        let said = if args.json {
            json!({ "finished": true, "stop": stop, "steps": step, "model": model }).to_string()
        } else {
            format!(
                "{shown}: this run has finished, at step {step}, and nothing was changed; its model is {model}"
            )
        };
        return Ok(Resumed::Finished(said));
    }
    if let [fault, ..] = &faults[..] {
        tell(&format!("{fault}: the run goes on from the other checkpoint, of step {step}"));
    }
    let newest = Some((checkpoint, file));
    Ok(Resumed::Unfinished(Box::new(Unfinished { folder, settings, newest })))
}

impl Unfinished {
    /// The checkpoint it goes on from and which file that is in.
    pub(super) fn read(&self) -> Option<(sealed::Checkpoint, usize)> {
        self.newest.as_ref().map(|(checkpoint, file)| (checkpoint.sealed.clone(), *file))
    }

    /// The checkpoint to go on from, if the data and the network are those the run was begun on.
    pub(super) fn check(
        &self,
        prepared: &Prepared,
        config: &TrainConfig,
    ) -> Result<Option<Checkpoint>, Failure> {
        let Some((checkpoint, _)) = &self.newest else { return Ok(None) };
        let path = self.folder.path().display();
        let differences = checkpoint.fingerprint.differences(&Fingerprint::new(prepared));
        if !differences.is_empty() {
            let differences = differences.join(", ");
            return Err(failure(format!(
                "{path}: not as when this run began: {differences}: restore the data, {}, or {}",
                config.data,
                anew(&self.folder)
            )));
        }
        if !checkpoint.fits(prepared, config) {
            let anew = anew(&self.folder);
            return Err(failure(format!("{path}: its checkpoint does not fit its configuration: {anew}")));
        }
        Ok(Some(checkpoint.clone()))
    }
}

/// Refuses, by name, the flags that would make another run of it.
fn check_flags(args: &TrainArgs) -> Result<(), Failure> {
    let given = table(&args.settings);
    let mut flags: Vec<String> = given.keys().map(|key| format!("--{key}")).collect();
    flags.extend(args.config.iter().map(|_| "--config".into()));
    flags.extend(args.out.iter().map(|_| "--out".into()));
    if flags.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--resume goes on with the folder and the configuration of the run: leave out {}, or train anew without --resume",
        flags.join(", ")
    )))
}

/// The first setting of `written`, the configuration file, that is not the one the run was `begun` with, in words.
fn difference(begun: &Settings, written: &Settings, checkpoint: &Checkpoint) -> Option<String> {
    let (begun, written) = (table(begun), table(written));
    let key = begun.keys().chain(written.keys()).find(|&key| {
        // Where it was stopped and how hot it was is recorded as a limit of steps and as heats, without which it goes on.
        let Course { now, heats, .. } = &checkpoint.state.course;
        let recorded = match key.as_str() {
            "steps" => {
                checkpoint.sealed.stop.is_some_and(Stop::is_early)
                    && written.get(key).and_then(Value::as_u64) == Some(now.step)
            }
            "heats" => written.get(key) == Some(&json!(heats)),
            _ => false,
        };
        begun.get(key) != written.get(key) && !recorded
    })?;
    let line = |table: &Map<String, Value>| match table.get(key) {
        Some(value) => format!("`{key} = {value}`"),
        None => format!("no `{key}`"),
    };
    Some(format!("says {} where the run was begun with {}", line(&written), line(&begun)))
}

/// The settings that are set, by name. As JSON, which has all numbers of 64 bits.
fn table(settings: &Settings) -> Map<String, Value> {
    // All fields are plain values: this cannot fail.
    let Ok(Value::Object(mut table)) = serde_json::to_value(settings) else { return Map::new() };
    table.retain(|_, value| !value.is_null());
    table
}

fn anew(folder: &RunFolder) -> String {
    format!("train anew with --config {}", folder.file("config.toml").display())
}

fn failure(message: String) -> Failure {
    Failure { code: 1, message: super::one_line(&message) }
}
