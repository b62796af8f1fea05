//! Serial ports: a board's line as a terminal of this machine, which is what a USB cable makes of it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use crate::board::{MODEL, Power, flash, folder, number};

/// The name of a terminal whose other end is the line of a board at `address`, until so many bytes went to the board.
fn plug_in(address: &str, bytes: usize) -> String {
    let (mut cable, mut terminal) = TTYPort::pair().expect("a pseudo-terminal");
    let name = terminal.name().expect("its name");
    terminal.set_exclusive(false).expect("others may open it");
    // Kept open without the lock that the port takes.
    let held = OpenOptions::new().read(true).write(true).open(&name).expect("the terminal");
    drop(terminal);
    cable.set_timeout(Duration::from_millis(2)).expect("a timeout");
    let mut board = TcpStream::connect(address).expect("the board's line");
    board.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
    std::thread::spawn(move || {
        // Open as long as the cable is, whoever else opens it.
        let _held = held;
        let (mut chunk, mut left) = ([0; 256], bytes);
        let pause =
            |kind| matches!(kind, ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted);
        while left > 0 {
            match cable.read(&mut chunk) {
                Ok(len) => {
                    left = left.saturating_sub(len);
                    board.write_all(&chunk[..len]).expect("a byte to the board");
                }
                Err(error) if pause(error.kind()) => {}
                Err(_) => return,
            }
            match board.read(&mut chunk) {
                Ok(0) => return,
                Ok(len) => cable.write_all(&chunk[..len]).expect("a byte to the host"),
                Err(error) if pause(error.kind()) => {}
                Err(_) => return,
            }
        }
    });
    name
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_board_on_a_serial_port_is_as_any_other() {
    let folder = folder();
    let link = flash(&folder, "mps2-an505");
    let _power = Power(&folder, "mps2-an505");
    let address = link.strip_prefix("tcp:").unwrap();
    let port = plug_in(address, usize::MAX);
    assert!(port.starts_with("/dev/"), "{port}");
    assert_eq!(folder.json(&format!("link {port} info"))["board"], "mps2-an505");
    let there = folder.json(&format!("link {port} eval"));
    assert_eq!(there["accuracy"], folder.json(&format!("eval {MODEL}"))["accuracy"]);
    folder.json(&format!("link {port} learn drift --samples 40 --idle 5000"));
    let pulled = folder.json(&format!("link {port} pull --out pulled.evb"));
    assert!(number(&pulled, "samples") > 20.0, "{pulled}");
    folder.json(&format!("link {port} reset"));
    let pushed = folder.json(&format!("link {port} push pulled.flips"));
    assert_eq!(pushed["genome_crc"], pulled["genome_crc"]);
}

#[test]
#[ignore = "builds firmware and runs QEMU: ./tests/run"]
fn a_serial_cable_that_is_pulled_is_told_in_a_line() {
    let folder = folder();
    let link = flash(&folder, "mps2-an505");
    let _power = Power(&folder, "mps2-an505");
    let port = plug_in(link.strip_prefix("tcp:").unwrap(), 2000);
    let ran = folder.run(&format!("link {port} learn drift"));
    assert_eq!((ran.code, ran.stderr.trim().lines().count()), (Some(1), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("--skip"), "{}", ran.stderr);
    assert_eq!(folder.json(&format!("link {link} info"))["board"], "mps2-an505");
}
