//! Why a search ends, and who interrupts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// No single mutation improves the genome.
    Converged,
    /// No better validation result for as long as the configuration is patient.
    Patience,
    /// The best genome is as good as the configuration asks for.
    Target,
    /// As many sweeps or generations as the configuration allows.
    Sweeps,
    /// As many steps as the configuration allows.
    Steps,
    /// The time budget was spent.
    Budget,
    /// Somebody interrupted it, such as by Ctrl-C.
    Interrupted,
}

impl Stop {
    /// True where the clock or a person ended the search, so that it can go on.
    #[must_use]
    pub const fn is_early(self) -> bool {
        matches!(self, Self::Budget | Self::Interrupted)
    }
}

/// What may ask a program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: a system that shuts down, `kill`.
    Terminate,
    /// SIGHUP: the terminal was closed.
    HangUp,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::HangUp];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        }
    }

    /// The exit code of a program that it ended: 128 and the number of the signal, as shells have it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

/// Asks a search to end, from another thread or from within. Its clones are one.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Asks the search to end; of several signals the first counts. True where it was asked before.
    pub fn raise(&self, signal: Signal) -> bool {
        let code = signal.exit_code();
        self.0.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed).is_err()
    }

    /// Was the search asked to end?
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The signal that asked.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        let code = self.0.load(Ordering::Relaxed);
        Signal::ALL.into_iter().find(|signal| signal.exit_code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_counts_and_clones_are_one() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_set() && interrupt.signal().is_none());
        let other = interrupt.clone();
        assert!(!other.raise(Signal::Terminate));
        assert!(interrupt.raise(Signal::Interrupt));
        assert_eq!(interrupt.signal(), Some(Signal::Terminate));
    }
}
