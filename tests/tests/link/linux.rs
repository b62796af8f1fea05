//! Boards that run Linux.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tests::program::Folder;

use crate::board::{MODEL, Power, folder};

/// Programs of the names `ssh` and `scp` that do here, in a folder of its own, what they would do elsewhere.
fn elsewhere(folder: &Folder) -> String {
    let scripts = [
        (
            "ssh",
            "#!/usr/bin/env bash
while [ \"$1\" = -o ]; do shift 2; done
case $1 in
-W) exec 3<>/dev/tcp/127.0.0.1/7531; cat <&3 & exec cat >&3 ;;
refusing@*) echo 'Permission denied (publickey).' >&2; exit 255 ;;
intel@*) echo x86_64; exit ;;
esac
shift
cd \"$ELSEWHERE\" && HOME=$ELSEWHERE exec sh -c \"$*\"",
        ),
        (
            "scp",
            "#!/usr/bin/env bash
while [ \"$1\" = -o ]; do shift 2; done
cp \"$2\" \"$ELSEWHERE/${3#*:}\"",
        ),
        (
            "uname",
            "#!/bin/sh
echo aarch64",
        ),
        (
            "systemctl",
            "#!/bin/sh
exit 1",
        ),
    ];
    for (name, text) in scripts {
        folder.write(&format!("bin/{name}"), text);
        let made = Command::new("chmod").arg("755").arg(folder.path("bin").join(name)).status();
        assert!(made.unwrap().success());
    }
    fs::create_dir_all(folder.path("elsewhere")).unwrap();
    format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_with_linux_gets_program_model_and_key_over_ssh() {
    let folder = folder();
    let path = elsewhere(&folder);
    let run = |args: &str| {
        let mut command = folder.command(args.split_whitespace());
        let output = command.env("PATH", &path).env("ELSEWHERE", folder.path("elsewhere")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    // This machine needs an emulator for the program.
    let dry = run(&format!("flash {MODEL} --board qemu:jetson --json"));
    assert_eq!(dry.0, Some(0), "{}", dry.2);
    folder.ok("link qemu:jetson off");
    let program = folder.path("runs/qemu-jetson/firmware.elf");
    let wrapper = format!("#!/bin/sh\nexec qemu-aarch64 -cpu cortex-a57 {} \"$@\"\n", program.display());
    folder.write("program", wrapper);
    folder.write("board.key", "5a".repeat(32));
    let flash = format!("flash {MODEL} --firmware program --board ssh:");
    for (host, says) in [("refusing@there", "Permission denied"), ("intel@there", "processor of kind x86_64")]
    {
        let (code, _, said) = run(&format!("{flash}{host}"));
        assert_eq!((code, said.trim().lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let (code, said, errors) = run(&format!("{flash}nano@there --key board.key --json"));
    let stop = || {
        let stopped = "kill $(cat elsewhere/evobit/pid) 2>/dev/null";
        let _ = Command::new("sh").args(["-c", stopped]).current_dir(folder.path(".")).status();
    };
    assert_eq!(code, Some(0), "{errors}");
    let flashed: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(flashed["link"], "ssh:nano@there");
    let (_, there, _) = run("link ssh:nano@there eval --json");
    let there: Value = serde_json::from_str(there.trim()).unwrap();
    assert_eq!(there["accuracy"], folder.json(&format!("eval {MODEL}"))["accuracy"]);
    // With the key it learns, without or with another it does not.
    let (code, _, said) = run("link ssh:nano@there learn drift --samples 5");
    assert!(code == Some(1) && said.contains("give it with --key"), "{said}");
    folder.write("wrong.key", "5b".repeat(32));
    let (code, _, said) = run("link ssh:nano@there reset --key wrong.key");
    assert!(code == Some(1) && said.contains("right one with --key"), "{said}");
    let (code, _, said) = run("link ssh:nano@there learn drift --samples 5 --key board.key");
    assert_eq!(code, Some(0), "{said}");
    let (_, info, _) = run("link ssh:nano@there info --json");
    stop();
    let info: Value = serde_json::from_str(info.trim()).unwrap();
    assert_eq!((&info["seen"], &info["keyed"], &info["refused"]), (&5.into(), &true.into(), &2.into()));
}

/// Versions of glibc that a program asks for, by the names of its symbols' versions.
fn glibc_versions(program: &[u8]) -> Vec<(u32, u32)> {
    let names = program.split(|&byte| byte == 0).filter_map(|name| name.strip_prefix(b"GLIBC_"));
    let numbers = names.filter_map(|name| {
        let mut numbers = std::str::from_utf8(name).ok()?.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    });
    numbers.collect()
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run long"]
fn the_program_for_glibc_needs_no_newer_one_than_the_jetsons_and_answers_as_the_static_one() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/build");
    let built = Command::new(script).arg("jetson-glibc").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let program = String::from_utf8(built.stdout).unwrap().trim().to_owned();
    let versions = glibc_versions(&fs::read(&program).unwrap());
    assert!(versions.len() > 1 && versions.iter().all(|&version| version <= (2, 27)), "{versions:?}");

    let folder = folder();
    let _power = Power(&folder, "jetson");
    let flash = format!("flash {MODEL} --board qemu:jetson --json --firmware {program}");
    // Debian's glibc for 64-bit Arm.
    let mut command = folder.command(flash.split_whitespace());
    let output = command.env("QEMU_LD_PREFIX", "/usr/aarch64-linux-gnu").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let there = folder.json("link qemu:jetson eval");
    assert_eq!(there["accuracy"], folder.json(&format!("eval {MODEL}"))["accuracy"]);
}
