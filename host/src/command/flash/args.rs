//! What `host flash` is told.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `flash`.
#[derive(Args, Debug)]
#[command(after_help = FLASH_EXAMPLES)]
pub struct FlashArgs {
    /// The model file, such as runs/digits-1/model.evb
    pub model: PathBuf,
    /// Which board: an emulated one as qemu:NAME (microbit, lm3s6965evb, mps2-an386, mps2-an505, riscv-virt, jetson), or a Jetson Nano or
    /// another 64-bit Arm board with Linux as ssh:user@host
    #[arg(long, value_name = "BOARD")]
    pub board: String,
    /// The firmware, an ELF file [default: built with firmware/build]
    #[arg(long, value_name = "FILE")]
    pub firmware: Option<PathBuf>,
    /// Show what would be written where, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep what the board learned and saved; it counts where the model is the one it learned from
    #[arg(long)]
    pub keep: bool,
    /// The key of a board with Linux: from now on it takes changes only with it
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where an emulated board lives [default: runs/qemu-NAME]
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Print one JSON object as the last line; `link` in it is the board's line
    #[arg(long)]
    pub json: bool,
}

const FLASH_EXAMPLES: &str = "Examples:
  host flash runs/digits-1/model.evb --board qemu:microbit             build the firmware, start it in QEMU with the model
  host flash runs/digits-1/model.evb --board qemu:microbit --dry-run   regions, addresses and bytes
  host flash runs/digits-1/model.evb --board ssh:nano@192.168.1.7      onto a Jetson Nano, started and checked
  host link qemu:microbit info                                         what runs there

An emulated board goes on running when this program ends, and takes a whole processor core: `host link qemu:microbit off`
cuts its power. Its folder is the board: flash, log and model lie in it, and `host link qemu:microbit info` starts it
again where it is off.";
