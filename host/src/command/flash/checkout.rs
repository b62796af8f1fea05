//! Where the repository lies, whose script builds firmware. An installed program finds it at run time, or says what it needs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::super::Failure;

/// Names the folder of the checkout.
const VARIABLE: &str = "EVOBIT_CHECKOUT";

/// The script that builds the firmware of `board`.
pub(super) fn script(board: &str) -> Result<PathBuf, Failure> {
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
    let named = std::env::var_os(VARIABLE);
    find(named.as_deref(), std::env::current_dir().ok().as_deref(), &compiled)
        .map_err(|why| Failure { code: 1, message: format!("the firmware of {board} was not built: {why}") })
}

/// The script in the checkout that `named` says; else around the current directory; else where the program was compiled.
fn find(named: Option<&OsStr>, current: Option<&Path>, compiled: &Path) -> Result<PathBuf, String> {
    // An empty variable says nothing.
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return in_checkout(Path::new(named)).ok_or_else(|| {
            let named = Path::new(named).display();
            format!("{VARIABLE} is {named}, where no checkout of evobit is: correct it, or give a built firmware with --firmware FILE")
        });
    }
    current.into_iter().flat_map(Path::ancestors).chain([compiled]).find_map(in_checkout).ok_or_else(|| {
        format!(
            "it needs a checkout of evobit: start in one, set {VARIABLE} to its folder, or give a built firmware with --firmware FILE"
        )
    })
}

/// The script, if `folder` is a checkout. Its path is whole, so that the script can be started from anywhere.
fn in_checkout(folder: &Path) -> Option<PathBuf> {
    let script = folder.join("firmware").join("build");
    let found = script.is_file() && folder.join("core").join("Cargo.toml").is_file();
    found.then(|| std::path::absolute(&script).unwrap_or(script))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
    }

    #[test]
    fn the_checkout_is_found_from_the_variable_from_within_and_where_it_was_compiled() {
        let [checkout, nowhere] = [checkout(), PathBuf::from("/nowhere")];
        let script = checkout.join("firmware/build");
        assert_eq!(find(Some(checkout.as_os_str()), None, &nowhere), Ok(script.clone()));
        assert_eq!(find(None, Some(&checkout.join("host/src")), &nowhere), Ok(script.clone()));
        assert_eq!(find(None, Some(&nowhere), &checkout), Ok(script));
    }

    #[test]
    fn a_variable_that_is_wrong_is_not_passed_over() {
        let checkout = checkout();
        let error = find(Some(OsStr::new("/nowhere")), Some(&checkout), &checkout).unwrap_err();
        assert!(error.contains("EVOBIT_CHECKOUT is /nowhere"), "{error}");
    }

    #[test]
    fn without_a_checkout_the_error_names_all_ways_out() {
        let nowhere = Path::new("/nowhere");
        let error = find(None, Some(nowhere), nowhere).unwrap_err();
        for way in ["start in one", "EVOBIT_CHECKOUT", "--firmware FILE"] {
            assert!(error.contains(way), "{error}");
        }
    }
}
