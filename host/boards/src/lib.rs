//! The host's side of the link: ports, the client, the boards that QEMU emulates, and what was learned as files.
//!
//! The messages are those of [`evobit_link`]. [`open`] opens a port, [`Client`] asks; [`boards`] says which boards there are and whether a
//! model fits them; [`emulator`] runs one in QEMU; [`microcontroller`] says what flashing a real one
//! writes, which `probe` does (feature `probe`); [`ssh`] reaches one that runs Linux; [`update`] is the file of flips, [`learned`] what a
//! pulled model carries beside its network.

pub mod boards;
mod client;
pub mod elf;
pub mod emulator;
pub mod learned;
mod line;
pub mod microcontroller;
#[cfg(feature = "probe")]
pub mod probe;
pub mod ssh;
pub mod update;

pub use client::{BoardInfo, Class, Client, Entry, Learned};
pub use line::{DEFAULT_BAUD, Line, LinkFailure, Port, Wire, open};
