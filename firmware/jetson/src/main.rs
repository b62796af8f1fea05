//! The on-device application as a Linux program: it answers over TCP and a serial line, learns between requests, and keeps what it learned in a
//! file. For the Jetson Nano, and for any other 64-bit Arm board that runs Linux.

mod board;
mod config;
mod flash;
mod lines;

use std::path::PathBuf;

use clap::Parser;

/// Run a model, answer over TCP and serial, learn in the background
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Arguments {
    /// The configuration, a TOML file
    config: PathBuf,
    /// Check configuration and model, say what would run, and end
    #[arg(long)]
    check: bool,
}

const HELP: &str = "The configuration, with its defaults:
  model = \"model.evb\"            # beside the configuration, as all files
  kept = \"kept.bin\"              # what was learned and saved
  listen = \"127.0.0.1:7531\"      # more than loopback needs a key
  samples = 1000                 # labelled samples that it stores
  threads = 0                    # that learn; 0: one on each processor. What is learned does not depend on it
  # serial = \"/dev/ttyTHS1\"      # a serial line, with baud = 115200
  # key = \"board.key\"            # 64 hexadecimal digits, from `openssl rand -hex 32`: changes are taken only with it";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = config::Config::read(&arguments.config)?;
    board::run(&config, arguments.check)
}
