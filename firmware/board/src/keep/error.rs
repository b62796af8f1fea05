//! What can go wrong when something is kept.

/// Why something was not saved or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// Flash failed, or two generations have no room in the range.
    Flash,
    /// What is there is not whole or of another model.
    Content,
}
