//! Tests that cannot run where they are.
//!
//! A test that lacks data, instructions or a right of the system fails. A skip that passes is a promise that nobody keeps: the test
//! harness swallows what passing tests print. With `EVOBIT_ALLOW_SKIPS=1` such a test passes, and a line on standard error says what
//! was missing. The tests of both workspaces use this package, and it depends on nothing.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The environment variable that allows skips, with the value `1`.
pub const ALLOW: &str = "EVOBIT_ALLOW_SKIPS";

/// Says that a test, or a part of one, is skipped because of something that is missing. `missing` is a sentence without a full stop,
/// such as "there is no sensor".
///
/// # Panics
/// Unless skips are allowed.
#[track_caller]
pub fn skip(missing: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    match outcome(missing, std::env::var(ALLOW).ok().as_deref()) {
        Ok(line) => {
            // Once each, past the harness, which keeps the output of passing tests to itself.
            if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
        Err(line) => panic!("{line}"),
    }
}

/// The environment variable that names, with commas, the instructions whose kernels miri checks in this run.
pub const INTERPRETED: &str = "EVOBIT_INTERPRETED";

/// Says that a test, or a part of one, is skipped because the processor lacks `instructions`, such as `avx512`. Nobody can add them to a
/// machine, so `tests/run` checks their kernels under miri there and says so in [`INTERPRETED`].
///
/// # Panics
/// Unless miri checks them in the same run or skips are allowed.
#[track_caller]
pub fn instructions(instructions: &str) {
    if !names(std::env::var(INTERPRETED).ok().as_deref(), instructions) {
        skip(&format!("this machine has no {instructions}"));
    }
}

/// Whether a list with commas holds `name`.
fn names(list: Option<&str>, name: &str) -> bool {
    list.is_some_and(|list| list.split(',').any(|other| other == name))
}

/// A line for standard error where skips are allowed, else the line to fail with.
fn outcome(missing: &str, allowed: Option<&str>) -> Result<String, String> {
    if allowed == Some("1") {
        Ok(format!("SKIPPED: {missing}\n"))
    } else {
        Err(format!("{missing}, so this test cannot run: add what is missing, or set {ALLOW}=1 to skip it"))
    }
}

/// Data that is not in the repository: a file or folder of `../shared/data`, beside the checkout. `None` where it is missing and the
/// caller's test is skipped.
///
/// # Panics
/// Where it is missing, unless skips are allowed.
#[track_caller]
#[must_use]
pub fn shared_data(name: &str) -> Option<PathBuf> {
    shared("data", name)
}

/// A small input that went wrong, of `../shared/cases`, beside the checkout. `None` where it is missing and the caller's test is skipped.
///
/// # Panics
/// Where it is missing, unless skips are allowed.
#[track_caller]
#[must_use]
pub fn shared_case(name: &str) -> Option<PathBuf> {
    shared("cases", name)
}

#[track_caller]
fn shared(folder: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder).join(name);
    if path.exists() {
        return Some(path);
    }
    skip(&format!("../shared/{folder}/{name} is not beside the checkout"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instructions_that_are_named_are_interpreted() {
        assert!(names(Some("avx2,avx512"), "avx512") && names(Some("avx512"), "avx512"));
        for list in [None, Some(""), Some("avx2"), Some("avx5120")] {
            assert!(!names(list, "avx512"), "{list:?}");
        }
    }

    #[test]
    fn a_skip_fails_unless_it_is_allowed() {
        for not_allowed in [None, Some(""), Some("0"), Some("yes")] {
            let line = outcome("there is no sensor", not_allowed).unwrap_err();
            assert!(
                line.starts_with("there is no sensor, ") && line.contains("EVOBIT_ALLOW_SKIPS=1"),
                "{line}"
            );
            assert_eq!(line.lines().count(), 1);
        }
        assert_eq!(outcome("there is no sensor", Some("1")).unwrap(), "SKIPPED: there is no sensor\n");
    }
}
