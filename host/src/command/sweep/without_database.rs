//! In place of the database, where the program was built without it.

use super::super::Failure;
use super::{LineageArgs, ListArgs, PlotArgs, SweepArgs};
use evobit_sweeps::Plan;

fn missing() -> Result<(), Failure> {
    let message = "this program was built without the database of sweeps: build it with `cargo build --release -p host --features sweep`";
    Err(Failure { code: 1, message: message.into() })
}

pub(super) fn sweep(_args: &SweepArgs, _plan: &Plan, _jobs: usize) -> Result<(), Failure> {
    missing()
}

pub(super) fn list(_args: &ListArgs) -> Result<(), Failure> {
    missing()
}

pub(super) fn compare(_args: &ListArgs) -> Result<(), Failure> {
    missing()
}

pub(super) fn plot(_args: &PlotArgs) -> Result<(), Failure> {
    missing()
}

pub(super) fn lineage(_args: &LineageArgs) -> Result<(), Failure> {
    missing()
}
