//! Checks of a value by itself, for the table.

use std::fmt::Display;

/// What several entries of the table say together.
pub(super) const SHARES: &str =
    "test and validation must be shares from 0 that leave something to learn from, such as 0.2 and 0.1";
pub(super) const AT_LEAST_ONE: &str = "sweeps, patience and steps must be at least 1";
pub(super) const HEAT: &str = "heat and heats must be 0 to 100";
pub(super) const COPIES: &str = "copies must be 1 to 1000, together at least 1";
pub(super) const EPOCH: &str = "epoch and latency must be at least 1";

/// Values from `low` to `high`.
pub(super) fn range<T: Copy + PartialOrd + Display>(
    low: T,
    high: T,
) -> impl Fn(&str, &T) -> Result<(), String> {
    range_of(low, high, "")
}

/// Values from `low` to `high`, in this unit, which begins with a space.
pub(super) fn range_of<T: Copy + PartialOrd + Display>(
    low: T,
    high: T,
    unit: &'static str,
) -> impl Fn(&str, &T) -> Result<(), String> {
    move |key, value| {
        let complain = || format!("{key} must be {low} to {high}{unit}");
        (low..=high).contains(value).then_some(()).ok_or_else(complain)
    }
}

/// Values of which this is true, else this complaint.
pub(super) fn holds<T>(
    is_fine: impl Fn(&T) -> bool,
    complaint: &'static str,
) -> impl Fn(&str, &T) -> Result<(), String> {
    move |_, value| is_fine(value).then_some(()).ok_or_else(|| complaint.into())
}

/// No value, or one that passes the check.
pub(super) fn if_set<T>(
    check: impl Fn(&str, &T) -> Result<(), String>,
) -> impl Fn(&str, &Option<T>) -> Result<(), String> {
    move |key, value| value.as_ref().map_or(Ok(()), |value| check(key, value))
}
