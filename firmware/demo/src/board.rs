//! The boards: how QEMU runs them, and their sizes.

/// A board.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    /// Target triple; none for the host.
    pub(crate) target: Option<&'static str>,
    /// QEMU's program and machine.
    pub(crate) emulator: &'static str,
    pub(crate) machine: &'static [&'static str],
    /// Where the model is flashed, and the bytes of that region.
    pub(crate) model: (u32, u32),
    /// True for the profile of 16 KB boards.
    pub(crate) small: bool,
}

const fn arm(name: &'static str, target: &'static str, model: (u32, u32), small: bool) -> Board {
    Board { name, target: Some(target), emulator: "qemu-system-arm", machine: &[], model, small }
}

pub(crate) const BOARDS: [Board; 7] = [
    arm("microbit", "thumbv6m-none-eabi", (0x2_0000, 0x1_0000), true),
    arm("lm3s6965evb", "thumbv7m-none-eabi", (0x2_0000, 0x2_0000), false),
    arm("mps2-an386", "thumbv7em-none-eabihf", (0x20_0000, 0x10_0000), false),
    arm("mps2-an505", "thumbv8m.main-none-eabihf", (0x1020_0000, 0x10_0000), false),
    Board {
        name: "riscv-virt",
        target: Some("riscv32imac-unknown-none-elf"),
        emulator: "qemu-system-riscv32",
        machine: &["-bios", "none"],
        model: (0x8020_0000, 0x10_0000),
        small: false,
    },
    Board { name: "host", target: None, emulator: "", machine: &[], model: (0, 0x10_0000), small: false },
    Board { name: "host-small", target: None, emulator: "", machine: &[], model: (0, 0x1_0000), small: true },
];

impl Board {
    /// True where the stack lies below all data, so that an overflow is a fault.
    pub(crate) fn guarded(&self) -> bool {
        self.emulator == "qemu-system-arm"
    }

    /// QEMU's name of the machine.
    pub(crate) fn machine(&self) -> &'static str {
        if self.name == "riscv-virt" { "virt" } else { self.name }
    }
}
