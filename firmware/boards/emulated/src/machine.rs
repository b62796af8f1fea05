//! What tells one machine of QEMU from another, and the board that it makes.

use core::marker::PhantomData;

use common::stack;
use evobit_board::serve::Board;

use crate::counter;

/// A machine of QEMU.
pub trait Machine {
    /// The board's name.
    const NAME: &'static str;
    /// Instructions per tick of the counter, as a fraction: under `-icount shift=6` an instruction takes 64 ns.
    const INSTRUCTIONS: (u64, u64);
}

/// The board that a machine is.
#[derive(Debug)]
pub(crate) struct Emulated<M>(PhantomData<M>);

impl<M> Default for Emulated<M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<M: Machine> Board for Emulated<M> {
    const NAME: &'static str = M::NAME;

    fn instructions(&mut self) -> u64 {
        counter::ticks() * M::INSTRUCTIONS.0 / M::INSTRUCTIONS.1
    }

    fn stack_bytes(&mut self) -> u32 {
        stack::used()
    }

    fn restart(&mut self) {
        crate::restart()
    }
}
