//! Portable loops compiled for the instructions of a set of kernels.

/// A loop, whose `run` is to be `#[inline(always)]`: so it becomes part of a function that has the instructions.
pub trait Loop {
    /// What it computes.
    type Output;
    /// Does it.
    fn run(self) -> Self::Output;
}

/// Kernels whose instructions the compiler may use for a [`Loop`].
pub trait Vectorize {
    /// Runs the loop.
    fn vectorize<T: Loop>(self, body: T) -> T::Output;
}
