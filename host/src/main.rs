//! The command line: `evobit`, `evobit train`, `evobit eval`, `evobit predict`, `evobit inspect`, `evobit bench`.

use std::process::ExitCode;

use clap::Parser;
use host::command::{self, Cli};

fn main() -> ExitCode {
    match command::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            command::tell(&failure.line());
            ExitCode::from(failure.code)
        }
    }
}
