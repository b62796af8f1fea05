//! How numbers and names are written in figures.

/// About the breadth in pixels of `content`. The font is not known when the
/// figure is drawn, so this assumes a broad one (in units of the font's size).
pub(super) fn breadth(content: &str, size: f64) -> f64 {
    let units = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '!' | '\'' | '|' | ' ' | '\u{2009}' => 0.33,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '\u{2026}' => 0.97,
        'A'..='Z' => 0.72,
        ' '..='~' => 0.63,
        _ => 0.9,
    };
    content.chars().map(units).sum::<f64>() * size
}

/// `count` in groups of three: `12 345` (with a thin space).
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// `part` of `whole` in per cent, with more places where the share is small.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    let places = match share {
        _ if part == 0 || part == whole => 0,
        share if share >= 10.0 => 1,
        share if share >= 0.1 => 2,
        share if share >= 1e-3 => 4,
        _ => return format!("{share:.1e} %"),
    };
    format!("{share:.places$} %")
}

/// A number for an axis whose ticks are `step` apart and whose largest
/// absolute value is `largest`; with k, M, G, T for thousands and up.
pub(super) fn tick(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    let (value, step) = (value.abs(), step.abs());
    if !(1e-3..1e16).contains(&largest) {
        let places = (exponent(value) - exponent(step)).clamp(0, 6) as usize;
        return format!("{sign}{value:.places$e}").replace("e-", "e\u{2212}");
    }
    let (unit, suffix) = match largest {
        l if l >= 1e12 => (1e12, "T"),
        l if l >= 1e9 => (1e9, "G"),
        l if l >= 1e6 => (1e6, "M"),
        l if l >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let places = (-exponent(step / unit)).clamp(0, 9) as usize;
    format!("{sign}{:.places$}{suffix}", value / unit)
}

/// A power of ten, or a small multiple of one, on a logarithmic axis.
pub(super) fn log_tick(value: f64) -> String {
    let step = 10f64.powi(exponent(value.abs()));
    match value.abs() {
        size if (1e3..1e16).contains(&size) => tick(value, step, size.max(1e4)),
        size if (0.99e-3..1e16).contains(&size) => tick(value, step, 1.0),
        size => tick(value, step, size),
    }
}

/// `count` in at most `room` characters where k, M and G allow it.
pub(super) fn short_count(count: u32, room: usize) -> String {
    let full = count.to_string();
    if full.len() <= room {
        return full;
    }
    let (unit, suffix) = match count {
        1_000_000_000.. => (1e9, "G"),
        1_000_000.. => (1e6, "M"),
        _ => (1e3, "k"),
    };
    let value = f64::from(count) / unit;
    let places = usize::from(value < 9.95 && room >= 4);
    format!("{value:.places$}{suffix}")
}

/// `name` in at most `room` characters, the end cut off with an ellipsis;
/// characters that may not stand in XML become spaces.
pub(super) fn short_name(name: &str, room: usize) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let clean: Vec<char> = name.trim().chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    if clean.len() <= room {
        return clean.into_iter().collect();
    }
    let kept: String = clean[..room.saturating_sub(1)].iter().collect();
    format!("{}\u{2026}", kept.trim_end())
}

/// The power of ten at or below `value`; exact at powers of ten.
pub(super) fn exponent(value: f64) -> i32 {
    if value <= 0.0 || !value.is_finite() {
        return 0;
    }
    (value.log10() + 1e-9).floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(7, 7), "100 %");
        assert_eq!(percent(1, 100_000), "0.0010 %");
        assert_eq!(tick(2_500_000.0, 500_000.0, 3e6), "2.5M");
        assert_eq!(tick(-0.25, 0.05, 0.5), "\u{2212}0.25");
        assert_eq!(tick(97.5, 0.5, 100.0), "97.5");
        assert_eq!(log_tick(1000.0), "1k");
        assert_eq!(log_tick(0.001), "0.001");
        assert_eq!(log_tick(-1e-7), "\u{2212}1e\u{2212}7");
    }

    #[test]
    fn counts_and_names_fit_their_room() {
        assert_eq!(short_count(980, 3), "980");
        assert_eq!(short_count(1234, 3), "1k");
        assert_eq!(short_count(1234, 4), "1234");
        assert_eq!(short_count(u32::MAX, 4), "4.3G");
        assert_eq!(short_name("aeroplane", 5), "aero\u{2026}");
        assert_eq!(short_name("a\0b", 5), "a b");
        assert_eq!(short_name("", 0), "");
    }
}
