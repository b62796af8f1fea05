//! The same integer of several plastic networks beside each other.

/// A value of `L` plastic networks: one on a board, a vector register's worth on a host, where loops over lanes become vector
/// instructions. All arithmetic saturates or is exact, in every lane alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Lanes<const L: usize>(pub [i16; L]);

impl<const L: usize> Lanes<L> {
    /// 0 in all lanes.
    pub const ZERO: Self = Self([0; L]);

    /// `value` in all lanes.
    #[must_use]
    pub const fn all(value: i16) -> Self {
        Self([value; L])
    }

    /// A function of every lane.
    #[inline(always)]
    #[must_use]
    pub fn map(self, function: impl Fn(i16) -> i16) -> Self {
        let mut out = self;
        for value in &mut out.0 {
            *value = function(*value);
        }
        out
    }

    /// A function of two values in every lane.
    #[inline(always)]
    #[must_use]
    pub fn with(self, other: Self, function: impl Fn(i16, i16) -> i16) -> Self {
        let mut out = self;
        for (value, other) in out.0.iter_mut().zip(other.0) {
            *value = function(*value, other);
        }
        out
    }

    /// The sum, kept in range.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, i16::saturating_add)
    }

    /// The product with `other` divided by 256, rounded down; `self` is -128 to 127.
    #[inline(always)]
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        // As the upper half of a product of 16 bits, which vector units have an instruction for.
        self.with(other, |a, b| ((i32::from(a << 8) * i32::from(b)) >> 16) as i16)
    }

    /// The product with a coefficient of -64 to 64; `self` is -128 to 127.
    #[inline(always)]
    #[must_use]
    pub fn scaled(self, coefficient: i8) -> Self {
        let coefficient = i16::from(coefficient);
        self.map(|value| value.wrapping_mul(coefficient))
    }

    /// Divided by a power of two, rounded down.
    #[inline(always)]
    #[must_use]
    pub fn shifted(self, shift: u32) -> Self {
        self.map(|value| value >> shift)
    }

    /// Kept within -`limit` and `limit`.
    #[inline(always)]
    #[must_use]
    pub fn within(self, limit: i16) -> Self {
        self.map(|value| value.clamp(-limit, limit))
    }
}

impl<const L: usize> Default for Lanes<L> {
    fn default() -> Self {
        Self::ZERO
    }
}
