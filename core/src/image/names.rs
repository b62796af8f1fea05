//! Names of classes, columns and categories.

use crate::bits::Words;
use crate::encode::{Code, Encoder};

/// A run of strings, each behind its length in two bytes.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Strings<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (len, rest) = self.0.split_first_chunk::<2>()?;
        let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        self.0 = rest;
        core::str::from_utf8(text).ok()
    }
}

/// The names section, checked.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    classes: u16,
    columns: u16,
    strings: Strings<'a>,
}

impl<'a> Names<'a> {
    /// Reads a section and checks that it has a name for every class, and for every column of `encoder` or none.
    pub(super) fn parse(bytes: &'a [u8], classes: usize, encoder: &Encoder<impl Words>) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<4>()?;
        let [a, b, c, d] = *header;
        let names = Self {
            classes: u16::from_le_bytes([a, b]),
            columns: u16::from_le_bytes([c, d]),
            strings: Strings(rest),
        };
        if usize::from(names.classes) != classes {
            return None;
        }
        let mut expected = classes;
        if names.columns > 0 {
            if u32::from(names.columns) != encoder.features() || encoder.uniform().is_some() {
                return None;
            }
            expected += usize::from(names.columns);
            let categories = |code, len| if code == Code::OneHot { len } else { 0 };
            expected += encoder.table().map(|feature| categories(feature.code, feature.len())).sum::<usize>();
        }
        let mut strings = names.strings;
        let found = strings.by_ref().take(expected).count();
        let padding = strings.0.len() < 4 && strings.0.iter().all(|&byte| byte == 0);
        (found == expected && padding).then_some(names)
    }

    /// The class names, by class.
    pub fn classes(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.strings.take(self.classes.into())
    }

    /// True where columns have names.
    #[must_use]
    pub const fn has_columns(&self) -> bool {
        self.columns > 0
    }

    /// All that follows the class names: for each column its name and then, where it is one-hot, its categories.
    #[must_use]
    pub fn columns(&self) -> Strings<'a> {
        let mut strings = self.strings;
        strings.by_ref().take(self.classes.into()).for_each(drop);
        strings
    }
}
