//! Settings that are one of a few.

use evobit_data::named;

named! {
    /// Who sends migrants to whom.
    pub enum GraphKind {
        /// Each to the next
        Ring = "ring",
        /// Each to the one to its right and the one below it, on a grid that is closed both ways
        Torus = "torus",
        /// Each to the next of a ring that is drawn anew for each epoch
        Random = "random",
        /// Each to all others
        All = "all",
    }
}

named! {
    /// When migrants enter.
    pub enum MigrationKind {
        /// So many epochs after they were sent
        Deterministic = "deterministic",
        /// At the beginning of the epoch that they have arrived at
        Async = "async",
    }
}

named! {
    /// What islands learn from.
    pub enum ShareKind {
        /// Every sample
        All = "all",
        /// A part of them while the search is hot
        Parts = "parts",
    }
}

named! {
    /// How to search.
    pub enum Algorithm {
        /// Guided by the exact effect of every single-bit mutant
        Spectrum = "spectrum",
        /// A classical genetic algorithm
        Genetic = "genetic",
    }
}

named! {
    /// How large a model may become.
    pub enum Preset {
        /// At most 8,192 bytes of model image, for the smallest boards
        Small = "small",
        /// At most 32 KB
        Medium = "medium",
        /// At most 256 KB
        Large = "large",
    }
}
