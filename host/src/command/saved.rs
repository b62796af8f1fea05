//! Runs of rules and tasks that go on: which there are, and whether they still are the runs they were.

use std::path::Path;

use clap::CommandFactory;
use clap::parser::ValueSource;
use serde_json::json;

use super::{Cli, Failure, tell};
use evobit_search::checkpoint::{Checkpoint, Found, find};
use evobit_search::{RunFolder, Stop};

/// Flags that do not change what a run comes to.
const FREE: [&str; 6] = ["resume", "checkpoint", "budget", "threads", "json", "unseen"];

/// A kind of runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The command that makes them.
    pub(super) command: &'static str,
    /// The file that a finished one has.
    pub(super) result: &'static str,
}

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
    /// The configuration it was begun with, as TOML.
    pub(super) config: String,
    /// Its newest checkpoint and which file that is in; none where it was killed before its first.
    pub(super) newest: Option<(Checkpoint, usize)>,
}

impl Kind {
    /// Opens the run folder at `path`; the data is not looked at yet.
    pub(super) fn open(self, path: &Path, as_json: bool) -> Result<Resumed, Failure> {
        self.check_flags()?;
        let Self { command, result } = self;
        let folder = RunFolder::open(path)?;
        let Found { newest, faults } = find(&folder);
        let (shown, file) = (path.display(), folder.file("config.toml"));
        let config = std::fs::read_to_string(&file)
            .map_err(|error| failure(format!("{}: cannot be read ({error})", file.display())))?;
        let Some((checkpoint, file_number)) = newest else {
            let anew = format!("begin anew with `evobit {command}`");
            if let [fault, ..] = &faults[..] {
                return Err(failure(format!("{fault}: no checkpoint can be used: {anew}")));
            }
            if folder.file(result).exists() {
                return Err(failure(format!("{shown}: has no checkpoint to go on from: {anew}")));
            }
            // Killed before its first checkpoint: the rest of the run is all of it.
            return Ok(Resumed::Unfinished(Box::new(Unfinished { folder, config, newest: None })));
        };
        if checkpoint.head.command != command {
            let other = &checkpoint.head.command;
            return Err(Failure::usage(format!(
                "{shown}: is a run of `evobit {other}`: go on with `evobit {other} --resume {shown}`"
            )));
        }
        if checkpoint.head.config != config {
            let file = file.display();
            return Err(failure(format!("{file}: is not as when this run began: restore it")));
        }
        if let Some(stop) = checkpoint.ended().filter(|_| checkpoint.complete) {
            return Ok(Resumed::Finished(self.finished(&folder, checkpoint.step, stop, as_json)));
        }
        let step = checkpoint.step;
        if let [fault, ..] = &faults[..] {
            tell(&format!("{fault}: the run goes on from the other checkpoint, of generation {step}"));
        }
        let newest = Some((checkpoint, file_number));
        Ok(Resumed::Unfinished(Box::new(Unfinished { folder, config, newest })))
    }

    fn finished(self, folder: &RunFolder, generation: u64, stop: Stop, as_json: bool) -> String {
        let result = folder.file(self.result).display().to_string();
        if as_json {
            let key = if self.result.ends_with("evr") { "rule" } else { "model" };
            return json!({ "finished": true, "stop": stop, "generations": generation, key: result })
                .to_string();
        }
        let shown = folder.path().display();
        format!(
            "{shown}: this run has finished, at generation {generation}, and nothing was changed: see {result}"
        )
    }

    /// Refuses, by name, the flags that would make another run of it.
    fn check_flags(self) -> Result<(), Failure> {
        let flags = given(self.command);
        if flags.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "--resume goes on with the folder and the configuration of the run: leave out {}, or begin anew without --resume",
            flags.join(", ")
        )))
    }
}

/// The flags and arguments of `command` that this program was started with, but for those that are free.
fn given(command: &str) -> Vec<String> {
    let definition = Cli::command();
    let Ok(matches) = definition.clone().try_get_matches_from(std::env::args_os()) else { return vec![] };
    let (mut matches, mut definition) = (&matches, &definition);
    for name in command.split(' ') {
        let inner = (matches.subcommand_matches(name), definition.find_subcommand(name));
        let (Some(inner), Some(of)) = inner else { return vec![] };
        (matches, definition) = (inner, of);
    }
    let arguments = definition.get_arguments();
    let named = arguments.filter(|argument| {
        let id = argument.get_id().as_str();
        !FREE.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    let name = |argument: &clap::Arg| match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_id().as_str().to_uppercase(),
    };
    named.map(name).collect()
}

fn failure(message: String) -> Failure {
    Failure { code: 1, message: super::one_line(&message) }
}
