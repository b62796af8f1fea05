//! Portable loops compiled for the instructions of a set of kernels.

#[cfg(target_arch = "aarch64")]
use super::super::Neon;
use super::super::Portable;
#[cfg(target_arch = "x86_64")]
use super::super::{Avx2, Avx512};

/// A loop, whose `run` is to be `#[inline(always)]`: so it becomes part of a function that has the instructions.
pub trait Task {
    /// What it computes.
    type Output;
    /// Does it.
    fn run(self) -> Self::Output;
}

/// Kernels whose instructions the compiler may use for a [`Task`].
pub trait Vectorize {
    /// Runs the task.
    fn vectorize<T: Task>(self, task: T) -> T::Output;
}

impl Vectorize for Portable {
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        task.run()
    }
}

#[cfg(target_arch = "aarch64")]
impl Vectorize for Neon {
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        // Every 64-bit Arm target has NEON.
        task.run()
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectorize for Avx2 {
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx2,popcnt")]
        fn with<T: Task>(task: T) -> T::Output {
            task.run()
        }
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { with(task) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectorize for Avx512 {
    fn vectorize<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
        fn with<T: Task>(task: T) -> T::Output {
            task.run()
        }
        // SAFETY: only `detect` makes a `self`, where it found the instructions.
        unsafe { with(task) }
    }
}
