//! A weight and its hidden states: what every update ends with.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays side by side become vector instructions"
)]

use super::Lanes;

/// The largest state: 127 in the upper byte.
const MOST: i16 = 127 << 8;
/// The size of a weight of one bit.
const SIGN: i16 = 32 << 8;

/// A weight and its hidden states in all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight<const L: usize> {
    /// The weight (upper byte) and its fraction, the first hidden state (lower byte); [`i16::MIN`] where there is no weight.
    pub value: Lanes<L>,
    /// The second (upper byte) and the third hidden state (lower byte).
    pub state: Lanes<L>,
}

impl<const L: usize> Weight<L> {
    /// No weight: it is never changed and adds nothing to any sum.
    pub const ABSENT: Self = Self { value: Lanes([i16::MIN; L]), state: Lanes::ZERO };

    /// The weight itself, -127 to 127.
    #[inline(always)]
    #[must_use]
    pub fn weight(&self) -> Lanes<L> {
        self.value.map(|value| if value == i16::MIN { 0 } else { value >> 8 })
    }

    /// The hidden state that rules see, -127 to 127.
    #[inline(always)]
    #[must_use]
    pub fn visible(&self) -> Lanes<L> {
        self.state.shifted(8)
    }

    /// In bounds; a value of [`i16::MIN`] stays, as it means that there is no weight.
    pub(super) fn bounded(self) -> Self {
        let value = self.value.map(|value| if value == i16::MIN { value } else { value.clamp(-MOST, MOST) });
        Self { value, state: self.state.within(MOST) }
    }

    /// In bounds, and absent where `before` was.
    #[inline(always)]
    pub(super) fn settled(self, before: Self, kind: WeightKind) -> Self {
        let Self { mut value, mut state } = self;
        if kind == WeightKind::Signs {
            state = state.plus(value.with(before.value, i16::saturating_sub));
            value = state.map(signed);
        }
        // One choice a loop, so that lanes become vector instructions.
        let (value, state) = (value.within(MOST), state.within(MOST));
        let there = before.value.with(value, |before, now| if before == i16::MIN { before } else { now });
        let mut settled = Self { value: there, state };
        for lane in 0..L {
            let absent = before.value.0[lane] == i16::MIN;
            settled.state.0[lane] = if absent { before.state.0[lane] } else { state.0[lane] };
        }
        settled
    }
}

/// What a weight is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WeightKind {
    /// A number of -127 to 127.
    #[default]
    Bytes,
    /// One bit: the sign of a counter. The counter is the hidden state that rules see; it takes what a rule changes the weight by, and what it
    /// changes the state by. A rule that reads no states changes none, here as well.
    Signs,
}

/// The weight of one bit that a counter stands for.
#[inline(always)]
pub(super) const fn signed(counter: i16) -> i16 {
    if counter < 0 { -SIGN } else { SIGN }
}
