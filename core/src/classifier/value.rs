//! What a raw sample is made of.

use crate::encode::{Code, MISSING, real_key};

mod sealed {
    /// Keeps [`RawValue`](super::RawValue) to the types of this module.
    pub trait Sealed: Copy {
        /// What it is; `None` where it is missing, which any column may be.
        fn code(self) -> Option<Code>;

        /// What encoders compare.
        fn key(self) -> i32;

        /// The same values as bytes, which are encoded faster.
        fn as_bytes(_values: &[Self]) -> Option<&[u8]> {
            None
        }
    }

    use super::Code;
}

/// What a raw sample is made of: an integer of up to 32 bits that fits an `i32`, an `f32`, or a [`Value`] where the columns of a
/// model differ. Integers answer columns of integers and, as an index, of categories; an `f32` answers columns of real numbers.
/// NaN says that a value is missing, as [`Value::Missing`] and `i32::MIN` do, see [`encode`](crate::encode).
pub trait RawValue: sealed::Sealed {}

/// One value of a sample whose columns are of different kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Value {
    /// An integer, or the index of a category.
    Integer(i32),
    /// A real number.
    Real(f32),
    /// The index of a category. One that the model does not know is none of its categories.
    Category(u16),
    /// There is none, of whichever kind the column is.
    Missing,
}

impl sealed::Sealed for Value {
    fn code(self) -> Option<Code> {
        match self {
            Self::Integer(_) => Some(Code::Integer),
            Self::Real(_) => Some(Code::Real),
            Self::Category(_) => Some(Code::OneHot),
            Self::Missing => None,
        }
    }

    fn key(self) -> i32 {
        match self {
            Self::Integer(value) => value,
            Self::Real(value) => real_key(value),
            Self::Category(index) => index.into(),
            Self::Missing => MISSING,
        }
    }
}

impl sealed::Sealed for u8 {
    fn code(self) -> Option<Code> {
        Some(Code::Integer)
    }

    fn key(self) -> i32 {
        self.into()
    }

    fn as_bytes(values: &[Self]) -> Option<&[u8]> {
        Some(values)
    }
}

impl sealed::Sealed for i8 {
    fn code(self) -> Option<Code> {
        Some(Code::Integer)
    }

    fn key(self) -> i32 {
        self.into()
    }
}

impl sealed::Sealed for u16 {
    fn code(self) -> Option<Code> {
        Some(Code::Integer)
    }

    fn key(self) -> i32 {
        self.into()
    }
}

impl sealed::Sealed for i16 {
    fn code(self) -> Option<Code> {
        Some(Code::Integer)
    }

    fn key(self) -> i32 {
        self.into()
    }
}

impl sealed::Sealed for i32 {
    fn code(self) -> Option<Code> {
        Some(Code::Integer)
    }

    fn key(self) -> i32 {
        self
    }
}

impl sealed::Sealed for f32 {
    fn code(self) -> Option<Code> {
        Some(Code::Real)
    }

    fn key(self) -> i32 {
        real_key(self)
    }
}

impl RawValue for Value {}
impl RawValue for u8 {}
impl RawValue for i8 {}
impl RawValue for u16 {}
impl RawValue for i16 {}
impl RawValue for i32 {}
impl RawValue for f32 {}
