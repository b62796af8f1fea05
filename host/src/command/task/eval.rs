//! `evobit task eval`: a controller from unseen starts.

use super::super::{Failure, print};
use super::{TaskEvalArgs, in_world, verdict_lines};
use evobit_model::Model;
use evobit_rules::task::{Part, TaskConfig, judge, starts};

pub(super) fn run(args: &TaskEvalArgs) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let beside = std::fs::read_to_string(args.model.with_file_name("config.toml")).ok();
    let config: Option<TaskConfig> = beside.and_then(|text| toml::from_str(&text).ok());
    let Some(task) = args.task.or(config.as_ref().map(|config| config.task)) else {
        return Err(Failure::usage(format!(
            "{}: which task? The config.toml of an `evobit task train` does not lie beside it: give --task",
            args.model.display()
        )));
    };
    let seed = args.seed.or(config.map(|config| config.seed)).unwrap_or(1);
    let count = args.starts as usize;
    let verdict = in_world!(task, World => judge(&model, &starts::<World>(seed, Part::Unseen, count))?);
    if args.json {
        let mut object = serde_json::to_value(&verdict)?;
        object["task"] = task.name().into();
        object["seed"] = seed.into();
        object["model"] = args.model.display().to_string().into();
        return print(&object.to_string());
    }
    print(verdict_lines(&verdict).trim_end())
}
