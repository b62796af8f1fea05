//! The plan of a sweep: what is varied, over which seeds.

use std::path::{Path, PathBuf};

use evobit::image::checksum;
use evobit::rng::{Draw, Purpose, Stream};
use serde::Deserialize;
use toml::{Table, Value};

use evobit_rules::task;
use evobit_train::settings::Settings;

/// Most runs of a plan.
const MOST_RUNS: usize = 1_000_000;

/// Characters of the name of a folder, beside a checksum.
const FOLDER: usize = 80;

/// Why a plan cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({source}): give a plan such as `evobit sweep --help` shows", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no plan.
    #[error("{}: {message}: see `evobit sweep --help` for how a plan is written", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// A plan as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    /// How many seeds, or which.
    #[serde(default = "one_seed")]
    seeds: Value,
    /// How many configurations to draw at random, instead of all.
    random: Option<usize>,
    /// Seed of these draws.
    #[serde(default)]
    draw: u64,
    /// What all runs have in common.
    #[serde(default)]
    base: Table,
    /// What is varied: each key has a list of values, or a range to draw from.
    #[serde(default)]
    vary: Table,
}

fn one_seed() -> Value {
    Value::Integer(1)
}

/// A range to draw numbers from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: f64,
    to: f64,
    /// Every ratio equally likely, not every difference.
    #[serde(default)]
    log: bool,
    /// Whole numbers only.
    #[serde(default)]
    whole: bool,
}

/// A run of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// All that is set, but for the seed.
    pub settings: Table,
    /// The varied part of it.
    pub varied: Table,
    /// The seed.
    pub seed: u64,
}

impl Planned {
    /// The configuration on one line, without the seed: what runs of several seeds have in common.
    #[must_use]
    pub fn configuration(&self) -> String {
        one_line(&self.settings)
    }

    /// What is varied, on one line and for people.
    #[must_use]
    pub fn label(&self) -> String {
        let pairs = self.varied.iter().map(|(key, value)| format!("{key}={}", plain(value)));
        pairs.collect::<Vec<_>>().join(" ").replace(char::is_control, " ")
    }

    /// A folder for it alone, such as `levels=4-1b2c3d4e/seed-1`: what is varied, a checksum of the configuration, the seed.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let safe = |letter: char| {
            if letter.is_ascii_alphanumeric() || "=.,@+-".contains(letter) { letter } else { '_' }
        };
        let label: String = self.label().chars().map(safe).take(FOLDER).collect();
        let crc = checksum(self.configuration().as_bytes());
        let name = if label.is_empty() { format!("{crc:08x}") } else { format!("{label}-{crc:08x}") };
        Path::new(&name).join(format!("seed-{}", self.seed))
    }
}

/// A value as flags are written: without quotes and brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// `key=value` in the order of the keys.
fn one_line(table: &Table) -> String {
    table.iter().map(|(key, value)| format!("{key}={value}").replace('\n', " ")).collect::<Vec<_>>().join(" ")
}

/// What a sweep does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its runs: configuration by configuration, seed by seed.
    pub runs: Vec<Planned>,
    /// The configurations were drawn at random, so that some may be such as cannot be.
    pub random: bool,
}

impl Plan {
    /// Reads a plan and lays out its runs.
    ///
    /// # Errors
    /// What is wrong with it; an unknown key with the nearest that there is.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|message| PlanError::Wrong { path: path.to_owned(), message })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count());
            format!("line {}: {}", line + 1, error.message().replace('\n', " "))
        })?;
        let keys = keys(&written.base)?;
        for key in written.base.keys().chain(written.vary.keys()) {
            check_key(key, &keys)?;
        }
        if let Some(key) = written.vary.keys().find(|key| written.base.contains_key(*key)) {
            return Err(format!("`{key}` is in [base] and in [vary]: leave it in one of them"));
        }
        let seeds = seeds(&written.seeds)?;
        let varied = match written.random {
            None => grid(&written.vary)?,
            Some(count) => drawn(&written.vary, count, written.draw)?,
        };
        if varied.len().saturating_mul(seeds.len()) > MOST_RUNS {
            return Err(format!("more than {MOST_RUNS} runs: vary less, or draw some with random = 100"));
        }
        let mut runs = vec![];
        for varied in varied {
            let mut settings = written.base.clone();
            settings.extend(varied.clone());
            check(&settings)?;
            runs.extend(seeds.iter().map(|&seed| Planned {
                settings: settings.clone(),
                varied: varied.clone(),
                seed,
            }));
        }
        Ok(Self { runs, random: written.random.is_some() })
    }
}

/// The keys that a configuration has: those of `evobit train`, or with a task in it those of `evobit task train`.
fn keys(base: &Table) -> Result<Vec<String>, String> {
    let all = if base.contains_key("task") {
        serde_json::to_value(task::TaskConfig::new(task::Task::CartPole, 1))
    } else {
        serde_json::to_value(Settings::default())
    };
    let serde_json::Value::Object(all) = all.map_err(|error| error.to_string())? else { return Ok(vec![]) };
    Ok(all.into_iter().map(|(key, _)| key).collect())
}

