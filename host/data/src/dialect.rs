//! How a table is written: what parts its cells, and what stands before decimals.
//!
//! Both are found out from the first lines. A separator fits when it parts all of them into equally many cells. Where several fit,
//! a comma is the separator unless each comma is one before decimals, as in `5,0;1,9`.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::options::{Decimal, Separator, Writing};

/// Lines that are looked at.
const LINES: usize = 1000;

/// How the cells of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What stands between cells.
    pub(super) separator: Separator,
    /// Whether a comma stands before decimals.
    pub(super) decimal_comma: bool,
}

impl Dialect {
    /// Of a text, where the user has not said it.
    pub(super) fn of(bytes: &[u8], writing: Writing) -> Self {
        let separator = writing.separator.unwrap_or_else(|| separator(bytes));
        let decimal_comma = match writing.decimal {
            Some(decimal) => decimal == Decimal::Comma,
            None => decimal_comma(&lines(bytes, separator)),
        };
        Self { separator, decimal_comma }
    }

    /// What is unusual about it, for a note.
    pub(super) fn note(self) -> Option<String> {
        let between = match self.separator {
            Separator::Comma => None,
            Separator::Tab => Some("tabs part the cells"),
            Separator::Semicolon => Some("semicolons part the cells"),
            Separator::Bar => Some("bars part the cells"),
        };
        let decimals = self.decimal_comma.then_some("commas stand before decimals");
        let parts: Vec<&str> = between.into_iter().chain(decimals).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// What parts the cells of a text.
fn separator(bytes: &[u8]) -> Separator {
    let commas = lines(bytes, Separator::Comma);
    let first = |lines: &[StringRecord]| lines.first().map_or(0, StringRecord::len);
    let fits =
        |lines: &[StringRecord]| first(lines) > 1 && lines.iter().all(|line| line.len() == first(lines));
    for separator in [Separator::Tab, Separator::Semicolon, Separator::Bar] {
        let lines = lines(bytes, separator);
        let better = if fits(&commas) {
            fits(&lines) && cells(&lines).all(|cell| !cell.contains(',') || has_decimals(cell, ','))
        } else {
            fits(&lines) || first(&lines) > first(&commas) && first(&commas) < 2
        };
        if better {
            return separator;
        }
    }
    Separator::Comma
}

/// Reads a text as records of any length, without the space around cells.
pub(super) fn reader(bytes: &[u8], separator: Separator) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(separator.byte())
        .from_reader(bytes)
}

fn lines(bytes: &[u8], separator: Separator) -> Vec<StringRecord> {
    reader(bytes, separator).records().map_while(Result::ok).take(LINES).collect()
}

fn cells(lines: &[StringRecord]) -> impl Iterator<Item = &str> {
    lines.iter().flatten()
}

/// Whether some numbers have decimals behind a comma, and none behind a point.
fn decimal_comma(lines: &[StringRecord]) -> bool {
    cells(lines).any(|cell| has_decimals(cell, ',')) && !cells(lines).any(|cell| has_decimals(cell, '.'))
}

/// Whether a cell is digits, this mark, and digits.
pub(super) fn has_decimals(cell: &str, mark: char) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let fraction = |text: &str| {
        // An exponent may follow.
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        digits(number) && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
    };
    unsigned.split_once(mark).is_some_and(|(whole, rest)| digits(whole) && fraction(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_decimals_are_found_out() {
        let of = |text: &str| {
            let Dialect { separator, decimal_comma } = Dialect::of(text.as_bytes(), Writing::default());
            (char::from(separator.byte()), decimal_comma)
        };
        assert_eq!(of("a,b\n1,2\n"), (',', false));
        assert_eq!(of("a;b\n1;2\n"), (';', false));
        assert_eq!(of("a\tb\n1\t2\n"), ('\t', false));
        assert_eq!(of("a|b|c\n1|2|x\n"), ('|', false));
        // Commas fit too, if only in number.
        assert_eq!(of("5,0;1,9;setosa\n4,6;1,8;setosa\n"), (';', true));
        assert_eq!(of("len;wid\n5,0;1,9\n-4,6e-3;1\n"), (';', true));
        assert_eq!(of("len;wid\n5.0;1,9\n"), (';', false));
        assert_eq!(of("len\twid\n5,0\t1\n"), ('\t', true));
        assert_eq!(of("\"5,0\",\"1,9\"\n\"4,6\",\"1,8\"\n"), (',', true));
        // Semicolons within cells.
        assert_eq!(of("1,2,a;b\n3,4,c;d\n"), (',', false));
        assert_eq!(of("x,note\n1,\"a;b\"\n"), (',', false));
        assert_eq!(of("note;y\n\"well, well\";1\nno;2\n"), (';', false));
        // One column, one that is ragged, nothing.
        assert_eq!(of("x\n1\n2\n"), (',', false));
        assert_eq!(of("a,y\n1,p\n1,q,2\n"), (',', false));
        assert_eq!(of("a;y\n1;p\n1;q;2\n"), (';', false));
        assert_eq!(of(""), (',', false));
    }

    #[test]
    fn what_the_user_says_is_not_found_out() {
        let semicolon = Writing { separator: Some(Separator::Semicolon), ..Writing::default() };
        let dialect = Dialect::of(b"a,b\n1,2\n", semicolon);
        assert_eq!((dialect.separator, dialect.decimal_comma), (Separator::Semicolon, true));
        let point = Writing { decimal: Some(Decimal::Point), ..semicolon };
        assert!(!Dialect::of(b"1,5;2\n", point).decimal_comma);
        let comma = Writing { decimal: Some(Decimal::Comma), ..Writing::default() };
        assert_eq!(
            Dialect::of(b"a;b\n1.5;2\n", comma).note().unwrap(),
            "semicolons part the cells, commas stand before decimals"
        );
    }
}
