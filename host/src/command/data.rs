//! `evobit data`: a file as it would be read, before anything is trained.

use serde_json::{Value, json};

use evobit::encode::{Encoder, Feature, key_real};
use evobit_data::encode::learn;
use evobit_data::{Column, ColumnKind, Dataset, Decimal, Loaded, MISSING, Schema, TableFacts};

use super::table::{count, lines, percent, plural};
use super::train::open;
use super::{DescribeArgs, Failure, print};
use evobit_train::Source;

/// Most columns and classes that are listed for people.
const MOST_LISTED: usize = 100;

pub(super) fn run(args: &DescribeArgs) -> Result<(), Failure> {
    let mut settings = args.settings.0.clone();
    settings.data = Some(args.source.clone());
    let (Source { loaded, .. }, config) = open(settings)?;
    let columns = columns(&loaded.train, config.levels)?;
    if args.json {
        return print(&as_json(&loaded, &columns).to_string());
    }
    print(text(&loaded, &columns).trim_end())
}

/// A column as it would be read.
struct Described {
    name: String,
    kind: &'static str,
    missing: usize,
    /// Levels of numbers, categories of names.
    levels: usize,
    /// The least and the greatest number.
    range: Option<(f64, f64)>,
    categories: Vec<String>,
}

/// The columns of a table.
fn columns(set: &Dataset, levels: u16) -> Result<Vec<Described>, Failure> {
    let Schema::Table(columns) = &set.schema else { return Ok(vec![]) };
    let words = learn(set, levels)?;
    let encoder = Encoder::new(&words[..])?;
    let described = |(feature, (column, code)): (usize, (&Column, Feature<&[u32]>))| {
        describe(set, feature, column, code.len())
    };
    Ok(columns.iter().zip(encoder.table()).enumerate().map(described).collect())
}

fn describe(set: &Dataset, feature: usize, column: &Column, bits: usize) -> Described {
    let keys = || (0..set.samples()).map(|sample| set.key(sample, feature));
    let (kind, number): (_, fn(i32) -> f64) = match column.kind {
        ColumnKind::Integer => ("whole numbers", f64::from),
        // As the float of 32 bits is written, not with the digits that one of 64 bits adds.
        ColumnKind::Real => ("real numbers", |key| key_real(key).to_string().parse().unwrap_or(f64::NAN)),
        ColumnKind::Category(_) => ("categories", f64::from),
    };
    let described = Described {
        name: column.name.clone(),
        kind,
        missing: 0,
        levels: bits - usize::from(column.missing),
        range: None,
        categories: vec![],
    };
    if let ColumnKind::Category(names) = &column.kind {
        // What is missing is the empty name, which is the first where it is there.
        let is_missing = |key: &i32| usize::try_from(*key).is_ok_and(|key| names[key].is_empty());
        let categories: Vec<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
        return Described {
            missing: keys().filter(is_missing).count(),
            levels: categories.len(),
            categories,
            ..described
        };
    }
    let there = |key: &i32| !(column.missing && *key == MISSING);
    let least = keys().filter(there).min();
    let greatest = keys().filter(there).max();
    Described {
        missing: keys().filter(|key| !there(key)).count(),
        range: least.zip(greatest).map(|(least, greatest)| (number(least), number(greatest))),
        ..described
    }
}

fn as_json(loaded: &Loaded, columns: &[Described]) -> Value {
    let set = &loaded.train;
    let column = |column: &Described| {
        let mut json = json!({ "name": column.name, "kind": column.kind, "missing": column.missing, "levels": column.levels });
        if let Some((least, greatest)) = column.range {
            json["least"] = least.into();
            json["greatest"] = greatest.into();
        }
        if !column.categories.is_empty() {
            json["categories"] = json!(column.categories);
        }
        json
    };
    let counts = set.class_counts();
    let classes: Vec<Value> = set
        .classes
        .iter()
        .zip(&counts)
        .map(|(name, samples)| json!({ "name": name, "samples": samples }))
        .collect();
    let mut json = json!({
        "name": loaded.name,
        "rows": set.samples(),
        "features": set.features(),
        "columns": columns.iter().map(column).collect::<Vec<_>>(),
        "classes": classes,
        "majority_accuracy": largest(&counts),
        "test_rows": loaded.test.as_ref().map(Dataset::samples),
        "warnings": loaded.notes,
    });
    if let Schema::Image { channels, height, width } = set.schema {
        json["image"] = json!([channels, height, width]);
    }
    if let Some(TableFacts { writing, label }) = &loaded.table {
        json["separator"] = json!(writing.separator);
        json["decimal"] = json!(writing.decimal);
        json["header"] = json!(!writing.no_header);
        json["label"] = json!(label);
    }
    json
}

/// The share of the largest class.
fn largest(counts: &[u32]) -> f64 {
    let all: u32 = counts.iter().sum();
    f64::from(counts.iter().copied().max().unwrap_or(0)) / f64::from(all)
}

fn text(loaded: &Loaded, columns: &[Described]) -> String {
    let set = &loaded.train;
    let counts = set.class_counts();
    let mut rows = vec![("samples", count(set.samples() as u64))];
    rows.extend(loaded.test.as_ref().map(|test| ("test samples", count(test.samples() as u64))));
    match set.schema {
        Schema::Image { channels, height, width } => {
            rows.push(("features", format!("images of {channels}x{height}x{width}")));
        }
        Schema::Table(_) => rows.push(("features", plural(columns.len() as u64, "column"))),
    }
    if let Some(TableFacts { writing, label }) = &loaded.table {
        let between = writing.separator.map_or("", |separator| separator.name());
        let decimals = if writing.decimal == Some(Decimal::Comma) { "a comma" } else { "a point" };
        let header = if writing.no_header { "no header" } else { "a header" };
        rows.push(("written with", format!("{between} between cells, {decimals} before decimals, {header}")));
        rows.push(("label", format!("{label}, of {}", plural(set.classes.len() as u64, "class"))));
    }
    rows.push(("always the largest class", format!("{} right", percent(largest(&counts)))));
    let mut text = lines(&rows);
    if !columns.is_empty() {
        text += &format!("\n{}", column_lines(columns));
    }
    text += "\n  class                        samples\n";
    for (name, samples) in set.classes.iter().zip(&counts).take(MOST_LISTED) {
        text += &format!("  {:24}  {:>10}\n", short(name), count((*samples).into()));
    }
    text += &more(set.classes.len());
    for note in &loaded.notes {
        text += &format!("\nnote: {note}");
    }
    text
}

fn column_lines(columns: &[Described]) -> String {
    let mut text = format!("  {:24}  {:13}  {:>7}  {:>6}  values\n", "column", "kind", "missing", "levels");
    for column in columns.iter().take(MOST_LISTED) {
        let values = match column.range {
            Some((least, greatest)) => format!("{least} to {greatest}"),
            None => short(&column.categories.join(", ")),
        };
        let (missing, levels) = (count(column.missing as u64), count(column.levels as u64));
        text += &format!(
            "  {:24}  {:13}  {missing:>7}  {levels:>6}  {values}\n",
            short(&column.name),
            column.kind
        );
    }
    text + &more(columns.len())
}

/// What is not listed.
fn more(all: usize) -> String {
    match all.saturating_sub(MOST_LISTED) {
        0 => String::new(),
        more => format!("  and {} more, which --json lists\n", count(more as u64)),
    }
}

fn short(name: &str) -> String {
    const LONGEST: usize = 24;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 3).chain("...".chars()).collect()
}
