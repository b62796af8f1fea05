//! `evobit link`: asking and teaching a board.

mod args;
mod home;
mod teach;

use std::path::{Path, PathBuf};

use evobit_link::key::Key;
use evobit_link::{Evolve, Statistics};
use serde_json::{Value, json};

use super::signals::{catch, interrupted};
use super::table::{count, lines, percent};
use super::{Failure, print, seconds, tell};
use evobit_boards::emulator::Emulated;
use evobit_boards::learned::Pulled;
use evobit_boards::{BoardInfo, Client, Line, LinkFailure, Port, open};
use evobit_model::Model;

pub use args::{LearnArgs, LinkArgs, LinkCommand};

/// A board that answered.
struct Session<'a> {
    args: &'a LinkArgs,
    client: Client<Box<dyn Line>>,
    info: BoardInfo,
}

pub(super) fn run(args: &LinkArgs) -> Result<(), Failure> {
    let port: Port = args.port.parse().map_err(Failure::usage)?;
    if matches!(args.command, LinkCommand::Off) {
        return off(args, &port);
    }
    let mut client = Client::new(connect(args, &port)?);
    if let Some(path) = &args.key {
        client.use_key(read_key(path)?);
    }
    let info = client.greet()?;
    let mut session = Session { args, client, info };
    match &args.command {
        LinkCommand::Info => session.show_info(),
        LinkCommand::Classify { input, label } => teach::classify(&mut session, input, label.clone()),
        LinkCommand::Eval { data, predictions } => teach::eval(&mut session, data, predictions.as_deref()),
        LinkCommand::Learn(learn) => teach::learn(&mut session, learn),
        LinkCommand::Evolve { mutants, prototypes } => session.evolve(*mutants, *prototypes),
        LinkCommand::Watch { interval, count } => session.watch(*interval, *count),
        LinkCommand::Pull { out } => home::pull(&mut session, out.as_deref()),
        LinkCommand::Push { update } => home::push(&mut session, update),
        LinkCommand::Save => session.save(),
        LinkCommand::Reset => session.reset(),
        LinkCommand::Off => Ok(()),
    }
}

fn connect(args: &LinkArgs, port: &Port) -> Result<Box<dyn Line>, Failure> {
    let Port::Emulated(name) = port else { return Ok(open(port, args.baud)?) };
    let emulated = Emulated::new(name, args.folder.as_deref()).map_err(Failure::usage)?;
    let (line, started) = emulated.attach()?;
    if started {
        tell(&format!(
            "{name} was off: it is started again from {}, with what it last saved",
            emulated.folder().display()
        ));
    }
    Ok(line)
}

/// The key in a file.
pub(super) fn read_key(path: &Path) -> Result<Key, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("{}: cannot be read ({error}): give the board's key", path.display()))
    })?;
    Key::from_hex(&text).ok_or_else(|| {
        Failure::usage(format!(
            "{}: is no key: it must hold 64 hexadecimal digits, as `openssl rand -hex 32` makes them",
            path.display()
        ))
    })
}

fn off(args: &LinkArgs, port: &Port) -> Result<(), Failure> {
    let Port::Emulated(name) = port else {
        return Err(Failure::usage("only emulated boards can be switched off: write the port as qemu:BOARD"));
    };
    let was_on = Emulated::new(name, args.folder.as_deref()).map_err(Failure::usage)?.power_off()?;
    if args.json {
        return print(&json!({ "board": name, "was_on": was_on }).to_string());
    }
    print(&if was_on { format!("{name} is off") } else { format!("{name} was off already") })
}

/// A failure in the middle of something, with how to go on.
fn midway(error: LinkFailure, what: &str, next: &str) -> Failure {
    let cause = match &error {
        LinkFailure::Ended(cause) => format!("the line to the board ended ({cause})"),
        other => other.to_string(),
    };
    Failure { code: 1, message: super::one_line(&format!("{what}: {cause}: {next}")) }
}

