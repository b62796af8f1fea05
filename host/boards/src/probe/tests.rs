//! Up to where a chip would be written, on probe-rs's fake probe.

use probe_rs::architecture::arm::FullyQualifiedApAddress;
use probe_rs::integration::{FakeProbe, Operation};

use super::*;
use crate::elf::{Firmware, Region};
use crate::microcontroller::MICROCONTROLLERS;

/// A session with a chip that is not there. `locked` is for those of Nordic, which are asked.
fn session(chip: &str, locked: bool) -> Result<Session, ProbeFailure> {
    let probe = FakeProbe::with_mocked_core();
    if chip.starts_with("nRF") {
        // The status of the access port protection: zero is locked.
        let ap = FullyQualifiedApAddress::v1_with_default_dp(1);
        probe.expect_operation(Operation::ReadRawApRegister { ap, address: 0xc, result: u32::from(!locked) });
    }
    attach_to(probe.into_probe(), chip.into(), Permissions::default(), chip)
}

fn region(address: u64, bytes: &[u8]) -> Region {
    Region { what: "firmware", address, bytes: bytes.to_vec() }
}

fn plan(regions: Vec<Region>) -> Plan {
    Plan { regions, erased: None }
}

/// Address and value of each byte that probe-rs would write.
fn staged(loader: &FlashLoader) -> Vec<(u64, u8)> {
    loader.data().flat_map(|(address, bytes)| (address..).zip(bytes.iter().copied())).collect()
}

fn bytes(plan: &Plan) -> Vec<(u64, u8)> {
    plan.regions.iter().flat_map(|region| (region.address..).zip(region.bytes.iter().copied())).collect()
}

#[test]
fn what_is_staged_is_the_plan_byte_for_byte() {
    for board in MICROCONTROLLERS {
        let mut session = session(board.chip, false).unwrap();
        let base = board.model().start & 0xff00_0000;
        let vectors: Vec<u8> = (0..=255).collect();
        let regions =
            vec![region(base, &vectors), region(base + 256, b"code"), region(board.model().start, b"model")];
        let plan = plan(regions);
        let loader = stage(&session, &plan).unwrap();
        assert_eq!(staged(&loader), bytes(&plan));
        let mut options = DownloadOptions::default();
        options.dry_run = true;
        loader.commit(&mut session, options).unwrap();
    }
}

#[test]
fn sectors_of_the_model_are_its_own() {
    for board in MICROCONTROLLERS {
        let session = session(board.chip, false).unwrap();
        let model = board.model();
        let algorithms = session.target().flash_algorithms.iter();
        let mut algorithms = algorithms
            .filter(|algorithm| algorithm.flash_properties.address_range.contains(&model.start))
            .peekable();
        assert!(algorithms.peek().is_some(), "{}", board.name);
        for algorithm in algorithms {
            let properties = &algorithm.flash_properties;
            for end in [model.start, model.end] {
                let offset = end - properties.address_range.start;
                let sector = properties.sectors.iter().rev().find(|sector| sector.address <= offset).unwrap();
                assert_eq!((offset - sector.address) % sector.size, 0, "{}: {}", board.name, algorithm.name);
            }
        }
    }
}

#[test]
fn a_locked_chip_is_told() {
    let error = session("nRF52833_xxAA", true).unwrap_err();
    assert!(matches!(error, ProbeFailure::Locked(_)), "{error}");
    assert!(error.to_string().contains("--unlock"));
}

#[test]
fn what_a_chip_has_no_flash_for_is_refused() {
    let error = session("nRF52840_xxAA", false).and_then(|session| {
        // Behind its megabyte of flash, and in RAM.
        for address in [0x10_0000, 0x2000_0000] {
            let error = stage(&session, &plan(vec![region(address, b"code")])).map(|_| ()).unwrap_err();
            assert!(matches!(error, ProbeFailure::Outside { address: there, .. } if there == address));
        }
        stage(&session, &plan(vec![region(0xf_fffe, b"code")])).map(|_| ())
    });
    assert!(matches!(error, Err(ProbeFailure::Outside { .. })));
}

#[test]
fn a_probe_is_chosen_by_what_the_list_shows() {
    let probe =
        |selector: &str, accessible| Listed { name: "DAPLink".into(), selector: selector.into(), accessible };
    let two = || vec![probe("0d28:0204:99", true), probe("2e8a:000c:E6", false)];
    assert!(matches!(choose_from(vec![], None), Err(ProbeFailure::NoProbe)));
    assert!(matches!(choose_from(two(), None), Err(ProbeFailure::Several(names)) if names.len() == 2));
    assert_eq!(choose_from(two(), Some("0d28:0204")).unwrap().selector, "0d28:0204:99");
    assert!(matches!(choose_from(two(), Some("0d28:02")), Err(ProbeFailure::Selector(_))));
    assert!(matches!(choose_from(two(), Some("2e8a:000c:E6")), Err(ProbeFailure::Permission(_))));
}

/// The bytes of an ELF file that are loaded, by physical address: its program headers read by hand, not by what is tested.
fn loaded(elf: &[u8]) -> Vec<(u64, u8)> {
    let word = |at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().unwrap()) as usize;
    let half = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    let (headers, size, count) = (word(28), half(42), half(44));
    let mut bytes = vec![];
    for at in (0..count).map(|header| headers + header * size) {
        // The kind (1 is to be loaded), the place in the file, the physical address, the bytes in the file.
        let (kind, offset, address, len) = (word(at), word(at + 4), word(at + 12), word(at + 16));
        if kind == 1 {
            bytes.extend((address as u64..).zip(elf[offset..offset + len].iter().copied()));
        }
    }
    bytes.sort_by_key(|(address, _)| *address);
    bytes
}

#[test]
#[ignore = "builds firmware: ./tests/run"]
fn what_is_staged_for_a_board_is_its_elf_and_the_model() {
    let build = concat!(env!("CARGO_MANIFEST_DIR"), "/../../firmware/build");
    for board in MICROCONTROLLERS {
        let output = std::process::Command::new(build).arg(board.name).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let path = std::path::Path::new(said.lines().last().unwrap());
        let firmware = Firmware::read(path).unwrap();
        assert_eq!(firmware.model, board.model(), "{}: memory.x and the firmware differ", board.name);
        let model: Vec<u8> = (0..5000).map(|byte| (byte % 251) as u8).collect();
        let session = session(board.chip, false).unwrap();
        let whole = Plan::whole(&firmware, &model, false);
        let elf = loaded(&std::fs::read(path).unwrap());
        let image: Vec<(u64, u8)> = (board.model().start..).zip(model.iter().copied()).collect();
        assert!(elf.len() > 50_000, "{}: {} bytes", board.name, elf.len());
        assert_eq!(
            staged(&stage(&session, &whole).unwrap()),
            [elf, image.clone()].concat(),
            "{}",
            board.name
        );
        let alone = Plan::model(firmware.model.start, &model);
        assert_eq!(staged(&stage(&session, &alone).unwrap()), image, "{}", board.name);
        // What is erased touches nothing that is written.
        let kept = whole.erased.unwrap();
        assert!(whole.regions.iter().all(|region| {
            region.address >= kept.end || region.address + region.bytes.len() as u64 <= kept.start
        }));
        assert_eq!(Plan::whole(&firmware, &model, true).erased, None);
    }
}
