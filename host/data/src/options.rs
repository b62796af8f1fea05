//! What a user says of a file that it does not say itself.

crate::named! {
    /// What becomes of values that are missing.
    pub enum Missing {
        /// A column with missing values has one more bit, which tells where
        Bit = "bit",
        /// Lines with missing values are left out
        Skip = "skip",
        /// They are errors
        Error = "error",
    }
}

impl Missing {
    /// Whether texts among the numbers of a column are missing values too: where the user has said what becomes of these.
    pub(super) fn takes_texts(chosen: Option<Self>) -> bool {
        matches!(chosen, Some(Self::Bit | Self::Skip))
    }
}

crate::named! {
    /// What parts the cells of a line.
    pub enum Separator {
        /// `,`
        Comma = "comma",
        /// `;`
        Semicolon = "semicolon",
        /// A tab
        Tab = "tab",
        /// `|`
        Bar = "bar",
    }
}

impl Separator {
    /// The byte that it is.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }
}

crate::named! {
    /// What stands before the decimals of a number.
    pub enum Decimal {
        /// As in 1.5
        Point = "point",
        /// As in 1,5
        Comma = "comma",
    }
}

/// How a CSV file is written, where that is not to be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// What parts the cells.
    pub separator: Option<Separator>,
    /// What stands before decimals.
    pub decimal: Option<Decimal>,
    /// That the first line is a sample.
    pub no_header: bool,
}

/// Which columns of a CSV file are features, and of which kind. Columns are named by name or by number, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnChoice {
    /// Those that are left out.
    pub drop: Vec<String>,
    /// Those that are not; all where it is empty.
    pub only: Vec<String>,
    /// Those that are categories, numbers or not.
    pub categorical: Vec<String>,
    /// Those that are numbers.
    pub numeric: Vec<String>,
    /// The one whose equal values stay in one part of a split; no feature.
    pub group: Option<String>,
    /// The one that names the part of each sample; no feature.
    pub split: Option<String>,
    /// The one that names each sample to predict; no feature.
    pub id: Option<String>,
}

/// What a file does not say about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The label column of a CSV file, by name or by number, counted from 1; else it is the last.
    pub label: Option<String>,
    /// The name that the label had in training, which counts where a file has a column of that name.
    pub trained_label: Option<String>,
    /// Channels, height and width of the images that the features make: a CSV file of whole
    /// numbers then holds images. IDX files say it themselves, and must agree.
    pub shape: Option<(u16, u16, u16)>,
    /// What becomes of missing values in a CSV file; else a column that has some has a bit that tells where.
    pub missing: Option<Missing>,
    /// How a CSV file is written.
    pub writing: Writing,
    /// Which of its columns are features.
    pub columns: ColumnChoice,
}
