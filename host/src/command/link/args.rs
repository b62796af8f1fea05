//! What `evobit link` is told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::DataArgs;

/// Arguments of `link`.
#[derive(Args, Debug)]
#[command(after_help = LINK_EXAMPLES)]
pub struct LinkArgs {
    /// Where the board is: a serial device such as /dev/ttyACM0, tcp:HOST:PORT, ssh:user@host for a board that runs Linux, or an emulated
    /// board such as qemu:microbit
    pub port: String,
    /// What to do
    #[command(subcommand)]
    pub command: LinkCommand,
    /// The model that was flashed [default: the one under runs/ with the board's checksum]
    #[arg(long, value_name = "FILE", global = true)]
    pub model: Option<PathBuf>,
    /// The key of a board that takes changes only with it: a file of 64 hexadecimal digits
    #[arg(long, value_name = "FILE", global = true)]
    pub key: Option<PathBuf>,
    /// Bits a second of a serial port
    #[arg(long, value_name = "N", global = true, default_value_t = evobit_boards::DEFAULT_BAUD)]
    pub baud: u32,
    /// Where an emulated board lives [default: runs/qemu-NAME]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub folder: Option<PathBuf>,
    /// Print one JSON object as the last line
    #[arg(long, global = true)]
    pub json: bool,
}

const LINK_EXAMPLES: &str = "A board at work, from first question to what it learned:
  evobit link qemu:microbit info                     who is there, what it runs, what it has done
  evobit link qemu:microbit eval                     accuracy on test samples, every one classified on the board
  evobit link qemu:microbit learn DATA --samples 200 teach it labelled samples; it evolves between them
  evobit link qemu:microbit pull                     flips, memory entries, and the model that they make
  evobit eval runs/pulled-1a2b3c4d.evb DATA          the same accuracy, on the host
  evobit train --from runs/pulled-1a2b3c4d.evb --data DATA   evolve on from there
  evobit link qemu:microbit push runs/DATA-1/model.evb       send the improvement as a few bytes
  evobit link qemu:microbit save                     keep it over a loss of power";

/// What can be asked of a board.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Who the board is and what it has done
    Info,
    /// Classify samples on the board: one line out for each sample in
    Classify {
        /// A CSV file, or an IDX file of images
        input: String,
        /// A label column to leave out, by name or by number from 1
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
    },
    /// Measure accuracy on the board: it classifies every sample
    Eval {
        /// Which samples
        #[command(flatten)]
        data: DataArgs,
        /// Write the board's answers, one class a line
        #[arg(long, value_name = "FILE")]
        predictions: Option<PathBuf>,
    },
    /// Teach the board labelled samples; it evolves between them, and its accuracy shows as it goes
    Learn(LearnArgs),
    /// Let the board evolve on the samples that it stores, and wait for it
    Evolve {
        /// Mutants to score
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        mutants: u32,
        /// Evolve a memory of so many prototypes instead of the network
        #[arg(long, value_name = "N")]
        prototypes: Option<u16>,
    },
    /// Follow what the board does, until Ctrl-C
    Watch {
        /// Seconds between two looks
        #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_negative_numbers = true)]
        interval: f64,
        /// Stop after so many looks
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Bring home what the board learned: flips, memory entries, and the model that they make
    Pull {
        /// The model to write; the flips go beside it, as .flips [default: runs/pulled-CHECKSUM.evb]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Update the board over the air: a file of flips, or a model that differs from the board's base in its genome alone
    Push {
        /// The flips, or the model
        update: PathBuf,
    },
    /// Let the board keep what it learned over a loss of power
    Save,
    /// Let the board forget what it learned, saved or not
    Reset,
    /// Cut the power of an emulated board
    Off,
}

/// Arguments of `link learn`.
#[derive(Args, Debug)]
pub struct LearnArgs {
    /// Which samples
    #[command(flatten)]
    pub data: DataArgs,
    /// Teach so many samples [default: all]
    #[arg(long, value_name = "N")]
    pub samples: Option<usize>,
    /// Seed of their order, and of the board's evolution
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Leave out the first so many: to go on where a command was interrupted
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub skip: usize,
    /// Afterwards let the board evolve so many mutants more, and wait for it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub idle: u32,
}
