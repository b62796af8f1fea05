//! The boards that demos run on: those that QEMU emulates, and the host itself.

use evobit_boards::boards::{self, Profile};

/// A board.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    /// Target triple; none for the host.
    pub(crate) target: Option<&'static str>,
    /// True for the profile of 16 KB boards.
    pub(crate) small: bool,
}

const fn board(name: &'static str, target: &'static str, small: bool) -> Board {
    Board { name, target: Some(target), small }
}

pub(crate) const BOARDS: [Board; 8] = [
    board("microbit", "thumbv6m-none-eabi", true),
    board("lm3s6965evb", "thumbv7m-none-eabi", false),
    board("mps2-an386", "thumbv7em-none-eabihf", false),
    board("mps2-an505", "thumbv8m.main-none-eabihf", false),
    board("riscv-virt", "riscv32imac-unknown-none-elf", false),
    board("aarch64-virt", "aarch64-unknown-none", false),
    Board { name: "host", target: None, small: false },
    Board { name: "host-small", target: None, small: true },
];

impl Board {
    /// How QEMU runs it.
    pub(crate) fn emulated(&self) -> anyhow::Result<boards::Board> {
        let board = boards::find(self.name).map_err(anyhow::Error::msg)?;
        anyhow::ensure!(self.small == (board.profile == Profile::Small), "{}: of two profiles", self.name);
        Ok(board)
    }

    /// True where the stack lies below all data and an overflow is a fault. QEMU's lm3s6965evb lets writes to where nothing is pass, which the
    /// chip does not.
    pub(crate) fn guarded(&self) -> bool {
        let below = self.target.is_some_and(|target| target.starts_with("thumb"));
        below && self.name != "lm3s6965evb"
    }
}
