//! In place of the driver, where the program was built without debug probes.

use super::super::Failure;
use evobit_boards::microcontroller::Plan;

fn missing<T>() -> Result<T, Failure> {
    let message = "this program was built without debug probes: build it with `cargo build -p host --features probe`, or see what would be \
                   written with --dry-run";
    Err(Failure { code: 1, message: message.into() })
}

pub(super) fn list(_json: bool) -> Result<(), Failure> {
    missing()
}

pub(super) fn ready(_probe: Option<&str>) -> Result<(), Failure> {
    missing()
}

pub(super) fn detect(_probe: Option<&str>) -> Result<String, Failure> {
    missing()
}

pub(super) fn write(_args: &super::FlashArgs, _chip: &str, _plan: &Plan) -> Result<(), Failure> {
    missing()
}
