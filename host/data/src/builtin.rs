//! The data sets that travel with the program: the CSV files of `host/data`, compiled in.

/// The names of the built-in sets.
pub(super) const NAMES: [&str; 2] = ["digits", "iris"];

/// A CSV text, and the shape of its images if it holds images.
pub(super) struct Builtin {
    pub(super) text: &'static str,
    pub(super) shape: Option<(u16, u16, u16)>,
}

/// The built-in set called `name`, if there is one.
pub(super) fn find(name: &str) -> Option<Builtin> {
    match name {
        "digits" => Some(Builtin { text: include_str!("../digits.csv"), shape: Some((1, 8, 8)) }),
        "iris" => Some(Builtin { text: include_str!("../iris.csv"), shape: None }),
        _ => None,
    }
}
