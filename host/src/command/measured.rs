//! Balanced accuracy and the like, as lines for people and fields for machines.

use serde_json::Value;

use super::table::{count, percent};
use evobit_model::measures::Measures;

/// Most classes that are shown one by one.
const MOST_SHOWN: usize = 30;

/// What to hold an accuracy against.
pub(super) fn measured_rows(measures: &Measures) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("always the largest class", percent(measures.majority_accuracy)),
        (
            "balanced accuracy",
            format!("{}, the mean recall of the classes", percent(measures.balanced_accuracy)),
        ),
    ];
    rows.extend(measures.auroc.map(|auroc| ("AUROC", format!("{auroc:.4}"))));
    rows
}

/// A line for each class, the worst ones where they are many.
pub(super) fn class_lines(measures: &Measures) -> String {
    let all = &measures.per_class;
    let mut shown: Vec<_> = all.iter().collect();
    let mut text = String::new();
    if shown.len() > MOST_SHOWN {
        shown.sort_by(|one, other| one.f1.total_cmp(&other.f1));
        shown.truncate(MOST_SHOWN);
        text += &format!("the {MOST_SHOWN} classes of {} with the lowest F1; --json has all:\n", all.len());
    }
    let short = |name: &str| name.chars().take(24).collect::<String>();
    let width = shown.iter().map(|class| short(&class.class).chars().count()).max().unwrap_or(0).max(5);
    text += &format!("  {:width$}  precision     recall         F1    samples\n", "class");
    for class in shown {
        let cells = [class.precision, class.recall, class.f1].map(|share| format!("{:>9}", percent(share)));
        let name = short(&class.class);
        text += &format!("  {name:width$}  {}  {:>9}\n", cells.join("  "), count(class.support));
    }
    text
}

/// Adds the fields of another object.
pub(super) fn extend(json: &mut Value, more: Value) {
    if let (Value::Object(json), Value::Object(more)) = (json, more) {
        json.extend(more);
    }
}
