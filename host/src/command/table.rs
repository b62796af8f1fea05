//! Two columns of text, aligned.

/// Lines of `name  value`, the values under each other.
pub(super) fn lines(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("  {name:width$}  {value}\n")).collect()
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// A number and what it counts, whose plural has an s.
pub(super) fn plural(number: u64, unit: &str) -> String {
    let ending = match (number, unit.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {unit}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn one_is_singular_and_all_else_plural() {
        let all = [plural(1, "class"), plural(2, "class"), plural(0, "column"), plural(1200, "test sample")];
        assert_eq!(all, ["1 class", "2 classes", "0 columns", "1,200 test samples"]);
    }
}
