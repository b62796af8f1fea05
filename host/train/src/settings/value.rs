//! How the value of a setting is read from the text of a flag.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use evobit_data::{Decimal, Missing, Named, Separator};

use crate::family::{FAMILIES, FamilyName};

use super::{Algorithm, GraphKind, HiddenLayer, ImageShape, MigrationKind, Preset, ShareKind, TestPart};

/// What a setting can be.
pub trait Value: Sized {
    /// True of lists: their flag takes several values, separated by commas.
    const IS_LIST: bool = false;

    /// True of switches: their flag takes no value.
    const IS_SWITCH: bool = false;

    /// The names that it takes and what they mean; none where it takes more than names.
    #[must_use]
    fn names() -> Vec<(&'static str, &'static str)> {
        vec![]
    }

    /// The value that a flag gives.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(text: &str) -> Result<Self, String>;

    /// This value where its flag is given once more: a list is longer by one.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn and(self, text: &str) -> Result<Self, String> {
        Self::read(text)
    }
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A whole number up to `most`. The complaint names the range, which the standard library's does not.
fn whole<T: TryFrom<i64>>(text: &str, most: u32) -> Result<T, String> {
    let number: i64 = parse(text)?;
    T::try_from(number).map_err(|_| format!("{number} is not in 0..={most}"))
}

impl Value for u16 {
    fn read(text: &str) -> Result<Self, String> {
        whole(text, Self::MAX.into())
    }
}

impl Value for u32 {
    fn read(text: &str) -> Result<Self, String> {
        whole(text, Self::MAX)
    }
}

impl Value for bool {
    const IS_SWITCH: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        parse(text)
    }
}

impl Value for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a path is not empty".into()) } else { Ok(text.into()) }
    }
}

impl<T: Value> Value for Vec<T> {
    const IS_LIST: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        Ok(vec![T::read(text)?])
    }

    fn and(mut self, text: &str) -> Result<Self, String> {
        self.push(T::read(text)?);
        Ok(self)
    }
}

macro_rules! parsed {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(text: &str) -> Result<Self, String> {
                parse(text)
            }
        }
    )+};
}
parsed!(u64, f64, String, ImageShape, HiddenLayer, TestPart);

macro_rules! by_name {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn names() -> Vec<(&'static str, &'static str)> {
                Self::ALL.iter().map(|&(_, name, help)| (name, help)).collect()
            }

            fn read(text: &str) -> Result<Self, String> {
                text.parse()
            }
        }
    )+};
}
by_name!(Algorithm, Decimal, GraphKind, MigrationKind, Missing, Preset, Separator, ShareKind);

impl Value for FamilyName {
    fn names() -> Vec<(&'static str, &'static str)> {
        FAMILIES.iter().map(|family| (family.name(), family.help())).collect()
    }

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}
