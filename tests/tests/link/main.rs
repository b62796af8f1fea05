//! From host to board and back: trained, flashed, taught, pulled, pushed, with the built program and boards in QEMU.
//!
//! These tests build firmware and run emulators: `./tests/run` runs them, those of rare boards with `long`; `cargo test` alone leaves them out.

mod board;
mod cable;
mod home;
mod key;
mod linux;
mod refused;
mod serial;
