//! Any bytes on the line are a message or an error.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz link`
//!
//! The fuzzer cannot guess a CRC, so every input is read as it is and once more in a frame with a right checksum.

#![no_main]

use evobit::image::checksum;
use evobit_link::{Flips, Reply, Request, apply_flips, frame_len, read_frame, write_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    read(data);
    let mut body = data.to_vec();
    body.extend(checksum(data).to_le_bytes());
    let mut framed = vec![];
    // COBS: blocks of at most 254 bytes that are not zero.
    for block in body.split(|&byte| byte == 0) {
        let mut rest = block;
        while rest.len() > 253 {
            framed.push(255);
            framed.extend(&rest[..254.min(rest.len())]);
            rest = &rest[254.min(rest.len())..];
        }
        framed.push(rest.len() as u8 + 1);
        framed.extend(rest);
    }
    read(&framed);
    let mut genome = [0; 8];
    let _ = apply_flips(data, 0, &mut genome);
    assert!(Flips::new(data, 0).count() <= data.len());
});

fn read(bytes: &[u8]) {
    if let Ok((sequence, request)) = read_frame::<Request<'_>>(&mut bytes.to_vec()) {
        let mut buffer = vec![0; frame_len(bytes.len() + 64)];
        let frame = write_frame(sequence, &request, &mut buffer).expect("what was read can be written");
        let mut again = frame[..frame.len() - 1].to_vec();
        assert_eq!(read_frame(&mut again), Ok((sequence, request)));
    }
    let _ = read_frame::<Reply<'_>>(&mut bytes.to_vec());
}
