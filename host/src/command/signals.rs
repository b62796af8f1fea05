//! Signals that ask the program to end: Ctrl-C, SIGTERM, SIGHUP.
//!
//! While a command prepares, a signal ends it at once: there is nothing to save. While it searches, the first asks the search to
//! end, which saves its state, and the second ends the program at once. The exit code is 128 and the number of the signal.

use std::sync::LazyLock;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use evobit_search::{Interrupt, Signal};

use super::{Failure, tell};

static INTERRUPT: LazyLock<Interrupt> = LazyLock::new(Interrupt::default);
/// True from when there is something to save.
static SEARCHES: AtomicBool = AtomicBool::new(false);
static LISTENS: Once = Once::new();

/// From now on a signal ends the program with its exit code.
pub(super) fn listen() {
    LISTENS.call_once(|| {
        // Without a listener signals end the program as they end any other.
        let _ = start();
    });
}

/// From now on the first signal asks the search to end, the second ends the program.
pub(super) fn catch() {
    listen();
    SEARCHES.store(true, Ordering::Relaxed);
}

/// What the first signal raises.
pub(super) fn interrupt() -> Interrupt {
    INTERRUPT.clone()
}

/// Did a signal ask the search to end?
pub(super) fn interrupted() -> bool {
    INTERRUPT.is_set()
}

/// A run that a signal stopped: what is said and the exit code.
pub(super) fn stopped(at: &str, command: &str, folder: &std::path::Path, is_saved: bool) -> Failure {
    let (signal, folder) = (INTERRUPT.signal().unwrap_or(Signal::Interrupt), folder.display());
    let saved = if is_saved { "its state is saved" } else { "its last state could not be saved" };
    let message = format!(
        "stopped by {} at {at}: {saved} in {folder}: go on with `evobit {command} --resume {folder}`",
        signal.name()
    );
    Failure { code: signal.exit_code(), message: super::one_line(&message) }
}

fn arrived(signal: Signal) {
    if !SEARCHES.load(Ordering::Relaxed) {
        tell(&format!("stopped by {} before the search began: nothing was saved", signal.name()));
        std::process::exit(signal.exit_code().into());
    }
    if INTERRUPT.raise(signal) {
        std::process::exit(signal.exit_code().into());
    }
}

#[cfg(unix)]
fn start() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut numbers = vec![SIGINT, SIGTERM];
    if !hang_up_is_ignored() {
        numbers.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(numbers)?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for number in signals.forever() {
            arrived(match number {
                SIGTERM => Signal::Terminate,
                SIGHUP => Signal::HangUp,
                _ => Signal::Interrupt,
            });
        }
    })?;
    Ok(())
}

/// True where the program was started to outlive its terminal, as by `nohup`.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1
}

#[cfg(not(unix))]
fn start() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| arrived(Signal::Interrupt))
}
