//! Runs a board's firmware in QEMU and speaks to it over the link: `firmware/run BOARD DEMO`.

use clap::Parser;

mod board;
mod client;
mod demos;
mod emulator;
mod gradients;
mod native;
mod problem;
#[path = "../../board/tests/recordings/mod.rs"]
mod recordings;

use board::BOARDS;

/// Run a demo on an emulated board, and on the host beside it
#[derive(Debug, Parser)]
struct Arguments {
    /// microbit, lm3s6965evb, mps2-an386, mps2-an505, riscv-virt, or host for the same code without an emulator
    board: String,
    /// digits, drift, new-class, labels (what a labelled digit costs and gains), vectors (the same work on any board, to be compared), hostile (a line that sends nonsense), cost
    /// (instructions of a mutant), genetic (rules evolved by the genetic algorithm), cartpole (a pole balanced by an evolved controller), reset (a board that starts anew), gestures (movements taught
    /// to a board that knows none) or mnist
    demo: String,
    /// Seed of split, model, stream and evolution
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the input changes: permute, rotate or invert
    #[arg(long, default_value = "permute")]
    drift: problem::Drift,
    /// Labelled samples after the change [default: 200 on microbit, 600 elsewhere]
    #[arg(long)]
    samples: Option<usize>,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
    /// Folder of the built firmware
    #[arg(long, default_value = "target")]
    target: std::path::PathBuf,
    /// A model to flash, for the demos mnist and cartpole [default of cartpole: evolved by --seed]
    #[arg(long)]
    model: Option<std::path::PathBuf>,
    /// Folder of the MNIST files, for the demo mnist; the file imu-motion.csv, for the demo gestures
    #[arg(long)]
    data: Option<std::path::PathBuf>,
    /// Do not repeat the demo on the host
    #[arg(long)]
    alone: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let board = BOARDS.iter().find(|board| board.name == arguments.board);
    let Some(board) = board else {
        let names: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
        anyhow::bail!("no board `{}`: there are {}", arguments.board, names.join(", "));
    };
    let json = demos::run(board, &arguments)?;
    if arguments.json {
        println!("{json}");
    }
    Ok(())
}
