//! `evobit rule eval`: how networks learn by a rule.

use serde_json::json;

use super::super::table::{lines, percent};
use super::super::{Failure, print};
use super::RuleEvalArgs;
use super::given::Given;
use super::verdict::Verdict;

pub(super) fn run(args: &RuleEvalArgs) -> Result<(), Failure> {
    let course = args.task.course(None)?;
    let marks = Given::read(&args.rule)?.learn(&args.rule, &course)?;
    let verdict = Verdict::new(&course, &marks);
    if args.json {
        let mut object = serde_json::to_value(&verdict)?;
        if let Some(object) = object.as_object_mut() {
            object.insert("seed".into(), json!(args.task.seed));
            object.insert("rule".into(), json!(args.rule));
        }
        return print(&object.to_string());
    }
    let exams: Vec<String> = verdict.exams.iter().map(|&share| percent(share)).collect();
    print(&lines(&[
        ("accuracy", percent(verdict.test_accuracy)),
        ("exams, mean of all networks", exams.join(", ")),
        ("networks", verdict.networks.to_string()),
    ]))
}