impl Session<'_> {
    /// The model that was flashed, and its path.
    fn base(&self) -> Result<(Model, PathBuf), Failure> {
        let wanted = self.info.base;
        if let Some(path) = &self.args.model {
            let model = Model::read(path)?.plain()?;
            let found = model.image().checksum();
            if found != wanted {
                return Err(Failure::usage(format!(
                    "{}: has checksum {found:08x}, and the board was flashed with {wanted:08x}: give that one with --model",
                    path.display()
                )));
            }
            return Ok((model, path.clone()));
        }
        let mut found: Vec<(Model, PathBuf)> = candidates(Path::new("runs"))
            .into_iter()
            .chain(self.args.folder.iter().map(|folder| folder.join("model.evb")))
            .filter_map(|path| Some((Model::read(&path).ok()?.plain().ok()?, path)))
            .filter(|(model, _)| model.image().checksum() == wanted)
            .collect();
        // One with its run beside it knows which samples were held out.
        found.sort_by_key(|(_, path)| !path.with_file_name("config.toml").is_file());
        found.into_iter().next().ok_or_else(|| {
            Failure::usage(format!(
                "the board was flashed with a model of checksum {wanted:08x}, and none under runs/ has it: give the model with --model"
            ))
        })
    }

    fn show_info(&mut self) -> Result<(), Failure> {
        let statistics = self.client.statistics()?;
        // Firmware without keys does not know the question.
        let (counter, refused) = self.client.counter().unwrap_or_default();
        let info = &self.info;
        if self.args.json {
            let mut json = statistics_json(&statistics);
            for (key, value) in serde_json::to_value(info)?.as_object().into_iter().flatten() {
                json[key] = value.clone();
            }
            json["model_crc"] = format!("{:08x}", info.base).into();
            json["keyed"] = counter.is_some().into();
            json["refused"] = refused.into();
            return print(&json.to_string());
        }
        let (used, there) = (count(4 * u64::from(info.used_words)), count(4 * u64::from(info.arena_words)));
        let mut rows = vec![
            ("board", format!("{}, firmware {}", info.board, info.firmware)),
            (
                "model",
                format!("checksum {:08x}, {} features, {} classes", info.base, info.features, info.classes),
            ),
            (
                "memory",
                format!(
                    "{used} of {there} bytes, room for {} samples and {} prototypes",
                    info.capacity, info.prototypes
                ),
            ),
        ];
        rows.extend(statistics_rows(&statistics));
        rows.push(match counter {
            Some(_) => ("key", format!("changes are taken only with it; {refused} requests were refused")),
            None => ("key", "none: who reaches the line may change the board".into()),
        });
        print(lines(&rows).trim_end())
    }

    fn evolve(&mut self, mutants: u32, prototypes: Option<u16>) -> Result<(), Failure> {
        let what = prototypes.map_or(Evolve::Network, |prototypes| Evolve::Memory { prototypes });
        let statistics = self
            .client
            .evolve(what, mutants)
            .map_err(|error| midway(error, "while the board evolved", "repeat the command"))?;
        self.report(&statistics)
    }

    fn save(&mut self) -> Result<(), Failure> {
        self.client.save().map_err(|error| {
            let next = "the board has what it saved before or now, whole: repeat the command";
            midway(error, "while the board saved", next)
        })?;
        let statistics = self.client.statistics()?;
        self.report(&statistics)
    }

    fn reset(&mut self) -> Result<(), Failure> {
        self.client.reset()?;
        let statistics = self.client.statistics()?;
        self.report(&statistics)
    }

    fn watch(&mut self, interval: f64, most: Option<u64>) -> Result<(), Failure> {
        let interval = seconds("--interval", interval)?;
        catch();
        let mut looks = 0;
        while most.is_none_or(|most| looks < most) && !interrupted() {
            if looks > 0 {
                std::thread::sleep(interval);
            }
            let statistics = self.client.statistics().map_err(|error| {
                midway(error, "while watching", "start the board again, then repeat the command")
            })?;
            looks += 1;
            if self.args.json {
                print(&statistics_json(&statistics).to_string())?;
                continue;
            }
            let answers = if statistics.memory_answers { "memory" } else { "network" };
            print(&format!(
                "seen {}, stored {}, right {} of the last {}, {answers} answers, owed {}, mutants {}, swaps {}, genome {:08x}",
                statistics.seen,
                statistics.stored,
                statistics.window_right,
                statistics.window,
                count(statistics.owed.into()),
                count(statistics.mutants),
                statistics.swaps,
                statistics.genome
            ))?;
        }
        Ok(())
    }

    fn report(&self, statistics: &Statistics) -> Result<(), Failure> {
        if self.args.json {
            return print(&statistics_json(statistics).to_string());
        }
        print(lines(&statistics_rows(statistics)).trim_end())
    }
}

/// Models under a folder: its files, and `model.evb` in its folders; in order of their names.
fn candidates(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .map(|path| if path.is_dir() { path.join("model.evb") } else { path })
        .filter(|path| path.extension().is_some_and(|extension| extension == "evb") && path.is_file())
        .collect();
    paths.sort();
    paths
}

fn statistics_json(statistics: &Statistics) -> Value {
    let mut json = serde_json::to_value(statistics).unwrap_or_default();
    for key in ["genome", "candidate"] {
        let crc = json[key].take();
        json[format!("{key}_crc")] = format!("{:08x}", crc.as_u64().unwrap_or_default()).into();
        if let Some(object) = json.as_object_mut() {
            object.remove(key);
        }
    }
    json
}

fn statistics_rows(statistics: &Statistics) -> Vec<(&'static str, String)> {
    let answers = if statistics.memory_answers {
        "the stored samples, with the flashed network"
    } else {
        "the evolved network"
    };
    let saved = match statistics.generation {
        0 => "nothing".into(),
        generation => format!("generation {generation}"),
    };
    let window = match statistics.window {
        0 => "none yet".into(),
        window => format!(
            "{} of {window} ({})",
            statistics.window_right,
            percent(f64::from(statistics.window_right) / f64::from(window))
        ),
    };
    vec![
        ("genome", format!("{:08x}", statistics.genome)),
        ("answers", answers.into()),
        ("last labelled right", window),
        (
            "labelled samples",
            format!(
                "{} seen, {} stored, {} of them held back",
                statistics.seen, statistics.stored, statistics.held_back
            ),
        ),
        ("prototypes", statistics.prototypes.to_string()),
        ("drifts", statistics.drifts.to_string()),
        (
            "evolution",
            format!(
                "{} mutants scored, {} owed, {} takeovers",
                count(statistics.mutants),
                count(statistics.owed.into()),
                statistics.swaps
            ),
        ),
        ("saved", saved),
    ]
}