fn check_key(key: &str, keys: &[String]) -> Result<(), String> {
    if key == "seed" {
        return Err("`seed` is set by seeds = 5 or seeds = [1, 2, 3], above [base]".into());
    }
    if key == "task" || keys.iter().any(|known| known == key) {
        return Ok(());
    }
    let near = |known: &&String| (1000.0 * strsim::jaro_winkler(key, known)) as u32;
    let nearest = keys.iter().max_by_key(near).map_or("", String::as_str);
    Err(format!("there is no setting `{key}`: did you mean `{nearest}`?"))
}

/// A number of seeds, from 1 on, or the seeds themselves.
fn seeds(value: &Value) -> Result<Vec<u64>, String> {
    let wrong =
        || "seeds must be a number of seeds, such as 5, or a list of them, such as [1, 2, 3]".to_owned();
    let seeds: Vec<u64> = match value {
        Value::Integer(count @ 1..=100_000) => (1..=count.unsigned_abs()).collect(),
        Value::Array(list) => list
            .iter()
            .map(|seed| seed.as_integer().and_then(|seed| u64::try_from(seed).ok()).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        _ => return Err(wrong()),
    };
    if seeds.is_empty() { Err(wrong()) } else { Ok(seeds) }
}

/// Every combination of values, the last key varying fastest.
fn grid(vary: &Table) -> Result<Vec<Table>, String> {
    let mut all = vec![Table::new()];
    for (key, values) in vary {
        let Value::Array(values) = values else {
            return Err(format!(
                "[vary] {key} must be a list of values, such as [1, 2, 3]; ranges are for plans with random = 20"
            ));
        };
        if values.is_empty() || all.len().saturating_mul(values.len()) > MOST_RUNS {
            return Err(format!(
                "[vary] {key}: no value, or more than {MOST_RUNS} combinations: change the list"
            ));
        }
        let with = |table: &Table, value: &Value| {
            let mut table = table.clone();
            table.insert(key.clone(), value.clone());
            table
        };
        all = all.iter().flat_map(|table| values.iter().map(move |value| with(table, value))).collect();
    }
    Ok(all)
}

/// `count` configurations drawn at random.
fn drawn(vary: &Table, count: usize, draw: u64) -> Result<Vec<Table>, String> {
    if !(1..=MOST_RUNS).contains(&count) || vary.is_empty() {
        return Err(format!("random must be 1 to {MOST_RUNS}, and [vary] say what to draw"));
    }
    let mut rng = Stream::new(draw, Purpose::Samples, 0);
    (0..count)
        .map(|_| {
            let value = |(key, values): (&String, &Value)| {
                let value = match values {
                    Value::Array(values) if !values.is_empty() => {
                        values[rng.below(values.len() as u32) as usize].clone()
                    }
                    Value::Table(range) => in_range(range.clone().try_into().ok(), rng.below(1 << 24))
                        .ok_or_else(|| format!("[vary] {key} must be a range such as {{ from = 1, to = 64, log = true, whole = true }}"))?,
                    _ => return Err(format!("[vary] {key} must be a list of values or a range")),
                };
                Ok((key.clone(), value))
            };
            vary.iter().map(value).collect()
        })
        .collect()
}

/// The number at `draw` of 2^24 in a range.
fn in_range(range: Option<Range>, draw: u32) -> Option<Value> {
    let Range { from, to, log, whole } = range?;
    if !(from.is_finite() && to.is_finite() && from <= to && (!log || from > 0.0)) {
        return None;
    }
    let share = f64::from(draw) / f64::from(1 << 24);
    // libm gives the same on every machine.
    let number = if log { from * libm::pow(to / from, share) } else { from + share * (to - from) };
    if whole {
        return Some(Value::Integer(libm::round(number) as i64));
    }
    // Short numbers are enough, and can be read.
    format!("{number:.4e}").parse().ok().map(Value::Float)
}

/// Tries the settings before anything is run.
fn check(settings: &Table) -> Result<(), String> {
    let wrong =
        |error: toml::de::Error| format!("{}: {}", one_line(settings), error.message().replace('\n', " "));
    if settings.contains_key("task") {
        task_config(settings, 1).map(drop)
    } else {
        settings.clone().try_into::<Settings>().map(drop).map_err(wrong)
    }
}

/// The configuration of a task: its defaults, and what is set.
pub(super) fn task_config(settings: &Table, seed: u64) -> Result<task::TaskConfig, String> {
    let wrong =
        |error: toml::de::Error| format!("{}: {}", one_line(settings), error.message().replace('\n', " "));
    #[derive(Deserialize)]
    struct Only {
        task: task::Task,
    }
    let Only { task } = settings.clone().try_into().map_err(wrong)?;
    let mut all = Table::try_from(task::TaskConfig::new(task, seed)).map_err(|error| error.to_string())?;
    all.extend(settings.clone());
    all.try_into().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        Plan::parse(text).unwrap().runs.iter().map(|run| format!("{} {}", run.label(), run.seed)).collect()
    }

    #[test]
    fn a_grid_is_every_combination_with_every_seed() {
        let text = "seeds = [3, 9]\n[base]\ndata = \"iris\"\n[vary]\nlevels = [4, 8]\nhidden = [[\"16\"], [\"8\", \"8\"]]";
        let all = labels(text);
        assert_eq!(all.len(), 8);
        assert_eq!((all[0].as_str(), all[3].as_str()), ("hidden=16 levels=4 3", "hidden=16 levels=8 9"));
        assert!(Plan::parse(text).unwrap().runs[0].configuration().contains("data=\"iris\""));
    }

    #[test]
    fn random_draws_repeat_and_stay_in_their_ranges() {
        let text = "random = 30\nseeds = 2\n[vary]\nmargin = { from = 1.0, to = 16, log = true }\nlevels = { from = 2, to = 9, whole = true }\nsweeps = [5, 7]";
        let runs = Plan::parse(text).unwrap().runs;
        assert_eq!((runs.len(), Plan::parse(text).unwrap().runs), (60, runs.clone()));
        let margins: Vec<f64> = runs.iter().map(|run| run.varied["margin"].as_float().unwrap()).collect();
        assert!(margins.iter().all(|margin| (1.0..=16.0).contains(margin)));
        assert!((5..25).contains(&(margins.iter().filter(|&&margin| margin < 4.0).count() / 2)));
        assert!(runs.iter().all(|run| (2..=9).contains(&run.varied["levels"].as_integer().unwrap())));
    }

    #[test]
    fn every_setting_of_train_is_a_key() {
        let text = "[base]\nislands = 4\nmating = \"neurons\"\nslide = 2\nheats = [0.002, 0.001]\nfrom = \"m.evb\"\npreset = \"small\"\n\
                    rate-generations = 3\nselection = \"map-elites\"\n[vary]\nmigration = [\"async\", \"deterministic\"]";
        assert_eq!(Plan::parse(text).unwrap().runs.len(), 2);
        // What a run leaves as its config.toml is a base.
        let loaded = evobit_data::load("iris", &evobit_data::LoadOptions::default()).unwrap();
        let config = Settings { islands: Some(2), ..Settings::default() }.resolve(&loaded.train).unwrap();
        let mut base: Table = toml::from_str(&config.to_toml()).unwrap();
        base.remove("seed");
        let text = toml::to_string(&Table::from_iter([("base".to_owned(), Value::Table(base))])).unwrap();
        assert_eq!(Plan::parse(&text).unwrap().runs.len(), 1);
    }

    #[test]
    fn folders_are_told_apart_and_safe() {
        let folder = |text: &str| Plan::parse(text).unwrap().runs[0].folder().display().to_string();
        let one = folder("[vary]\nhidden = [[\"4x2x2@1x5x5\", \"8\"]]\nlabel = [\"../a b\"]");
        assert!(one.starts_with("hidden=4x2x2@1x5x5,8_label=.._a_b-") && one.ends_with("/seed-1"), "{one}");
        assert_ne!(folder("[base]\nlevels = 2"), folder("[base]\nlevels = 3"));
    }

    #[test]
    fn tasks_have_keys_of_their_own() {
        let text = "[base]\ntask = \"cart-pole\"\n[vary]\npopulation = [20, 40]";
        let runs = Plan::parse(text).unwrap().runs;
        let config = task_config(&runs[1].settings, 7).unwrap();
        assert_eq!((config.population, config.seed, config.task), (40, 7, task::Task::CartPole));
        assert!(Plan::parse("[base]\ntask = \"cart-pole\"\nmargin = 3.0").is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, says) in [
            ("[vary]\nmargn = [1.0]", "did you mean `margin`?"),
            ("[base]\npopulaton = 3", "did you mean `population`?"),
            ("[base]\nseed = 3", "seeds = 5"),
            ("seeds = 0", "a number of seeds"),
            ("seeds = []", "a number of seeds"),
            ("[vary]\nlevels = 4", "a list of values"),
            ("[vary]\nlevels = []", "no value"),
            ("[vary]\nlevels = { from = 1, to = 2 }", "random = 20"),
            ("random = 3\n[vary]\nmargin = { from = 0.0, to = 2.0, log = true }", "a range such as"),
            ("[base]\nlevels = 3\n[vary]\nlevels = [4]", "leave it in one"),
            ("[vary]\nlevels = [\"many\"]", "levels=\"many\""),
            ("[base]\ntask = \"cart-poll\"", "cart-pole"),
            ("sed = 3", "line 1: unknown field"),
            ("seeds = 2\n[base\n", "line 2: "),
        ] {
            let message = Plan::parse(text).unwrap_err();
            assert!(message.contains(says) && !message.contains('\n'), "{text}: {message}");
        }
    }
}
