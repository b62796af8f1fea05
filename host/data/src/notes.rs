//! What is said of the columns of a table: what they look like, and what became of their cells.

use super::error::{listed, shown};
use super::options::Missing;
use super::seen::Seen;
use super::text::Layout;

/// Names of columns that number samples.
const INDEX_NAMES: [&str; 8] = ["id", "index", "idx", "row", "rowid", "uid", "uuid", "Unnamed: 0"];

/// Lines over which a column that ascends does not do so by chance.
const ROWS_OF_AN_INDEX: usize = 20;

/// What is said of columns whose numbers are rounded.
pub(super) fn rounding_notes(layout: &Layout, seen: &[Seen]) -> Vec<String> {
    let note = |(seen, &column): (&Seen, &usize)| {
        let name = shown(&layout.names[column]);
        if !seen.holds_numbers() {
            None
        } else if seen.reals > 0 && seen.is_better_whole() {
            Some(format!(
                "numbers of column {name} are rounded up to whole ones, which 32 bits keep further apart"
            ))
        } else if seen.is_too_far_out() {
            let least = seen.range.map_or(0.0, |(least, _)| least);
            Some(format!(
                "32 bits tell few numbers of column {name} apart: subtract {least} from all of them"
            ))
        } else {
            None
        }
    };
    seen.iter().zip(&layout.features).filter_map(note).collect()
}

/// What is said of columns that look like an index.
pub(super) fn index_notes(layout: &Layout, seen: &[Seen]) -> Vec<String> {
    let note = |(seen, &column): (&Seen, &usize)| {
        let name = &layout.names[column];
        let named = INDEX_NAMES.iter().any(|index| name.eq_ignore_ascii_case(index));
        let ascends = !seen.falls && seen.numbers >= ROWS_OF_AN_INDEX && seen.missing + seen.texts == 0;
        let why = match (ascends, named) {
            (true, _) => "ascends from line to line",
            (false, true) => "has the name of an index",
            (false, false) => return None,
        };
        let flag = if name.contains([' ', '"', ',']) { (column + 1).to_string() } else { name.clone() };
        Some(format!(
            "column {} {why}: if it is no property of the samples, leave it out with --drop {flag}",
            shown(name)
        ))
    };
    seen.iter().zip(&layout.features).filter_map(note).collect()
}

/// What is said of missing values.
pub(super) fn missing_note(layout: &Layout, seen: &[Seen], samples: usize) -> Option<String> {
    let gaps = |seen: &Seen| seen.missing + if seen.holds_numbers() { seen.texts } else { 0 };
    let with_gaps = seen.iter().zip(&layout.features).filter(|(seen, _)| gaps(seen) > 0);
    let names: Vec<&str> = with_gaps.map(|(_, &column)| layout.names[column].as_str()).collect();
    let rows = seen.first().map_or(0, |seen| seen.numbers + seen.missing + seen.texts);
    if names.is_empty() {
        return None;
    }
    let cells: usize = seen.iter().map(gaps).sum();
    let cells = if cells == 1 { "1 value is".to_owned() } else { format!("{cells} values are") };
    let becomes = match layout.missing {
        Some(Missing::Skip) => format!("{} of {rows} lines are left out", rows - samples),
        _ => "a bit of each such column tells where".to_owned(),
    };
    Some(format!("{cells} missing, in {}: {becomes}", listed(names.into_iter())))
}
