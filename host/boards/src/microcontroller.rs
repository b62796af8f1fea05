//! The real boards with a microcontroller, and what flashing them writes.

use std::ops::Range;

use super::boards::Profile;
use super::elf::{Firmware, Region};

/// A board with a microcontroller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Microcontroller {
    /// Its name, and that of its firmware.
    pub name: &'static str,
    /// Its chip, as probe-rs names it.
    pub chip: &'static str,
    /// The linker script that says where things lie.
    script: &'static str,
}

/// What all of them store.
pub const PROFILE: Profile = Profile::Large;

macro_rules! script {
    ($board:literal) => {
        include_str!(concat!("../memory/", $board, ".x"))
    };
}

/// The boards.
pub const MICROCONTROLLERS: [Microcontroller; 3] = [
    Microcontroller { name: "microbit2", chip: "nRF52833_xxAA", script: script!("microbit2") },
    Microcontroller { name: "nrf52840-dk", chip: "nRF52840_xxAA", script: script!("nrf52840-dk") },
    Microcontroller { name: "pico2", chip: "RP235x", script: script!("pico2") },
];

/// The names of the boards.
#[must_use]
pub fn names() -> String {
    MICROCONTROLLERS.map(|board| board.name).join(", ")
}

/// The board of this name.
#[must_use]
pub fn find(name: &str) -> Option<Microcontroller> {
    MICROCONTROLLERS.into_iter().find(|board| board.name == name)
}

/// The board with this chip.
#[must_use]
pub fn with_chip(chip: &str) -> Option<Microcontroller> {
    MICROCONTROLLERS.into_iter().find(|board| board.chip.eq_ignore_ascii_case(chip))
}

impl Microcontroller {
    /// Where its model goes.
    ///
    /// # Panics
    /// If its `memory.x` has no line `MODEL : ORIGIN = 0x..., LENGTH = ...K`.
    #[must_use]
    pub fn model(&self) -> Range<u64> {
        region(self.script, "MODEL").expect("memory.x has a region MODEL")
    }
}

/// A region of a linker script that is written as `NAME : ORIGIN = 0x..., LENGTH = ...K`.
fn region(script: &str, name: &str) -> Option<Range<u64>> {
    let line = script.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix(':'))?;
    let (origin, length) = line.split_once(',')?;
    let value =
        |text: &str, key| Some(text.trim().strip_prefix(key)?.trim().strip_prefix('=')?.trim().to_owned());
    let start = u64::from_str_radix(value(origin, "ORIGIN")?.strip_prefix("0x")?, 16).ok()?;
    let length: u64 = value(length, "LENGTH")?.strip_suffix('K')?.parse().ok()?;
    Some(start..start + (length << 10))
}

/// What flashing does to a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is written, in ascending order.
    pub regions: Vec<Region>,
    /// What is erased besides: what the board learned before.
    pub erased: Option<Range<u64>>,
}

impl Plan {
    /// A firmware and its model; `keep` leaves what was learned.
    #[must_use]
    pub fn whole(firmware: &Firmware, model: &[u8], keep: bool) -> Self {
        let erased = if keep { None } else { firmware.kept.clone() };
        Self { regions: firmware.with_model(model), erased }
    }

    /// A model alone, at the start of its region.
    #[must_use]
    pub fn model(start: u64, model: &[u8]) -> Self {
        Self { regions: vec![Region { what: "model", address: start, bytes: model.to_vec() }], erased: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_lies_where_the_linker_scripts_say() {
        let models = MICROCONTROLLERS.map(|board| board.model());
        assert_eq!(models, [0x4_0000..0x6_0000, 0x8_0000..0xc_0000, 0x1010_0000..0x1014_0000]);
    }

    #[test]
    fn a_script_that_is_written_otherwise_has_no_region() {
        assert_eq!(region("MODEL : ORIGIN = 0x10, LENGTH = 2K", "MODEL"), Some(16..16 + 2048));
        assert_eq!(region("MODEL : ORIGIN = 0x10, LENGTH = 2M", "MODEL"), None);
        assert_eq!(region("MODELS : ORIGIN = 0x10, LENGTH = 2K", "MODEL"), None);
    }

    #[test]
    fn a_model_alone_is_all_that_is_written() {
        let plan = Plan::model(0x4_0000, &[1, 2, 3]);
        assert_eq!(plan.regions, [Region { what: "model", address: 0x4_0000, bytes: vec![1, 2, 3] }]);
        assert_eq!(plan.erased, None);
    }
}
