//! Holds what was linked against the regions.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind};

use crate::memory::Regions;

/// A piece of the image that takes memory.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) address: u64,
    pub(crate) bytes: u64,
    /// True where it lies in flash and stays there.
    pub(crate) constant: bool,
    /// True where flash holds its initial value.
    pub(crate) loaded: bool,
}

/// What a linker made, as far as it is checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Linked {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) symbols: BTreeMap<String, u64>,
}

/// Bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// In flash, initial values included.
    pub(crate) code: u64,
    /// In memory, without the stack.
    pub(crate) data: u64,
}

/// Symbols that must be the bounds of a region, where there is one.
const BOUNDS: [(&str, &str, &str); 3] = [
    ("MODEL", "_model_start", "_model_end"),
    ("KEPT", "_kept_start", "_kept_end"),
    ("STACK", "_stack_end", "_stack_start"),
];

/// `SHF_WRITE` and `SHF_ALLOC` of ELF.
const WRITE: u64 = 1;
const TAKES_MEMORY: u64 = 2;

impl Linked {
    /// What of a file takes memory, and its symbols.
    pub(crate) fn of<'d>(file: &impl Object<'d>) -> Self {
        let pieces = file.sections().filter_map(|section| {
            let SectionFlags::Elf { sh_flags: flags } = section.flags() else { return None };
            let takes = flags & TAKES_MEMORY != 0 && section.size() > 0;
            takes.then(|| Piece {
                name: section.name().unwrap_or_default().to_owned(),
                address: section.address(),
                bytes: section.size(),
                constant: flags & WRITE == 0,
                loaded: section.kind() != SectionKind::UninitializedData,
            })
        });
        let symbols =
            file.symbols().map(|symbol| (symbol.name().unwrap_or_default().to_owned(), symbol.address()));
        Self { pieces: pieces.collect(), symbols: symbols.collect() }
    }
}

/// Checks that everything lies in its region and the regions are where the firmware looks for them.
pub(crate) fn check(linked: &Linked, regions: &Regions) -> anyhow::Result<Sizes> {
    let region = |name: &str| regions.get(name).with_context(|| format!("there is no region {name}"));
    let (flash, ram) = (region("FLASH")?, region("RAM")?);
    region("MODEL")?;
    let (mut code, mut data) = (0, 0);
    // A linker's place holder for the stack takes no memory that data could.
    for piece in linked.pieces.iter().filter(|piece| ![".stack", ".heap"].contains(&piece.name.as_str())) {
        let (home, name) = if piece.constant { (flash, "FLASH") } else { (ram, "RAM") };
        let inside = home.start <= piece.address && piece.address + piece.bytes <= home.end;
        ensure!(inside, "{} at {:#x}, {} bytes, is not in {name}", piece.name, piece.address, piece.bytes);
        code += if piece.loaded { piece.bytes } else { 0 };
        data += if piece.constant { 0 } else { piece.bytes };
    }
    ensure!(code > 0 && code <= flash.end - flash.start, "the image has {code} bytes, FLASH another number");
    for (name, start, end) in BOUNDS {
        let Some(region) = regions.get(name) else { continue };
        for (symbol, address) in [(start, region.start), (end, region.end)] {
            let found = linked.symbols.get(symbol).with_context(|| format!("there is no symbol {symbol}"))?;
            ensure!(*found == address, "{symbol} is {found:#x}, {name} says {address:#x}");
        }
    }
    Ok(Sizes { code, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::regions;

    const SCRIPT: &str = "MEMORY {
        FLASH : ORIGIN = 0x0, LENGTH = 4K
        MODEL : ORIGIN = 0x1000, LENGTH = 4K
        STACK : ORIGIN = 0x20000000, LENGTH = 1K
        RAM : ORIGIN = 0x20000400, LENGTH = 1K
    }";

    fn piece(name: &str, address: u64, bytes: u64, constant: bool, loaded: bool) -> Piece {
        Piece { name: name.to_owned(), address, bytes, constant, loaded }
    }

    fn linked() -> Linked {
        let symbols = [
            ("_model_start", 0x1000),
            ("_model_end", 0x2000),
            ("_stack_end", 0x2000_0000),
            ("_stack_start", 0x2000_0400),
        ];
        Linked {
            pieces: vec![
                piece(".text", 0, 0x800, true, true),
                piece(".data", 0x2000_0400, 16, false, true),
                piece(".bss", 0x2000_0410, 32, false, false),
            ],
            symbols: symbols.map(|(name, address)| (name.to_owned(), address)).into(),
        }
    }

    #[test]
    fn what_lies_in_its_regions_is_counted() {
        let sizes = check(&linked(), &regions(SCRIPT).unwrap()).unwrap();
        assert_eq!(sizes, Sizes { code: 0x810, data: 48 });
    }

    #[test]
    fn everything_out_of_place_is_noticed() {
        let regions = regions(SCRIPT).unwrap();
        let fails = |change: &dyn Fn(&mut Linked)| {
            let mut linked = linked();
            change(&mut linked);
            check(&linked, &regions).unwrap_err().to_string()
        };
        assert!(fails(&|linked| linked.pieces[0].bytes = 0x1001).contains(".text at 0x0"));
        assert!(fails(&|linked| linked.pieces[2].address = 0x2000_0000).contains("not in RAM"));
        assert!(fails(&|linked| linked.pieces[2].bytes = 0x400).contains(".bss"));
        assert!(
            fails(&|linked| *linked.symbols.get_mut("_model_end").unwrap() = 0x3000).contains("_model_end")
        );
        assert!(
            fails(&|linked| linked.symbols.retain(|name, _| name != "_stack_end")).contains("_stack_end")
        );
        assert!(fails(&|linked| linked.pieces.clear()).contains("0 bytes"));
    }
}
