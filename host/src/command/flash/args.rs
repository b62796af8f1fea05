//! What `evobit flash` is told.

use std::path::{Path, PathBuf};

use clap::Args;

/// Arguments of `flash`.
#[derive(Args, Debug)]
#[command(after_help = FLASH_EXAMPLES)]
pub struct FlashArgs {
    /// The model file, such as runs/digits-1/model.evb
    #[arg(required_unless_present = "list")]
    pub model: Option<PathBuf>,
    /// Which board: one on a debug probe as probe:NAME (microbit2, nrf52840-dk, pico2) or as probe, which asks its chip; an emulated one as
    /// qemu:NAME (microbit, lm3s6965evb, mps2-an386, mps2-an505, riscv-virt, aarch64-virt, jetson); or a Jetson Nano or another 64-bit Arm board with Linux
    /// as ssh:user@host
    #[arg(long, value_name = "BOARD", required_unless_present = "list")]
    pub board: Option<String>,
    /// The firmware, an ELF file [default: built with firmware/build of the checkout, which is at EVOBIT_CHECKOUT or around the current directory]
    #[arg(long, value_name = "FILE")]
    pub firmware: Option<PathBuf>,
    /// Show what would be written where, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep what the board learned and saved; it counts where the model is the one it learned from
    #[arg(long)]
    pub keep: bool,
    /// Write the model alone, into its region; the firmware and what the board learned stay
    #[arg(long, help_heading = "Boards on a debug probe")]
    pub model_only: bool,
    /// The chip, as probe-rs names it, whatever is detected [default: the board's]
    #[arg(long, value_name = "NAME", help_heading = "Boards on a debug probe")]
    pub chip: Option<String>,
    /// The probe, as --list shows it [default: the only one]
    #[arg(long, value_name = "VENDOR:PRODUCT[:SERIAL]", help_heading = "Boards on a debug probe")]
    pub probe: Option<String>,
    /// Unlock a locked chip, which erases all that is on it
    #[arg(long, conflicts_with = "model_only", help_heading = "Boards on a debug probe")]
    pub unlock: bool,
    /// List the probes that are plugged in, and do nothing else
    #[arg(long, help_heading = "Boards on a debug probe")]
    pub list: bool,
    /// A key, 64 hexadecimal digits in a file: from now on the board takes changes only with it. Flashed without one it takes them from anybody
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where an emulated board lives [default: runs/qemu-NAME]
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Print one JSON object as the last line; `link` in it is the board's line
    #[arg(long)]
    pub json: bool,
}

impl FlashArgs {
    /// The model file; empty only with --list.
    pub(super) fn model(&self) -> &Path {
        self.model.as_deref().unwrap_or(Path::new(""))
    }

    /// The board; empty only with --list.
    pub(super) fn board(&self) -> &str {
        self.board.as_deref().unwrap_or_default()
    }
}

const FLASH_EXAMPLES: &str = "Examples:
  evobit flash runs/digits-1/model.evb --board qemu:microbit             build the firmware, start it in QEMU with the model
  evobit flash runs/digits-1/model.evb --board qemu:microbit --dry-run   regions, addresses and bytes
  evobit flash runs/digits-1/model.evb --board ssh:nano@192.168.1.7      onto a Jetson Nano, started and checked
  evobit flash runs/digits-1/model.evb --board probe:microbit2           onto a micro:bit v2 on a USB cable, read back
  evobit flash runs/digits-2/model.evb --board probe --model-only        another model, the firmware stays
  evobit link qemu:microbit info                                         what runs there

An emulated board goes on running when this program ends, and takes a whole processor core: `evobit link qemu:microbit off`
cuts its power. Its folder is the board: flash, log and model lie in it, and `evobit link qemu:microbit info` starts it
again where it is off. Debug probes need a program that was built with them: cargo build -p host --features probe";
