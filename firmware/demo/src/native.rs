//! The application of a board, run by the host itself: what a board does is held against it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use anyhow::anyhow;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use embedded_storage::nor_flash::{ErrorType as FlashErrorType, NorFlash, ReadNorFlash};
use evobit::topology::Topology;
use evobit_board::arena::fitting;
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig, Model};
use evobit_board::profile::{large, small};
use evobit_board::serve::{App, Board};
use evobit_boards::LinkFailure;

use crate::client::Line;

/// Both directions of a line.
#[derive(Debug, Default)]
struct Wires {
    to_board: VecDeque<u8>,
    to_host: VecDeque<u8>,
}

/// The board's end.
#[derive(Debug, Clone, Default)]
struct Port(Rc<RefCell<Wires>>);

impl ErrorType for Port {
    type Error = Infallible;
}

impl Read for Port {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let byte = self.0.borrow_mut().to_board.pop_front();
        Ok(byte.map_or(0, |byte| {
            bytes[0] = byte;
            1
        }))
    }
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.borrow().to_board.is_empty())
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().to_host.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Flash in memory, which outlives the board.
#[derive(Debug, Clone)]
pub(crate) struct RamFlash(Rc<RefCell<Vec<u8>>>);

impl RamFlash {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Rc::new(RefCell::new(vec![0xff; bytes])))
    }
}

impl FlashErrorType for RamFlash {
    type Error = Infallible;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0.borrow()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        self.0.borrow_mut()[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        let mut flash = self.0.borrow_mut();
        flash[offset as usize..].iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        Ok(())
    }
}

struct NativeBoard;

impl Board for NativeBoard {
    const NAME: &'static str = "host";
}

/// A board on the host. Its memory is leaked: a demo makes a few.
pub(crate) struct Native {
    wires: Port,
    run: Box<dyn FnMut() -> bool>,
}

impl Native {
    /// Starts a board with a model flashed, and what was kept.
    pub(crate) fn start(small: bool, model: &[u8], flash: RamFlash) -> anyhow::Result<Self> {
        let mut words = vec![0u32; model.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..model.len()].copy_from_slice(model);
        Self::start_with(small, words.leak(), flash)
    }

    fn start_with(small: bool, model: &'static [u32], flash: RamFlash) -> anyhow::Result<Self> {
        let wires = Port::default();
        let topology = Box::leak(Box::new(Topology::NONE));
        let image = Model::parse(bytemuck::cast_slice(model), topology)?;
        let bytes = flash.capacity() as u32;
        let keeper = Some(Keeper::new(flash.clone(), 0..bytes));
        macro_rules! start {
            ($profile:ident) => {{
                // 64-bit numbers keep it aligned.
                let arena: &'static mut [u64] = vec![0u64; $profile::WORDS.div_ceil(2)].leak();
                let arena = &mut bytemuck::cast_slice_mut(arena)[..$profile::WORDS];
                let score = size_of::<$profile::Score>();
                let sizes = fitting(image.topology(), $profile::WORDS, $profile::SIZES, score);
                Learner::<$profile::Score>::check(image.topology(), arena.len(), sizes)
                    .map_err(|error| anyhow!("{error:?}"))?;
                let learner = Learner::<$profile::Score>::new(image, arena, sizes, LearnerConfig::default());
                let learner: &'static mut _ = Box::leak(Box::new(learner));
                let mut app =
                    App::<_, _, _, _, { $profile::FRAME }>::new(learner, keeper, wires.clone(), NativeBoard);
                app.start();
                Box::new(move || app.run().unwrap_or(false)) as Box<dyn FnMut() -> bool>
            }};
        }
        let run = if small { start!(small) } else { start!(large) };
        Ok(Self { wires, run })
    }
}

impl Line for Native {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure> {
        self.wires.0.borrow_mut().to_board.extend(bytes);
        Ok(())
    }

    fn receive(&mut self, _patience: Duration) -> Result<Vec<u8>, LinkFailure> {
        for _ in 0..2 {
            let mut wires = self.wires.0.borrow_mut();
            if let Some(end) = wires.to_host.iter().position(|&byte| byte == 0) {
                let mut answer: Vec<u8> = wires.to_host.drain(..=end).collect();
                answer.pop();
                return Ok(answer);
            }
            drop(wires);
            (self.run)();
        }
        Err(LinkFailure::Silent)
    }

    fn idle(&mut self) {
        (0..1000).for_each(|_| {
            (self.run)();
        });
    }
}
